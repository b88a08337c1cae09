//! Servers that misbehave, and requests that are none.

use super::case::{BAD_GATEWAY, Case, Fact::*, NO_HTTP, NOT_FOUND};

/// Versions of HTTP.
const ONE: &str = "there are HTTP/1.0 and HTTP/1.1, as hyper reads them";

pub fn cases() -> Vec<Case> {
    [servers(), requests()].concat()
}

fn servers() -> Vec<Case> {
    let get = |target| Case::get("many.test", target);
    let post = |target: &str| Case::raw(&format!("POST {target} HTTP/1.1\nHost: many.test\nContent-Length: 2\n\nhi"));
    let mut cases = vec![
        get("/close").is(BAD_GATEWAY),
        get("/reset").is(BAD_GATEWAY),
        post("/close").is(BAD_GATEWAY),
        post("/reset").is(BAD_GATEWAY),
        Case::raw("HEAD / HTTP/1.1\nHost: refused.test").is(&[
            Status(502),
            Body(""),
            Header("content-length", &["11"]),
        ]),
        Case::raw("HEAD / HTTP/1.1\nHost: nobody.test").is(&[
            Status(404),
            Body(""),
            Header("content-length", &["19"]),
            Header("content-type", &["text/plain; charset=utf-8"]),
        ]),
        Case::raw("POST / HTTP/1.1\nHost: nobody.test\nContent-Length: 2\n\nhi").is(NOT_FOUND),
        get("/raw/name").is(&[Status(200), Header("bad header", &[])]).but("a header's name has no spaces", NO_HTTP),
        // nobody asked for another protocol
        get("/raw/switch").is(NO_HTTP),
        // half an answer is never a whole one
        get("/raw/broken").is(&[Broken]),
        get("/raw/unfinished").is(&[Broken]),
        get("/raw/until").is(&[Status(200), Body("until the end")]),
    ];
    for target in ["/raw/noise", "/raw/status", "/raw/length", "/raw/lengths"] {
        cases.push(get(target).is(NO_HTTP));
    }
    cases.push(
        get("/raw/half").is(NO_HTTP).but("a server that hangs up is a 502, however far it had come", BAD_GATEWAY),
    );
    cases
}

fn requests() -> Vec<Case> {
    let post = |rest: &str| Case::raw(&format!("POST / HTTP/1.1\nHost: many.test\n{rest}"));
    let mut cases = vec![
        Case::raw("CONNECT many.test:443 HTTP/1.1\nHost: many.test:443").is(&[
            Status(501),
            Body(""),
            Header("content-type", &[]),
        ]),
        Case::raw("TRACE / HTTP/1.1\nHost: many.test").is(&[Status(200), Method("TRACE")]),
        Case::raw("B(W / HTTP/1.1\nHost: many.test").is(&[Status(400)]),
        Case::raw("GET  / HTTP/1.1\nHost: many.test").is(&[Status(400)]),
        Case::raw("GET / HTTP/2.0\nHost: many.test").is(&[Status(505)]).but(ONE, &[Status(400)]),
        Case::raw("GET / HTTP/1.2\nHost: many.test").is(&[Status(200)]).but(ONE, &[Status(400)]),
        post("Expect: cake\n").is(&[Status(417)]),
        post("Transfer-Encoding: chunked\n\nzz\r\nhello\r\n0\r\n\r\n")
            .is(NO_HTTP)
            .but("a body that breaks off on its way is a gateway's failure", BAD_GATEWAY),
    ];
    for rest in
        ["Content-Length: 5\nContent-Length: 6\n\nhello", "Content-Length: -1\n\n", "Content-Length: +5\n\nhello"]
    {
        cases.push(post(rest).is(&[Status(400)]));
    }
    cases.push(post("Transfer-Encoding: gzip, chunked\n\n0\r\n\r\n").is(&[Status(501)]));
    for coding in ["gzip", "identity"] {
        let case = post(&format!("Transfer-Encoding: {coding}\n\n0\r\n\r\n")).is(&[Status(501)]);
        cases.push(case.but("a body without a known end is refused first (RFC 9112 §6.3)", &[Status(400)]));
    }
    cases
}
