//! The probe: sends series of requests to any HTTP target and records them as a trace.
//!
//! ```text
//! target      the URL that a user names as the target, and the addresses of its name
//! plan        the requests of a series, and their conditions
//! script      a login, and the check that shows whether it lasts
//! headers     the headers that a user adds to every request
//! secret      values that stand in the environment or in a file
//! prober      sends series of requests
//!   workers     send several requests at once
//!   load        slow requests that keep instances busy, and quick ones meanwhile
//! recorder    enters replies and failures into the trace
//! http/       one request goes out, one reply or failure comes back
//! identity/   names the instance that sent a reply
//! cookies     the cookies that the target sets, the form of their values, and the values that a series sends
//!   jar         the cookies of one client, and the reasons why some are not sent back
//!   set_cookie  the lines that set cookies
//! pace        no more requests per second than allowed
//! text        names from outside, in the form in which a trace stores them
//! ```
//!
//! The probe judges nothing: the analysis does. Its requests are harmless unless the user describes a login.

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
pub use http::{ClientConfig, Verification, choose_address};
pub use identity::{Identity, IdentityError};
pub use pace::Pauses;
pub use plan::{SeriesPlan, user_agent_tag};
pub use prober::Prober;
pub use recorder::Unreachable;
pub use script::{LoginCondition, RequestSpec, Script, SpecError};
pub use secret::reveal_secret;
pub use target::{TargetError, parse_target, path_and_query, resolve_addresses, with_path};
