//! The bundled proxy: labels → routes → pick → forward → event.
//!
//! It is handed a `watch` channel of replicas and listeners that are bound already. Its only output is an
//! [`Access`](crate::model::Access) event per request. It reads the labels that Traefik reads and answers as Traefik
//! does, but for two things: its round robin is strict and starts at replica 1, and a replica that refuses the
//! connection is passed over at once.

mod balance;
mod body;
mod forward;
mod headers;
mod middleware;
mod path;
mod record;
mod registry;
mod server;
mod sticky;
mod table;
mod upstream;

pub use server::{Proxy, Settings};
