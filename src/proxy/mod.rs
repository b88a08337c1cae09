//! The bundled proxy: routes → pick → forward → event.
//!
//! It gets a `watch` channel of replicas, and listeners that are bound already. Its only output is an
//! [`Access`](crate::model::Access) event per request. It reads the labels that Traefik reads and answers as Traefik
//! does, but for two things: its round robin is strict and starts at replica 1, and it fails over at once from a
//! replica that refuses the connection.
//!
//! | file | what it does |
//! | --- | --- |
//! | `server.rs` | the worker threads that accept connections, and the handle on the whole proxy |
//! | `peer.rs`, `record.rs` | a client's connection; the event of a request under way |
//! | `registry.rs`, `table.rs` | replicas → the table of routes, and the data that outlives a table |
//! | `forward/` | the phases of a request |
//! | `balance/` | the strategies, one file each |
//! | `upstream.rs` | a replica with its connections and its requests in flight |
//! | `middleware.rs`, `headers.rs`, `path.rs`, `sticky.rs` | the changes of a request and its answer on their way |
//! | `request_body.rs`, `response_body.rs` | the bodies, as they stream |

mod balance;
mod forward;
mod headers;
mod middleware;
mod path;
mod peer;
mod record;
mod registry;
mod request_body;
mod response_body;
mod server;
mod sticky;
mod table;
mod upstream;

pub use server::{GRACE_PERIOD, Proxy, Settings};
