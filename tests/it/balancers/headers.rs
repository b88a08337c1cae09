//! Headers on their way to the server and back.

use super::case::{Case, Fact::*};

/// What the proxy says of a request for `many.test`.
const SAYS: [super::case::Fact; 6] = [
    Saw("x-forwarded-for", &["{client}"]),
    Saw("x-forwarded-host", &["many.test"]),
    Saw("x-forwarded-port", &["80"]),
    Saw("x-forwarded-proto", &["http"]),
    Saw("x-forwarded-server", &["{server}"]),
    Saw("x-real-ip", &["{client}"]),
];

pub fn cases() -> Vec<Case> {
    [who_asks(), hosts(), ends_here(), passes(), comes_back()].concat()
}

/// Who asked for what: the proxy's word, never the client's.
fn who_asks() -> Vec<Case> {
    let mut cases = vec![Case::with(&[]).is(&SAYS)];
    for lie in [
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Host: lie",
        "X-Forwarded-Port: 1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Server: lie",
        "X-Real-Ip: 1.2.3.4",
        "Connection: X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Port, X-Forwarded-Proto, X-Forwarded-Server, X-Real-Ip",
    ] {
        cases.push(Case::with(&[lie, lie]).is(&SAYS));
    }
    // what the proxy never says is not believed either
    for (lie, name) in [
        ("X-Forwarded-Method: lie", "x-forwarded-method"),
        ("X-Forwarded-Uri: lie", "x-forwarded-uri"),
        ("X-Forwarded-Prefix: lie", "x-forwarded-prefix"),
        ("X-Forwarded-Tls-Client-Cert: lie", "x-forwarded-tls-client-cert"),
        ("X-Forwarded-Tls-Client-Cert-Info: lie", "x-forwarded-tls-client-cert-info"),
        // PHP and others read these as the ones above
        ("X_Forwarded_For: lie", "x_forwarded_for"),
        ("x_forwarded-for: lie", "x_forwarded-for"),
        ("X-Forwarded_Host: lie", "x-forwarded_host"),
        ("X_Real_Ip: lie", "x_real_ip"),
        ("X_Forwarded_Uri: lie", "x_forwarded_uri"),
    ] {
        cases.push(Case::with(&[lie]).is(&SAYS).is(&[Saw(name, &[])]));
    }
    // and what it knows nothing of is not its business
    for (line, name) in [
        ("Forwarded: for=1.2.3.4", "forwarded"),
        ("Via: 1.0 x", "via"),
        ("X-Forwarded-Other: x", "x-forwarded-other"),
        ("X-Forwarded-User: x", "x-forwarded-user"),
        ("X-Forwarded-Ssl: x", "x-forwarded-ssl"),
        ("X-Client-Ip: x", "x-client-ip"),
        ("X-Request-Id: x", "x-request-id"),
        ("X_Forwarded_Other: x", "x_forwarded_other"),
        ("X.Forwarded.For: x", "x.forwarded.for"),
    ] {
        let value: &'static [&'static str] = match line.split_once(": ") {
            Some((_, "x")) => &["x"],
            Some((_, "1.0 x")) => &["1.0 x"],
            _ => &["for=1.2.3.4"],
        };
        cases.push(Case::with(&[line]).is(&SAYS).is(&[Saw(name, value)]));
    }
    cases
}

fn hosts() -> Vec<Case> {
    vec![
        Case::get("many.test:81", "/").is(&[
            Saw("host", &["many.test:81"]),
            Saw("x-forwarded-host", &["many.test:81"]),
            Saw("x-forwarded-port", &["81"]),
        ]),
        Case::get("MANY.test.", "/").is(&[Saw("host", &["MANY.test."]), Saw("x-forwarded-host", &["MANY.test."])]),
        Case::get("no-host.test:81", "/").is(&[
            Saw("host", &["{many}:3000"]),
            Saw("x-forwarded-host", &["no-host.test:81"]),
            Saw("x-forwarded-port", &["81"]),
        ]),
        // none, an empty one and several
        Case::raw("GET /high HTTP/1.1").is(&[Status(400)]),
        Case::raw("GET /high HTTP/1.1\nHost: many.test\nHost: many.test").is(&[Status(400)]),
        Case::raw("GET / HTTP/1.1\nHost:").is(&[Status(404)]),
        Case::raw("GET /high HTTP/1.1\nHost:").is(&[Status(200), Port(3001), Saw("x-forwarded-port", &["80"])]),
        Case::raw("GET /high HTTP/1.0").is(&[Status(200), Port(3001)]),
        Case::raw("GET / HTTP/1.0").is(&[Status(404)]),
        Case::raw("GET / HTTP/1.0\nHost: many.test").is(&[Status(200)]).is(&SAYS),
        // what no host is
        Case::get("x@many.test", "/").is(&[Status(400)]),
        Case::get("many.test/", "/").is(&[Status(400)]),
        Case::get("many test", "/").is(&[Status(400)]),
        Case::get("m\u{e4}ny.test", "/").is(&[Status(400)]),
    ]
}

/// What is said of this connection goes no further.
fn ends_here() -> Vec<Case> {
    let mut cases = Vec::new();
    for (line, name) in [
        ("Keep-Alive: timeout=5", "keep-alive"),
        ("Proxy-Connection: keep-alive", "proxy-connection"),
        ("Proxy-Authenticate: Basic", "proxy-authenticate"),
        ("Proxy-Authorization: Basic x", "proxy-authorization"),
        ("Upgrade: h2c", "upgrade"),
        ("Te: gzip", "te"),
    ] {
        cases.push(Case::with(&[line]).is(&[Status(200), Saw(name, &[])]));
    }
    cases.extend([
        Case::with(&["Connection: X-Hop, close", "X-Hop: 1", "X-Kept: 1"]).is(&[
            Saw("connection", &[]),
            Saw("x-hop", &[]),
            Saw("x-kept", &["1"]),
        ]),
        Case::with(&["Connection: X-Hop", "Connection: x-other", "X-Hop: 1", "X-Other: 1"]).is(&[
            Saw("connection", &[]),
            Saw("x-hop", &[]),
            Saw("x-other", &[]),
        ]),
        Case::with(&["Connection: Host, User-Agent", "User-Agent: me"]).is(&[
            Status(200),
            Saw("host", &["many.test"]),
            Saw("user-agent", &[]),
        ]),
        Case::with(&["Te: trailers"]).is(&[Saw("te", &["trailers"])]),
        Case::with(&["Te: gzip, Trailers"]).is(&[Saw("te", &["trailers"])]),
        Case::with(&["Connection: TE", "Te: trailers"]).is(&[Saw("te", &[])]).but(
            "a client that says it as RFC 9110 §10.1.4 wants it gets its trailers too",
            &[Saw("te", &["trailers"])],
        ),
    ]);
    cases
}

/// What the proxy leaves as it is.
fn passes() -> Vec<Case> {
    vec![
        Case::with(&["User-Agent: me"]).is(&[Saw("user-agent", &["me"])]),
        Case::with(&[]).is(&[Saw("user-agent", &[])]),
        Case::with(&["Accept-Encoding: br, gzip;q=0.5"]).is(&[Saw("accept-encoding", &["br, gzip;q=0.5"])]),
        Case::with(&["Accept: a", "Accept: b", "Cookie: a=1", "Cookie: b=2"])
            .is(&[Saw("accept", &["a", "b"]), Saw("cookie", &["a=1", "b=2"])]),
        Case::with(&["X-Lower: 1", "x-lower: 2", "X_Under: 3"])
            .is(&[Saw("x-lower", &["1", "2"]), Saw("x_under", &["3"])]),
        Case::with(&["X-Spaces:   a  b   ", "X-Empty:", "X-Tab: a\tb", "X-Latin: \u{e9}"]).is(&[
            Saw("x-spaces", &["a  b"]),
            Saw("x-empty", &[""]),
            Saw("x-tab", &["a\tb"]),
            Saw("x-latin", &["\u{e9}"]),
        ]),
        Case::with(&["Authorization: Basic x", "Origin: null", "Referer: http://x/"]).is(&[
            Saw("authorization", &["Basic x"]),
            Saw("origin", &["null"]),
            Saw("referer", &["http://x/"]),
        ]),
        Case::with(&["Bad Name: 1"]).is(&[Status(400)]),
        Case::with(&["X-Spaced : 1"]).is(&[Status(400)]),
        Case::with(&["no colon"]).is(&[Status(400)]),
        Case::with(&["X-Nul: a\0b"]).is(&[Status(400)]),
        Case::with(&["X-Folded: 1", " 2"])
            .is(&[Status(200), Saw("x-folded", &["1 2"])])
            .but("folded lines are refused, as RFC 9112 §5.2 allows", &[Status(400)]),
    ]
}

/// What the server says.
fn comes_back() -> Vec<Case> {
    let get = |target| Case::get("many.test", target);
    vec![
        get("/raw/hops").is(&[
            Status(200),
            Body("ok"),
            Header("x-hop", &[]),
            Header("keep-alive", &[]),
            Header("proxy-connection", &[]),
            Header("proxy-authenticate", &[]),
            Header("upgrade", &[]),
            Header("te", &[]),
            Header("x-kept", &["1"]),
            Header("server", &["echo"]),
            Header("date", &["Thu, 01 Jan 1970 00:00:00 GMT"]),
        ]),
        // a server that says nothing of itself gets nothing said of it
        get("/raw/plain").is(&[
            Status(200),
            Body("ok"),
            Header("content-type", &[]),
            Header("server", &[]),
            Header("via", &[]),
            Header("content-length", &["2"]),
        ]),
        get("/cookies").is(&[Status(200), Header("set-cookie", &["a=1; Path=/; HttpOnly", "b=\"2 3\""])]),
        get("/raw/phrase").is(&[Status(200)]),
        get("/raw/unknown").is(&[Status(599)]),
    ]
}
