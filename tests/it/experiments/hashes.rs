//! Does the client's address, the path or a header decide.

use std::io::Write;

use super::{candidates, haproxy, nginx, probe, ruled_out, series, stage, verdict};
use crate::support::{Lab, Place, balancers, server};

/// The candidates where a key decides: a hash of it, or something that remembers whom each value was given.
fn hash_or_memory(hash: &str) -> Vec<&str> {
    vec![hash, "random", "least-connections", "round-robin", "weighted-round-robin"]
}

#[test]
fn a_hash_of_the_clients_address_is_told_from_a_single_instance() {
    let lab = stage("3");
    for (balancer, name) in [(nginx(&lab, "ip_hash;"), "nginx"), (haproxy(&lab, "balance source"), "haproxy")] {
        let Some(balancer) = balancer else { return };
        let probe = probe(&lab, &balancer, &[]);
        let verdict = &probe["verdict"];
        assert_eq!(verdict["algorithm"], "source-hash", "{name}: {verdict}");
        assert_eq!(candidates(verdict), hash_or_memory("source-hash"));
        assert_eq!(verdict["stickiness"], "source");
        assert_eq!(verdict["instances"].as_array().unwrap().len(), 3, "{verdict}");
        assert!(ruled_out(verdict, "single").is_some_and(|p| p > 0.0 && p < 1e-6));
        assert!(verdict["chance"].as_f64().unwrap() < 1e-6);
        let sources = series(&probe, "source:127.");
        assert!(sources.len() > 20);
        assert!(sources[0]["conditions"]["source"].as_str().unwrap().starts_with("127."));
        // a hash may be taken of the path as well
        assert!(series(&probe, "path:").len() > 20);
        assert!(
            verdict["evidence"].to_string().contains("so a client stays on its instance as long as its address does")
        );
    }
}

#[test]
fn the_labs_own_hash_of_the_clients_address_is_seen() {
    let lab = Lab::up(&["--web-static", "4", "--web-dynamic", "0", "--strategy", "hrw"]);
    let verdict = lab.lbctl(&["probe", "--format", "json"]).json()["verdict"].clone();
    assert_eq!((&verdict["algorithm"], &verdict["stickiness"]), (&"source-hash".into(), &"source".into()), "{verdict}");
    let shown = lab.lbctl(&["probe"]);
    assert!(
        shown.ok().stdout.contains("source-hash over 4 instances (or random, least-connections, round-robin"),
        "{}",
        shown.stdout
    );
    assert!(shown.stdout.contains("sticky:    by the client's address"), "{}", shown.stdout);
}

#[test]
fn a_hash_of_query_or_path_is_told_from_a_single_instance() {
    let lab = stage("3");
    for (balancer, name) in [
        (nginx(&lab, "hash $request_uri;"), "the query counts"),
        (nginx(&lab, "hash $uri consistent;"), "the path alone"),
        (haproxy(&lab, "balance uri"), "the path alone, as haproxy takes it"),
    ] {
        let Some(balancer) = balancer else { return };
        let verdict = verdict(&lab, &balancer, &[]);
        assert_eq!(verdict["algorithm"], "uri-hash", "{name}: {verdict}");
        assert_eq!(candidates(&verdict), hash_or_memory("uri-hash"));
        assert_ne!(verdict["stickiness"], "source");
        assert!(verdict["chance"].as_f64().unwrap() < 1e-6);
    }
}

#[test]
fn a_hash_of_a_header_is_found_once_the_header_is_named() {
    let lab = stage("3");
    for balancer in [nginx(&lab, "hash $http_x_user;"), haproxy(&lab, "balance hdr(X-User)")] {
        let Some(balancer) = balancer else { return };
        let probe = probe(&lab, &balancer, &["--vary-header", "X-User"]);
        let verdict = &probe["verdict"];
        assert_eq!(verdict["algorithm"], "header-hash", "{verdict}");
        assert_eq!(candidates(verdict), hash_or_memory("header-hash"));
        let header = &series(&probe, "header:X-User=")[0]["conditions"]["header"];
        assert_eq!(header["name"], "X-User");
        assert!(header["value"].is_string());
    }
    let Some(other) = nginx(&lab, "hash user$http_x_user;") else { return };
    let verdict = verdict(&lab, &other, &["--vary-header", "X-Other"]);
    assert_eq!(verdict["algorithm"], "single");
    assert!(candidates(&verdict).contains(&"header-hash"), "another header may still decide");
}

#[test]
fn a_single_instance_stays_one_and_what_cannot_be_told_is_said() {
    let lab = stage("3");
    for balancer in [haproxy(&lab, "balance first"), nginx(&lab, "hash constant;")] {
        let Some(balancer) = balancer else { return };
        let verdict = verdict(&lab, &balancer, &[]);
        assert_eq!(verdict["algorithm"], "single", "{verdict}");
        // something on the way may have hidden the addresses, and nobody has named a header
        let left = ["single", "first-available", "source-hash", "uri-hash", "header-hash", "least-connections"];
        let with_small_shares = ["weighted-round-robin", "random", "round-robin"];
        let left = [&left[..], &with_small_shares].concat();
        assert_eq!(candidates(&verdict), left);
        let said = verdict["evidence"].to_string();
        assert!(said.contains("something on the way may hide the address"), "{said}");
        // shares that are not even may have stayed unseen
        assert!(said.contains("a hash of them that sends more than 43 % elsewhere would have shown others"), "{said}");
    }
}

#[test]
fn a_table_that_remembers_addresses_is_no_hash() {
    let lab = stage("3");
    let remembers = "balance roundrobin\n  stick-table type ip size 10k expire 1m\n  stick on src";
    let Some(balancer) = haproxy(&lab, remembers) else { return };
    let verdict = verdict(&lab, &balancer, &[]);
    assert_eq!((&verdict["algorithm"], &verdict["stickiness"]), (&"round-robin".into(), &"source".into()), "{verdict}");
    assert!(ruled_out(&verdict, "source-hash").unwrap() < 1e-6);
}

/// What stands behind a table or a cache gives new values out in turn, if no others take turns.
#[test]
fn what_a_table_or_a_cache_remembers_may_be_given_in_turn() {
    let lab = Lab::up(&["--web-static", "7", "--web-dynamic", "0"]);
    let servers = lab.replica_addresses("web_static");
    let cached = balancers::Nginx {
        http: "proxy_cache_path cache keys_zone=pages:1m;",
        location: "proxy_cache pages; proxy_cache_key $request_uri; proxy_cache_valid any 10m; \
                   proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;",
        ..balancers::Nginx::default()
    };
    let table = "balance roundrobin\n  stick-table type string len 64 size 10k\n  stick on url";
    let weights = "balance roundrobin\n  stick-table type ip size 10k\n  stick on src";
    for (what, balancer, truth) in [
        ("nginx's cache", cached.start(&servers), "round-robin"),
        ("a table of paths", balancers::haproxy(&servers, 4, table, &[]), "round-robin"),
        (
            "a table before weights",
            balancers::haproxy(&servers[..3], 4, weights, &["weight 5", "weight 1"]),
            "weighted-round-robin",
        ),
    ] {
        let Some(balancer) = balancer else { return };
        let verdict = verdict(&lab, &balancer, &[]);
        assert!(candidates(&verdict).contains(&truth), "{what}: {verdict}");
        assert_eq!(ruled_out(&verdict, truth), None, "{what}: {verdict}");
    }
}

#[test]
fn a_hash_that_sends_little_elsewhere_stays_a_candidate() {
    let lab = stage("2");
    let (servers, uri) = (lab.replica_addresses("web_static"), "balance uri whole\n  hash-type consistent");
    let Some(balancer) = balancers::haproxy(&servers, 4, uri, &["weight 256", "weight 1"]) else { return };
    let verdict = verdict(&lab, &balancer, &[]);
    assert!(candidates(&verdict).contains(&"uri-hash"), "{verdict}");
    assert_eq!(ruled_out(&verdict, "uri-hash"), None, "{verdict}");
}

#[test]
fn a_hash_of_address_and_path_together_keeps_no_client() {
    let lab = stage("3");
    let Some(balancer) = nginx(&lab, "hash $remote_addr$request_uri;") else { return };
    let verdict = verdict(&lab, &balancer, &[]);
    assert_eq!((&verdict["algorithm"], &verdict["stickiness"]), (&"undetermined".into(), &"undetermined".into()));
    assert_eq!(candidates(&verdict)[..2], ["source-hash", "uri-hash"]);
    let said = verdict["evidence"].to_string();
    assert!(said.contains("so the client's address and the query string decide together"), "{said}");
}

#[test]
fn a_pair_of_instances_for_each_address_is_found() {
    let lab = stage("4");
    let servers = lab.replica_addresses("web_static");
    let pair =
        |name: &str, servers: &[String]| format!("upstream {name} {{ server {}; }}\n", servers.join("; server "));
    let halves = "split_clients $remote_addr $pair { 50% one; * other; }";
    let balancer = balancers::Nginx {
        http: &[&pair("one", &servers[..2]), &pair("other", &servers[2..]), halves].concat(),
        pass: "http://$pair",
        ..balancers::Nginx::default()
    };
    let Some(balancer) = balancer.start(&servers) else { return };
    let verdict = verdict(&lab, &balancer, &["--experiments", "order,jar,sources"]);
    let said = verdict["evidence"].to_string();
    assert!(said.contains("each of these to 2 at most"), "{said}");
    // other addresses meet other instances, so the round of this one is not all of it
    assert_eq!((&verdict["algorithm"], &verdict["stickiness"]), (&"undetermined".into(), &"undetermined".into()));
}

#[test]
fn a_cache_in_front_of_a_round_robin_is_no_hash() {
    let place = Place::new();
    let cached = std::sync::Mutex::new(std::collections::HashMap::new());
    let target = server::raw(move |head, stream| {
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let mut cached = cached.lock().unwrap();
        let next = cached.len() % 3;
        let header = format!("X-Served-By: node-{}\r\n", cached.entry(path).or_insert(next));
        _ = stream.write_all(server::http("200 OK", &header, "").as_bytes());
    });
    let probe = place.lbctl(["probe", &target.to_string(), "--format", "json"]).json();
    let verdict = &probe["verdict"];
    assert_eq!(verdict["algorithm"], "round-robin", "{verdict}");
    assert!(ruled_out(verdict, "uri-hash").unwrap() < 1e-6);
}

#[test]
fn balancers_that_mind_none_of_these_are_not_taken_for_hashes() {
    let lab = stage("3");
    for upstream in ["", "random;"] {
        let Some(balancer) = nginx(&lab, upstream) else { return };
        let all = ["--experiments", "order,sources,paths,header", "--vary-header", "X-User"];
        let verdict = verdict(&lab, &balancer, &all);
        assert!(!candidates(&verdict).iter().any(|name| name.ends_with("-hash")), "{verdict}");
        assert!(verdict["evidence"].to_string().contains("the same one led to different instances"), "{verdict}");
    }
}

#[test]
fn a_rule_for_each_path_is_not_a_hash() {
    let lab = Lab::up(&["--web-static", "1", "--web-dynamic", "1"]);
    let verdict = lab.lbctl(&["probe", "--paths", "/,/api/", "--format", "json"]).json()["verdict"].clone();
    assert_eq!(verdict["algorithm"], "single", "{verdict}");
    assert!(verdict["evidence"].to_string().contains("may have a rule each"), "{verdict}");
}

#[test]
fn addresses_to_send_from_can_be_named() {
    let lab = stage("2");
    let Some(balancer) = haproxy(&lab, "balance source") else { return };
    let named: Vec<String> = (1..=8).map(|n| format!("127.0.0.{n}")).collect();
    let probe = probe(&lab, &balancer, &["--from", &named.join(",")]);
    let seen: Vec<String> = series(&probe, "source:")
        .iter()
        .map(|series| series["conditions"]["source"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen.len(), 8);
    assert!(named.iter().all(|name| seen.contains(name)));
    assert_eq!(probe["verdict"]["algorithm"], "source-hash", "{}", probe["verdict"]);
    let address = balancer.address.to_string();
    let foreign = lab.lbctl(&["probe", "demo.api.ch", "--connect", &address, "--from", "192.0.2.1"]);
    foreign.fails(2, "--from 192.0.2.1 is no address of this machine");
}
