//! HAProxy: its algorithms, its cookies and tables, HTTP and TCP.

use super::{Case, Expected, SLOW, all_hold, case, shows};
use crate::support::balancers;

fn haproxy(name: &'static str, section: &'static str, expected: Expected) -> Case {
    with_servers(name, section, &[], expected)
}

/// `options` are those of the servers.
fn with_servers(
    name: &'static str,
    section: &'static str,
    options: &'static [&'static str],
    expected: Expected,
) -> Case {
    // several threads, as it has by default
    case(name, 3, move |servers| balancers::haproxy(servers, 4, section, options), expected)
}

fn ring() -> Expected {
    shows("round-robin").order("fixed")
}

#[test]
fn in_turn() {
    let plain = || ring().sticky("none").per("request");
    let weighted = || shows("weighted-round-robin").order("fixed").sticky("none").per("request");
    all_hold(&[
        haproxy("roundrobin", "balance roundrobin", plain()),
        haproxy("static-rr", "balance static-rr", plain()),
        haproxy("connections reused", "balance roundrobin\n  http-reuse always", plain()),
        haproxy("no such header", "balance hdr(X-User)", plain()),
        haproxy("no such parameter", "balance url_param user", plain()),
        with_servers("one down", "balance roundrobin\n  server dead 127.0.0.1:9 check inter 100", &[], plain()),
        with_servers("5:1:1", "balance roundrobin", &["weight 5", "weight 1"], weighted().weights(&[5, 1, 1])),
        with_servers(
            "static 3:2:1",
            "balance static-rr",
            &["weight 3", "weight 2", "weight 1"],
            weighted().weights(&[3, 2, 1]),
        ),
        with_servers(
            "in percent",
            "balance roundrobin",
            &["weight 100", "weight 50", "weight 25"],
            weighted().weights(&[4, 2, 1]),
        ),
    ]);
}

#[test]
fn at_random() {
    let random = || shows("random").or_open().sticky("none").per("request");
    all_hold(&[
        haproxy("random(1)", "balance random(1)", random()),
        // two, of which the less busy: by default
        haproxy("random", "balance random", random().by("least-connections")),
        with_servers("5:1:1", "balance random(1)", &["weight 5", "weight 1"], random()),
        haproxy("random behind a table", "balance random(1)\n  stick-table type ip size 10k\n  stick on src", {
            shows("source-hash").by("random").sticky("source")
        }),
    ]);
}

#[test]
fn busy_servers() {
    let two = || shows("random").by("least-connections").or_open();
    all_hold(&[
        // a connection that ends a moment late changes the order
        haproxy("leastconn without load", "balance leastconn", shows("round-robin").by("least-connections")),
        haproxy("leastconn", "balance leastconn", shows("least-connections").candidates(&["least-connections"]))
            .with(&SLOW),
        haproxy("roundrobin", "balance roundrobin", ring().candidates(&["round-robin", "weighted-round-robin"]))
            .with(&SLOW),
        haproxy("static-rr", "balance static-rr", ring().candidates(&["round-robin", "weighted-round-robin"]))
            .with(&SLOW),
        haproxy("random(1)", "balance random(1)", shows("random").or_open()).with(&SLOW),
        // a connection that ends a moment late makes it spill where nobody asked it to
        with_servers("first", "balance first", &["maxconn 2"], shows("first-available").or_open()).with(&SLOW),
        haproxy("two at random without load", "balance random(2)", two()),
    ]);
}

#[test]
fn hashes() {
    let user = ["--vary-header", "X-User"];
    all_hold(&[
        haproxy("source", "balance source", shows("source-hash").sticky("source")),
        haproxy("uri", "balance uri", shows("uri-hash")),
        haproxy("uri with its query", "balance uri whole\n  hash-type consistent", shows("uri-hash")),
        haproxy("header", "balance hdr(X-User)", shows("header-hash")).with(&user),
        haproxy("first", "balance first", shows("single").by("first-available")),
        haproxy("table of sources", "balance roundrobin\n  stick-table type ip size 10k\n  stick on src", {
            shows("round-robin").sticky("source")
        }),
        // the weights of so few new addresses do not always show
        with_servers(
            "table of sources, 5:1:1",
            "balance roundrobin\n  stick-table type ip size 10k\n  stick on src",
            &["weight 5", "weight 1"],
            shows("weighted-round-robin").or("source-hash").sticky("source"),
        ),
    ]);
}

#[test]
fn cookies() {
    let in_turn = || ring().cookie("SRV");
    let learned = "balance roundrobin\n  stick-table type string len 64 size 10k\n  \
                   stick store-response res.cook(PHPSESSID)\n  stick match req.cook(PHPSESSID)";
    all_hold(&[
        with_servers(
            "inserted",
            "balance roundrobin\n  cookie SRV insert indirect nocache",
            &["cookie NAME"],
            in_turn(),
        ),
        with_servers(
            "inserted, random",
            "balance random(1)\n  cookie SRV insert indirect nocache",
            &["cookie NAME"],
            shows("random").or_open().cookie("SRV"),
        ),
        with_servers(
            "before the app's",
            "balance roundrobin\n  cookie PHPSESSID prefix",
            &["cookie NAME"],
            ring().cookie("PHPSESSID"),
        ),
        haproxy("learned", learned, ring().cookie("PHPSESSID")),
        haproxy("hash of the app's", "balance hash req.cook(PHPSESSID)", ring().cookie("PHPSESSID")),
    ]);
}

#[test]
fn connections() {
    all_hold(&[
        haproxy("roundrobin", "mode tcp\n  balance roundrobin", ring().sticky("none").per("connection")),
        haproxy("source", "mode tcp\n  balance source", shows("source-hash").sticky("source")),
        haproxy("leastconn", "mode tcp\n  balance leastconn", {
            shows("round-robin").by("least-connections").or_open().per("connection")
        }),
    ]);
}
