//! The bundled proxy: labels → routes → pick → forward → event.
//!
//! It is handed a `watch` channel of replicas and listeners that are bound already. Its only output is an
//! [`Access`](crate::model::Access) event per request. It reads the labels that Traefik reads and answers as Traefik
//! does, but for two things: its round robin is strict and starts at replica 1, and a replica that refuses the
//! connection is passed over at once.

mod balance;
mod body;
mod containers;
mod defaults;
mod forward;
mod headers;
mod labels;
mod merge;
mod middleware;
mod path;
mod record;
mod registry;
mod routes;
mod rule;
mod server;
mod sticky;
mod upstream;

pub use containers::address;
pub use defaults::{Routing, balancers, check};
pub use labels::{OWN_STRATEGY, strategy_label};
pub use registry::{Preview, preview, route};
pub use rule::{Subject, bare_host};
pub use server::{Proxy, Settings};
