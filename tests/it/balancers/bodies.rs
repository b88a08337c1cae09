//! Bodies, what announces them and what follows them; and conversations that are more than one request and its answer.

use super::{
    case::{Case, Fact::*},
    stage::{Kind, Stage},
    wire::{Wire, ask, get, request},
};

pub fn cases() -> Vec<Case> {
    let send = |method: &str, rest: &str| Case::raw(&format!("{method} / HTTP/1.1\nHost: many.test\n{rest}"));
    let post = |rest: &str| send("POST", rest);
    let get = |target| Case::get("many.test", target);
    let head = |target: &str| Case::raw(&format!("HEAD {target} HTTP/1.1\nHost: many.test"));
    let mut cases = vec![
        // a length stays a length, chunks stay chunks, and nothing stays nothing
        post("Content-Length: 5\n\nhello").is(&[
            Method("POST"),
            Length(5),
            Saw("content-length", &["5"]),
            Saw("transfer-encoding", &[]),
        ]),
        post("Content-Length: 0\n").is(&[Length(0), Saw("content-length", &["0"]), Saw("transfer-encoding", &[])]),
        post("").is(&[Length(0), Saw("content-length", &["0"]), Saw("transfer-encoding", &[])]),
        send("GET", "").is(&[Length(0), Saw("content-length", &[]), Saw("transfer-encoding", &[])]),
        post("Transfer-Encoding: chunked\n\n0\r\n\r\n").is(&[Length(0)]),
        // one of two lengths that say the same; chunks count more than a length
        post("Content-Length: 5\nContent-Length: 5\n\nhello").is(&[Length(5), Saw("content-length", &["5"])]),
        post("Content-Length: 3\nTransfer-Encoding: chunked\n\n5\r\nhello\r\n0\r\n\r\n").is(&[
            Length(5),
            Saw("content-length", &[]),
            Saw("transfer-encoding", &["chunked"]),
        ]),
        post("Expect: 100-continue\nContent-Length: 5\n\nhello").is(&[
            Informed(&[100]),
            Status(200),
            Length(5),
            Saw("expect", &["100-continue"]),
        ]),
        post("Trailer: X-T\nTransfer-Encoding: chunked\n\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n")
            .is(&[Length(5), Saw("trailer", &["X-T"]), SawTrailers(&[])])
            .but(
                "a client's trailers are passed on, where Traefik announces them and leaves them out",
                &[Length(5), Saw("trailer", &["X-T"]), SawTrailers(&[("x-t", "1")])],
            ),
        Case::raw("GET /trailers HTTP/1.1\nHost: many.test\nTe: trailers").is(&[
            Status(200),
            Body("body"),
            Header("trailer", &["X-Sum"]),
            Trailer("x-sum", &["1"]),
        ]),
        get("/trailers").is(&[Body("body"), Trailer("x-sum", &["1"])]).but(
            "trailers are for those who say that they take them (RFC 9110 §6.5.1)",
            &[Body("body"), Trailer("x-sum", &[])],
        ),
        Case::raw("GET /trailers HTTP/1.0\nHost: many.test").is(&[Status(200), Body("body")]),
        Case::raw("GET /raw/until HTTP/1.0\nHost: many.test").is(&[Status(200), Body("until the end")]),
        Case::raw(&format!("POST /early HTTP/1.1\nHost: many.test\nContent-Length: 100000\n\n{}", "x".repeat(100_000)))
            .is(&[Status(200), Body("early")]),
        get("/hints")
            .is(&[Informed(&[103]), Status(200), Body("ok")])
            .but("a word before the answer is not passed on; nobody may rely on one", &[Informed(&[]), Body("ok")]),
        // what has no body says what it would have been
        head("/big/1000").is(&[Status(200), Header("content-length", &["1000"])]),
        head("/cookies").is(&[Status(200), Header("content-length", &[])]),
        head("/status/404").is(&[Status(404), Header("content-length", &[])]),
        get("/status/204").is(&[Status(204), Header("content-length", &[]), Header("etag", &["\"x\""])]),
        get("/status/304").is(&[Status(304), Header("content-length", &[]), Header("etag", &["\"x\""])]),
        get("/status/302").is(&[Status(302), Body("")]),
        get("/status/500").is(&[Status(500), Body(""), Header("etag", &["\"x\""])]),
        // an upgrade that is declined, and one to something else than was asked for
        Case::raw("GET /declined HTTP/1.1\nHost: many.test\nConnection: Upgrade\nUpgrade: echo")
            .is(&[Status(200), Body("declined")]),
        Case::raw("GET / HTTP/1.1\nHost: many.test\nConnection: Upgrade\nUpgrade: other").is(&[Status(500)]),
        Case::raw("GET / HTTP/1.1\nHost: many.test\nUpgrade: echo").is(&[Status(200), Saw("upgrade", &[])]),
    ];
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        cases.push(send(method, "Transfer-Encoding: chunked\n\n5\r\nhello\r\n0\r\n\r\n").is(&[
            Method(method),
            Length(5),
            Saw("content-length", &[]),
            Saw("transfer-encoding", &["chunked"]),
        ]));
    }
    cases
}

/// The first half of an answer comes while its second half waits to be released.
pub fn half_an_answer_is_passed_on_before_its_end(stage: &Stage) {
    for side in &stage.sides {
        let mut wire = Wire::open(side.address);
        let key = format!("{:?}", side.kind);
        wire.send(&get("many.test", &format!("/slow/{key}")));
        while wire.line().unwrap() != "first\n" {}
        assert_eq!(ask(side.address, &get("many.test", &format!("/release/{key}"))).status, 204, "{key}");
        while wire.line().unwrap() != "last\n" {}
    }
}

/// The body is sent when it was asked for, and not where nobody takes the request.
pub fn a_client_that_waits_for_100_continue_gets_the_servers_word(stage: &Stage) {
    let expect = |host, target, length: &str| request("POST", host, target, &["Expect: 100-continue", length]);
    for side in &stage.sides {
        for (length, body) in
            [("Content-Length: 5", "hello"), ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n")]
        {
            let mut wire = Wire::open(side.address);
            wire.send(&expect("many.test", "/", length));
            assert!(wire.line().unwrap().starts_with("HTTP/1.1 100 "), "{:?} {length}", side.kind);
            wire.line().unwrap();
            wire.send(body);
            let answer = wire.answer(false);
            assert_eq!((answer.status, &answer.seen.unwrap()["length"]), (200, &5.into()), "{:?} {length}", side.kind);
        }
        let answer = ask(side.address, &expect("nobody.test", "/", "Content-Length: 5"));
        assert_eq!((answer.informed, answer.status), (vec![], 404), "{:?}", side.kind);
        // the bundled proxy asks for the body itself when it has found a server, where Traefik leaves it to the server
        let informed = if side.kind == Kind::Bundled { vec![100] } else { vec![] };
        let answer = ask(side.address, &expect("many.test", "/refuse", "Content-Length: 5"));
        assert_eq!((answer.informed, answer.status), (informed, 417), "{:?}", side.kind);
    }
}

/// After the 101, bytes go both ways until one end closes.
pub fn an_upgraded_connection_belongs_to_its_two_ends(stage: &Stage) {
    for side in &stage.sides {
        for (connection, protocol) in [("keep-alive, Upgrade", "echo"), ("upgrade", "ECHO")] {
            let lines = [format!("Connection: {connection}"), format!("Upgrade: {protocol}")];
            let mut wire = Wire::open(side.address);
            let answer = wire.ask(&request("GET", "many.test", "/chat", &lines.each_ref().map(String::as_str)));
            assert_eq!(answer.status, 101, "{:?}", side.kind);
            for (name, value) in [("connection", "Upgrade"), ("upgrade", "echo"), ("x-a", "b")] {
                let values = answer.header(name);
                assert!(values.len() == 1 && values[0].eq_ignore_ascii_case(value), "{:?} {answer:?}", side.kind);
            }
            assert_eq!(wire.line().unwrap(), "welcome\n");
            for (said, heard) in [("hello\n", "HELLO\n"), ("again\n", "AGAIN\n")] {
                wire.send(said);
                assert_eq!(wire.line().unwrap(), heard, "{:?}", side.kind);
            }
        }
    }
}

pub fn a_large_answer_passes_whole(stage: &Stage) {
    const SIZE: usize = 20_000_000;
    for side in &stage.sides {
        let answer = ask(side.address, &get("many.test", &format!("/big/{SIZE}")));
        assert_eq!((answer.status, answer.body.len()), (200, SIZE), "{:?}", side.kind);
        assert!(answer.body.iter().all(|&byte| byte == b'x'), "{:?}", side.kind);
    }
}
