//! What becomes of headers on their way.

use super::ends::{Proxy, Server};
use crate::support::client;

/// The lines of a head, the first one and the others sorted.
fn lines(head: &str) -> (String, Vec<String>) {
    let mut lines = head.lines().filter(|line| !line.is_empty()).map(str::to_owned);
    let first = lines.next().unwrap();
    let mut rest: Vec<String> = lines.collect();
    rest.sort();
    (first, rest)
}

/// What the upstream got for this request.
async fn received(proxy: &Proxy, request: &str) -> (String, Vec<String>) {
    let answer = proxy.exchange(request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    lines(body)
}

fn hostname() -> String {
    rustix::system::uname().nodename().to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_upstream_learns_who_asked_for_what_and_the_client_is_not_believed() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &[]);
    let lies = ["For", "Host", "Port", "Proto", "Server", "Uri", "Method", "Prefix", "Tls-Client-Cert"]
        .map(|name| format!("X-Forwarded-{name}: lie\r\n"))
        .concat();
    let request = format!("GET /x?y=%zz HTTP/1.1\r\nHost: demo.api.ch:81\r\n{lies}X-Real-Ip: lie\r\nA: b\r\n");
    let (first, headers) = received(&proxy, &format!("{request}Connection: close\r\n\r\n")).await;
    assert_eq!(first, "GET /x?y=%zz HTTP/1.1");
    let expected = [
        "a: b",
        "host: demo.api.ch:81",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: demo.api.ch:81",
        "x-forwarded-port: 81",
        "x-forwarded-proto: http",
        &format!("x-forwarded-server: {}", hostname()),
        "x-real-ip: 127.0.0.1",
    ];
    assert_eq!(headers, expected);
}

#[tokio::test]
async fn headers_of_one_connection_go_no_further() {
    let server = Server::scripted(
        "HTTP/1.1 200 OK\r\nConnection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\n\
         Proxy-Authenticate: Basic\r\nTransfer-Encoding: chunked\r\nX-Other: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n\
         2\r\nhi\r\n0\r\n\r\n",
    );
    let server = server.await;
    let proxy = Proxy::start(&[server.address], &[]);
    let answer = proxy.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "2\r\nhi\r\n0\r\n\r\n");
    let (first, mut headers) = lines(&head.to_ascii_lowercase());
    headers.retain(|line| !line.starts_with("date: "));
    assert_eq!(first, "http/1.1 200 ok");
    let expected =
        ["connection: close", "set-cookie: a=1", "set-cookie: b=2", "transfer-encoding: chunked", "x-other: 2"];
    assert_eq!(headers, expected);

    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &[]);
    let (_, headers) = received(
        &proxy,
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Mine, Host, Te\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\n\
         Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\nTE: trailers, deflate\r\nUpgrade: h2c\r\n\
         Cookie: a=1\r\nX-Other: 2\r\n\r\n",
    )
    .await;
    let own = |line: &&String| !line.starts_with("x-forwarded-") && !line.starts_with("x-real-ip");
    let headers: Vec<&String> = headers.iter().filter(own).collect();
    // not even a request that names its host as such a header loses it
    assert_eq!(headers, ["cookie: a=1", "host: a", "te: trailers", "x-other: 2"]);
}

#[tokio::test]
async fn an_absolute_target_names_the_host() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &["--rule", "Host(`demo.api.ch`)"]);
    for (target, first) in [
        ("http://demo.api.ch/a//b?c", "GET /a/b?c HTTP/1.1"),
        ("http://demo.api.ch", "GET / HTTP/1.1"),
        ("http://demo.api.ch?c", "GET /?c HTTP/1.1"),
        ("http://user:secret@demo.api.ch/", "GET / HTTP/1.1"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n");
        let (line, headers) = received(&proxy, &request).await;
        assert_eq!(line, first, "{target}");
        assert!(headers.contains(&"host: demo.api.ch".to_owned()), "{target}: {headers:?}");
        assert!(headers.contains(&"x-forwarded-host: demo.api.ch".to_owned()), "{target}: {headers:?}");
    }
}

#[tokio::test]
async fn a_client_of_http_1_0_need_not_name_a_host() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &[]);
    for request in ["GET / HTTP/1.0\r\n", "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n"] {
        let answer = proxy.exchange(&format!("{request}X-Forwarded-Host: lie\r\n\r\n")).await;
        assert_eq!(answer.get(8..17), Some(" 200 OK\r\n"), "{answer}");
        assert!(answer.contains(&format!("\nhost: {}\n", server.address)), "{answer}");
        assert!(answer.contains("\nx-forwarded-port: 80\n") && !answer.contains("x-forwarded-host"), "{answer}");
    }
}

#[tokio::test]
async fn a_path_is_forwarded_in_its_normal_form() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &[]);
    for (target, forwarded) in [
        ("//a/./b/../c", "/a/c"),
        ("/%61%2fb?x=/../y", "/a%2Fb?x=/../y"),
        ("/a%20b;c=d", "/a%20b;c=d"),
        ("/a\"{b}", "/a%22%7Bb%7D"),
        ("/", "/"),
    ] {
        let (line, _) =
            received(&proxy, &format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
        assert_eq!(line, format!("GET {forwarded} HTTP/1.1"));
    }
}

#[tokio::test]
async fn what_is_no_utf8_passes_as_it_is() {
    let server = Server::wires(|mut wire| async move {
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            seen.extend(wire.take(1).await);
        }
        let ok = seen.windows(6).any(|bytes| bytes == b"x: \xff\xfe\r");
        wire.send(if ok { &b"HTTP/1.1 200 OK\r\nY: \xe9\r\nContent-Length: 0\r\n\r\n"[..] } else { b"" }).await;
    });
    let server = server.await;
    let proxy = Proxy::start(&[server.address], &[]);
    let value = reqwest::header::HeaderValue::from_bytes(b"\xff\xfe").unwrap();
    let response = client().get(proxy.url("/")).header("x", value).send().await.unwrap();
    assert_eq!(response.headers()["y"].as_bytes(), b"\xe9");
}
