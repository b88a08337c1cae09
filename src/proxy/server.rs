//! The server: worker threads that accept connections, and the handle on them.
//!
//! Each worker is a thread with a runtime of its own and its own connections to the replicas, so that a request never
//! changes threads.

use std::{
    convert::Infallible,
    io,
    net::TcpListener,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use http::HeaderValue;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    sync::{broadcast, mpsc, watch},
};

use crate::{
    model::{Access, ExposedByDefault, Replicas},
    routing::Subject,
};

use super::{
    forward,
    headers::ForwardedHeaders,
    peer::{Events, Peer},
    registry::Registry,
    table::Table,
};

/// The time that requests under way get when a proxy that runs on its own is stopped.
pub const GRACE_PERIOD: Duration = Duration::from_secs(10);

/// The number of events by which a reader may be behind before it misses some.
const EVENT_BACKLOG: usize = 16_384;
/// The time that a client has, once the proxy stops, to read the end of an answer that is finished, or to finish a
/// request that it has begun.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The pause of a worker when the machine has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, Clone)]
pub struct Settings {
    pub exposed_by_default: ExposedByDefault,
    /// The number of threads, at least one.
    pub workers: usize,
}

/// A running proxy. Dropping it stops it at once, while [`Proxy::stop`] lets requests finish.
#[derive(Debug)]
pub struct Proxy {
    tables: watch::Receiver<Arc<Table>>,
    events: Events,
    stop: watch::Sender<Duration>,
    workers: Mutex<Vec<thread::JoinHandle<()>>>,
}

impl Proxy {
    /// Serves `listeners` with the replicas of the moment, until the proxy is stopped. It must be called on a tokio
    /// runtime.
    ///
    /// # Errors
    /// Fails when a thread or its runtime cannot be started.
    pub fn start(
        listeners: Vec<TcpListener>,
        mut replicas: watch::Receiver<Replicas>,
        settings: &Settings,
    ) -> io::Result<Proxy> {
        let mut registry = Registry::new(settings.exposed_by_default, settings.workers);
        let (publish, tables) = watch::channel(Arc::new(registry.table(&replicas.borrow_and_update())));
        tokio::spawn(async move {
            while replicas.changed().await.is_ok() {
                let table = registry.table(&replicas.borrow_and_update());
                if publish.send(Arc::new(table)).is_err() {
                    return;
                }
            }
            // the last table stays in force until the proxy is stopped
            publish.closed().await;
        });

        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        let (stop, stopped) = watch::channel(Duration::MAX);
        let server = rustix::system::uname();
        let server = HeaderValue::from_bytes(server.nodename().to_bytes());
        let server = server.unwrap_or_else(|_| HeaderValue::from_static("lbctl"));
        let mut workers = Vec::new();
        for index in 0..settings.workers {
            let listeners: Vec<_> = listeners.iter().map(TcpListener::try_clone).collect::<io::Result<_>>()?;
            let worker = Worker {
                index,
                server: server.clone(),
                tables: tables.clone(),
                events: events.clone(),
                stopped: stopped.clone(),
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let thread = thread::Builder::new().name(format!("proxy-{index}"));
            workers.push(thread.spawn(move || runtime.block_on(worker.run(listeners)))?);
        }
        Ok(Proxy { tables, events, stop, workers: Mutex::new(workers) })
    }

    /// The events of all requests from now on.
    pub fn events(&self) -> broadcast::Receiver<Arc<Access>> {
        self.events.subscribe()
    }

    /// The service of the lab that would get a request.
    pub fn route(&self, subject: Subject<'_>) -> Option<String> {
        self.tables.borrow().route(subject).map(|route| route.balancer.service.to_string())
    }

    /// A sentence for each thing in the labels that cannot be used at the moment.
    pub fn problems(&self) -> Vec<String> {
        self.tables.borrow().problems.clone()
    }

    /// Waits until the problems differ from `known`, and returns them.
    pub async fn other_problems(&self, known: &[String]) -> Vec<String> {
        let mut tables = self.tables.clone();
        match tables.wait_for(|table| table.problems != known).await {
            Ok(table) => table.problems.clone(),
            // there are no more tables, so there is none with other problems
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until requests may be given to all of these replicas.
    pub async fn offers(&self, names: &[String]) {
        let mut tables = self.tables.clone();
        // the sender outlives this handle
        _ = tables.wait_for(|table| names.iter().all(|name| table.offers(name))).await;
    }

    /// Waits until a replica gets no more requests and has finished those it had.
    pub async fn drained(&self, name: &str) {
        let mut tables = self.tables.clone();
        let upstreams = match tables.wait_for(|table| !table.offers(name)).await {
            Ok(table) => table.upstreams(name).to_vec(),
            Err(_) => Vec::new(),
        };
        for upstream in upstreams {
            upstream.drain().await;
        }
    }

    /// Accepts no more connections, gives requests under way the time `grace`, and ends.
    pub async fn stop(&self, grace: Duration) {
        _ = self.stop.send(grace);
        let workers = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = tokio::task::spawn_blocking(|| workers.into_iter().for_each(|worker| _ = worker.join()));
        _ = joined.await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        _ = self.stop.send(Duration::ZERO);
    }
}

/// One worker thread.
struct Worker {
    index: usize,
    server: HeaderValue,
    tables: watch::Receiver<Arc<Table>>,
    events: Events,
    stopped: watch::Receiver<Duration>,
}

impl Worker {
    async fn run(self, listeners: Vec<TcpListener>) {
        // every connection holds a clone of the sender; when all are gone, the receiver sees the end
        let (alive, mut gone) = mpsc::channel::<()>(1);
        let worker = Arc::new(self);
        let mut accepting = tokio::task::JoinSet::new();
        for listener in listeners {
            accepting.spawn(accept(worker.clone(), listener, alive.clone()));
        }
        drop(alive);
        let mut stopped = worker.stopped.clone();
        let grace = stopped.wait_for(|&grace| grace < Duration::MAX).await.map_or(Duration::ZERO, |grace| *grace);
        accepting.abort_all();
        while accepting.join_next().await.is_some() {}
        _ = tokio::time::timeout(grace, gone.recv()).await;
    }

    async fn serve(&self, stream: TcpStream, client: std::net::SocketAddr) {
        let peer = Peer {
            worker: self.index,
            client,
            forwarded: ForwardedHeaders::new(client, &self.server),
            tables: self.tables.clone(),
            events: self.events.clone(),
            requests: Arc::default(),
        };
        let peer = &peer;
        let service = service_fn(|request| async move { Ok::<_, Infallible>(forward::handle(peer, request).await) });
        let mut stopped = self.stopped.clone();
        // hyper's `pipeline_flush` must stay off: it takes any amount of an answer that its client does not read, and
        // holds back what is ready while the next request waits
        let mut http = http1::Builder::new();
        // most answers are small: copying one costs less than a vectored write
        http.writev(false);
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            biased;
            // a connection that breaks needs no answer
            _ = connection.as_mut() => return,
            _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
        }
        if Arc::strong_count(&peer.requests) == 1 {
            // half a request must not hold up the end
            _ = tokio::time::timeout(CLOSE_TIMEOUT, connection).await;
        } else {
            _ = connection.await;
        }
    }
}

async fn accept(worker: Arc<Worker>, listener: TcpListener, alive: mpsc::Sender<()>) {
    let listener = match listener.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(listener)) {
        Ok(listener) => listener,
        // no wait would help a listener that was bound and cannot be polled
        Err(_) => return,
    };
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                _ = stream.set_nodelay(true);
                let (worker, alive) = (worker.clone(), alive.clone());
                tokio::spawn(async move {
                    worker.serve(stream, client).await;
                    drop(alive);
                });
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}
