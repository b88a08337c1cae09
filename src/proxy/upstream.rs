//! Upstreams: one replica as the proxy sees it, with its idle connections and its count of requests in flight.

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

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    sync::{Notify, watch},
};

use super::{balance::Candidate, body::Outgoing, sticky};

/// Connections to one replica that one worker keeps at most; as Traefik.
const MOST_IDLE: usize = 200;
/// How long an idle connection is kept; as Traefik.
const LONGEST_IDLE: Duration = Duration::from_secs(90);
/// How long a connection may take to be made; as Traefik.
const DIAL_TIMEOUT: Duration = Duration::from_secs(30);

/// One replica, shared by every table and worker that know it.
#[derive(Debug)]
pub struct Upstream {
    /// The name a person knows.
    pub name: Arc<str>,
    /// The lab's service it belongs to.
    pub service: Arc<str>,
    /// Where it answers.
    pub address: SocketAddr,
    /// What stands for it in a sticky cookie.
    pub cookie_value: String,
    ordinal: u64,
    url: String,
    in_flight: AtomicUsize,
    draining: AtomicBool,
    idle: Notify,
    /// Whether there is nothing at its address any more.
    gone: watch::Sender<bool>,
    /// One pool a worker: a connection lives on the runtime that opened it.
    pools: Box<[Mutex<VecDeque<Idle>>]>,
}

#[derive(Debug)]
struct Idle {
    connection: SendRequest<Outgoing>,
    since: Instant,
}

/// A connection to a replica, and whether it had served before.
pub enum Connected {
    /// From the pool: the replica may close it at any moment.
    Kept(SendRequest<Outgoing>),
    /// Just made.
    Fresh(SendRequest<Outgoing>),
}

impl Upstream {
    /// A replica for `workers` workers.
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

    /// Counts a request in, unless the replica is draining.
    pub fn admit(self: &Arc<Self>) -> Option<InFlight> {
        // Counting before looking, while `drained` looks after marking: one of the two sees the other.
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let admitted = InFlight(self.clone());
        (!self.draining.load(Ordering::SeqCst)).then_some(admitted)
    }

    /// Admits no more requests.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Whether it admits no more requests.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Admits no more requests, and waits until none is in flight.
    pub async fn drained(&self) {
        self.start_draining();
        loop {
            let changed = self.idle.notified();
            if self.in_flight.load(Ordering::SeqCst) == 0 {
                return;
            }
            changed.await;
        }
    }

    /// Lets go whoever still waits for a connection: where there was a container, nobody refuses one.
    pub fn mark_gone(&self) {
        self.gone.send_replace(true);
    }

    /// A connection for a request of `worker`: an idle one, else a new one.
    ///
    /// # Errors
    /// When none can be made; [`io::ErrorKind::TimedOut`] after the dial timeout.
    pub async fn connect(&self, worker: usize) -> io::Result<Connected> {
        while let Some(kept) = self.take_idle(worker) {
            // else it was closed by the replica: the next one
            if kept.is_ready() {
                return Ok(Connected::Kept(kept));
            }
        }
        self.dial().await.map(Connected::Fresh)
    }

    /// A new connection.
    ///
    /// # Errors
    /// As [`Upstream::connect`].
    pub async fn dial(&self) -> io::Result<SendRequest<Outgoing>> {
        let mut gone = self.gone.subscribe();
        let stream = tokio::select! {
            stream = tokio::time::timeout(DIAL_TIMEOUT, TcpStream::connect(self.address)) => stream??,
            _ = gone.wait_for(|gone| *gone) => return Err(io::ErrorKind::NotConnected.into()),
        };
        stream.set_nodelay(true)?;
        let handshake = http1::Builder::new().writev(false).handshake(TokioIo::new(stream)).await;
        let (connection, driver) = handshake.map_err(io::Error::other)?;
        tokio::spawn(async move {
            // its errors reach whoever waits for the answer
            _ = driver.with_upgrades().await;
        });
        Ok(connection)
    }

    /// Keeps a connection that may serve again. One that is not ready is closing, or still busy with the rest of a
    /// request that was answered early: it is let go, and ends by itself.
    pub fn keep(&self, worker: usize, connection: SendRequest<Outgoing>) {
        if !connection.is_ready() || self.draining.load(Ordering::Relaxed) {
            return;
        }
        let mut pool = self.pools[worker].lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < MOST_IDLE {
            pool.push_back(Idle { connection, since: Instant::now() });
        }
    }

    /// The connection used last, so that those in excess grow old; what is too old is dropped from the other end.
    fn take_idle(&self, worker: usize) -> Option<SendRequest<Outgoing>> {
        let mut pool = self.pools[worker].lock().unwrap_or_else(PoisonError::into_inner);
        while pool.front().is_some_and(|idle| idle.since.elapsed() > LONGEST_IDLE) {
            pool.pop_front();
        }
        pool.pop_back().map(|idle| idle.connection)
    }
}

/// An upstream with its weight in one balancer.
#[derive(Debug, Clone)]
pub struct WeightedUpstream {
    /// The replica.
    pub upstream: Arc<Upstream>,
    /// Its share beside the others'.
    pub weight: i64,
}

impl Candidate for WeightedUpstream {
    fn ordinal(&self) -> u64 {
        self.upstream.ordinal
    }

    fn in_flight(&self) -> usize {
        self.upstream.in_flight.load(Ordering::Relaxed)
    }

    fn url(&self) -> &str {
        &self.upstream.url
    }

    fn weight(&self) -> i64 {
        self.weight
    }
}

/// A request that its replica is working on; counted out when it is dropped.
#[derive(Debug)]
pub struct InFlight(Arc<Upstream>);

impl InFlight {
    /// The replica.
    pub fn upstream(&self) -> &Arc<Upstream> {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 && self.0.draining.load(Ordering::SeqCst) {
            self.0.idle.notify_waiters();
        }
    }
}
