//! Bodies flow through: nothing waits for their end, nothing holds them whole.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Response;

use super::ends::{Proxy, Server, Wire, until, within};
use crate::support::client;

const MEGABYTE: usize = 1 << 20;
/// More than the proxy may hold of any body; a debug build alone takes half of it.
const MEMORY: usize = 48 * MEGABYTE;

/// One upstream that takes a single connection and does this with it.
async fn single<R>(serve: impl Fn(Wire) -> R + Send + 'static) -> (Server, Proxy)
where
    R: Future<Output = ()> + Send + 'static,
{
    let server = Server::wires(serve).await;
    let proxy = Proxy::start(&[server.address], &[]);
    (server, proxy)
}

#[tokio::test]
async fn the_first_byte_of_an_answer_comes_before_its_last() {
    let (release, released) = tokio::sync::watch::channel(false);
    let (_server, proxy) = single(move |mut wire| {
        let mut released = released.clone();
        async move {
            wire.head().await;
            wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n").await;
            released.wait_for(|&released| released).await.unwrap();
            wire.send("4\r\nlast\r\n0\r\n\r\n").await;
        }
    })
    .await;
    let mut wire = proxy.connect().await;
    // a second request that is there already must not hold back the answer to the first
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(wire.head().await.unwrap().starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(wire.through("first\r\n").await.unwrap(), "5\r\nfirst\r\n");
    release.send(true).unwrap();
    assert_eq!(wire.through("0\r\n\r\n").await.unwrap(), "4\r\nlast\r\n0\r\n\r\n");
}

#[tokio::test]
async fn the_upstream_gets_the_first_byte_of_a_request_before_its_last() {
    let (seen, mut first_seen) = tokio::sync::mpsc::channel(1);
    let (_server, proxy) = single(move |mut wire| {
        let seen = seen.clone();
        async move {
            wire.head().await;
            wire.through("first\r\n").await;
            seen.send(()).await.unwrap();
            wire.through("0\r\n\r\n").await;
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        }
    })
    .await;
    let mut wire = proxy.connect().await;
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n").await;
    within(first_seen.recv()).await.unwrap();
    wire.send("4\r\nlast\r\n0\r\n\r\n").await;
    assert!(wire.head().await.unwrap().starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn a_large_upload_passes_whole_in_little_memory() {
    const SIZE: usize = 50 * MEGABYTE;
    let server = Server::http(|request| async move {
        let length = request.headers().get("content-length").cloned();
        let (mut body, mut count, mut sum) = (request.into_body(), 0, 0_u64);
        while let Some(frame) = body.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            count += data.len();
            sum = data.iter().fold(sum, |sum, &byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        }
        Response::new(Full::from(format!("{count} {sum} {length:?}")))
    });
    let server = server.await;
    let proxy = Proxy::start(&[server.address], &[]);
    let body: Bytes = (0..SIZE).map(|n| (n % 251) as u8).collect::<Vec<_>>().into();
    let sum = body.iter().fold(0_u64, |sum, &byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    for (body, length) in [
        (reqwest::Body::from(body.clone()), format!("Some(\"{SIZE}\")")),
        (chunked(body.clone(), 100_000), "None".to_owned()),
    ] {
        let response = client().put(proxy.url("/")).body(body).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), format!("{SIZE} {sum} {length}"));
    }
    assert!(proxy.peak_memory() < MEMORY, "{} MB", proxy.peak_memory() / MEGABYTE);
}

fn chunked(body: Bytes, size: usize) -> reqwest::Body {
    let starts = (0..body.len()).step_by(size);
    let chunks = starts.map(move |start| Ok::<_, std::io::Error>(body.slice(start..body.len().min(start + size))));
    reqwest::Body::wrap_stream(futures_util::stream::iter(chunks))
}

/// Writes until nobody takes more for a while; how much that was.
async fn fill(wire: &mut Wire, size: usize) -> usize {
    use tokio::io::AsyncWriteExt;
    let (chunk, mut written) = (vec![b'x'; 65_536], 0);
    while written < size {
        match tokio::time::timeout(Duration::from_millis(500), wire.stream.write(&chunk)).await {
            Ok(count) => written += count.unwrap(),
            Err(_) => break,
        }
    }
    written
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_its_upstream_up() {
    const SIZE: usize = 200 * MEGABYTE;
    let written = Arc::new(AtomicUsize::new(0));
    let count = written.clone();
    let (_server, proxy) = single(move |mut wire| {
        let count = count.clone();
        async move {
            wire.head().await;
            wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n")).await;
            count.store(fill(&mut wire, SIZE).await, Ordering::SeqCst);
        }
    })
    .await;
    let mut wire = proxy.connect().await;
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let written = until("the upstream to be held up", || Some(written.load(Ordering::SeqCst)).filter(|&n| n > 0)).await;
    assert!(written < SIZE, "everything was taken");
    assert!(proxy.peak_memory() < MEMORY, "{} MB", proxy.peak_memory() / MEGABYTE);
    drop(wire);
}

#[tokio::test]
async fn an_upstream_that_does_not_read_holds_its_client_up() {
    const SIZE: usize = 200 * MEGABYTE;
    let (_server, proxy) = single(|wire| async move {
        let _unread = wire;
        std::future::pending().await
    })
    .await;
    let mut wire = proxy.connect().await;
    wire.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n")).await;
    assert!(fill(&mut wire, SIZE).await < SIZE, "everything was taken");
    assert!(proxy.peak_memory() < MEMORY, "{} MB", proxy.peak_memory() / MEGABYTE);
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let (_server, proxy) = single(|mut wire| async move {
        let head = wire.head().await.unwrap().to_ascii_lowercase();
        let body = wire.through("\r\n\r\n").await.unwrap().to_ascii_lowercase();
        let seen = head.contains("trailer: x-sum") && head.contains("te: trailers") && body.contains("x-sum: 1");
        let sum = if seen { "2" } else { "unseen" };
        wire.send(format!(
            "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: {sum}\r\n\r\n"
        ))
        .await;
    })
    .await;
    let answer = proxy
        .exchange(
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: close, TE\r\nTE: trailers\r\nTrailer: X-Sum\r\n\
             Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n",
        )
        .await
        .to_ascii_lowercase();
    assert!(answer.contains("\r\ntrailer: x-sum\r\n"), "{answer}");
    assert!(answer.ends_with("2\r\nhi\r\n0\r\nx-sum: 2\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn answers_without_body_keep_what_they_say_of_it() {
    for (method, answer, kept) in [
        ("HEAD", "200 OK\r\nContent-Length: 1234", "content-length: 1234"),
        ("HEAD", "200 OK\r\nTransfer-Encoding: chunked", ""),
        ("HEAD", "404 Not Found\r\nContent-Length: 9", "content-length: 9"),
        ("GET", "204 No Content\r\nX-A: b", "x-a: b"),
        ("GET", "304 Not Modified\r\nETag: \"x\"", "etag: \"x\""),
    ] {
        let server = Server::wires(move |mut wire| async move {
            while wire.head().await.is_some() {
                wire.send(format!("HTTP/1.1 {answer}\r\n\r\n")).await;
            }
        });
        let server = server.await;
        let proxy = Proxy::start(&[server.address], &[]);
        let mut wire = proxy.connect().await;
        for _ in 0..2 {
            wire.send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n")).await;
            let head = wire.head().await.unwrap().to_ascii_lowercase();
            assert!(head.starts_with(&format!("http/1.1 {}", &answer[..3])), "{method} {answer}: {head}");
            assert!(head.contains(kept), "{method} {answer}: {head}");
            let invented = !answer.contains("Length") && head.contains("content-length");
            assert!(!invented, "{method} {answer}: {head}");
        }
        assert_eq!(server.accepted(), 1, "{method} {answer}: the connection serves again");
    }
}

#[tokio::test]
async fn a_body_passes_whatever_the_method() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &[]);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
        for body in ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"] {
            let answer =
                proxy.exchange(&format!("{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{body}")).await;
            assert!(answer.ends_with("\n\nhello"), "{method} {body}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_gets_it() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &[]);
    let mut wire = proxy.connect().await;
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n").await;
    assert_eq!(wire.head().await.unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
    wire.send("hello").await;
    let head = wire.head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(wire.through("hello").await.unwrap().contains("expect: 100-continue"));
}

#[tokio::test]
async fn an_upgraded_connection_belongs_to_its_two_ends() {
    let (_server, proxy) = single(|mut wire| async move {
        let head = wire.head().await.unwrap().to_ascii_lowercase();
        assert!(head.contains("connection: upgrade\r\n") && head.contains("upgrade: echo\r\n"), "{head}");
        // its first bytes come right behind the head
        wire.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-A: b\r\n\r\nwelcome")
            .await;
        while let Some(line) = wire.through("\n").await {
            wire.send(line.to_ascii_uppercase()).await;
        }
    })
    .await;
    let mut wire = proxy.connect().await;
    wire.send("GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\nhello\n").await;
    let head = wire.head().await.unwrap().to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 switching protocols\r\n"), "{head}");
    assert!(head.contains("connection: upgrade\r\n") && head.contains("upgrade: echo\r\n"), "{head}");
    assert!(head.contains("x-a: b\r\n"), "{head}");
    assert_eq!(wire.text(7 + 6).await, "welcomeHELLO\n");
    for _ in 0..3 {
        wire.send("again\n").await;
        assert_eq!(wire.text(6).await, "AGAIN\n");
    }
    drop(wire);
    let log = proxy.log(1).await;
    assert!(log[0].contains(" 101  GET  /chat"), "{log:#?}");
}

#[tokio::test]
async fn an_upgrade_that_is_declined_is_an_ordinary_answer() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &[]);
    let mut wire = proxy.connect().await;
    for _ in 0..2 {
        wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n").await;
        assert!(wire.head().await.unwrap().starts_with("HTTP/1.1 200 OK\r\n"));
        wire.through("\n\n").await.unwrap();
    }
}

#[tokio::test]
async fn a_client_of_http_1_0_is_answered_in_its_own_way() {
    let server = Server::scripted("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n").await;
    let proxy = Proxy::start(&[server.address], &[]);
    // it knows no chunks: the end of the connection is the end of the body
    let answer = proxy.exchange("GET / HTTP/1.0\r\nHost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("\r\n\r\nhi"), "{answer}");
    assert!(!answer.to_ascii_lowercase().contains("transfer-encoding"), "{answer}");

    let server = Server::scripted("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
    let proxy = Proxy::start(&[server.address], &[]);
    let mut wire = proxy.connect().await;
    for _ in 0..2 {
        wire.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n").await;
        let head = wire.head().await.unwrap().to_ascii_lowercase();
        assert!(head.contains("connection: keep-alive\r\n"), "{head}");
        assert_eq!(wire.text(2).await, "hi");
    }
}

#[tokio::test]
async fn an_upstream_that_ends_its_answer_by_closing_is_understood() {
    let (_server, proxy) = single(|mut wire| async move {
        wire.head().await;
        wire.send("HTTP/1.0 200 OK\r\n\r\nuntil the end").await;
    })
    .await;
    let response = client().get(proxy.url("/")).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "until the end");
}

#[tokio::test]
async fn an_answer_that_breaks_off_reaches_the_client_as_broken() {
    for (head, body) in [("Content-Length: 10", "12345"), ("Transfer-Encoding: chunked", "5\r\n12345\r\n")] {
        let (_server, proxy) = single(move |mut wire| async move {
            wire.head().await;
            wire.send(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}")).await;
        })
        .await;
        let response = client().get(proxy.url("/")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.bytes().await.is_err(), "{head}: half an answer passes for a whole one");
        // and it is an event all the same
        assert!(proxy.log(1).await[0].contains(" 200 "));
    }
}
