//! Are instances that are kept busy avoided.

use super::{candidates, haproxy, nginx, probe, ruled_out, series, stage, verdict};
use crate::support::Lab;

const SLOW: [&str; 2] = ["--slow-path", "/session?delay=1500"];

#[test]
fn least_connections_is_told_from_a_round_robin() {
    let lab = stage("3");
    for balancer in [nginx(&lab, "least_conn;"), haproxy(&lab, "balance leastconn")] {
        let Some(balancer) = balancer else { return };
        let probe = probe(&lab, &balancer, &SLOW);
        let verdict = &probe["verdict"];
        assert_eq!(verdict["algorithm"], "least-connections", "{verdict}");
        assert_eq!(candidates(verdict), ["least-connections"], "{verdict}");
        assert!(ruled_out(verdict, "round-robin").unwrap() < 1e-6);
        assert!(verdict["evidence"].to_string().contains("busy instances are strictly avoided"), "{verdict}");
        assert_eq!(series(&probe, "slow")[0]["conditions"]["path"], "/session?delay=1500");
        assert!(!series(&probe, "meanwhile").is_empty());
    }
}

#[test]
fn a_round_robin_goes_round_busy_instances_too() {
    let lab = stage("3");
    for balancer in [nginx(&lab, ""), haproxy(&lab, "balance roundrobin")] {
        let Some(balancer) = balancer else { return };
        let verdict = verdict(&lab, &balancer, &SLOW);
        assert_eq!(
            (&verdict["algorithm"], candidates(&verdict)),
            (&"round-robin".into(), vec!["round-robin", "weighted-round-robin"])
        );
        assert!(ruled_out(&verdict, "least-connections").unwrap() < 1e-6, "{verdict}");
    }
}

#[test]
fn a_lab_finds_its_slow_path_by_itself() {
    for (strategy, algorithm) in [("round-robin", "round-robin"), ("p2c", "least-connections")] {
        let lab = Lab::up(&["--web-static", "3", "--web-dynamic", "3", "--strategy", strategy]);
        for target in ["demo.api.ch", "demo.api.ch/api/"] {
            let verdict = lab.lbctl(&["probe", target, "--format", "json"]).json()["verdict"].clone();
            assert_eq!(verdict["algorithm"], algorithm, "{verdict}");
            // weights may be nearly the same
            let near = if algorithm == "round-robin" { &["weighted-round-robin"][..] } else { &[] };
            assert_eq!(candidates(&verdict), [&[algorithm][..], near].concat(), "{verdict}");
        }
    }
}

#[test]
fn random_picks_do_not_become_least_connections() {
    let lab = stage("3");
    let Some(balancer) = nginx(&lab, "random;") else { return };
    let verdict = verdict(&lab, &balancer, &SLOW);
    assert_eq!(verdict["algorithm"], "random", "{verdict}");
    // others' requests, of which nobody knows here, may have kept all instances busy
    assert!(candidates(&verdict).contains(&"least-connections"));
}

#[test]
fn a_path_that_is_not_slow_tells_nothing_and_the_verdict_says_so() {
    let lab = stage("3");
    let Some(balancer) = nginx(&lab, "") else { return };
    let verdict = verdict(&lab, &balancer, &["--slow-path", "/session"]);
    assert!(candidates(&verdict).contains(&"least-connections"));
    assert!(verdict["evidence"].to_string().contains("whether load matters was not seen"), "{verdict}");
}

#[test]
fn a_limit_of_one_request_each_is_not_taken_for_least_connections() {
    let lab = stage("3");
    let Some(balancer) = haproxy(&lab, "balance roundrobin\n  default-server maxconn 1") else { return };
    let verdict = verdict(&lab, &balancer, &SLOW);
    assert!(candidates(&verdict).contains(&"round-robin"), "{verdict}");
}

#[test]
fn a_few_requests_are_no_ground_for_a_claim_about_load() {
    let lab = Lab::up(&["--web-static", "5", "--web-dynamic", "0"]);
    for requests in ["1", "2", "3", "4"] {
        let probe = ["probe", "demo.api.ch", "-n", requests];
        let verdict = lab.lbctl(&[&probe[..], &["--format", "json"]].concat()).json()["verdict"].clone();
        // `single` alone may be ruled out, by more than one instance that answers
        assert!(["undetermined", "round-robin"].contains(&verdict["algorithm"].as_str().unwrap()), "{verdict}");
        assert!(candidates(&verdict).contains(&"round-robin"), "{verdict}");
        for wrong in ["first-available", "least-connections"] {
            let expected = lab.lbctl(&[&probe[..], &["--expect", wrong]].concat());
            assert_ne!(expected.code, Some(0), "{expected:?}");
        }
    }
}

#[test]
fn the_first_that_can_take_a_request_is_seen_once_it_cannot() {
    let lab = stage("3");
    let Some(balancer) = haproxy(&lab, "balance first\n  default-server maxconn 2") else { return };
    let verdict = verdict(&lab, &balancer, &SLOW);
    assert_eq!(verdict["algorithm"], "first-available", "{verdict}");
    assert!(!candidates(&verdict).contains(&"single"));
    assert!(!candidates(&verdict).contains(&"least-connections"), "it would have spilled at the first request");
}
