//! The probe: sends a plan of requests to any HTTP target, and returns a trace.
//!
//! ```text
//! target     what was asked for: a URL, and where to connect
//! client     one request sent, one reply or failure back
//!   wire       over plain connections
//! failure    what sort a failure is
//! identity   how a reply says which instance sent it
//! jar        the cookies of one client, and why some are not sent back
//! cookies    what the target sets, how its values look, and which of them a series sends
//! script     what a login is, and how a reply shows one
//! step       what a series sends at each of its places
//! pace       no more requests a second than allowed
//! prober     series of requests, one after the other
//!   overlap    several at once
//! load       requests that keep instances busy, and others meanwhile
//! ```
//!
//! It judges nothing: the analysis does. What it sends is harmless unless it is told how to log in.

mod client;
mod cookies;
mod failure;
mod identity;
mod jar;
mod load;
mod overlap;
mod pace;
mod prober;
mod script;
mod step;
mod target;
mod wire;

pub use client::Setup;
pub use client::Verify;
pub use identity::{Identity, IdentityError};
pub use prober::{Prober, Series, Unreachable, tag};
pub use script::{LoggedIn, RequestSpec, Script, SpecError};
pub use target::{TargetError, parse as parse_target, with_path};
