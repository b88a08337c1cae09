//! What a probe tries beyond its two series: addresses, paths, headers, and instances that are kept busy.

mod cookies;
mod hashes;
mod load;
mod plan;
mod simulated;

use serde_json::Value;

use crate::support::{Lab, server};

/// A lab whose replicas stand behind other balancers.
fn stage(replicas: &str) -> Lab {
    Lab::up(&["--web-static", replicas, "--web-dynamic", "0"])
}

/// The probe's JSON for a balancer in front of that lab's replicas.
fn probe(lab: &Lab, balancer: &server::Balancer, arguments: &[&str]) -> Value {
    let address = balancer.address.to_string();
    let always = ["probe", "demo.api.ch", "--connect", &address, "--format", "json"];
    lab.lbctl(&[&always, arguments].concat()).json()
}

fn verdict(lab: &Lab, balancer: &server::Balancer, arguments: &[&str]) -> Value {
    probe(lab, balancer, arguments)["verdict"].clone()
}

fn nginx(lab: &Lab, upstream: &str) -> Option<server::Balancer> {
    server::nginx(&lab.replica_addresses("web_static"), upstream, "")
}

fn haproxy(lab: &Lab, backend: &str) -> Option<server::Balancer> {
    server::haproxy(&lab.replica_addresses("web_static"), "http", backend)
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

/// The names of a verdict's candidates.
fn candidates(verdict: &Value) -> Vec<&str> {
    words(&verdict["candidates"])
}

/// The probability with which an algorithm was ruled out.
fn ruled_out(verdict: &Value, algorithm: &str) -> Option<f64> {
    let out = verdict["ruled_out"].as_array().unwrap().iter().find(|out| out["algorithm"] == algorithm)?;
    out["p"].as_f64()
}

/// Every series whose name begins like this.
fn series<'a>(probe: &'a Value, name: &str) -> Vec<&'a Value> {
    let all = probe["series"].as_array().unwrap().iter();
    all.filter(|series| series["name"].as_str().unwrap().starts_with(name)).collect()
}
