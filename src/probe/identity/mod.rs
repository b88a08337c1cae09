//! Identity: how a reply says which instance sent it.
//!
//! ```text
//! told        a header, a JSON field or a pattern, as --identity has it
//! field       one field of a JSON body
//! known       where servers commonly say who they are
//! features    whatever of a reply might tell instances apart
//! text        the words of a body
//! places      the words that vary, by what stands around them
//! meaning     what a name or a value lets one expect
//! words       the words that this goes by
//! partition   how the values of a feature divide the replies
//! discovery   which feature tells instances apart
//! named       which of the known names do
//! candidate   which others may, and what speaks for them
//! picking     which of these is taken
//! finder      how it is read from a reply, and said in words
//! memo        bodies that need not be read again
//! refusal     why none does, in words
//! recogniser  names the instance behind each reply
//! ```
//!
//! Only features of the first replies are kept, and those only until it is settled which of them is taken.

mod candidate;
mod discovery;
mod features;
mod field;
mod finder;
mod known;
mod meaning;
mod memo;
mod named;
mod partition;
mod picking;
mod places;
mod recogniser;
mod refusal;
#[cfg(test)]
mod tests;
mod text;
mod told;
mod words;

pub use recogniser::{Again, Place, Read, Recogniser};
pub use told::{Identity, IdentityError, scalar};
