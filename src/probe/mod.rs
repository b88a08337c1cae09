//! The probe: sends a plan of requests to any HTTP target, and returns a trace.
//!
//! ```text
//! target     what was asked for: a URL, and where to connect
//! http       one request sent, one reply or failure back
//! identity   how a reply says which instance sent it
//! set_cookie what a reply sets
//! jar        the cookies of one client, and why some are not sent back
//! cookies    what the target sets, how its values look, and which of them a series sends
//! script     what a login is, and how a reply shows one
//! plan       what a series sends, request by request
//! pace       no more requests a second than allowed
//! text       names from outside, as a trace keeps them
//! prober     series of requests, one after the other
//!   overlap    several at once
//! load       requests that keep instances busy, and others meanwhile
//! ```
//!
//! It judges nothing: the analysis does. What it sends is harmless unless it is told how to log in.

mod cookies;
mod http;
mod identity;
mod jar;
mod load;
mod overlap;
mod pace;
mod plan;
mod prober;
mod script;
mod set_cookie;
mod target;
mod text;

pub use http::{ClientConfig, Verify};
pub use identity::{Identity, IdentityError};
pub use plan::{SeriesPlan, user_agent_tag};
pub use prober::{Prober, Unreachable};
pub use script::{LoginCondition, RequestSpec, Script, SpecError};
pub use target::{TargetError, parse as parse_target, path_and_query, with_path};
