//! `lbctl` and a lab that was started by `docker-compose up`: the containers' labels tell all about it.
//!
//! Every command names the project. Without `-p`, `lbctl probe demo.api.ch` finds a lab by itself where only one routes that
//! host, and on this engine other tests and people run labs at the same time.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
};

use serde_json::{Value, json};

use crate::support::{
    Ended, Place,
    compose::{ByHand, PATIENCE, Project},
    docker::{base, docker},
    eventually,
};

use super::{
    hints,
    procedure::{Visitor, names},
};

/// Runs `lbctl` for this lab.
fn lbctl(lab: &ByHand, place: &Place, arguments: &[&str]) -> Ended {
    place.lbctl([arguments, &["-p", &lab.project.name]].concat())
}

pub fn ps_shows_it(lab: &ByHand, place: &Place) {
    let view = lbctl(lab, place, &["ps", "--format", "json"]).json();
    let address = format!("127.0.0.1:{}", lab.http);
    for (field, value) in [
        ("schema", json!("lbctl.lab.v1")),
        ("project", json!(lab.project.name)),
        ("engine", json!("compose")),
        ("proxy", json!("traefik")),
        ("url", json!(format!("http://demo.localhost:{}/", lab.http))),
        ("proxy_address", json!(address)),
        ("dashboard_url", Value::Null),
        ("hosts", json!(["demo.api.ch", "demo.localhost"])),
    ] {
        assert_eq!(view[field], value, "{field}");
    }
    let containers = lab.project.containers();
    let table = lbctl(lab, place, &["ps"]).ok().stdout.clone();
    for (service, port) in [("web_static", 80), ("web_dynamic", 3000)] {
        let mine = containers.iter().filter(|one| one.service == service);
        let expected: Vec<Value> = mine
            .map(|one| {
                let (name, address) = (format!("{service}-{}", one.number), format!("{}:{port}", one.ip));
                let row = table.lines().find(|line| line.split_whitespace().next() == Some(&name));
                let row = row.unwrap_or_else(|| panic!("{name} in {table}"));
                assert!(row.contains(&one.hostname) && row.contains(&address), "{row}");
                json!({"name": name, "hostname": one.hostname, "address": address, "state": "ready", "restarts": 0})
            })
            .collect();
        assert_eq!(expected.len(), 5);
        assert_eq!(view["services"][service]["replicas"], Value::from(expected));
    }
    assert_eq!(view["services"].as_object().expect("services").len(), 2, "Traefik is none of them");
}

pub fn probe_tells_how_traefik_balances(lab: &ByHand, place: &Place) {
    let probe = lbctl(lab, place, &["probe", "demo.api.ch", "--format", "json"]).json();
    assert_eq!(probe["schema"], "lbctl.probe.v1");
    assert_eq!(probe["target"]["url"], "http://demo.api.ch/");
    assert_eq!(probe["target"]["connected_to"], format!("127.0.0.1:{}", lab.http));
    assert_eq!(probe["target"]["via"], "lab");
    let verdict = &probe["verdict"];
    // each server once a round, and the rounds differ: neither "not round robin" nor 1-2-3
    assert_eq!((&verdict["algorithm"], &verdict["order"]), (&json!("round-robin"), &json!("changing")), "{verdict}");
    assert_eq!(verdict["repeats_after"], 30, "{verdict}");
    assert_eq!((&verdict["stickiness"], &verdict["balances_per"]), (&json!("none"), &json!("request")), "{verdict}");
    let instances = verdict["instances"].as_array().expect("instances").iter();
    let mut instances: Vec<&str> = instances.map(|instance| instance["name"].as_str().expect("a name")).collect();
    instances.sort_unstable();
    assert_eq!(instances, [1, 2, 3, 4, 5].map(|number| format!("web_static-{number}")));
}

pub fn the_session_is_lost(lab: &ByHand, place: &Place) {
    let test = lbctl(lab, place, &["session-test", "--format", "json"]).json();
    assert_eq!(test["verdict"]["session"], "lost", "{test}");
    assert_eq!((&test["expected"], &test["passed"]), (&json!("lost"), &json!(true)));
}

pub async fn the_log_has_its_requests(lab: &ByHand, place: &Place) {
    let (visitor, names) = (Visitor::of(lab), names(lab));
    let mut replicas = Vec::new();
    for path in ["/?log=1", "/api/?log=2", "/?log=3", "/?log=4"] {
        replicas.push(names[&visitor.hostname(path).await].clone());
    }
    let entries = eventually("four entries", || {
        let log = lbctl(lab, place, &["logs", "--format", "json"]).ok().stdout.clone();
        let entries: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let mine = |entry: &&Value| entry["path"].as_str().is_some_and(|path| path.contains("?log="));
        let mine: Vec<Value> = entries.iter().filter(mine).cloned().collect();
        (mine.len() == 4).then_some(mine)
    });
    let logged: Vec<&str> = entries.iter().map(|entry| entry["replica"].as_str().expect("a replica")).collect();
    assert_eq!(logged, replicas);
    assert_eq!(entries[1]["service"], "web_dynamic");
    assert_eq!((&entries[0]["method"], &entries[0]["status"]), (&json!("GET"), &json!(200)));
    // in words, and for one service
    let text = lbctl(lab, place, &["logs", "web_dynamic"]).ok().stdout.clone();
    let row = text.lines().find(|line| line.contains("?log=")).expect("a line").to_owned();
    assert!(row.contains(&format!("  {}   200  GET  /api/?log=2  ", replicas[1])), "{row}");
    assert!(!text.contains("web_static"), "{text}");
}

/// `lbctl logs -f`, killed when it is dropped.
pub struct Follower {
    process: Child,
    lines: Receiver<String>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

pub async fn the_log_can_be_followed(lab: &ByHand, place: &Place) -> Follower {
    let mut process = place.command(["logs", "-f", "-p", &lab.project.name]);
    let mut process = process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lbctl runs");
    let output = BufReader::new(process.stdout.take().expect("a pipe"));
    let (sender, lines) = channel();
    thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let follower = Follower { process, lines };
    // what was logged before comes first: from then on it waits
    let hears = |words: &str| loop {
        let line = follower.lines.recv_timeout(PATIENCE).expect("a line with these words");
        if line.contains(words) {
            return line;
        }
    };
    hears("?log=4");
    let visitor = Visitor::of(lab);
    let hostname = visitor.hostname("/?followed").await;
    assert!(hears("/?followed").contains(&names(lab)[&hostname]));
    follower
}

pub fn the_log_ends_with_the_lab(mut follower: Follower) {
    let status = eventually("the end of the log", || follower.process.try_wait().expect("its end"));
    assert_eq!(status.code(), Some(0));
}

pub fn it_can_be_scaled(lab: &ByHand, place: &Place) {
    let scaled = |count: u32| {
        let service = format!("web_static={count}");
        lbctl(lab, place, &["scale", &service, "--format", "json"]).json()["services"]["web_static"].clone()
    };
    let numbers = || {
        let containers = lab.project.containers().into_iter();
        containers.filter(|one| one.service == "web_static").map(|one| one.number).collect::<Vec<_>>()
    };
    let fewer = scaled(3);
    assert_eq!((&fewer["from"], &fewer["to"]), (&json!(5), &json!(3)));
    assert!(fewer["lost"]["sessions"].as_u64() > Some(0), "the visitors' sessions lived there: {fewer}");
    assert_eq!(numbers(), [1, 2, 3], "the highest go first");
    let more = scaled(5);
    assert_eq!((&more["from"], &more["to"]), (&json!(3), &json!(5)));
    assert_eq!(numbers(), [1, 2, 3, 4, 5]);
    assert_eq!(lab.servers(), (5, 5), "done is when Traefik gives requests to all");
    assert_eq!(lab.project.running("web_dynamic"), 5);
    // that it asked each whether it answers is nobody's business
    let log = lbctl(lab, place, &["logs"]).ok().stdout.clone();
    assert!(!log.contains("/api/ready") && !log.contains("/health"), "{log}");

    lbctl(lab, place, &["scale", "web=3"]).fails(2, "no service `web` in this lab");
}

#[test]
fn down_ends_a_lab_that_was_started_by_hand() {
    let Some(mut lab) = ByHand::up(&["--build"]) else { return };
    lab.eventually("one of each", |lab| (lab.servers() == (1, 1)).then_some(()));
    let place = Place::with_docker();
    let ended = lbctl(&lab, &place, &["down"]);
    assert!(ended.ok().stderr.contains(&format!("stopped the lab `{}`", lab.project.name)), "{ended:?}");
    lab.project.is_gone();
    lab.end();
    lbctl(&lab, &place, &["ps"]).fails(3, "no running lab");
    place.is_left_clean();
}

#[test]
fn containers_that_are_none_of_ours_are_left_alone() {
    let Some(project) = Project::new() else { return };
    let (label, image) = (format!("com.docker.compose.project={}", project.name), base("web_dynamic"));
    let service = "com.docker.compose.service=web";
    docker(&["run", "--detach", "--init", "--label", &label, "--label", service, &image, "sleep", "600"]).ok();
    let place = Place::with_docker();
    for command in [&["down"][..], &["scale", "web=3"]] {
        let refused = place.lbctl([command, &["-p", &project.name]].concat());
        refused.fails(3, &format!("the containers of `{}` were not started by lbctl, nor from its lab", project.name));
        hints(&refused, &format!("`docker compose -p {}` is there for them", project.name));
    }
    // nor does a lab of their name begin, at whose end they would go
    let refused = place.lbctl(["up", "--engine", "compose", "-p", &project.name]);
    refused.fails(3, &format!("containers of a project `{}` that are no lab of lbctl's", project.name));
    hints(&refused, "choose another name with -p");
    assert_eq!(project.running("web"), 1);
    place.is_left_clean();
}
