//! The two ends of the proxy under test: the process itself, servers behind it, and connections as bytes.

use std::{
    convert::Infallible,
    future::Future,
    io::Read,
    net::SocketAddr,
    process::{Child, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::support::{DEADLINE, Place, eventually};

/// `lbctl proxy` in front of upstreams called `s1`, `s2`, …; killed when it is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    child: Child,
    stdout: Arc<Mutex<String>>,
    _place: Place,
}

impl Proxy {
    pub fn start(upstreams: &[SocketAddr], flags: &[&str]) -> Proxy {
        let place = Place::new();
        let mut command = place.command(["proxy", "--port", "0"]);
        for (n, address) in (1..).zip(upstreams) {
            command.arg(format!("--upstream=s{n}={address}"));
        }
        let mut child = command.args(flags).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        let address = eventually("the proxy to listen", || {
            let said = stderr.lock().unwrap();
            said.lines().find_map(|line| line.strip_prefix("listening on http://")?.split('/').next()?.parse().ok())
        });
        Proxy { address, child, stdout, _place: place }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The lines of its log, once `count` of them have come.
    pub async fn log(&self, count: usize) -> Vec<String> {
        until("the lines of the log", || {
            let lines: Vec<String> = self.stdout.lock().unwrap().lines().map(str::to_owned).collect();
            (lines.len() >= count).then_some(lines)
        })
        .await
    }

    /// ^C, as a terminal sends it.
    pub fn interrupt(&self) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// The most memory it ever held, in bytes.
    pub fn peak_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
    }

    /// A connection to it, as bytes.
    pub async fn connect(&self) -> Wire {
        Wire::new(within(TcpStream::connect(self.address)).await.unwrap())
    }

    /// One request as bytes, and everything that comes back until the proxy closes.
    pub async fn exchange(&self, request: &str) -> String {
        let mut wire = self.connect().await;
        wire.send(request).await;
        wire.rest().await
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let collected = text.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            collected.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    });
    text
}

/// A server that the test runs itself; it ends when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    /// Connections accepted so far.
    pub accepted: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Answers by HTTP.
    pub async fn http<R>(answer: impl Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static) -> Server
    where
        R: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        Server::wires(move |wire| {
            let answer = answer.clone();
            async move {
                let service = service_fn(move |request| {
                    let answered = answer(request);
                    async move { Ok::<_, Infallible>(answered.await) }
                });
                _ = http1::Builder::new().serve_connection(TokioIo::new(wire.stream), service).await;
            }
        })
        .await
    }

    /// Says its name, and the request as it came.
    pub async fn echo(name: &'static str) -> Server {
        Server::http(move |request| async move {
            let (parts, body) = request.into_parts();
            let mut text = format!("{} {} {:?}\n", parts.method, parts.uri, parts.version);
            for (name, value) in &parts.headers {
                text += &format!("{name}: {}\n", value.to_str().unwrap());
            }
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            text += &format!("\n{}", String::from_utf8_lossy(&body));
            Response::builder().header("x-served-by", name).body(Full::from(text)).unwrap()
        })
        .await
    }

    /// Gives each connection to `serve` as bytes.
    pub async fn wires<R>(serve: impl Fn(Wire) -> R + Send + 'static) -> Server
    where
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = accepted.clone();
        let accepting = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                connections.spawn(serve(Wire::new(stream)));
            }
        });
        Server { address, accepted, accepting }
    }

    /// Answers every request on a connection with these bytes.
    pub async fn scripted(answer: &'static str) -> Server {
        Server::wires(move |mut wire| async move {
            while wire.head().await.is_some() {
                wire.send(answer).await;
            }
        })
        .await
    }

    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// An address where nobody listens.
pub async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A connection as bytes.
pub struct Wire {
    pub stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    pub fn new(stream: TcpStream) -> Wire {
        stream.set_nodelay(true).unwrap();
        Wire { stream, read: Vec::new() }
    }

    /// Sends bytes; whether the other end still takes them shows when it is read from.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        _ = within(self.stream.write_all(bytes.as_ref())).await;
    }

    /// The head of the next message, with its empty line; `None` when the connection ends before.
    pub async fn head(&mut self) -> Option<String> {
        self.through("\r\n\r\n").await
    }

    /// Everything up to the next `end`, which is included; `None` when the connection ends before.
    pub async fn through(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|window| window == end.as_bytes()) {
                let text = self.read.drain(..at + end.len()).collect();
                return Some(String::from_utf8(text).unwrap());
            }
            if self.more().await == 0 {
                return None;
            }
        }
    }

    /// The next `count` bytes.
    pub async fn take(&mut self, count: usize) -> Vec<u8> {
        while self.read.len() < count {
            assert_ne!(self.more().await, 0, "the connection ended after {} of {count} bytes", self.read.len());
        }
        self.read.drain(..count).collect()
    }

    /// The next `count` bytes as text.
    pub async fn text(&mut self, count: usize) -> String {
        String::from_utf8(self.take(count).await).unwrap()
    }

    /// Everything until the other end closes.
    pub async fn rest(&mut self) -> String {
        while self.more().await > 0 {}
        String::from_utf8_lossy(&std::mem::take(&mut self.read)).into_owned()
    }

    /// Waits until the other end closes, whatever it sends before.
    pub async fn closed(&mut self) {
        _ = self.rest().await;
    }

    /// Closes with a reset, as a server that crashes does.
    pub fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }

    async fn more(&mut self) -> usize {
        let mut buffer = vec![0; 65_536];
        let count = within(self.stream.read(&mut buffer)).await.unwrap_or(0);
        self.read.extend_from_slice(&buffer[..count]);
        count
    }
}

/// What must come within the deadline.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it takes too long")
}

/// Polls until `look` finds something, while other tasks go on.
pub async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Who answered.
pub fn served_by(response: &reqwest::Response) -> &str {
    response.headers()["x-served-by"].to_str().unwrap()
}

/// `GET /` with its own connection, and who answered.
pub async fn who(client: &reqwest::Client, proxy: &Proxy) -> String {
    let response = within(client.get(proxy.url("/")).send()).await.unwrap();
    served_by(&response).to_owned()
}
