//! Connections: kept, reused, and what one client's does to the others.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::ends::{Proxy, Server, served_by, until, who, within};
use crate::support::{client, peer};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

#[tokio::test]
async fn connections_to_upstreams_are_reused() {
    for answer in [
        OK,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n2\r\nhi\r\n0\r\nX-A: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
    ] {
        let server = Server::scripted(answer).await;
        let proxy = Proxy::start(&[server.address], &["--threads", "1"]);
        // each request comes by a connection of its own
        for _ in 0..20 {
            client().get(proxy.url("/")).send().await.unwrap().bytes().await.unwrap();
        }
        assert_eq!(server.accepted(), 1, "{answer}");
    }
}

#[tokio::test]
async fn an_upstream_that_says_close_is_dialled_again() {
    let server = Server::wires(|mut wire| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi").await;
    });
    let server = server.await;
    let proxy = Proxy::start(&[server.address], &["--threads", "1"]);
    let mut wire = proxy.connect().await;
    for _ in 0..5 {
        // what the upstream says of its own connection is not true of the client's
        wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi").await;
        assert!(wire.head().await.unwrap().starts_with("HTTP/1.1 200 OK"));
        wire.take(2).await;
    }
    assert_eq!(server.accepted(), 5);
}

#[tokio::test]
async fn one_client_connection_carries_many_requests_and_a_pipeline() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &[]);
    let mut wire = proxy.connect().await;
    let pipeline: String = (0..50).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
    for _ in 0..2 {
        wire.send(&pipeline).await;
        for n in 0..50 {
            assert!(wire.head().await.unwrap().starts_with("HTTP/1.1 200 OK\r\n"));
            let body = wire.through("\n\n").await.unwrap();
            assert!(body.starts_with(&format!("GET /{n} HTTP/1.1\n")), "answers come in order: {body}");
        }
    }
}

/// Answers the first request of a connection, and counts the bodies it reads; a second request is answered by closing.
async fn once_per_connection(bodies: Arc<AtomicUsize>) -> Server {
    Server::wires(move |mut wire| {
        let bodies = bodies.clone();
        async move {
            for n in 0..2 {
                let Some(head) = wire.head().await else { return };
                if head.starts_with("POST") {
                    wire.take(2).await;
                    bodies.fetch_add(1, Ordering::SeqCst);
                }
                if n == 0 {
                    wire.send(OK).await;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_costs_a_get_nothing() {
    // closed while idle: between two requests, so the proxy may or may not have seen it yet
    let server = Server::wires(|mut wire| async move {
        wire.head().await;
        wire.send(OK).await;
    });
    let server = server.await;
    let proxy = Proxy::start(&[server.address], &["--threads", "1"]);
    let mut wire = proxy.connect().await;
    for _ in 0..100 {
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let head = wire.head().await.unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        wire.take(2).await;
    }
    // closed when the next request is on its way
    let server = once_per_connection(Arc::default()).await;
    let proxy = Proxy::start(&[server.address], &["--threads", "1"]);
    for _ in 0..10 {
        assert_eq!(client().get(proxy.url("/")).send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_post_that_may_have_arrived_is_not_sent_twice() {
    let bodies = Arc::new(AtomicUsize::new(0));
    let server = once_per_connection(bodies.clone()).await;
    let proxy = Proxy::start(&[server.address], &["--threads", "1"]);
    let client = client();
    let post = || client.post(proxy.url("/")).body("hi").send();
    assert_eq!(post().await.unwrap().status(), 200);
    assert_eq!(post().await.unwrap().status(), 502);
    assert_eq!(bodies.load(Ordering::SeqCst), 2);
    // nor one without a body
    let empty = |length: &'static str| client.post(proxy.url("/")).header("content-length", length).send();
    assert_eq!(client.get(proxy.url("/")).send().await.unwrap().status(), 200);
    assert_eq!(empty("0").await.unwrap().status(), 502);
}

#[tokio::test]
async fn a_client_that_goes_away_mid_answer_frees_its_upstream() {
    let closed = Arc::new(AtomicUsize::new(0));
    let count = closed.clone();
    let server = Server::wires(move |mut wire| {
        let count = count.clone();
        async move {
            wire.head().await;
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf").await;
            wire.closed().await;
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let server = server.await;
    let proxy = Proxy::start(&[server.address], &[]);
    let mut wire = proxy.connect().await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    wire.through("half").await.unwrap();
    drop(wire);
    until("the upstream to see it", || (closed.load(Ordering::SeqCst) == 1).then_some(())).await;
    assert!(proxy.log(1).await[0].contains(" 200 "));
}

#[tokio::test]
async fn an_upload_that_goes_on_after_its_answer_holds_up_nobody() {
    // answers before it has read the body
    let server = Server::wires(|mut wire| async move {
        while wire.head().await.is_some() {
            wire.send(OK).await;
        }
    });
    let server = server.await;
    let proxy = Proxy::start(&[server.address], &["--threads", "1"]);
    let mut slow = proxy.connect().await;
    slow.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf").await;
    assert!(slow.head().await.unwrap().starts_with("HTTP/1.1 200 OK"));
    slow.take(2).await;
    // its connection is not free
    for _ in 0..3 {
        let mut wire = proxy.connect().await;
        wire.send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(wire.head().await.unwrap().starts_with("HTTP/1.1 200 OK"));
    }
}

#[tokio::test]
async fn half_a_request_hurts_nobody_else() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &["--threads", "1"]);
    let mut halves = Vec::new();
    for _ in 0..100 {
        let mut wire = proxy.connect().await;
        wire.send("GET / HTTP/1.1\r\nHost: a\r\nX-Slow").await;
        halves.push(wire);
    }
    for _ in 0..10 {
        assert_eq!(who(&client(), &proxy).await, "s1");
    }
    for wire in &mut halves {
        wire.send("ly: 1\r\n\r\n").await;
        assert!(wire.head().await.unwrap().starts_with("HTTP/1.1 200 OK"));
    }
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &[]);
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let answer = proxy.exchange(&long).await;
    assert!(answer.starts_with("HTTP/1.1 431 ") || answer.is_empty(), "{answer}");
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(1000));
    let answer = proxy.exchange(&many).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

/// A real nginx with three servers, each of which says its name and closes a connection after four requests.
struct Nginx {
    process: std::process::Child,
    addresses: Vec<std::net::SocketAddr>,
    _place: tempfile::TempDir,
}

impl Nginx {
    async fn start(program: std::path::PathBuf) -> Nginx {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().display();
        let mut addresses = Vec::new();
        let mut servers = String::new();
        for n in 1..=3 {
            let address = super::ends::nobody().await;
            servers += &format!(
                "server {{ listen {address}; keepalive_requests 4;
                    location / {{ add_header x-served-by s{n}; return 200 \"nginx {n}\"; }}
                    location /file {{ root {root}; add_header x-served-by s{n}; }} }}\n"
            );
            addresses.push(address);
        }
        std::fs::write(place.path().join("file"), "x".repeat(300_000)).unwrap();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {root}/{kind};\n"))
            .concat();
        let config = format!(
            "daemon off; master_process off; pid {root}/pid; error_log {root}/error;
            events {{}} http {{ access_log off; gzip on; gzip_types *; {temporary} {servers} }}"
        );
        std::fs::write(place.path().join("conf"), config).unwrap();
        let mut command = std::process::Command::new(program);
        command.arg("-e").arg(place.path().join("error")).arg("-c").arg(place.path().join("conf"));
        let process = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        let nginx = Nginx { process, addresses, _place: place };
        for address in &nginx.addresses {
            until("nginx", || std::net::TcpStream::connect(address).ok()).await;
        }
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

#[tokio::test]
async fn in_front_of_real_nginx_nothing_is_lost_when_it_closes_its_connections() {
    let Some(program) = peer("nginx") else { return };
    let nginx = Nginx::start(program).await;
    let proxy = Proxy::start(&nginx.addresses, &["--threads", "1"]);
    let client = client();
    for n in 0..60 {
        let response = within(client.get(proxy.url("/")).send()).await.unwrap();
        assert_eq!(served_by(&response), ["s1", "s2", "s3"][n % 3]);
        assert_eq!(response.text().await.unwrap(), format!("nginx {}", n % 3 + 1));
    }
    // a file as it is, in part, unchanged, and packed in chunks
    let get = || client.get(proxy.url("/file"));
    let whole = get().send().await.unwrap();
    let tag = whole.headers()["etag"].clone();
    assert_eq!(whole.headers()["content-length"], "300000");
    assert_eq!(whole.bytes().await.unwrap().len(), 300_000);
    let part = get().header("range", "bytes=10-19").send().await.unwrap();
    assert_eq!((part.status().as_u16(), &*part.text().await.unwrap()), (206, "xxxxxxxxxx"));
    let same = get().header("if-none-match", tag).send().await.unwrap();
    assert_eq!((same.status().as_u16(), same.bytes().await.unwrap().len()), (304, 0));
    let packed = get().header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert!(packed.bytes().await.unwrap().starts_with(&[0x1f, 0x8b]));
}
