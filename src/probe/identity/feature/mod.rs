//! Features: the values of a reply that may distinguish instances.
//!
//! ```text
//! slot       the place of a value in a reply
//! extractor  takes the features from replies, and stores each text once
//! words      the words of a body, and the attributes of HTML in it
//! body       a body as one value
//! cookies    the cookies that a reply sets
//! partition  the division of the replies by the values of a feature
//! ```

mod body;
mod cookies;
mod extractor;
mod partition;
mod slot;
mod words;

pub use body::{BODY_MARK, body_value};
pub use cookies::cookie_values;
pub use extractor::{FeatureExtractor, Features, shorten};
pub use partition::{Partition, Recurrence};
pub use slot::{Anchor, MAX_STEPS, Separator, Slot, TextId};
pub use words::{word_at, words};
