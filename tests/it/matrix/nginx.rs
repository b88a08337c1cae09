//! nginx: its methods, its worker processes with and without a zone that they share, and its maps.

use super::{Case, LONGER, SLOW, all_hold, case, shows};
use crate::support::balancers::Nginx;

const ZONE: &str = "zone app 64k;";
const HEAVY: [&str; 3] = ["weight=5", "weight=1", "weight=1"];
const STEPS: [&str; 3] = ["weight=3", "weight=2", "weight=1"];

fn nginx(upstream: &'static str) -> Nginx<'static> {
    Nginx { upstream, ..Nginx::default() }
}

fn workers(upstream: &'static str, listen: &'static str) -> Nginx<'static> {
    Nginx { workers: 4, listen, ..nginx(upstream) }
}

fn http(name: &'static str, replicas: usize, nginx: Nginx<'static>, expected: super::Expected) -> Case {
    case(name, replicas, move |servers| nginx.start(servers), expected)
}

fn tcp(name: &'static str, nginx: Nginx<'static>, expected: super::Expected) -> Case {
    case(name, 3, move |servers| nginx.start_tcp(servers), expected)
}

fn ring() -> super::Expected {
    shows("round-robin").order("fixed").sticky("none").per("request")
}

#[test]
fn round_robins() {
    let kept_alive = "proxy_http_version 1.1; proxy_set_header Connection \"\";";
    all_hold(&[
        http("two", 2, nginx(""), ring()),
        http("five", 5, nginx(""), ring().candidates(&["round-robin", "least-connections", "weighted-round-robin"])),
        http("one worker with a zone", 5, nginx(ZONE), ring()),
        http("workers that share a zone", 5, workers(ZONE, ""), ring()),
        http("workers with a socket each that share a zone", 5, workers(ZONE, "reuseport"), ring()),
        http("connections kept", 3, Nginx { last: "keepalive 16;", location: kept_alive, ..nginx("") }, ring()),
        http("one dead", 3, Nginx { last: "server 127.0.0.1:9;", ..nginx("") }, ring()),
        http("a backup", 3, Nginx { servers: &["", "", "backup"], ..nginx("") }, ring()),
        http(
            "one dead, whose turns fail",
            3,
            Nginx { last: "server 127.0.0.1:9 max_fails=0;", location: "proxy_next_upstream off;", ..nginx("") },
            ring(),
        ),
    ]);
}

#[test]
fn workers_that_count_for_themselves() {
    let interleaved = || shows("round-robin").or_open().sticky("none").per("request");
    let weights = || shows("weighted-round-robin").or_open().sticky("none");
    all_hold(&[
        http("five", 5, workers("", ""), interleaved()),
        http("five, with a socket each", 5, workers("", "reuseport"), interleaved()),
        http("3:2:1", 3, Nginx { servers: &STEPS, ..workers("", "reuseport") }, weights()),
        http("5:1:1", 3, Nginx { servers: &HEAVY, ..workers("", "reuseport") }, weights()),
        http("5:1:1, one socket", 3, Nginx { servers: &HEAVY, ..workers("", "") }, weights()),
        tcp("connections", workers("", ""), interleaved().per("connection")),
    ]);
}

#[test]
fn weights() {
    let weighted = || shows("weighted-round-robin").order("fixed").sticky("none").per("request");
    all_hold(&[
        http("5:1:1", 3, Nginx { servers: &HEAVY, ..nginx("") }, weighted().weights(&[5, 1, 1])),
        http("3:2:1", 3, Nginx { servers: &STEPS, ..nginx("") }, weighted().weights(&[3, 2, 1])),
        http("2:1", 2, Nginx { servers: &["weight=2", ""], ..nginx("") }, weighted().weights(&[2, 1])),
        http(
            "5:1:1, workers that share a zone",
            3,
            Nginx { servers: &HEAVY, ..workers(ZONE, "reuseport") },
            weighted().weights(&[5, 1, 1]),
        ),
        http("5:1:1 under load", 3, Nginx { servers: &HEAVY, ..nginx("") }, weighted().weights(&[5, 1, 1])).with(&SLOW),
    ]);
}

#[test]
fn picks_at_random() {
    let random = || shows("random").or_open().sticky("none").per("request");
    all_hold(&[
        http("random", 3, nginx("random;"), random()),
        http("random, five", 5, nginx("random;"), random()),
        http("random, workers", 3, workers("random;", "reuseport"), random()),
        http("two choices", 3, nginx("zone app 64k; random two;"), random().by("least-connections")),
        http("5:1:1", 3, Nginx { servers: &HEAVY, ..nginx("random;") }, random()),
        http("by a random number", 3, Nginx { upstream: "hash $request_id;", ..Nginx::default() }, random()),
    ]);
}

#[test]
fn busy_instances() {
    let least = || shows("least-connections").candidates(&["least-connections"]);
    // random draws that avoid busy ones take more requests to tell
    let two = || shows("least-connections").or("random");
    all_hold(&[
        http("least_conn without load", 3, nginx("least_conn;"), shows("round-robin").by("least-connections")),
        http("least_conn", 3, nginx("least_conn;"), least()).with(&SLOW),
        http("least_conn, 5:1:1", 3, Nginx { servers: &HEAVY, ..nginx("least_conn;") }, least()).with(&SLOW),
        http("two choices", 3, nginx("random two least_conn;"), two()).with(&LONGER),
        http("round robin", 3, nginx(""), shows("round-robin").candidates(&["round-robin", "weighted-round-robin"]))
            .with(&SLOW),
        http("random", 3, nginx("random;"), shows("random").or_open()).with(&SLOW),
    ]);
}

#[test]
fn hashes() {
    let source = || shows("source-hash").sticky("source");
    let user = ["--vary-header", "X-User"];
    all_hold(&[
        http("ip_hash", 3, nginx("ip_hash;"), source()),
        http("ip_hash, workers", 3, workers("ip_hash;", "reuseport"), source()),
        http("path", 3, nginx("hash $request_uri;"), shows("uri-hash")),
        http("path, a ring", 3, nginx("hash $uri consistent;"), shows("uri-hash")),
        http("header", 3, nginx("hash $http_x_user;"), shows("header-hash")).with(&user),
        http("address and path", 3, nginx("hash $remote_addr$request_uri;"), {
            shows("undetermined").by("source-hash").sticky("undetermined")
        }),
        tcp("connections by address", nginx("hash $remote_addr;"), source()),
    ]);
}

#[test]
fn several_things_at_once() {
    let ids = "map $cookie_phpsessid $key { '' $request_id; default $cookie_phpsessid; }";
    let parts = "split_clients $remote_addr $key { 50% a; * b; }";
    all_hold(&[
        // nginx goes round where there is nothing to take the hash of
        http(
            "hash of a cookie, else in turn",
            3,
            nginx("hash $cookie_phpsessid;"),
            ring().sticky("cookie").cookie("PHPSESSID"),
        ),
        http(
            "hash of a cookie, else random",
            3,
            Nginx { http: ids, ..nginx("hash $key;") },
            shows("random").or_open().cookie("PHPSESSID"),
        ),
        http("halves of the clients", 3, Nginx { http: parts, ..nginx("hash $key;") }, shows("source-hash").or_open()),
    ]);
}

#[test]
fn connections() {
    let per = |expected: super::Expected| expected.per("connection");
    all_hold(&[
        tcp("round robin", nginx(""), per(shows("round-robin").order("fixed"))),
        tcp("random", nginx("random;"), per(shows("random").or_open())),
        tcp("least_conn", nginx("least_conn;"), per(shows("round-robin").by("least-connections").or_open())),
    ]);
}
