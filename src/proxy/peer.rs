//! Peers: the connections of clients, each with the data that its requests need.

use std::{net::SocketAddr, sync::Arc};

use tokio::sync::{broadcast, watch};

use crate::model::Access;

use super::{headers::ForwardedHeaders, table::Table};

/// The channel for the events of requests.
pub type Events = broadcast::Sender<Arc<Access>>;

/// A client's connection, with the data that its requests need.
pub struct Peer {
    /// The worker that serves the connection.
    pub worker: usize,
    pub client: SocketAddr,
    /// The headers by which replicas learn of the client.
    pub forwarded: ForwardedHeaders,
    /// The routes of the moment.
    pub tables: watch::Receiver<Arc<Table>>,
    pub events: Events,
    /// Each request of the connection holds a clone until it is over.
    pub requests: Arc<()>,
}
