//! Traefik: its strategies, weights and cookies. Its round robin changes its order, and its weights may leave theirs for a
//! moment, because they are kept in floating point.

use serde_json::{Value, json};

use super::{Case, Expected, SLOW, all_hold, case, shows};
use crate::support::balancers;

/// One service; `settings` stand beside its servers.
fn traefik(name: &'static str, replicas: usize, settings: Value, expected: Expected) -> Case {
    let start = move |upstreams: &[String]| {
        let servers: Vec<Value> = upstreams.iter().map(|server| json!({ "url": format!("http://{server}") })).collect();
        let mut service = settings.clone();
        service["servers"] = servers.into();
        balancers::traefik(&json!({ "app": { "loadBalancer": service } }))
    };
    case(name, replicas, start, expected)
}

/// Servers with weights.
fn weighted(name: &'static str, weights: &'static [u64], expected: Expected) -> Case {
    let start = move |upstreams: &[String]| {
        let each = upstreams.iter().zip(weights);
        let servers: Vec<Value> =
            each.map(|(server, weight)| json!({ "url": format!("http://{server}"), "weight": weight })).collect();
        balancers::traefik(&json!({ "app": { "loadBalancer": { "servers": servers } } }))
    };
    case(name, weights.len(), start, expected)
}

/// A service of services with weights.
fn services(name: &'static str, weights: &'static [u64], expected: Expected) -> Case {
    let start = move |upstreams: &[String]| {
        let mut all = json!({});
        let mut parts = Vec::new();
        for (index, (server, weight)) in upstreams.iter().zip(weights).enumerate() {
            let part = format!("part{index}");
            all[&part] = json!({ "loadBalancer": { "servers": [{ "url": format!("http://{server}") }] } });
            parts.push(json!({ "name": part, "weight": weight }));
        }
        all["app"] = json!({ "weighted": { "services": parts } });
        balancers::traefik(&all)
    };
    case(name, weights.len(), start, expected)
}

#[test]
fn in_turn() {
    let changing = || shows("round-robin").order("changing").sticky("none").per("request");
    all_hold(&[
        traefik("two", 2, json!({}), shows("round-robin").order("fixed")),
        traefik("three", 3, json!({}), changing()),
        traefik("four", 4, json!({}), changing()),
        traefik("five", 5, json!({}), changing()),
        traefik("six", 6, json!({}), changing()),
        traefik("seven", 7, json!({}), changing()),
        traefik("three under load", 3, json!({}), changing().candidates(&["round-robin", "weighted-round-robin"]))
            .with(&SLOW),
    ]);
}

#[test]
fn weights() {
    let weights = || shows("weighted-round-robin").sticky("none").per("request");
    all_hold(&[
        weighted("servers 3:1", &[3, 1], weights()),
        weighted("servers 5:1:1", &[5, 1, 1], weights()),
        weighted("servers 2:2:1", &[2, 2, 1], weights()),
        services("services 3:1", &[3, 1], weights()),
        services("services 3:2:1", &[3, 2, 1], weights()),
    ]);
}

#[test]
fn other_strategies() {
    let p2c = || shows("random").by("least-connections").or_open().sticky("none");
    let strategy = |name: &str| json!({ "strategy": name });
    all_hold(&[
        traefik("p2c", 3, strategy("p2c"), p2c()),
        traefik("hrw", 3, strategy("hrw"), shows("source-hash").sticky("source")),
        traefik("hrw, five", 5, strategy("hrw"), shows("source-hash").sticky("source")),
    ]);
}

#[test]
fn cookies() {
    let cookie = json!({ "sticky": { "cookie": { "name": "lb" } } });
    let of_p2c = json!({ "strategy": "p2c", "sticky": { "cookie": { "name": "lb" } } });
    all_hold(&[
        traefik("sticky", 3, cookie, shows("round-robin").order("changing").cookie("lb")),
        traefik("sticky p2c", 3, of_p2c, shows("random").by("least-connections").or_open().cookie("lb")),
    ]);
}
