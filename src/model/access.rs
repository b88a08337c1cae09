//! Requests as the balancer saw them, from inside, and the log of a lab.

use std::{net::SocketAddr, sync::Arc};

use serde::{Deserialize, Serialize};

/// One request as the proxy saw it. These events are the only output of the proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The time at which the head of the request arrived.
    pub at: jiff::Timestamp,
    pub client: SocketAddr,
    pub method: Box<str>,
    /// The `Host` header as the client sent it.
    pub host: Box<str>,
    /// The path and query.
    pub path: Box<str>,
    /// The `User-Agent` header, by which a probe finds its own requests again.
    pub user_agent: Option<Box<str>>,
    /// The router that matched.
    pub router: Option<Arc<str>>,
    /// The service of the lab that the router leads to.
    pub service: Option<Arc<str>>,
    /// The replica that answered.
    pub replica: Option<Arc<str>>,
    /// The balancer's count of the requests that it placed. `None` where a sticky cookie chose the replica, which takes
    /// no turn, or where no replica was chosen. The bundled proxy counts the requests of each service by themselves and
    /// without gaps; Traefik counts all requests together, with or without an answer.
    pub turn: Option<u64>,
    /// Replicas that were tried first and refused the connection.
    #[serde(rename = "passed_over", default, skip_serializing_if = "Vec::is_empty")]
    pub failed_over: Vec<Arc<str>>,
    /// The status that the client got.
    pub status: u16,
    /// The number of bytes of the response's body that were forwarded.
    pub bytes: u64,
    /// The time from the arrival of the head to the end of the response, in microseconds.
    pub duration_us: u64,
}

/// An entry of a lab's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// A request was answered.
    Request(Arc<Access>),
    /// An event of the lab itself.
    Lab {
        /// The time of the event.
        at: jiff::Timestamp,
        /// The event, in one line.
        message: String,
    },
    /// The reader was too slow, and this many entries are missing here.
    Missed { missed: u64 },
}
