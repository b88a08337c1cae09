//! What goes on while the probe looks: requests of another client, instances that join and leave.

use std::process::{Child, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use super::shows;
use crate::support::{
    DEADLINE, Lab,
    balancers::{Nginx, haproxy},
    eventually_within, send,
    server::Balancer,
};

/// Requests of the probe in a second, and of the other client. The one is no multiple of the other, nor of what there are
/// instances, so that no instance is always the other's.
const RATE: &str = "200";
const OTHERS: [&str; 2] = ["23", "71"];

/// Another client, until it is dropped.
struct Client(Child);

impl Client {
    fn of(lab: &Lab, balancer: &Balancer, rate: &str) -> Client {
        let address = balancer.address.to_string();
        let arguments =
            ["probe", "demo.api.ch", "--connect", &address, "--rate", rate, "-n", "5000", "--experiments", "order"];
        let mut command = lab.place.command(arguments);
        Client(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// What the probe says while another client takes turns, at one rate and another.
fn shared(name: &str, lab: &Lab, balancer: Option<Balancer>, truth: &'static str) -> Vec<String> {
    let Some(balancer) = balancer else { return Vec::new() };
    balancer.answers("demo.api.ch");
    let address = balancer.address.to_string();
    let each = OTHERS.map(|rate| {
        let _other = Client::of(lab, &balancer, rate);
        let probe = ["probe", "demo.api.ch", "--connect", &address, "--rate", RATE, "--format", "json"];
        let probe = lab.lbctl(&probe).json();
        let expected = shows(truth).or_open().sticky("none");
        let mut wrong = expected.objections(&probe["verdict"]);
        // the busy machine may serve the probe at half its rate
        wrong
            .extend(probe["verdict"]["disturbed"].as_f64().filter(|share| *share > 0.6).map(|share| share.to_string()));
        wrong.iter().map(|wrong| format!("{name} with {rate}: {wrong}\n  {}", probe["verdict"])).collect::<Vec<_>>()
    });
    each.concat()
}

#[test]
fn another_client_takes_turns() {
    let lab = Lab::up(&["--web-static", "5", "--web-dynamic", "0"]);
    let five = lab.replica_addresses("web_static");
    let weights = &["weight=5", "weight=3", "weight=1"][..];
    let nginx = |servers| Nginx { servers, ..Nginx::default() }.start(&five[..servers.len().max(3)]);
    let wrong = [
        shared("nginx, three", &lab, nginx(&[]), "round-robin"),
        shared("nginx, 5:3:1", &lab, nginx(weights), "weighted-round-robin"),
        shared("haproxy, five", &lab, haproxy(&five, 1, "balance roundrobin", &[]), "round-robin"),
    ];
    assert!(wrong.concat().is_empty(), "{}", wrong.concat().join("\n"));
}

/// How many requests the lab has answered.
fn answered(lab: &Lab) -> usize {
    lab.lbctl(&["logs", "web_static"]).stdout.lines().count()
}

#[test]
fn instances_join_and_leave() {
    let lab = Lab::up(&["--web-static", "4", "--web-dynamic", "0"]);
    let probe = ["probe", "demo.api.ch", "-n", "2000", "--rate", "100", "--format", "json"];
    let probe = lab.place.command(probe).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for replicas in ["web_static=5", "web_static=4"] {
        let before = answered(&lab);
        eventually_within(DEADLINE, "requests", || (answered(&lab) > before + 30).then_some(()));
        lab.lbctl(&["scale", replicas]).ok();
    }
    let before = answered(&lab);
    eventually_within(DEADLINE, "requests", || (answered(&lab) > before + 30).then_some(()));
    send(probe.id() as i32, Signal::INT);
    let told: Value = serde_json::from_slice(&probe.wait_with_output().unwrap().stdout).unwrap();
    let verdict = &told["verdict"];
    assert_eq!(verdict["algorithm"], "undetermined", "{verdict}");
    assert!(verdict["candidates"].as_array().unwrap().iter().any(|one| one == "round-robin"), "{verdict}");
    assert_eq!(verdict["instances"].as_array().unwrap().len(), 5, "{verdict}");
    let evidence = verdict["evidence"][0].as_str().unwrap();
    for words in ["went round 4 instances", " round 5, ", " round 4:"] {
        assert!(evidence.contains(words), "{evidence}");
    }
}
