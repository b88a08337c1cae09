//! The probe: sends a plan of requests to any HTTP target, and returns a trace.
//!
//! ```text
//! target     what was asked for: a URL, and where to connect
//! client     one request sent, one reply or failure back
//! identity   how a reply says which instance sent it
//! jar        the cookies of one client, and why some are not sent back
//! script     what a login is, and how a reply shows one
//! step       what a series sends at each of its places
//! pace       no more requests a second than allowed
//! prober     series of requests, one after the other
//! load       requests that keep instances busy, and others meanwhile
//! ```
//!
//! It judges nothing: the analysis does. What it sends is harmless unless it is told how to log in.

mod client;
mod identity;
mod jar;
mod load;
mod pace;
mod prober;
mod script;
mod step;
mod target;

pub use client::Setup;
pub use client::Verify;
pub use identity::{Identity, IdentityError};
pub use prober::{Prober, Series, Unreachable, tag};
pub use script::{LoggedIn, RequestSpec, Script, SpecError};
pub use target::{TargetError, parse as parse_target, with_path};
