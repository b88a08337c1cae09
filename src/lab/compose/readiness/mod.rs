//! Readiness: waits until every container of a lab answers through its proxy, and names the one that does not.
//!
//! ```text
//! wait           waits until the replicas are healthy, and Traefik gives requests to them
//! snapshot       the state of the replicas at one moment
//! traefik_api    the servers to which Traefik gives requests
//! through_proxy  requests through the proxy
//! bundled_proxy  waits until the bundled proxy reaches the replicas
//! explain        finds the replica that holds the lab up, and the end of its log
//! not_ready      the error
//! client         the HTTP client of these requests
//! ```

mod bundled_proxy;
mod client;
mod explain;
mod not_ready;
mod snapshot;
mod through_proxy;
mod traefik_api;
mod wait;

pub use bundled_proxy::wait_for_bundled_proxy;
pub use client::USER_AGENT;
pub use not_ready::NotReady;
pub use snapshot::Goal;
pub use through_proxy::ask_every_replica;
pub use wait::{READINESS_TIMEOUT, wait_for_replicas};
