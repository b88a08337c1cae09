//! A lab that runs: the order of its replicas, their number, and what becomes of requests and sessions meanwhile.

use serde_json::{Value, json};

use crate::support::{
    Lab,
    http::{Connection, Load, Slow, get, get_with, numbers},
};

/// The replicas of a service as `ps` shows them.
fn names(view: &Value, service: &str) -> Vec<String> {
    let replicas = view["services"][service]["replicas"].as_array().expect("replicas");
    replicas.iter().map(|replica| replica["name"].as_str().expect("a name").to_owned()).collect()
}

/// Logs in wherever the proxy sends it; the session's cookie as a header line.
fn log_in(address: &str) -> String {
    let form = "Content-Type: application/x-www-form-urlencoded";
    let answer =
        Connection::open(address).and_then(|mut c| c.request("POST", "/login", &[form], "user=alice")).unwrap();
    assert_eq!(answer.status, 303);
    let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie");
    format!("Cookie: {cookie}")
}

#[test]
fn the_first_request_goes_to_the_first_replica_and_the_order_never_changes() {
    let lab = Lab::up(&[]);
    let rounds = |n: usize| (1..=5).cycle().take(5 * n).collect::<Vec<u32>>();
    assert_eq!(numbers(&lab.address(), "/session", 60), rounds(12));
    // the other service has an order of its own
    assert_eq!(numbers(&lab.address(), "/api/", 40), rounds(8));
    // and so it is on one connection
    let mut kept = Connection::open(&lab.address()).unwrap();
    for number in rounds(4) {
        let answer = kept.request("GET", "/", &[], "").unwrap();
        assert_eq!(answer.served_by(), format!("web_static-{number}"));
    }
}

#[test]
fn scaling_under_requests_fails_none() {
    let lab = Lab::up(&["--web-static", "3", "--web-dynamic", "2"]);
    let load = Load::start(&lab.address());
    for (web, api) in [(6, 4), (2, 1), (9, 5), (1, 2), (5, 5)] {
        let (web, api) = (format!("web_static={web}"), format!("web_dynamic={api}"));
        let scaled = lab.lbctl(&["scale", &web, &api]);
        scaled.ok();
        // what was asked for is there when the command returns
        let count = |service: &str| format!("{service}={}", names(&lab.ps(), service).len());
        assert_eq!((count("web_static"), count("web_dynamic")), (web, api));
    }
    let tally = load.finish();
    assert_eq!(tally.failed, [""; 0]);
    assert!(tally.sent > 100, "{}", tally.sent);
    assert_eq!(lab.place.replicas().len(), 10);
    let log = lab.lbctl(&["logs", "--format", "json"]);
    assert!(log.ok().stdout.contains("web_static was scaled from 9 to 1"), "{}", log.stdout);
}

#[test]
fn a_replica_that_is_scaled_away_finishes_its_request_and_its_sessions_are_counted() {
    let lab = Lab::up(&["--web-static", "3", "--web-dynamic", "1"]);
    let address = lab.address();
    assert_eq!(numbers(&address, "/api/", 1), [1]);
    // one login and one visitor on each replica
    for _ in 0..3 {
        log_in(&address);
    }
    assert_eq!(numbers(&address, "/", 3), [1, 2, 3]);
    assert_eq!(numbers(&address, "/health", 2), [1, 2]);
    let slow = Slow::session(&address, 1500);
    Slow::reaches(&lab.view["services"]["web_static"]["replicas"][2]);

    let scaled = lab.lbctl(&["scale", "web_static=1", "--format", "json"]).json();
    let answer = slow.answer().expect("its answer");
    assert_eq!((answer.status, answer.served_by()), (200, "web_static-3"));
    // the slow request opened a session too
    let lost = json!({"sessions": 5, "logged_in": 2});
    assert_eq!(scaled, json!({"services": {"web_static": {"from": 3, "to": 1, "lost": lost}}}));
    assert_eq!(names(&lab.ps(), "web_static"), ["web_static-1"]);

    lab.lbctl(&["scale", "web_static=2"]).ok();
    // one on each, wherever the order is
    assert_ne!(log_in(&address), log_in(&address));
    let said = lab.lbctl(&["scale", "--web-static", "1", "--web-dynamic", "1"]);
    let lines: Vec<&str> = said.ok().stdout.lines().collect();
    let expected = [
        "web_static: 2 → 1 replica",
        "  1 session that lived there is gone, 1 of them logged in",
        "web_dynamic: 1 replica, as before",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn no_replica_at_all_is_a_number_too() {
    let lab = Lab::up(&["--web-static", "2", "--web-dynamic", "1"]);
    lab.lbctl(&["scale", "web_static=0"]).ok();
    // a rule goes with the last container that has it
    let answer = get(&lab.address(), "/");
    assert_eq!((answer.status, answer.body.as_str()), (404, "404 page not found\n"));
    assert_eq!(get(&lab.address(), "/api/").status, 200);
    assert_eq!(names(&lab.ps(), "web_static"), [""; 0]);
    lab.lbctl(&["scale", "web_static=3"]).ok();
    let mut seen = numbers(&lab.address(), "/", 3);
    seen.sort_unstable();
    assert_eq!(seen, [1, 2, 3]);

    let empty = Lab::up(&["--web-static", "0", "--web-dynamic", "0"]);
    assert_eq!(get(&empty.address(), "/").status, 404);
    empty.lbctl(&["scale", "web_static=1"]).ok();
    assert_eq!(numbers(&empty.address(), "/", 2), [1, 1]);
}

#[test]
fn the_order_goes_on_where_it_was_after_scaling() {
    let lab = Lab::up(&["--web-static", "3", "--web-dynamic", "1"]);
    assert_eq!(numbers(&lab.address(), "/", 2), [1, 2]);
    lab.lbctl(&["scale", "web_static=5"]).ok();
    assert_eq!(numbers(&lab.address(), "/", 6), [3, 4, 5, 1, 2, 3]);
    lab.lbctl(&["scale", "web_static=4"]).ok();
    assert_eq!(numbers(&lab.address(), "/", 5), [4, 1, 2, 3, 4]);
}

#[test]
fn up_and_ps_show_exactly_what_scripts_rely_on() {
    let lab = Lab::up(&["--web-static", "2", "--web-dynamic", "1"]);
    let replicas = |service: &str, numbers: std::ops::RangeInclusive<u32>| -> Vec<Value> {
        let shown = |number: u32| &lab.view["services"][service]["replicas"][number as usize - 1]["address"];
        let replica = |number| {
            let name = format!("{service}-{number}");
            json!({"name": name, "hostname": name, "address": shown(number), "state": "ready", "restarts": 0})
        };
        numbers.map(replica).collect()
    };
    let service = |app: &str, replicas: Vec<Value>| json!({"app": app, "strategy": "round-robin", "sticky_cookie": null, "replicas": replicas});
    let port = lab.address().rsplit_once(':').unwrap().1.to_owned();
    assert_eq!(
        lab.view,
        json!({
            "schema": "lbctl.lab.v1",
            "project": "lab",
            "engine": "embedded",
            "proxy": "bundled",
            "url": format!("http://demo.localhost:{port}/"),
            "proxy_address": format!("127.0.0.1:{port}"),
            "dashboard_url": null,
            "hosts": ["demo.api.ch", "demo.localhost"],
            "services": {
                "web_static": service("page", replicas("web_static", 1..=2)),
                "web_dynamic": service("api", replicas("web_dynamic", 1..=1)),
            },
        })
    );
    assert_eq!(lab.ps(), lab.view);
    // the replicas answer for themselves too
    for replica in lab.view["services"]["web_static"]["replicas"].as_array().unwrap() {
        let address = replica["address"].as_str().unwrap();
        assert_eq!(get(address, "/session").served_by(), replica["name"].as_str().unwrap());
    }
    let table = lab.lbctl(&["ps"]).ok().stdout.clone();
    let first = format!("http://demo.localhost:{port}/  (also as demo.api.ch)");
    assert_eq!(table.lines().next(), Some(first.as_str()), "{table}");
    for name in ["web_static-1", "web_static-2", "web_dynamic-1"] {
        assert_eq!(
            table.lines().filter(|line| line.trim_start().starts_with(name) && line.contains("ready")).count(),
            1,
            "{table}"
        );
    }
    assert!(table.contains("\nweb_static: 2 replicas, round-robin, not sticky\n"), "{table}");
}

#[test]
fn a_sticky_service_keeps_its_clients() {
    let lab = Lab::up(&["--sticky", "web_static"]);
    let service = &lab.view["services"]["web_static"];
    let name = service["sticky_cookie"].as_str().expect("a cookie");
    assert_eq!(lab.view["services"]["web_dynamic"]["sticky_cookie"], Value::Null);
    let first = get(&lab.address(), "/session");
    let cookies = first.head.lines().filter_map(|line| line.split_once(": ")).filter(|(key, _)| *key == "set-cookie");
    let cookie = cookies.map(|(_, cookie)| cookie.split(';').next().unwrap()).find(|cookie| cookie.starts_with(name));
    let header = format!("Cookie: {}", cookie.expect("the sticky cookie"));
    for _ in 0..12 {
        assert_eq!(get_with(&lab.address(), "/session", &[&header]).served_by(), first.served_by());
    }
    // without the cookie the order goes on, and the other service is not sticky
    assert_eq!(numbers(&lab.address(), "/", 5), [2, 3, 4, 5, 1]);
    assert_eq!(numbers(&lab.address(), "/api/", 5), [1, 2, 3, 4, 5]);
    assert!(lab.lbctl(&["ps"]).ok().stdout.contains(&format!("sticky by cookie {name}")));
}

#[test]
fn a_strategy_is_chosen_for_every_service() {
    for (flag, shown) in [("random", "random"), ("p2c", "p2c"), ("hrw", "hrw"), ("wrr", "round-robin")] {
        let lab = Lab::up(&["--strategy", flag, "--web-static", "4", "--web-dynamic", "2"]);
        for service in ["web_static", "web_dynamic"] {
            assert_eq!(lab.view["services"][service]["strategy"], shown);
        }
        let seen = numbers(&lab.address(), "/", 24);
        let rounds: Vec<u32> = (1..=4).cycle().take(24).collect();
        match flag {
            // one client: always the same replica
            "hrw" => assert!(seen.iter().all(|number| *number == seen[0]), "{seen:?}"),
            "wrr" => assert_eq!(seen, rounds),
            // one chance in 4^24
            _ => assert_ne!(seen, rounds),
        }
    }
}
