//! HTTP as a client: one request goes out, one reply or one failure comes back.
//!
//! ```text
//! addresses       the addresses of the target's name, one of which is asked
//! config          the target, and the settings of every request
//! message         the request, and the reply
//! client          completes requests and gives them to a transport
//! direct_client   the transport for plain HTTP to the server itself, with as little CPU per request as possible
//! reqwest_client  the transport for TLS, and for the proxy that the environment names
//! failure         the kind of failure that an error is
//! ```

mod addresses;
mod client;
mod config;
mod direct_client;
mod failure;
mod message;
mod reqwest_client;

pub use addresses::{choose_address, resolve_host};
pub use client::Client;
pub use config::{ClientConfig, Verification};
pub use message::{Content, OutgoingRequest, Reply};
