//! Upstreams: a replica as the proxy sees it, with its idle connections and the number of its requests in flight.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::{
        TrySendError,
        http1::{self, SendRequest},
    },
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    sync::{Notify, watch},
};

use super::{request_body::RequestBody, sticky};

/// The number of idle connections to one replica that one worker keeps at most, as in Traefik.
const MAX_IDLE: usize = 200;
/// The time after which an idle connection is dropped, as in Traefik.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
/// The longest time that a connection may take to be made, as in Traefik.
const DIAL_TIMEOUT: Duration = Duration::from_secs(30);

/// A replica at one of its addresses. All tables and workers share it.
#[derive(Debug)]
pub struct Upstream {
    /// The name that a person knows: `web_static-3`.
    pub name: Arc<str>,
    /// The service of the lab.
    pub service: Arc<str>,
    pub address: SocketAddr,
    /// The value of a sticky cookie that names the replica.
    pub cookie_value: String,
    ordinal: u64,
    url: String,
    in_flight: AtomicUsize,
    draining: AtomicBool,
    /// Notifies that a draining replica has finished its last request.
    idle: Notify,
    /// Becomes true when the replica has left its address.
    gone: watch::Sender<bool>,
    /// A pool for each worker, because a connection lives on the runtime that opened it.
    pools: Box<[Mutex<VecDeque<IdleConnection>>]>,
}

#[derive(Debug)]
struct IdleConnection {
    connection: SendRequest<RequestBody>,
    since: Instant,
}

/// A connection to a replica.
pub enum Connection {
    /// The connection has served before: the replica may close it at any moment.
    Reused(SendRequest<RequestBody>),
    /// The connection has just been made.
    New(SendRequest<RequestBody>),
}

/// The answer of a replica, and the connection that brought it.
pub struct Reply {
    pub response: Response<Incoming>,
    pub connection: SendRequest<RequestBody>,
}

impl Upstream {
    /// A replica to which `workers` workers connect.
    pub fn new(name: Arc<str>, service: Arc<str>, ordinal: u64, address: SocketAddr, workers: usize) -> Self {
        let url = format!("http://{address}");
        Upstream {
            name,
            service,
            address,
            cookie_value: sticky::server_value(&url),
            ordinal,
            url,
            in_flight: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            idle: Notify::new(),
            gone: watch::Sender::new(false),
            pools: (0..workers).map(|_| Mutex::default()).collect(),
        }
    }

    /// Counts a request in, unless the replica drains.
    pub fn admit(self: &Arc<Self>) -> Option<InFlightRequest> {
        // Counting before looking, while `drain` looks after marking: one of the two sees the other.
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let admitted = InFlightRequest(self.clone());
        (!self.draining.load(Ordering::SeqCst)).then_some(admitted)
    }

    /// Makes the replica admit no more requests.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Returns whether the replica admits no more requests.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Makes the replica admit no more requests, and waits until none is in flight.
    pub async fn drain(&self) {
        self.start_draining();
        loop {
            let changed = self.idle.notified();
            if self.in_flight.load(Ordering::SeqCst) == 0 {
                return;
            }
            changed.await;
        }
    }

    /// Marks the replica as removed: requests that wait for a connection to it wait no longer. Where a container was,
    /// no machine is left that would refuse a connection.
    pub fn mark_gone(&self) {
        self.gone.send_replace(true);
    }

    /// A connection for a request of `worker`: an idle one, or a new one if none is idle.
    ///
    /// # Errors
    /// Fails when no connection can be made; [`io::ErrorKind::TimedOut`] after the dial timeout.
    pub async fn connect(&self, worker: usize) -> io::Result<Connection> {
        while let Some(idle) = self.take_idle(worker) {
            // otherwise the replica has closed it
            if idle.is_ready() {
                return Ok(Connection::Reused(idle));
            }
        }
        self.dial().await.map(Connection::New)
    }

    /// A new connection.
    ///
    /// # Errors
    /// Fails as [`Upstream::connect`] does.
    pub async fn dial(&self) -> io::Result<SendRequest<RequestBody>> {
        let mut gone = self.gone.subscribe();
        let stream = tokio::select! {
            stream = tokio::time::timeout(DIAL_TIMEOUT, TcpStream::connect(self.address)) => stream??,
            _ = gone.wait_for(|gone| *gone) => return Err(io::ErrorKind::NotConnected.into()),
        };
        stream.set_nodelay(true)?;
        let handshake = http1::Builder::new().writev(false).handshake(TokioIo::new(stream)).await;
        let (connection, driver) = handshake.map_err(io::Error::other)?;
        tokio::spawn(async move {
            // its errors reach the request that waits for the answer
            _ = driver.with_upgrades().await;
        });
        Ok(connection)
    }

    /// Sends a request by one of the connections to this replica, and waits for the head of the answer. Every request
    /// passes here, so that this is where a strategy may have the time to an answer measured.
    ///
    /// # Errors
    /// Fails when no head of an answer came; the error gives the request back if it was not sent.
    pub async fn send(
        &self,
        mut connection: SendRequest<RequestBody>,
        request: Request<RequestBody>,
    ) -> Result<Reply, TrySendError<Request<RequestBody>>> {
        let response = connection.try_send_request(request).await?;
        Ok(Reply { response, connection })
    }

    /// Stores a connection that may serve again. A connection that is not ready is closing, or still busy with the rest
    /// of a request that was answered early: it is dropped, and ends by itself.
    pub fn store_idle(&self, worker: usize, connection: SendRequest<RequestBody>) {
        if !connection.is_ready() || self.draining.load(Ordering::Relaxed) {
            return;
        }
        let mut pool = self.pools[worker].lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < MAX_IDLE {
            pool.push_back(IdleConnection { connection, since: Instant::now() });
        }
    }

    /// The idle connection that was used last, so that those in excess grow old. Connections that are too old are
    /// dropped from the other end.
    fn take_idle(&self, worker: usize) -> Option<SendRequest<RequestBody>> {
        let mut pool = self.pools[worker].lock().unwrap_or_else(PoisonError::into_inner);
        while pool.front().is_some_and(|idle| idle.since.elapsed() > IDLE_TIMEOUT) {
            pool.pop_front();
        }
        pool.pop_back().map(|idle| idle.connection)
    }
}

/// An upstream with its weight in one balancer. A strategy picks one of these.
#[derive(Debug, Clone)]
pub struct WeightedUpstream {
    pub upstream: Arc<Upstream>,
    /// The replica's share of the requests, in proportion to the other weights.
    pub weight: i64,
}

impl WeightedUpstream {
    /// The replica's place in the order; candidates are sorted by it.
    pub fn ordinal(&self) -> u64 {
        self.upstream.ordinal
    }

    /// The number of requests that the replica is working on.
    pub fn in_flight(&self) -> usize {
        self.upstream.in_flight.load(Ordering::Relaxed)
    }

    /// The replica's URL, as Traefik would name it.
    pub fn url(&self) -> &str {
        &self.upstream.url
    }
}

/// A request that a replica is working on. Dropping it counts the request out.
#[derive(Debug)]
pub struct InFlightRequest(Arc<Upstream>);

impl InFlightRequest {
    pub fn upstream(&self) -> &Arc<Upstream> {
        &self.0
    }
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 && self.0.draining.load(Ordering::SeqCst) {
            self.0.idle.notify_waiters();
        }
    }
}
