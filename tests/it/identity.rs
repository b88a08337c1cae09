//! How `lbctl probe` recognises instances of which nothing says by a known name which is which, behind real balancers.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::support::{Ended, Place, server};

/// Servers that answer each request with headers and a body of their own, made of their number and a count of requests.
fn backends(
    count: usize,
    answer: impl Fn(usize, u32) -> (String, String) + Clone + Send + Sync + 'static,
) -> Vec<String> {
    let backend = |number: usize| {
        let (answer, requests) = (answer.clone(), AtomicU32::new(0));
        let address = server::raw(move |_, stream| {
            let (headers, body) = answer(number, requests.fetch_add(1, Ordering::Relaxed));
            _ = std::io::Write::write_all(stream, server::http("200 OK", &headers, &body).as_bytes());
        });
        address.to_string()
    };
    (0..count).map(backend).collect()
}

/// nginx and HAProxy in front of them, in turn.
fn balancers(backends: &[String]) -> Vec<server::Balancer> {
    let haproxy = server::haproxy(backends, "http", "balance roundrobin");
    server::nginx(backends, "", "").into_iter().chain(haproxy).collect()
}

fn probe(balancer: &server::Balancer, arguments: &[&str]) -> Ended {
    let url = format!("http://{}/", balancer.address);
    Place::new().lbctl([&["probe", &url], arguments].concat())
}

/// That a probe knows all instances of a round robin by this.
#[track_caller]
fn knows(balancer: &server::Balancer, by: &str, instances: usize) -> Value {
    let probe = probe(balancer, &["--format", "json"]).json();
    let (target, verdict) = (&probe["target"], &probe["verdict"]);
    assert!(target["identified_by"].as_str().unwrap().starts_with(by), "`{by}` in {target}");
    assert_eq!(target["identified"], instances, "{target}");
    assert_eq!((&verdict["algorithm"], &verdict["order"]), (&"round-robin".into(), &"fixed".into()), "{verdict}");
    assert_eq!(verdict["cycle"].as_array().unwrap().len(), instances, "{verdict}");
    probe
}

/// That an expectation is decided if, and only if, the name surely means an instance, and that the text says the condition.
#[track_caller]
fn is_sure_of(balancer: &server::Balancer, sure: bool) {
    let json = probe(balancer, &["--format", "json", "--expect", "round-robin", "--expect", "instances=3"]);
    assert_eq!(json.code, Some(if sure { 0 } else { 4 }), "{json:#?}");
    let seen: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(seen["target"]["identified_surely"], sure, "{}", seen["target"]);
    let condition = seen["verdict"]["condition"].as_str();
    assert_eq!(condition.is_none(), sure, "{}", seen["verdict"]);
    let shown = probe(balancer, &[]);
    let text = shown.ok().stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(text.contains(" names instances: round-robin over 3 instances"), !sure, "{}", shown.stdout);
    if let Some(condition) = condition {
        assert!(text.contains(&format!("{condition}: round-robin")), "`{condition}` in {}", shown.stdout);
        assert!(text.contains("(3 values, a guess)"), "{}", shown.stdout);
        let assumed = seen["verdict"]["assumes"].as_array().unwrap().last().unwrap();
        assert_eq!(assumed["claim"], "name-means-instance");
        assert!(assumed["words"].as_str().unwrap().contains("a guess"), "{assumed}");
        let found = seen["expected"][0]["found"].as_str().unwrap();
        assert!(found.starts_with("round-robin, if") && found.contains("--identity"), "{found}");
    }
}

/// That a probe names nobody, and says so soon.
#[track_caller]
fn knows_nobody(balancer: &server::Balancer, why: &str) {
    let ended = probe(balancer, &["--format", "json"]);
    ended_in_doubt(&ended);
    assert!(ended.stderr.contains(why), "`{why}` in {}", ended.stderr);
    let probe: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&probe["target"]["identified_by"], &probe["target"]["identified"]), (&Value::Null, &0.into()));
    let requests =
        probe["series"].as_array().unwrap().iter().map(|series| series["requests"].as_array().unwrap().len());
    let requests: usize = requests.sum();
    assert!(requests < 120, "{requests} requests");
    assert_eq!(probe["verdict"]["algorithm"], "undetermined");
}

#[track_caller]
fn ended_in_doubt(ended: &Ended) {
    assert_eq!(ended.code, Some(4), "{ended:#?}");
    assert!(ended.stderr.contains("says which instance sent them"), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: ") && ended.stderr.contains("--identity"), "{}", ended.stderr);
}

fn nonce() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// A page as applications make them: a date, nonces, counters, and parts of another length each time.
fn page(host: &str, n: u32) -> String {
    let news: String = (0..rand::random_range(0..9)).map(|n| format!("<li>News {n} for {}</li>\n", nonce())).collect();
    format!(
        "<!DOCTYPE html>\n<html><head><title>Apache2 Default Page</title><script nonce=\"{}\">t={n}</script></head>\n\
         <body><p>Today is Sun, 22 Nov 2026 19:43:{:02}</p><ul>{news}</ul>\n<table><tr><td>Server name</td>\
         <td><b>{host}</b></td></tr></table>\n<p>You are visitor {n}; request {}</p>\n\
         <address>Generated in {} ms</address></body></html>\n",
        nonce(),
        n % 60,
        nonce(),
        rand::random_range(1..9)
    )
}

#[test]
fn a_hostname_in_a_page_among_what_changes_each_time() {
    let backends = backends(3, |number, n| ("X-Server: Apache\r\n".to_owned(), page(&format!("web-{number}"), n)));
    for balancer in balancers(&backends) {
        let probe = knows(&balancer, "the word after \"", 3);
        assert_eq!(probe["verdict"]["cycle"], serde_json::json!(["web-0", "web-1", "web-2"]));
        // what it says can be told
        let by = probe["target"]["identified_by"].as_str().unwrap();
        let told = by.split_once("(").unwrap().1.trim_end_matches(')').to_owned() + ")";
        let told = self::probe(&balancer, &["--identity", &told, "--format", "json"]).json();
        assert_eq!(told["verdict"]["cycle"], probe["verdict"]["cycle"]);
    }
}

#[test]
fn a_well_known_name_that_stays_decides_over_slots_and_databases() {
    for other in ["X-Slot: s", "X-DB-Replica: db", "X-Shard: eu-"] {
        let one_server = move |_, n: u32| (format!("X-Served-By: web-a\r\n{other}{}\r\n", n % 3), "hello".to_owned());
        for balancer in balancers(&backends(1, one_server)) {
            let probe = probe(&balancer, &["--format", "json"]).json();
            assert_eq!(probe["target"]["identified_by"], "the header x-served-by", "{other}: {probe}");
            assert_eq!(probe["verdict"]["algorithm"], "single", "{other}: {probe}");
        }
    }
    // where the name varies with the server, it is taken whatever else varies
    let three = |number, n: u32| (format!("X-Served-By: web-{number}\r\nX-Slot: s{}\r\n", n % 7), "hello".to_owned());
    for balancer in balancers(&backends(3, three)) {
        let probe = probe(&balancer, &["--format", "json"]).json();
        assert_eq!(probe["target"]["identified_by"], "the header x-served-by", "{probe}");
        assert_eq!(probe["verdict"]["cycle"], serde_json::json!(["web-0", "web-1", "web-2"]));
    }
}

#[test]
fn a_part_of_a_header_is_the_name_where_the_user_says_so() {
    let backends = backends(3, |number, n| {
        let headers = format!(
            "Via: 1.1 edge{}\r\nVia: 1.1 web-{number}\r\nX-Cache-Hosts: cache-{}, web-{number}\r\n\
                 Server-Timing: cache;dur=0.{n}, host;desc=\"web-{number}\", app;dur=1.{n}\r\n",
            n % 7,
            n % 5
        );
        (headers, "hello".to_owned())
    });
    for balancer in balancers(&backends) {
        for (header, pattern) in
            [("via", r"1\.1 (web-\d+)"), ("server-timing", "host;desc=\"([^\"]+)\""), ("x-cache-hosts", "[^, ]+$")]
        {
            let identity = format!("header:{header}~{pattern}");
            let named = probe(&balancer, &["--identity", &identity, "--format", "json"]).json();
            assert_eq!(named["target"]["identified_by"], format!("the part {pattern} of the header {header}"));
            assert_eq!(named["target"]["identified_surely"], true);
            assert_eq!(named["verdict"]["cycle"], serde_json::json!(["web-0", "web-1", "web-2"]), "{named}");
        }
    }
}

#[test]
fn an_unknown_name_that_varies_is_a_condition_and_sure_of_nothing() {
    type Answer = fn(usize, u32) -> (String, String);
    let flavours: Answer =
        |number, _| (format!("X-Flavour: {}\r\n", ["sweet", "sour", "salty"][number]), String::new());
    let cases: [(bool, Answer); 5] = [
        (false, flavours),
        (false, |number, _| (format!("X-DB-Replica: db-{number}\r\n"), String::new())),
        (false, |number, _| (format!("ETag: \"65f3c1{number}-2a\"\r\n"), "hello".to_owned())),
        (true, |number, _| (format!("X-Backend-Server: b{number}\r\n"), String::new())),
        (true, |number, _| (String::new(), format!("hello from web-{number}\n"))),
    ];
    for (sure, answer) in cases {
        for balancer in balancers(&backends(3, answer)) {
            is_sure_of(&balancer, sure);
        }
    }
    // one server whose flavours rotate answers alike, and nobody is told that there are three
    let rotating =
        |_, n: u32| (format!("X-Flavour: {}\r\n", ["sweet", "sour", "salty"][n as usize % 3]), String::new());
    for balancer in balancers(&backends(1, rotating)) {
        is_sure_of(&balancer, false);
        let denied = probe(&balancer, &["--expect", "single", "--expect", "instances=1", "--expect", "sticky=cookie"]);
        assert_eq!(denied.code, Some(4), "{denied:#?}");
    }
    // what is kept is judged alike
    let place = Place::new();
    let file = place.path().join("trace.json");
    for balancer in balancers(&backends(3, flavours)) {
        let (url, file) = (format!("http://{}/", balancer.address), file.to_str().unwrap());
        place.lbctl(["probe", &url, "--save", file]).ok();
        let again = place.lbctl(["probe", "--replay", file, "--expect", "round-robin"]);
        assert_eq!(again.code, Some(4), "{again:#?}");
        assert!(again.stdout.contains("if the header x-flavour names instances: round-robin"), "{}", again.stdout);
    }
    // the user knows better
    for balancer in balancers(&backends(3, flavours)) {
        let named = probe(&balancer, &["--identity", "header:x-flavour", "--expect", "round-robin"]);
        named.ok();
    }
}

#[test]
fn a_gateway_that_names_itself_in_its_errors_is_no_instance() {
    let mut addresses = backends(2, |number, _| (format!("X-Served-By: web-{number}\r\n"), String::new()));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    addresses.push(closed.to_string());
    let own_error = "proxy_next_upstream off; error_page 502 @down; location @down { add_header X-Served-By lb always; \
                     return 502; }";
    let Some(nginx) = server::nginx(&addresses, "", own_error) else { return };
    for arguments in [&["--format", "json"][..], &["--identity", "header:x-served-by", "--format", "json"]] {
        let seen = probe(&nginx, arguments).json();
        let names: Vec<_> = seen["verdict"]["instances"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
        assert_eq!(names, ["web-0", "web-1"], "{}", seen["verdict"]);
    }
}

#[test]
fn a_server_that_was_tried_in_vain_did_not_answer() {
    let mut addresses = backends(3, |_, _| (String::new(), "hello".to_owned()));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    addresses.insert(1, closed.to_string());
    // the first request that comes to the closed one goes on to another, and the header lists both
    let mut open = [&addresses[..1], &addresses[2..]].concat();
    open.sort();
    for header in ["X-Upstream", "X-Upstream-Addr"] {
        let list = format!("add_header {header} $upstream_addr always;");
        let Some(nginx) = server::nginx(&addresses, "", &list) else { return };
        let seen = probe(&nginx, &["--format", "json"]).json();
        let names = seen["verdict"]["instances"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        assert_eq!(names, open, "{header}: {}", seen["verdict"]);
    }
}

#[test]
fn cookies_etags_headers_and_fields() {
    type Answer = fn(usize, u32) -> (String, String);
    let cases: [(&str, Answer); 5] = [
        ("the cookie SRV", |number, _| {
            (format!("Set-Cookie: SRV=s{number}; Path=/\r\nSet-Cookie: id={}; Path=/\r\n", nonce()), "hello".to_owned())
        }),
        ("the end of the cookie JSESSIONID", |number, _| {
            (format!("Set-Cookie: JSESSIONID={}.node{number}; Path=/\r\n", nonce()), "hello".to_owned())
        }),
        ("the header etag", |number, _| (format!("ETag: \"65f3c1{number}-2a\"\r\n"), "hello".to_owned())),
        ("the header x-flavour", |number, _| {
            let flavour = ["sweet", "sour", "salty"][number];
            (
                format!("X-Flavour: {flavour}\r\nX-Request-Id: {}\r\nX-Runtime: 0.00{}\r\n", nonce(), number + 1),
                String::new(),
            )
        }),
        ("the JSON field /machine/label", |number, n| {
            let body = serde_json::json!({ "n": n, "time": nonce(), "machine": { "uptime": n / 3, "label": format!("m{number}") } });
            ("Content-Type: application/json\r\n".to_owned(), body.to_string())
        }),
    ];
    for (by, answer) in cases {
        for balancer in balancers(&backends(3, answer)) {
            knows(&balancer, by, 3);
        }
    }
}

/// nginx that serves this file alone.
fn file_server(directory: &std::path::Path, name: &str, content: &str) -> Option<server::Balancer> {
    std::fs::write(directory.join(name), content).unwrap();
    let file = format!("location = / {{ root {}; try_files /{name} =404; }}", directory.display());
    server::nginx(&["127.0.0.1:9".to_owned()], "", &file)
}

#[test]
fn files_that_differ() {
    let files = tempfile::TempDir::new().unwrap();
    let pages = [
        "<html><head><title>Shop</title></head><body><h1>Welcome to backend A</h1></body></html>\n",
        "<html><head><title>Shop</title></head><body><h1>Welcome to backend B</h1><p>It is longer.</p></body></html>\n",
        "<html><head><title>Shop</title></head><body><h1>Welcome to backend C</h1></body></html>\n",
    ];
    for (kind, pages) in [("names", pages), ("numbers", ["1\n", "2\n", "3\n"])] {
        let servers: Option<Vec<_>> = pages
            .iter()
            .enumerate()
            .map(|(number, page)| file_server(files.path(), &format!("{kind}-{number}.html"), page))
            .collect();
        let Some(servers) = servers else { return };
        let addresses: Vec<String> = servers.iter().map(|server| server.address.to_string()).collect();
        for balancer in balancers(&addresses) {
            let probe = knows(&balancer, "the ", 3);
            let cycle = if kind == "names" { ["A", "B", "C"] } else { ["1", "2", "3"] };
            assert_eq!(probe["verdict"]["cycle"], serde_json::json!(cycle));
        }
    }
}

#[test]
fn the_cookie_of_the_balancer_itself_names_its_servers() {
    let same = backends(3, |_, _| (String::new(), "hello".to_owned()));
    let sticky = "balance roundrobin\n  cookie SRV insert indirect nocache";
    let Some(haproxy) = server::haproxy(&same, "http", sticky) else { return };
    let probe = knows(&haproxy, "the cookie SRV", 3);
    // it sets the cookie only for who has none
    assert_eq!(probe["verdict"]["stickiness"], "undetermined", "{}", probe["verdict"]);
}

#[test]
fn how_instances_are_known_is_said_with_the_number_of_values() {
    let backends = backends(2, |number, n| (String::new(), page(&format!("web-{number}"), n)));
    for balancer in balancers(&backends) {
        let shown = probe(&balancer, &[]);
        let text = shown.ok().stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            text.contains("known by: the word after \"") && text.contains("(2 values, a guess)"),
            "{}",
            shown.stdout
        );
        assert!(shown.stdout.lines().all(|line| line.chars().count() <= 80), "{}", shown.stdout);
    }
}

#[test]
fn what_says_nothing_ends_soon_and_in_doubt() {
    type Answer = fn(usize, u32) -> (String, String);
    let cases: [(&str, usize, Answer); 5] = [
        ("none differs", 3, |_, _| (String::new(), "hello".to_owned())),
        ("new in every answer", 3, |_, _| (format!("X-Request-Id: {}\r\nX-Nonce: {}\r\n", nonce(), nonce()), nonce())),
        ("new in every answer", 1, |_, n| (String::new(), page("web-1", n))),
        ("something else than an instance", 3, |_, _| {
            (format!("X-Time: {}\r\n", rand::random_range(1..4)), format!("{} ms", rand::random_range(1..4)))
        }),
        ("something else", 3, |_, _| {
            let bucket = ["a", "b"][rand::random_range(0..2)];
            (format!("Set-Cookie: ab={bucket}\r\n"), format!("<body class=\"variant-{bucket}\">hello"))
        }),
    ];
    for (why, count, answer) in cases {
        for balancer in balancers(&backends(count, answer)) {
            knows_nobody(&balancer, why);
        }
    }
}

#[test]
fn two_that_vary_across_each_other_are_both_named() {
    let backends = backends(3, |number, _| {
        let fruit = ["apple", "pear", "plum"][number];
        let tree = ["oak", "elm"][rand::random_range(0..2)];
        (format!("X-Fruit: {fruit}\r\nX-Tree: {tree}\r\n"), String::new())
    });
    for balancer in balancers(&backends) {
        let ended = probe(&balancer, &[]);
        ended_in_doubt(&ended);
        for named in ["the header x-fruit (3 values)", "the header x-tree (2 values)"] {
            assert!(ended.stderr.contains(named), "`{named}` in {}", ended.stderr);
        }
    }
}

#[test]
fn the_balancers_own_error_page_is_nobodys() {
    let mut addresses = backends(2, |number, n| (String::new(), page(&format!("web-{number}"), n)));
    // nobody listens there
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    addresses.push(closed.to_string());
    let Some(nginx) = server::nginx(&addresses, "", "proxy_next_upstream off; error_page 599 /;") else { return };
    let probe = probe(&nginx, &["-n", "40", "--format", "json"]).json();
    assert_eq!(probe["target"]["identified"], 2, "{}", probe["target"]);
    let requests = probe["series"][0]["requests"].as_array().unwrap();
    let failed: Vec<_> = requests.iter().filter(|request| request["status"] == 502).collect();
    assert!(!failed.is_empty());
    assert!(failed.iter().all(|request| request["instance"].is_null()));
    assert!(requests.iter().all(|request| request["status"] == 502 || request["instance"].is_string()));
}
