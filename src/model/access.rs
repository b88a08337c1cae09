//! A request as the proxy saw it, from inside, and the log that is made of them.

use std::{net::SocketAddr, sync::Arc};

use serde::{Deserialize, Serialize};

/// One request as the proxy saw it. These events are the only output of the proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// When the head of the request arrived.
    pub at: jiff::Timestamp,
    pub client: SocketAddr,
    /// GET, POST, …
    pub method: Box<str>,
    /// The `Host` header as it was sent.
    pub host: Box<str>,
    /// Path and query.
    pub path: Box<str>,
    /// The `User-Agent` header, by which a probe finds its own requests again.
    pub user_agent: Option<Box<str>>,
    /// The router that matched.
    pub router: Option<Arc<str>>,
    /// The service of the lab that answered, or should have.
    pub service: Option<Arc<str>>,
    /// The replica that answered.
    pub replica: Option<Arc<str>>,
    /// A number that grows with each request that this balancer places; `None` where a sticky cookie chose, which takes
    /// no turn, or where nothing was chosen. The bundled proxy counts the requests of each balancer by itself, without
    /// gaps; Traefik counts all requests together, whatever becomes of them.
    pub turn: Option<u64>,
    /// Replicas that were tried first and refused the connection.
    #[serde(rename = "passed_over", default, skip_serializing_if = "Vec::is_empty")]
    pub failed_over: Vec<Arc<str>>,
    /// The status the client got.
    pub status: u16,
    /// Bytes of the response's body that were forwarded.
    pub bytes: u64,
    /// From the head's arrival to the end of the response, in microseconds.
    pub duration_us: u64,
}

/// An entry of a lab's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// A request was answered.
    Request(Arc<Access>),
    /// Something happened to the lab itself.
    Lab {
        /// When it happened.
        at: jiff::Timestamp,
        /// What happened, in one line.
        message: String,
    },
    /// The reader was too slow, and this many entries are missing here.
    Missed {
        /// The number of entries.
        missed: u64,
    },
}
