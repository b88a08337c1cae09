//! The supervisor: foreground and background, several labs, signals, `down`, and the place where labs are found.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    time::{Duration, Instant},
};

use rustix::process::{Signal, geteuid};

use crate::support::{
    Lab, Place, eventually,
    http::{Slow, get, numbers},
};

/// A small lab.
const SMALL: [&str; 4] = ["--web-static", "2", "--web-dynamic", "1"];

fn page_replica(view: &serde_json::Value, number: usize) -> &serde_json::Value {
    &view["services"]["web_static"]["replicas"][number - 1]
}

#[test]
fn a_project_has_one_lab() {
    let lab = Lab::up(&SMALL);
    for detach in [&["-d"][..], &[]] {
        let again = lab.place.lbctl(["up", "--port", "0"].iter().chain(detach));
        again.fails(3, "a lab called `lab` is running already");
        assert!(again.stderr.contains("\nhint: `lbctl down -p lab` stops it"), "{again:?}");
        assert_eq!(again.stdout, "");
    }
    // it was not disturbed
    assert_eq!(lab.ps(), lab.view);
    assert_eq!(lab.place.replicas().len(), 3);
}

#[test]
fn labs_run_side_by_side() {
    let lab = Lab::up(&SMALL);
    let other = ["up", "-d", "--port", "0", "-p", "other", "--web-static", "3", "--format", "json"];
    let other = lab.lbctl(&other).json();
    let address = other["proxy_address"].as_str().expect("an address");
    assert_ne!(address, lab.address());
    assert_eq!(numbers(&lab.address(), "/", 4), [1, 2, 1, 2]);
    assert_eq!(numbers(address, "/", 4), [1, 2, 3, 1]);
    assert_eq!(lab.lbctl(&["ps", "-p", "other", "--format", "json"]).json()["project"], "other");
    let missing = lab.lbctl(&["ps", "-p", "third"]);
    missing.fails(3, "no running lab called `third`");
    assert!(missing.stderr.contains("\nhint: running: lab, other; choose with -p"), "{missing:?}");
    // the environment chooses too
    let mut down = lab.place.command(["down"]);
    let down = down.env("LBCTL_PROJECT", "other").output().expect("lbctl runs");
    assert!(String::from_utf8_lossy(&down.stderr).contains("stopped the lab `other`"), "{down:?}");
    assert_eq!(lab.ps(), lab.view);
    lab.lbctl(&["down"]).ok();
    lab.place.is_left_clean();
}

#[test]
fn a_signal_stops_a_lab_in_the_foreground() {
    for signal in [Signal::INT, Signal::TERM] {
        let place = Place::new();
        let mut lab = place.foreground(&SMALL);
        assert_eq!(get(&lab.address(), "/session").status, 200);
        lab.says("/session");
        lab.signal(signal);
        let (status, said) = lab.end();
        assert_eq!(status.code(), Some(130), "{said:?}");
        assert!(said.contains(&"note: stopping; ^C again stops at once".to_owned()), "{said:?}");
        // one line for the request
        assert_eq!(said.iter().filter(|line| line.contains("  200  GET  /session  ")).count(), 1, "{said:?}");
        place.is_left_clean();
    }
}

#[test]
fn a_request_under_way_has_some_time_after_a_signal() {
    let place = Place::new();
    let mut lab = place.foreground(&SMALL);
    let slow = Slow::session(&lab.address(), 400);
    Slow::reaches(page_replica(&lab.view, 1));
    lab.signal(Signal::INT);
    assert_eq!(slow.answer().expect("an answer").status, 200);
    assert_eq!(lab.end().0.code(), Some(130));
    place.is_left_clean();
}

#[test]
fn a_second_signal_stops_at_once() {
    let place = Place::new();
    let fastest = (0..3).map(|_| {
        let mut lab = place.foreground(&SMALL);
        let slow = Slow::session(&lab.address(), 10_000);
        Slow::reaches(page_replica(&lab.view, 1));
        lab.signal(Signal::INT);
        lab.says("stopping");
        let start = Instant::now();
        lab.signal(Signal::INT);
        assert_eq!(lab.end().0.code(), Some(130));
        let took = start.elapsed();
        assert!(slow.ends_unanswered());
        place.is_left_clean();
        took
    });
    // once would take most of a second; a busy machine may be slow at times
    let fastest = fastest.min();
    assert!(fastest < Some(Duration::from_millis(500)), "{fastest:?}");
}

#[test]
fn down_ends_a_lab_in_the_foreground() {
    let place = Place::new();
    let mut lab = place.foreground(&SMALL);
    let down = place.lbctl(["down"]);
    assert_eq!(down.ok().stderr, "stopped the lab `lab`\n");
    assert_eq!(lab.end().0.code(), Some(0));
    place.is_left_clean();
    place.lbctl(["down"]).fails(3, "no running lab called `lab`");
}

#[test]
fn down_takes_two_seconds_at_most_whatever_is_under_way() {
    let lab = Lab::up(&SMALL);
    let slow = Slow::session(&lab.address(), 10_000);
    Slow::reaches(page_replica(&lab.view, 1));
    let start = Instant::now();
    lab.lbctl(&["down"]).ok();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(slow.ends_unanswered());
    lab.place.is_left_clean();
}

#[test]
fn down_does_not_wait_for_a_change() {
    let lab = Lab::up(&SMALL);
    let slow = Slow::session(&lab.address(), 10_000);
    Slow::reaches(page_replica(&lab.view, 1));
    let mut scaling = lab.place.command(["scale", "web_static=0"]);
    let scaling = scaling.stderr(std::process::Stdio::piped()).spawn().expect("lbctl runs");
    eventually("the replicas to drain", || (page_replica(&lab.ps(), 1)["state"] == "draining").then_some(()));
    let start = Instant::now();
    lab.lbctl(&["down"]).ok();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let scaled = crate::support::Ended::from(scaling.wait_with_output().expect("its end"));
    scaled.fails(3, "the lab is being stopped");
    assert!(slow.ends_unanswered());
    lab.place.is_left_clean();
}

#[test]
fn labs_are_found_where_nobody_else_may_look() {
    let lab = Lab::up(&SMALL);
    let directory = lab.place.path().join("lbctl");
    let mode = |path: &std::path::Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join("lab.sock")), 0o600);
    assert_eq!(mode(&directory.join("lab.lock")), 0o600);
    // a directory that was open to others is closed
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).expect("its owner may");
    lab.ps();
    assert_eq!(mode(&directory), 0o700);
}

#[test]
fn a_place_that_somebody_else_could_pose_in_is_refused() {
    let refused = |place: &Place| {
        for arguments in [&["ps"][..], &["up", "-d", "--port", "0"], &["up", "--port", "0"], &["down"]] {
            let ended = place.lbctl(arguments);
            ended.fails(3, "lbctl is not a directory of this user alone");
            assert!(ended.stderr.contains("\nhint: set XDG_RUNTIME_DIR"), "{ended:?}");
        }
    };
    let linked = Place::new();
    fs::create_dir(linked.path().join("elsewhere")).expect("a directory");
    symlink(linked.path().join("elsewhere"), linked.path().join("lbctl")).expect("a link");
    refused(&linked);
    let file = Place::new();
    fs::write(file.path().join("lbctl"), "").expect("a file");
    refused(&file);
    if geteuid().is_root() {
        let theirs = Place::new();
        fs::create_dir(theirs.path().join("lbctl")).expect("a directory");
        std::os::unix::fs::chown(theirs.path().join("lbctl"), Some(12_345), None).expect("root may");
        refused(&theirs);
        assert_eq!(fs::metadata(theirs.path().join("lbctl")).expect("it is there").uid(), 12_345);
    }
    let long = Place::new();
    let deep = long.path().join("d".repeat(100));
    fs::create_dir(&deep).expect("a directory");
    let mut up = long.command(["up", "-d", "--port", "0"]);
    let ended = crate::support::Ended::from(up.env("XDG_RUNTIME_DIR", &deep).output().expect("lbctl runs"));
    ended.fails(3, "lab.sock is too long for a socket");
    assert_eq!(fs::read_dir(deep.join("lbctl")).expect("its directory").count(), 0);
}

#[test]
fn a_port_that_is_taken_is_an_error_or_leads_to_another() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port().to_string();
    for detach in [&["-d"][..], &[]] {
        let ended = place.lbctl(["up", "--port", &port].iter().chain(detach));
        ended.fails(3, &format!("cannot listen on 127.0.0.1:{port}: the port is taken"));
        assert!(
            ended
                .stderr
                .contains(&format!(": the port is taken\nhint: stop what listens there, or leave --port {port} out\n"))
        );
        place.is_left_clean();
    }
    // one that a client is still told about, on the other loopback address
    if let Ok(taken) = TcpListener::bind("[::1]:0") {
        let port = taken.local_addr().expect("its address").port().to_string();
        place.lbctl(["up", "-d", "--port", &port]).fails(3, &format!(":{port}: the port is taken"));
    }
    let mut up = place.command(["up", "-d", "--format", "json"].iter().chain(&SMALL));
    let ended = crate::support::Ended::from(up.env("LBCTL_HTTP_PORT", &port).output().expect("lbctl runs"));
    let address = ended.json()["proxy_address"].as_str().expect("an address").to_owned();
    let note = format!("note: cannot listen on 127.0.0.1:{port}: the port is taken: it is port ");
    assert!(ended.stderr.starts_with(&note), "{ended:?}");
    assert!(!address.ends_with(&format!(":{port}")));
    assert_eq!(get(&address, "/").status, 200);
    place.lbctl(["down"]).ok();
    place.is_left_clean();
}

#[test]
fn a_lab_listens_where_it_is_told() {
    let lab = Lab::up(&["--bind", "127.0.0.2", "--web-static", "1", "--web-dynamic", "1"]);
    assert!(lab.address().starts_with("127.0.0.2:"), "{}", lab.view);
    assert_eq!(get(&lab.address(), "/").status, 200);
    // by default on both loopback addresses
    let lab = Lab::up(&SMALL);
    let port = lab.address().rsplit_once(':').expect("a port").1.to_owned();
    if TcpListener::bind("[::1]:0").is_ok() {
        assert_eq!(get(&format!("[::1]:{port}"), "/").status, 200);
    }
}
