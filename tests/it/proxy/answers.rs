//! What the proxy answers itself, and how it takes answers that are none.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::ends::{Proxy, Server, nobody};
use crate::support::client;

async fn status_and_text(request: reqwest::RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn status(answer: &str) -> &str {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or(answer)
}

#[tokio::test]
async fn without_a_router_it_is_404() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &["--rule", "Host(`demo.api.ch`) && PathPrefix(`/api/`)"]);
    let client = client();
    let get = |host: &str, path: &str| client.get(proxy.url(path)).header("host", host);
    for (host, path) in [("demo.api.ch", "/"), ("demo.api.ch", "/api"), ("demo.api.ch", "/API/"), ("other", "/api/")] {
        let response = get(host, path).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!((response.status().as_u16(), &*response.text().await.unwrap()), (404, "404 page not found\n"));
    }
    for (host, path) in [("demo.api.ch", "/api/"), ("DEMO.API.CH:8080", "/api/x"), ("demo.api.ch.", "//%61pi/./x/..")] {
        assert_eq!(get(host, path).send().await.unwrap().status(), 200, "{host} {path}");
    }
    assert_eq!(status(&proxy.exchange("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await), "404");
}

#[tokio::test]
async fn when_every_upstream_refuses_it_is_502() {
    let proxy = Proxy::start(&[nobody().await, nobody().await], &[]);
    let answer = status_and_text(client().post(proxy.url("/")).body("x")).await;
    assert_eq!(answer, (502, "Bad Gateway".to_owned()));
    let log = proxy.log(1).await;
    assert!(log[0].contains(" 502 ") && log[0].contains("(s1 refused)  (s2 refused)"), "{log:#?}");
}

#[tokio::test]
async fn an_upstream_that_hangs_up_is_502_and_asked_once() {
    for end in ["close", "reset"] {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let server = Server::wires(move |mut wire| {
            let count = count.clone();
            async move {
                wire.head().await;
                count.fetch_add(1, Ordering::SeqCst);
                if end == "reset" {
                    wire.reset();
                }
            }
        });
        let server = server.await;
        let proxy = Proxy::start(&[server.address], &[]);
        let answer = status_and_text(client().get(proxy.url("/"))).await;
        assert_eq!(answer, (502, "Bad Gateway".to_owned()), "{end}");
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{end}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_500() {
    for answer in [
        "this is not http\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nBad Header: 1\r\n\r\n",
    ] {
        let server = Server::scripted(answer).await;
        let proxy = Proxy::start(&[server.address], &[]);
        let got = status_and_text(client().get(proxy.url("/"))).await;
        assert_eq!(got, (500, "Internal Server Error".to_owned()), "{answer}");
    }
}

#[tokio::test]
async fn a_switch_of_protocols_that_nobody_asked_for_is_refused() {
    let server =
        Server::scripted("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n").await;
    let proxy = Proxy::start(&[server.address], &[]);
    let got = status_and_text(client().get(proxy.url("/"))).await;
    assert_eq!(got, (500, "Internal Server Error".to_owned()));
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_400() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &[]);
    for request in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /% HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET  HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        "hello\r\n\r\n",
    ] {
        let close = request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
        assert_eq!(status(&proxy.exchange(&close).await), "400", "{request}");
    }
    assert_eq!(server.accepted(), 0);
}

#[tokio::test]
async fn a_proxy_for_everything_it_is_not() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &[]);
    let answer = proxy.exchange("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status(&answer), "501");
    assert_eq!(server.accepted(), 0);
}

#[tokio::test]
async fn one_line_is_logged_for_each_request_whatever_became_of_it() {
    let server = Server::echo("s1").await;
    let proxy = Proxy::start(&[server.address], &["--rule", "Host(`a`)"]);
    let client = client();
    for (host, path) in [("a", "/one"), ("b", "/two"), ("a", "/%25"), ("a", "/three?x=1")] {
        client.get(proxy.url(path)).header("host", host).send().await.unwrap().text().await.unwrap();
    }
    proxy.exchange("GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let log = proxy.log(5).await;
    assert_eq!(log.len(), 5);
    for (line, words) in
        log.iter().zip(["200  GET  /one", "404  GET  /two", "200  GET  /%25", "/three?x=1", "400  GET  /%zz"])
    {
        assert!(line.contains(words), "{words}: {log:#?}");
    }
}
