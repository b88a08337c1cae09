//! Ends that nobody asked for: of a replica, of the supervisor, at a bad moment.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{
    Lab, Place, eventually,
    http::{Load, Slow, get, numbers},
};

/// A replica as `ps` shows it.
fn shown(lab: &Lab, service: &str, number: usize) -> Value {
    lab.ps()["services"][service]["replicas"][number - 1].clone()
}

#[test]
fn a_killed_replica_is_taken_out_at_once_and_comes_back() {
    let lab = Lab::up(&["--web-static", "4", "--web-dynamic", "3"]);
    let load = Load::start(&lab.address());
    eventually("requests", || (lab.lbctl(&["logs"]).stdout.lines().count() > 50).then_some(()));
    lab.place.replica("web_static-2").signal(Signal::KILL);
    let back = eventually("the replica to come back", || {
        let replica = shown(&lab, "web_static", 2);
        (replica["restarts"] == 1 && replica["state"] == "ready").then_some(replica)
    });
    let tally = load.finish();
    // four clients have one request each under way, of which those on this replica may fail
    assert!(tally.failed.len() <= 4, "{:#?}", tally.failed);
    for failed in &tally.failed {
        assert!(failed.contains("502"), "{failed}");
    }
    assert!(tally.sent > 100, "{}", tally.sent);

    // a new process, at a new address, that knows nobody and takes its turn
    assert_ne!(back["address"], lab.view["services"]["web_static"]["replicas"][1]["address"]);
    assert_eq!(back["name"], "web_static-2");
    let seen: BTreeSet<u32> = numbers(&lab.address(), "/", 4).into_iter().collect();
    assert_eq!(seen, BTreeSet::from([1, 2, 3, 4]));
    let log = lab.lbctl(&["logs"]).ok().stdout.clone();
    assert!(log.contains("web_static-2 ended by itself (signal: 9 (SIGKILL)) and is started again"), "{log}");
    assert!(log.contains("web_static-2 is back (restarts: 1)"), "{log}");
    let table = lab.lbctl(&["ps"]).ok().stdout.clone();
    let row = table.lines().find(|line| line.trim_start().starts_with("web_static-2 ")).expect("its row");
    assert_eq!(row.split_whitespace().last(), Some("1"), "{table}");
}

#[test]
fn only_requests_in_flight_on_a_killed_replica_fail() {
    let lab = Lab::up(&["--web-static", "2", "--web-dynamic", "1"]);
    let address = lab.address();
    let (one, two) = (Slow::session(&address, 1000), Slow::session(&address, 1000));
    lab.view["services"]["web_static"]["replicas"].as_array().expect("replicas").iter().for_each(Slow::reaches);
    lab.place.replica("web_static-2").signal(Signal::KILL);
    // from now on the other has them all, until this one is back
    let mut between = Vec::new();
    eventually("the replica to come back", || {
        between.push(get(&address, "/session"));
        (shown(&lab, "web_static", 2)["restarts"] == 1).then_some(())
    });
    assert!(between.iter().all(|answer| answer.status == 200), "{between:#?}");
    let mut ends: Vec<u16> = [one, two].map(|slow| slow.answer().expect("an answer").status).into();
    ends.sort_unstable();
    assert_eq!(ends, [200, 502]);
}

#[test]
fn a_replica_that_keeps_dying_is_started_again_ever_later() {
    let lab = Lab::up(&["--web-static", "1", "--web-dynamic", "0"]);
    for (death, at_least) in (1..).zip([100, 200, 400, 800]) {
        lab.place.replica("web_static-1").signal(Signal::KILL);
        let start = Instant::now();
        if death == 1 {
            let down = eventually("the replica to be down", || {
                let replica = shown(&lab, "web_static", 1);
                (replica["state"] == "restarting" || replica["restarts"] == 1).then_some(replica)
            });
            assert!(down["state"] == "ready" || down["address"].is_null(), "{down}");
        }
        eventually("the replica to come back", || {
            let replica = shown(&lab, "web_static", 1);
            (replica["restarts"] == death && replica["state"] == "ready").then_some(())
        });
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(at_least), "death {death}: {took:?}");
    }
    assert_eq!(get(&lab.address(), "/").status, 200);
}

#[test]
fn a_killed_supervisor_leaves_no_process_and_the_next_lab_takes_its_place() {
    let lab = Lab::up(&["--web-static", "5", "--web-dynamic", "5"]);
    let address = lab.address();
    let replicas = lab.place.replicas();
    assert_eq!(replicas.len(), 10);
    lab.place.supervisor().signal(Signal::KILL);
    let start = Instant::now();
    eventually("every process to end", || lab.place.processes().is_empty().then_some(()));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());

    let socket = lab.place.path().join("lbctl/lab.sock");
    assert!(socket.exists(), "a socket that nobody listens to");
    let none = lab.lbctl(&["ps"]);
    none.fails(3, "no running lab called `lab`");
    assert!(none.stderr.contains("\nhint: `lbctl up -d` starts one"), "{none:?}");
    assert!(!socket.exists());
    lab.lbctl(&["down"]).fails(3, "no running lab");

    // the port is free again as well
    let port = address.rsplit_once(':').unwrap().1;
    lab.lbctl(&["up", "-d", "--port", port, "--web-static", "1", "--web-dynamic", "1"]).ok();
    assert_eq!(get(&address, "/").status, 200);
    // and without anybody having looked in between
    lab.place.supervisor().signal(Signal::KILL);
    eventually("every process to end", || lab.place.processes().is_empty().then_some(()));
    lab.lbctl(&["up", "-d", "--port", "0", "--web-static", "1", "--web-dynamic", "1"]).ok();
    lab.lbctl(&["down"]).ok();
    lab.place.is_left_clean();
}

#[test]
fn a_supervisor_that_is_killed_while_it_starts_leaves_no_process() {
    let place = Place::new();
    let starting = place.starting(&["--web-static", "60", "--web-dynamic", "60"]);
    eventually("the first replicas", || (place.replicas().len() > 5).then_some(()));
    starting.signal(Signal::KILL);
    eventually("every process to end", || place.processes().is_empty().then_some(()));
}

#[test]
fn an_interrupt_while_the_lab_starts_ends_it() {
    for signal in [Signal::INT, Signal::TERM] {
        let place = Place::new();
        let mut starting = place.starting(&["--web-static", "100", "--web-dynamic", "1"]);
        eventually("the first replicas", || (place.replicas().len() > 5).then_some(()));
        starting.signal(signal);
        let (status, said) = starting.end();
        assert_eq!(status.code(), Some(130), "{said:?}");
        assert!(!said.iter().any(|line| line.starts_with("error")), "{said:?}");
        place.is_left_clean();
    }
}

#[test]
fn a_lab_that_starts_is_shown_and_can_be_stopped() {
    let place = Place::new();
    let mut starting = place.starting(&["--web-static", "150", "--web-dynamic", "150"]);
    eventually("the first replicas", || (place.replicas().len() > 5).then_some(()));
    let view = place.lbctl(["ps", "--format", "json"]).json();
    let replicas = view["services"]["web_static"]["replicas"].as_array().expect("replicas");
    assert_eq!(replicas.len(), 150);
    let states = replicas.iter().filter(|replica| replica["state"] == "starting").count();
    // the machine may be fast; then there is nothing to stop early
    assert!(states > 0 || starting.view.is_null(), "{view}");
    place.lbctl(["down"]).ok();
    let (status, said) = starting.end();
    match status.code() {
        Some(0) => {}
        code => assert_eq!((code, said), (Some(3), vec!["error: the lab is being stopped".to_owned()])),
    }
    place.is_left_clean();
}

#[test]
fn too_few_open_files_are_an_error_with_a_hint_and_nothing_stays() {
    let place = Place::new();
    let lbctl = env!("CARGO_BIN_EXE_lbctl");
    let script = format!("ulimit -n 64 && exec '{lbctl}' up -d --port 0 --web-static 60");
    let output = std::process::Command::new("sh").args(["-c", &script]).env("XDG_RUNTIME_DIR", place.path()).output();
    let ended = crate::support::Ended::from(output.expect("a shell"));
    ended.fails(3, "did not start: Too many open files");
    assert!(ended.stderr.contains("\nhint: ask for fewer replicas"), "{ended:?}");
    place.is_left_clean();
}
