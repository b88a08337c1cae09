//! A Docker Engine that goes away: in the middle of the start, and while the lab runs.
//!
//! The engine is this machine's, behind a socket of the test's own that can be cut. What `lbctl` cannot remove without an
//! engine, it removes by the real socket.

use std::thread;

use crate::support::{Ended, compose::PATIENCE, eventually_within, forwarder::Forwarder, http::Connection};

use super::{Start, hints};

/// How it must end, in whichever way it learned that the engine is gone.
#[track_caller]
fn lost(start: &Start, ended: &Ended, engine: &Forwarder) {
    ended.fails(3, &format!("lost the Docker Engine at {}: ", engine.host()));
    hints(ended, "was Docker stopped?");
    start.place.is_left_clean();
    // what it could not remove it says, and removes it when the engine is back
    let project = &start.project.name;
    assert!(ended.stderr.contains(&format!("`lbctl down -p {project}` removes them")), "{ended:#?}");
    assert_ne!(start.project.containers(), []);
    start.place.lbctl(["down", "-p", project]).ok();
    start.leaves_nothing();
}

#[test]
fn an_engine_that_stops_in_the_middle_of_the_start() {
    let Some(start) = Start::new() else { return };
    let Some(engine) = Forwarder::new() else { return };
    let small = start.arguments(&["--port", "0", "--web-static", "3", "--web-dynamic", "0"]);
    let mut lbctl = start.place.command(small);
    lbctl.env("DOCKER_HOST", engine.host());
    let ended = thread::scope(|scope| {
        let ended = scope.spawn(|| -> Ended { lbctl.output().unwrap().into() });
        eventually_within(PATIENCE, "a container", || (!start.project.containers().is_empty()).then_some(()));
        engine.cut();
        ended.join().unwrap()
    });
    lost(&start, &ended, &engine);
}

#[test]
fn an_engine_that_stops_while_the_lab_runs() {
    let Some(start) = Start::new() else { return };
    let Some(engine) = Forwarder::new() else { return };
    let small = start.arguments(&["--port", "0", "--web-static", "1", "--web-dynamic", "0"]);
    let mut lbctl = start.place.command(small);
    lbctl.env("DOCKER_HOST", engine.host());
    let ended: Ended = thread::scope(|scope| {
        let ended = scope.spawn(|| -> Ended { lbctl.output().unwrap().into() });
        let up = || {
            // the control API answers before the lab is ready; what a person sees comes when it is
            let view = start.place.lbctl(["ps", "-p", &start.project.name, "--format", "json"]);
            let view = serde_json::from_str::<serde_json::Value>(&view.stdout).ok()?;
            let ready = view["services"]["web_static"]["replicas"][0]["state"] == "ready";
            let address = view["proxy_address"].as_str().filter(|_| ready)?;
            let answer = Connection::open(address).ok()?.request("GET", "/session", &[], "").ok()?;
            (answer.status == 200).then_some(())
        };
        eventually_within(PATIENCE, "the lab", up);
        engine.cut();
        ended.join().unwrap()
    });
    lost(&start, &ended, &engine);
}
