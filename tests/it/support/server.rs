//! Servers of the tests: what a real one does only when it is broken, and real balancers in front of real replicas.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::{eventually, peer, send};

/// A server that answers each connection's first request with whatever the function writes. It goes with the process.
pub fn raw(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = std::sync::Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), answer) = (stream, answer.clone()) else { return };
            thread::spawn(move || {
                if let Some(request) = read_head(&mut stream) {
                    answer(&request, &mut stream);
                }
            });
        }
    });
    address
}

/// The head of a request; `None` where no more comes.
pub fn read_head(stream: &mut TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// A response with these header lines (each with its `\r\n`) and this body, after which the connection ends.
pub fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

/// How long a balancer may take to end.
const GRACE: Duration = Duration::from_secs(2);

/// A real balancer, ended when it is dropped.
pub struct Balancer {
    child: Child,
    pub address: SocketAddr,
    _files: TempDir,
}

impl Balancer {
    /// Waits until a server behind it answers for this host: some listen before they know any.
    #[track_caller]
    pub fn answers(&self, host: &str) {
        eventually("an answer through the balancer", || {
            let mut stream = TcpStream::connect(self.address).ok()?;
            stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
            write!(stream, "GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).ok()?;
            answer.contains(" 200 ").then_some(())
        });
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // asked first, because a killed one leaves its workers behind
        send(self.child.id() as i32, rustix::process::Signal::TERM);
        let asked = std::time::Instant::now();
        while asked.elapsed() < GRACE && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(5));
        }
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// nginx as one process, so that no worker outlives it, in front of these servers. `upstream` goes into the upstream
/// block, `server` into the server block.
pub fn nginx(upstreams: &[String], upstream: &str, server: &str) -> Option<Balancer> {
    let program = peer("nginx")?;
    start(|directory, address| {
        let dir = directory.display();
        let servers: String = upstreams.iter().map(|server| format!("server {server};\n")).collect();
        let tls = if server.contains("ssl_certificate") { " ssl" } else { "" };
        let config = format!(
            "daemon off; master_process off; pid {dir}/pid; error_log stderr;\n\
             events {{ worker_connections 512; }}\n\
             http {{\n access_log off; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;\n\
             uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;\n\
             upstream app {{ {upstream}\n {servers} }}\n\
             server {{ listen {address}{tls}; {server}\n\
             location / {{ proxy_pass http://app; proxy_set_header Host $http_host; }} }} }}\n"
        );
        std::fs::write(directory.join("nginx.conf"), config).unwrap();
        let mut command = Command::new(&program);
        command.args(["-e", "stderr", "-p"]).arg(directory).arg("-c").arg(directory.join("nginx.conf"));
        command
    })
}

/// HAProxy with one thread in front of these servers; `backend` goes into its only section, whose mode is `mode`.
pub fn haproxy(upstreams: &[String], mode: &str, backend: &str) -> Option<Balancer> {
    let program = peer("haproxy")?;
    start(|directory, address| {
        let servers: String = upstreams
            .iter()
            .enumerate()
            .map(|(index, server)| format!("  server s{index} {server} cookie s{index}\n"))
            .collect();
        let servers = if backend.contains("cookie") { servers } else { servers.replace(" cookie s", " # s") };
        let config = format!(
            "global\n  nbthread 1\ndefaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n\
             listen app\n  mode {mode}\n  bind {address}\n  {backend}\n{servers}"
        );
        std::fs::write(directory.join("haproxy.cfg"), config).unwrap();
        let mut command = Command::new(&program);
        command.args(["-db", "-f"]).arg(directory.join("haproxy.cfg"));
        command
    })
}

/// Starts a balancer on a port that was free a moment ago, and again on another where it was not any more.
pub fn start(configured: impl Fn(&Path, SocketAddr) -> Command) -> Option<Balancer> {
    for _ in 0..10 {
        let files = TempDir::new().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = configured(files.path(), address);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let up = eventually("a balancer that listens or ends", || match child.try_wait().unwrap() {
            Some(_) => Some(false),
            None => TcpStream::connect(address).is_ok().then_some(true),
        });
        if up {
            return Some(Balancer { child, address, _files: files });
        }
    }
    panic!("the balancer did not start: {:?}", configured(Path::new("DIR"), ([127, 0, 0, 1], 0).into()));
}
