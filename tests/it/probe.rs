//! `lbctl probe`, against labs, real balancers and broken servers.

use std::io::Write;

use serde_json::Value;

use crate::support::{Lab, Place, server};

fn verdict(lab: &Lab, arguments: &[&str]) -> Value {
    let probe = lab.lbctl(&[&["probe", "--format", "json"], arguments].concat()).json();
    assert_eq!(probe["schema"], "lbctl.probe.v1");
    probe["verdict"].clone()
}

fn count(n: &str) -> [&str; 4] {
    ["--web-static", n, "--web-dynamic", "0"]
}

/// The claims that a verdict rests on, with their tests.
fn assumptions(verdict: &Value) -> Vec<(&str, Option<&str>)> {
    let all = verdict["assumes"].as_array().unwrap().iter();
    all.map(|one| (one["claim"].as_str().unwrap(), one["tested_by"].as_str())).collect()
}

#[test]
fn a_verdict_says_what_it_excludes_and_what_it_assumes() {
    let lab = Lab::up(&count("3"));
    let by_log = verdict(&lab, &["demo.api.ch"]);
    assert_eq!(
        assumptions(&by_log),
        [
            ("same-instances", None),
            ("no-client-in-step", Some("balancer-log")),
            ("one-turn-per-request", Some("balancer-log")),
            ("name-means-instance", None)
        ]
    );
    let connect = ["demo.api.ch", "--connect", &lab.address()];
    let from_outside = verdict(&lab, &connect);
    assert_eq!(
        assumptions(&from_outside),
        [
            ("same-instances", None),
            ("no-client-in-step", Some("random-pauses")),
            ("one-turn-per-request", None),
            ("name-means-instance", None)
        ]
    );
    let shown = lab.lbctl(&[&["probe"], &connect[..]].concat()).ok().stdout.clone();
    let one_line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        one_line.contains("excluded: single, random, weights further apart than 1 : 1.")
            && one_line.contains("; with one of these, the chance of such requests is"),
        "{shown}"
    );
    assert!(
        one_line.contains(
            "not told apart: picks by the fewest requests in total, evenly spaced numbers, large weights that are used up \
             one after the other, the clock, load that is asked for now and then, the fastest answer assumes: the set \
             of servers did not change; no other client was in step with this one (random pauses changed nothing); \
             each request took one turn; the header x-served-by names the server because:"
        ),
        "{shown}"
    );
    assert!(!one_line.contains("the chance that this is wrong"), "{shown}");
    // one request proves nothing, so that nothing is assumed
    let open = verdict(&lab, &[&connect[..], &["-n", "1", "--experiments", "order"]].concat());
    assert_eq!((&open["algorithm"], assumptions(&open)), (&"undetermined".into(), Vec::new()), "{open}");
}

/// No cookie keeps a client where none is set; its address may, as long as one instance answers all its requests.
#[test]
fn one_instance_without_cookies_leaves_stickiness_open() {
    let lab = Lab::up(&["--web-static", "0", "--web-dynamic", "1"]);
    let address = lab.address();
    let probe = ["probe", "demo.api.ch/api/", "--connect", &address, "--experiments", "order,jar"];
    let verdict = lab.lbctl(&[&probe[..], &["--format", "json"]].concat()).json()["verdict"].clone();
    let candidates = verdict["candidates"].as_array().unwrap();
    assert!(candidates.contains(&"source-hash".into()), "{verdict}");
    assert_eq!(verdict["stickiness"], "undetermined", "{verdict}");
    let expected = lab.lbctl(&[&probe[..], &["--expect", "sticky=none"]].concat());
    assert_eq!(expected.code, Some(4), "{expected:?}");
}

#[test]
fn a_labs_page_is_a_round_robin_without_sticky_sessions() {
    let lab = Lab::up(&count("5"));
    let probe = lab.lbctl(&["probe", "demo.api.ch", "--format", "json"]).json();
    assert_eq!(probe["target"]["url"], "http://demo.api.ch/");
    assert_eq!(probe["target"]["via"], "lab");
    assert_eq!(probe["target"]["connected_to"], lab.view["proxy_address"]);
    let verdict = &probe["verdict"];
    assert_eq!(verdict["algorithm"], "round-robin");
    assert_eq!(verdict["candidates"], serde_json::json!(["round-robin", "weighted-round-robin"]));
    assert_eq!(verdict["order"], "fixed");
    let names: Vec<String> = (1..=5).map(|n| format!("web_static-{n}")).collect();
    assert_eq!(verdict["cycle"], serde_json::json!(names));
    assert_eq!(verdict["repeats_after"], 5);
    assert_eq!(verdict["stickiness"], "none");
    assert_eq!(verdict["balances_per"], "request");
    assert!(verdict["chance"].as_f64().unwrap() < 1e-6);
    for field in ["ruled_out", "instances", "sticky_cookie", "sticky_by", "evidence"] {
        assert!(verdict.get(field).is_some(), "{field}");
    }

    let series = probe["series"].as_array().unwrap();
    let (without, with) = (&series[0], &series[1]);
    assert_eq!((&without["name"], &with["name"]), (&"without-jar".into(), &"with-jar".into()));
    let conditions = serde_json::json!(
        {"jar": false, "cookie": null, "connection": "fresh", "path": "/", "source": null, "header": null, "concurrency": 1}
    );
    assert_eq!(without["conditions"], conditions);
    // one after the other, never interleaved
    let last = without["requests"].as_array().unwrap().last().unwrap()["at_ms"].as_f64();
    assert!(last < with["requests"][0]["at_ms"].as_f64());
    // it opens the page, logs in, and then looks whether the login is seen
    let requests = with["requests"].as_array().unwrap();
    let (taker, id) = (&requests[1]["instance"], &requests[1]["session_id"]);
    assert!(id.is_string());
    for request in &requests[2..] {
        assert_eq!(request["logged_in"].as_bool(), Some(request["instance"] == *taker));
        assert_eq!(request["session_id"], *id);
        for field in ["n", "at_ms", "hostname", "status", "ms", "error"] {
            assert!(request.get(field).is_some(), "{field}");
        }
    }
}

#[test]
fn the_table_shows_both_series_side_by_side_in_80_columns() {
    let lab = Lab::up(&["--web-static", "5", "--web-dynamic", "3"]);
    let shown = lab.lbctl(&["probe", "demo.api.ch"]);
    shown.ok();
    assert!(shown.stdout.lines().all(|line| line.chars().count() <= 80), "{}", shown.stdout);
    assert!(!shown.stdout.contains('\x1b'), "no colour in a pipe");
    assert!(shown.stdout.starts_with(&format!("http://demo.api.ch/ at {}, the lab `lab`\n", lab.address())));
    let rows: Vec<Vec<&str>> = shown.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let row = |n: &str| rows.iter().find(|row| row.first() == Some(&n)).unwrap();
    assert_eq!((row("1")[1], row("2")[1], row("6")[1]), ("web_static-1", "web_static-2", "web_static-1"));
    assert_eq!(row("2")[6..], ["logs", "in"]);
    assert_eq!(row("3")[6], "no");
    for words in ["round-robin over 5 instances, every round the same", "web_static-5 →", "6 to each", "  assumes:   "]
    {
        assert!(shown.stdout.contains(words), "`{words}` in {}", shown.stdout);
    }
    let shown = lab.lbctl(&["probe", "demo.api.ch/api/"]);
    assert!(shown.ok().stdout.contains("round-robin over 3 instances"), "{}", shown.stdout);
    assert!(!shown.stdout.contains("login"));
    assert!(shown.stdout.contains("web_dynamic-3"));
}

#[test]
fn the_sticky_cookie_is_named() {
    let lab = Lab::up(&["--web-static", "3", "--web-dynamic", "0", "--sticky", "web_static"]);
    let verdict = verdict(&lab, &[]);
    assert_eq!(verdict["algorithm"], "round-robin");
    assert_eq!(verdict["stickiness"], "cookie");
    let cookie = &lab.view["services"]["web_static"]["sticky_cookie"];
    assert!(cookie.is_string());
    // and not PHPSESSID, which is sent as well
    assert_eq!(&verdict["sticky_cookie"], cookie);
}

#[test]
fn random_picks_are_random() {
    let lab = Lab::up(&["--web-static", "4", "--web-dynamic", "0", "--strategy", "random"]);
    let verdict = verdict(&lab, &[]);
    assert_eq!(verdict["algorithm"], "random", "{verdict}");
    assert_eq!(verdict["order"], Value::Null);
    assert!(verdict["ruled_out"].as_array().unwrap().iter().any(|out| out["algorithm"] == "round-robin"));
}

#[test]
fn one_replica_is_single() {
    let lab = Lab::up(&count("1"));
    let verdict = verdict(&lab, &[]);
    assert_eq!(verdict["algorithm"], "single");
    assert_eq!(verdict["stickiness"], "undetermined");
    assert_eq!(verdict["instances"].as_array().unwrap().len(), 1);
}

#[test]
fn an_open_page_that_takes_turns_does_not_disturb_the_verdict() {
    let lab = Lab::up(&count("5"));
    let (url, stop) = (lab.url("/"), std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let stopped = stop.clone();
    let page = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let client = crate::support::client();
            while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
                client.get(&url).header("host", "demo.api.ch").send().await.unwrap();
            }
        });
    });
    let verdict = verdict(&lab, &["-n", "40"]);
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    page.join().unwrap();
    assert_eq!((&verdict["algorithm"], &verdict["order"]), (&"round-robin".into(), &"fixed".into()), "{verdict}");
    assert!(verdict["evidence"].to_string().contains("other clients took"), "{verdict}");
}

#[test]
fn so_many_requests_as_asked_for_also_at_once() {
    let lab = Lab::up(&count("5"));
    let probe = lab.lbctl(&["probe", "-n", "203", "-c", "8", "--format", "json"]).json();
    let without = &probe["series"][0];
    assert_eq!(without["requests"].as_array().unwrap().len(), 203);
    assert_eq!(without["conditions"]["concurrency"], 8);
    // the lab's log tells the balancer's order, though the answers overlapped
    assert_eq!(probe["verdict"]["order"], "fixed");
    let shown = lab.lbctl(&["probe", "-n", "100"]);
    assert!(shown.ok().stdout.contains("… 90 more …"), "{}", shown.stdout);
}

#[test]
fn nginx_is_a_round_robin_a_hash_or_random_as_it_is_told() {
    let lab = Lab::up(&count("3"));
    let probe = |balancer: &server::Balancer| {
        let address = balancer.address.to_string();
        verdict(&lab, &["demo.api.ch", "--connect", &address])
    };
    let Some(round_robin) = server::nginx(&lab.replica_addresses("web_static"), "", "") else { return };
    let verdict = probe(&round_robin);
    assert_eq!((&verdict["algorithm"], &verdict["order"]), (&"round-robin".into(), &"fixed".into()), "{verdict}");
    assert_eq!(verdict["balances_per"], "request");

    let Some(hash) = server::nginx(&lab.replica_addresses("web_static"), "ip_hash;", "") else { return };
    let verdict = probe(&hash);
    assert_eq!(verdict["algorithm"], "source-hash");

    let Some(random) = server::nginx(&lab.replica_addresses("web_static"), "random;", "") else { return };
    let verdict = probe(&random);
    assert_eq!(verdict["algorithm"], "random", "{verdict}");
    // nobody's log excludes other traffic here
    assert!(verdict["candidates"].to_string().contains("round-robin"));
}

#[test]
fn haproxy_is_sticky_by_the_cookie_it_inserts() {
    let lab = Lab::up(&count("3"));
    let sticky = "balance roundrobin\n  cookie SRV insert indirect nocache";
    let Some(haproxy) = server::haproxy(&lab.replica_addresses("web_static"), "http", sticky) else { return };
    let verdict = verdict(&lab, &["demo.api.ch", "--connect", &haproxy.address.to_string()]);
    assert_eq!(verdict["algorithm"], "round-robin");
    assert_eq!((&verdict["stickiness"], &verdict["sticky_cookie"]), (&"cookie".into(), &"SRV".into()));
}

#[test]
fn a_tcp_balancer_picks_once_a_connection() {
    let lab = Lab::up(&count("3"));
    let Some(haproxy) = server::haproxy(&lab.replica_addresses("web_static"), "tcp", "balance roundrobin") else {
        return;
    };
    let address = haproxy.address.to_string();
    let fresh = verdict(&lab, &["demo.api.ch", "--connect", &address]);
    assert_eq!((&fresh["algorithm"], &fresh["balances_per"]), (&"round-robin".into(), &"connection".into()));
    let reused = verdict(&lab, &["demo.api.ch", "--connect", &address, "--connection", "reused", "-n", "30"]);
    assert_ne!(reused["algorithm"], "round-robin", "requests over kept connections are another experiment");
}

#[test]
fn an_instance_is_known_by_what_it_says() {
    let place = Place::new();
    let next = std::sync::atomic::AtomicU32::new(0);
    let target = server::raw(move |_, stream| {
        let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 3;
        let body =
            format!("<p>served by <b>node-{n}</b>, nonce {}</p>", next.load(std::sync::atomic::Ordering::Relaxed));
        _ = stream.write_all(server::http("200 OK", "", &body).as_bytes());
    });
    let url = format!("http://{target}/");
    let unknown = place.lbctl(["probe", &url, "-n", "5"]);
    unknown.fails(4, "says which instance sent them");
    assert!(unknown.stderr.contains("hint: ") && unknown.stderr.contains("--identity"));
    let found = place.lbctl(["probe", &url, "--format", "json"]).json();
    assert_eq!(found["verdict"]["cycle"], serde_json::json!(["node-0", "node-1", "node-2"]));
    let known = place.lbctl(["probe", &url, "--identity", "regex:<b>([^<]+)", "--format", "json"]).json();
    assert_eq!(known["verdict"]["algorithm"], "round-robin");
    assert_eq!(known["verdict"]["cycle"], serde_json::json!(["node-0", "node-1", "node-2"]));
    assert_eq!(known["target"]["via"], "dns");
}

#[test]
fn a_failed_request_is_a_row_and_not_the_end() {
    let place = Place::new();
    let next = std::sync::atomic::AtomicU32::new(0);
    let target = server::raw(move |_, stream| match next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        // no answer, garbage, an error page
        3 => {}
        5 => _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n"),
        7 => _ = stream.write_all(server::http("503 Service Unavailable", "", "busy").as_bytes()),
        n => {
            let header = format!("X-Served-By: node-{}\r\n", n % 2);
            _ = stream.write_all(server::http("200 OK", &header, "").as_bytes());
        }
    });
    let probe = place.lbctl(["probe", &target.to_string(), "-n", "12", "--format", "json"]).json();
    let requests = probe["series"][0]["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 12);
    assert_eq!(requests[3]["error"]["kind"], "closed");
    assert_eq!(requests[5]["error"]["kind"], "protocol");
    assert_eq!((&requests[7]["status"], &requests[7]["instance"]), (&503.into(), &Value::Null));
    assert_eq!(requests[8]["instance"], "node-0");
}

#[test]
fn a_body_that_never_ends_does_not_hang_the_probe() {
    let place = Place::new();
    let target = server::raw(|_, stream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Served-By: a\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let probe = place.lbctl(["probe", &target.to_string(), "--format", "json"]).json();
    assert_eq!(probe["verdict"]["algorithm"], "single");
}

#[test]
fn an_instance_says_who_it_is_in_any_answer() {
    let place = Place::new();
    let target = server::raw(|_, stream| {
        _ = stream.write_all(server::http("401 Unauthorized", "X-Served-By: gate\r\n", "").as_bytes());
    });
    let probe = place.lbctl(["probe", &target.to_string(), "--format", "json"]).json();
    assert_eq!(probe["verdict"]["instances"][0]["name"], "gate");
}

#[test]
fn a_hostile_name_does_not_reach_the_terminal() {
    let place = Place::new();
    let target = server::raw(|_, stream| {
        let body = serde_json::json!({ "hostname": format!("ev\u{1b}[31m\u{1b}]0;pwn\u{7}{}", "x".repeat(3000)) });
        let cookie = "Content-Type: application/json\r\nSet-Cookie: a=1; Path=/elsewhere\r\n";
        _ = stream.write_all(server::http("200 OK", cookie, &body.to_string()).as_bytes());
    });
    let shown = place.lbctl(["probe", &target.to_string(), "-n", "3"]);
    let text = &shown.ok().stdout;
    assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    assert!(text.lines().all(|line| line.chars().count() <= 260), "{text}");
}

#[test]
fn long_names_stay_apart_in_80_columns() {
    let place = Place::new();
    let next = std::sync::atomic::AtomicU32::new(0);
    let target = server::raw(move |_, stream| {
        let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 3;
        let header = format!("X-Served-By: averyverylonghostname-{n}.eu-central.internal\r\n");
        _ = stream.write_all(server::http("200 OK", &header, "").as_bytes());
    });
    let shown = place.lbctl(["probe", &target.to_string()]);
    let rows: Vec<&str> =
        shown.ok().stdout.lines().filter(|line| line.trim_start().starts_with(char::is_numeric)).collect();
    assert!(rows[0].contains("0.") && rows[1].contains("1.") && rows[2].contains("2."), "{}", shown.stdout);
    assert!(rows.iter().all(|row| row.chars().count() <= 80), "{}", shown.stdout);
    assert!(shown.stdout.contains("averyverylonghostname-2.eu-central.internal"), "{}", shown.stdout);
}

#[test]
fn cookies_and_agents_of_ones_own_disturb_nothing() {
    let lab = Lab::up(&["--web-static", "3", "--web-dynamic", "0", "--sticky", "web_static"]);
    let verdict = verdict(&lab, &["-H", "Cookie: lang=de", "-H", "User-Agent: mine"]);
    assert_eq!(verdict["stickiness"], "cookie", "{verdict}");
    let agents = lab.lbctl(&["logs", "--format", "json"]).ok().stdout.clone();
    assert!(agents.contains("\"user_agent\":\"mine lbctl/"), "{agents}");
}
