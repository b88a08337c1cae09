//! Which experiments are made, and how fast.

use super::{nginx, probe, series, stage};
use crate::support::{Lab, Place};

#[test]
fn the_experiments_are_listed() {
    let listed = Place::new().lbctl(["probe", "--experiments", "list"]);
    let names: Vec<&str> = listed.ok().stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["order", "jar", "connection", "sources", "paths", "header", "slow"]);
}

#[test]
fn those_that_are_picked_are_made_and_no_others() {
    let lab = stage("2");
    let Some(balancer) = nginx(&lab, "") else { return };
    let picked = probe(&lab, &balancer, &["--experiments", "order,sources"]);
    let names: Vec<&str> =
        picked["series"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names[0] == "without-jar" && names[1..].iter().all(|name| name.starts_with("source:")), "{names:?}");
    assert!(names.len() > 20);
    let address = balancer.address.to_string();
    for (one, missing) in [("slow", "--slow-path"), ("header", "--vary-header")] {
        let ask = ["probe", "demo.api.ch", "--connect", &address, "--experiments", one];
        lab.lbctl(&ask).fails(2, missing);
    }
}

#[test]
fn a_probe_stays_below_four_hundred_requests() {
    for (arguments, replicas) in [("round-robin", "10"), ("hrw", "10"), ("p2c", "4")] {
        let lab = Lab::up(&["--web-static", replicas, "--web-dynamic", "0", "--strategy", arguments]);
        let probe = lab.lbctl(&["probe", "--format", "json"]).json();
        let sent: usize = series(&probe, "").iter().map(|series| series["requests"].as_array().unwrap().len()).sum();
        assert!(sent <= 400, "{sent} with {arguments:?}");
    }
}

#[test]
fn no_more_requests_a_second_than_allowed() {
    let lab = stage("2");
    let ask = ["probe", "-n", "10", "--rate", "40", "--experiments", "order", "--format", "json"];
    let probe = lab.lbctl(&ask).json();
    let at: Vec<f64> = probe["series"][0]["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| request["at_ms"].as_f64().unwrap())
        .collect();
    assert!(at[9] - at[0] >= 9.0 * 25.0 - 20.0, "{at:?}");
}
