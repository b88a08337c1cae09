//! Connections of `lbctl probe`: kept, given up, and closed by the other side.

use std::{
    io::Write,
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::Value;

use crate::support::{Place, server};

/// An answer after which the connection stays, as far as it says.
fn answer(stream: &mut TcpStream, name: u32) -> bool {
    let text = format!("HTTP/1.1 200 OK\r\nX-Served-By: node-{name}\r\nContent-Length: 2\r\n\r\nok");
    stream.write_all(text.as_bytes()).is_ok()
}

fn rows(probe: &Value, series: usize) -> &Vec<Value> {
    probe["series"][series]["requests"].as_array().unwrap()
}

#[test]
fn a_server_that_ends_kept_connections_unasked_fails_no_request() {
    let place = Place::new();
    let next = AtomicU32::new(0);
    let target = server::raw(move |_, stream| _ = answer(stream, next.fetch_add(1, Ordering::Relaxed) % 3));
    let target = target.to_string();
    for concurrency in ["1", "8"] {
        let asked = ["probe", &target, "--connection", "reused", "--experiments", "order", "--format", "json"];
        let probe = place.lbctl([&asked[..], &["-n", "60", "-c", concurrency]].concat()).json();
        assert_eq!(rows(&probe, 0).len(), 60);
        assert!(rows(&probe, 0).iter().all(|row| row["instance"].is_string() && row["error"].is_null()), "{probe}");
    }
}

#[test]
fn many_at_once_share_connections_and_give_some_up() {
    let place = Place::new();
    let made = Arc::new(AtomicU32::new(0));
    let counted = made.clone();
    // it picks once a connection: each leads to one instance for good
    let target = server::raw(move |_, stream| {
        let name = counted.fetch_add(1, Ordering::Relaxed) % 2;
        while answer(stream, name) && server::read_head(stream).is_some() {}
    });
    let target = target.to_string();
    let asked = ["probe", &target, "-n", "2000", "-c", "4", "--experiments", "order", "--format", "json"];
    let probe = place.lbctl(asked).json();
    let conditions = &probe["series"][0]["conditions"];
    assert_eq!((&conditions["connection"], &conditions["concurrency"]), (&"reused".into(), &4.into()));
    assert_eq!(rows(&probe, 0).len(), 2000);
    let made = made.load(Ordering::Relaxed);
    assert!((125..=140).contains(&made), "{made} connections");
    let evidence = probe["verdict"]["evidence"].to_string();
    assert!(evidence.contains("kept connections led to one instance alone"), "{evidence}");
    assert_ne!(probe["verdict"]["algorithm"], "single");
}

#[test]
fn a_number_of_requests_at_once_is_about_those_alone() {
    let place = Place::new();
    let next = AtomicU32::new(0);
    let target = server::raw(move |_, stream| {
        while answer(stream, next.fetch_add(1, Ordering::Relaxed) % 8) && server::read_head(stream).is_some() {}
    });
    let target = target.to_string();
    let probe = place.lbctl(["probe", &target, "-n", "1000", "-c", "8", "--format", "json"]).json();
    assert_eq!(rows(&probe, 0).len(), 1000);
    assert_eq!(probe["series"][1]["name"], "with-jar");
    assert_eq!(probe["series"][1]["conditions"]["connection"], "fresh");
    assert!((5..=150).contains(&rows(&probe, 1).len()), "{} rows with a jar", rows(&probe, 1).len());
    assert_eq!(probe["verdict"]["algorithm"], "round-robin");
    assert_eq!(probe["verdict"]["balances_per"], "request");
}
