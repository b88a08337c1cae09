//! The probe: sends series of requests to any HTTP target and records them as a trace.
//!
//! ```text
//! target      the URL that a user names as the target
//! plan        the requests of a series, and their conditions
//! script      a login, and how a reply shows that it lasts
//! headers     the headers that a user adds to every request
//! secret      values that stand in the environment or in a file
//! prober      sends series of requests
//!   concurrent  several requests at once
//!   hold        slow requests that keep instances busy, and quick ones meanwhile
//! recorder    enters what came back into the trace
//! http/       one request goes out, one reply or failure comes back
//! identity/   which instance sent a reply
//! cookies     which cookies the target sets, what their values look like, and which of them a series sends
//!   jar         the cookies of one client, and why some are not sent back
//!   set_cookie  the lines that set cookies
//! pace        no more requests per second than allowed
//! text        names from outside, as a trace keeps them
//! ```
//!
//! The probe judges nothing: the analysis does. What it sends is harmless unless the user describes a login.

mod cookies;
mod headers;
mod http;
mod identity;
mod jar;
mod load;
mod pace;
mod plan;
mod prober;
mod recorder;
mod script;
mod secret;
mod set_cookie;
mod target;
mod text;
mod workers;

pub use headers::{HeaderError, parse_headers};
pub use http::{ClientConfig, Verification};
pub use identity::{Identity, IdentityError};
pub use plan::{SeriesPlan, user_agent_tag};
pub use prober::Prober;
pub use recorder::Unreachable;
pub use script::{LoginCondition, RequestSpec, Script, SpecError};
pub use secret::reveal_secret;
pub use target::{TargetError, parse_target, path_and_query, with_path};
