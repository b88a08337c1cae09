//! `lbctl session-test`, in labs and elsewhere.

use std::io::Write;

use crate::support::{Lab, Place, server};

#[test]
fn without_a_lab_it_starts_its_own_and_stops_it() {
    let place = Place::new();
    let test = place.lbctl(["session-test", "--format", "json"]).json();
    assert_eq!(test["schema"], "lbctl.session-test.v1");
    assert_eq!(test["verdict"]["session"], "lost");
    assert_eq!((&test["expected"], &test["passed"]), (&"lost".into(), &true.into()));
    let steps = test["steps"].as_array().unwrap();
    assert_eq!(
        (&steps[0]["action"], &steps[1]["action"], &steps[2]["action"]),
        (&"open".into(), &"login".into(), &"reload".into())
    );
    let taker = &steps[1]["instance"];
    for step in &steps[2..] {
        let with_jar = step["jar"].as_bool().unwrap();
        assert_eq!(step["logged_in"].as_bool(), Some(with_jar && step["instance"] == *taker), "{step}");
        for field in ["n", "hostname", "session_id", "error"] {
            assert!(step.get(field).is_some(), "{field}");
        }
    }
    assert!(!place.path().join("lbctl").join("session-test.lock").exists());
    place.lbctl(["ps"]).fails(3, "no running lab");
}

#[test]
fn the_script_is_shown_step_by_step() {
    let place = Place::new();
    let shown = place.lbctl(["session-test", "-n", "6"]);
    shown.ok();
    assert!(shown.stdout.contains("session lost: web_static-2 took the login, web_static-3"), "{}", shown.stdout);
    assert!(shown.stdout.contains("as expected: lost"));
    assert!(shown.stdout.lines().all(|line| line.chars().count() <= 80), "{}", shown.stdout);
}

#[test]
fn an_expectation_that_is_not_met_is_1() {
    let place = Place::new();
    assert_eq!(place.lbctl(["session-test", "--expect", "kept"]).code, Some(1));
    assert_eq!(place.lbctl(["session-test", "--expect", "lost"]).code, Some(0));
    assert_eq!(place.lbctl(["session-test", "--fresh", "--sticky", "--expect", "kept"]).code, Some(0));
    assert_eq!(place.lbctl(["session-test", "--fresh", "--sticky", "--expect", "lost"]).code, Some(1));
}

#[test]
fn a_sticky_lab_keeps_the_session_and_its_cookie_is_named() {
    let lab = Lab::up(&["--web-static", "5", "--web-dynamic", "0", "--sticky", "web_static"]);
    let test = lab.lbctl(&["session-test", "--format", "json"]).json();
    let verdict = &test["verdict"];
    assert_eq!((&verdict["session"], &verdict["kept_by"]), (&"kept".into(), &"sticky".into()));
    assert_eq!(verdict["sticky_cookie"], lab.view["services"]["web_static"]["sticky_cookie"]);
    assert_eq!((&test["expected"], &test["passed"]), (&"kept".into(), &true.into()));
}

#[test]
fn one_replica_and_a_hash_of_the_address_keep_a_session_too() {
    for (arguments, by) in
        [(&["--web-static", "1"][..], "single"), (&["--web-static", "3", "--strategy", "hrw"], "source")]
    {
        let lab = Lab::up(&[arguments, &["--web-dynamic", "0"]].concat());
        let test = lab.lbctl(&["session-test", "--format", "json"]).json();
        assert_eq!((&test["verdict"]["session"], &test["verdict"]["kept_by"]), (&"kept".into(), &by.into()));
        assert_eq!(test["expected"], "kept");
    }
}

#[test]
fn it_never_logs_in_to_a_foreign_target_unless_told_how() {
    let (place, asked) = (Place::new(), std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0)));
    let count = asked.clone();
    let target = server::raw(move |_, _| _ = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let refused = place.lbctl(["session-test", &target.to_string()]);
    refused.fails(2, "nothing says how to log in there");
    assert!(refused.stderr.contains("hint: --login"));
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 0);
}

/// An app with one login for everybody who has its cookie; `attributes` follow the cookie.
fn app(attributes: &'static str) -> String {
    let address = server::raw(move |request, stream| {
        let path = request.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let knows = request.to_ascii_lowercase().contains("cookie: sid=7");
        let response = match (path.as_str(), attributes) {
            ("/login", "none") => server::http("204 No Content", "X-Served-By: one\r\n", ""),
            ("/login", _) => {
                let cookie = format!("X-Served-By: one\r\nSet-Cookie: sid=7{attributes}\r\n");
                server::http("302 Found", &cookie, "")
            }
            ("/me", _) if knows => server::http("200 OK", "X-Served-By: one\r\n", "Hello, alice"),
            ("/me", _) => server::http("401 Unauthorized", "X-Served-By: one\r\n", "who are you?"),
            _ => server::http("200 OK", "X-Served-By: one\r\n", "welcome"),
        };
        _ = stream.write_all(response.as_bytes());
    });
    format!("http://{address}/")
}

const LOGIN: [&str; 4] = ["--login", "POST /login user=alice", "--check", "GET /me"];

#[test]
fn any_other_app_is_tested_as_it_is_told() {
    let place = Place::new();
    let url = app("; Path=/");
    for how in ["regex:Hello, alice", "status:200"] {
        let arguments = [&["session-test", &url, "--logged-in", how, "--format", "json"], &LOGIN[..]].concat();
        let test = place.lbctl(arguments).json();
        assert_eq!(test["verdict"]["session"], "kept", "{test}");
        // a foreign target is only reported
        assert_eq!((&test["expected"], &test["passed"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    }
    let expecting = [&["session-test", &url, "--logged-in", "status:200", "--expect", "lost"], &LOGIN[..]].concat();
    assert_eq!(place.lbctl(expecting).code, Some(1));
    // the lab's JSON is not what this app answers
    let untold = [&["session-test", &url], &LOGIN[..]].concat();
    assert_eq!(place.lbctl(untold).code, Some(4));
}

#[test]
fn why_a_session_is_not_kept_is_said() {
    let place = Place::new();
    for (attributes, words) in [
        ("none", "no cookie was set"),
        ("; Secure", "the cookie sid is Secure, and is not sent back over http"),
        ("; Path=/admin", "for the path /admin only"),
        ("; Domain=example.org", "for the domain example.org"),
        ("; Max-Age=0", "expired at once"),
    ] {
        // a name, because a loopback address counts as secure even over http, as it does in browsers
        let address = app(attributes).replace("http://", "").replace('/', "");
        let target =
            ["session-test", "demo.test", "--connect", &address, "--logged-in", "status:200", "--format", "json"];
        let test = place.lbctl([&target, &LOGIN[..]].concat()).json();
        assert_eq!(test["verdict"]["session"], "none", "{test}");
        assert!(test["verdict"]["cause"].as_str().unwrap().contains(words), "{test}");
    }
}

#[test]
fn a_secret_comes_from_the_environment_or_a_file_and_is_not_shown() {
    let place = Place::new();
    let (seen, bodies) = std::sync::mpsc::channel();
    let target = server::raw(move |request, stream| {
        use std::io::Read;
        let length =
            request.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if let Some(length) = length {
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            seen.send(String::from_utf8(body).unwrap()).unwrap();
        }
        _ = stream.write_all(server::http("200 OK", "X-Served-By: one\r\n", "").as_bytes());
    });
    let file = place.path().join("secret");
    std::fs::write(&file, "from a file\n").unwrap();
    let login = format!("POST /login user=alice pw=env:LBCTL_TEST_PW pin=file:{}", file.display());
    let url = format!("http://{target}/");
    let arguments =
        ["session-test", &url, "--login", &login, "--logged-in", "status:200", "-n", "1", "--format", "json"];
    let ended = place.command(arguments).env("LBCTL_TEST_PW", "tops3cret&").output().unwrap();
    assert_eq!(bodies.recv().unwrap(), "user=alice&pw=tops3cret%26&pin=from+a+file");
    let written = [ended.stdout, ended.stderr].concat();
    let written = String::from_utf8_lossy(&written);
    assert!(!written.contains("tops3cret") && !written.contains("from a file"), "{written}");
    place.lbctl(["session-test", &url, "--login", "POST /l pw=env:NO_SUCH"]).fails(2, "has no NO_SUCH");
}

#[test]
fn a_check_that_everybody_passes_proves_nothing() {
    let place = Place::new();
    let url = app("; Path=/");
    let arguments = ["session-test", &url, "--login", LOGIN[1], "--check", "GET /", "--logged-in", "status:200"];
    let ended = place.lbctl(arguments.iter().copied().chain(["--expect", "kept"]));
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stdout.contains("10 requests without cookies saw a login too"), "{ended:?}");
}

#[test]
fn too_few_reloads_are_no_proof() {
    let lab = Lab::up(&["--web-static", "2", "--web-dynamic", "0", "--strategy", "hrw"]);
    // asked as a stranger would: nobody tells that the address decides
    let replica = lab.view["services"]["web_static"]["replicas"][0]["address"].as_str().unwrap().to_owned();
    let told = ["--login", "POST /login user=alice", "--check", "GET /session"];
    let few = lab.lbctl(&[&["session-test", "demo.test", "--connect", &replica, "-n", "3"], &told[..]].concat());
    assert_eq!(few.code, Some(4), "{few:?}");
    let enough =
        lab.lbctl(&[&["session-test", "demo.test", "--connect", &replica, "--format", "json"], &told[..]].concat());
    assert_eq!(enough.json()["verdict"]["session"], "kept");
}

#[test]
fn a_login_that_is_refused_is_undetermined() {
    let place = Place::new();
    let target = server::raw(|_, stream| {
        _ = stream.write_all(server::http("403 Forbidden", "X-Served-By: one\r\n", "").as_bytes());
    });
    let url = format!("http://{target}/");
    let ended = place.lbctl(["session-test", &url, "--login", "POST /login user=alice", "--logged-in", "status:200"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stdout.contains("the login was refused with status 403"), "{ended:?}");
}

#[test]
fn names_that_are_a_guess_prove_nothing_about_a_session() {
    let place = Place::new();
    // one server, whose flavours rotate: a session that "several instances share" would be a false statement
    let count = std::sync::atomic::AtomicUsize::new(0);
    let address = server::raw(move |request, stream| {
        let n = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let logged_in = request.to_lowercase().contains("cookie: id=1");
        let flavour = ["sweet", "sour", "salty"][n % 3];
        let headers = format!("X-Flavour: {flavour}\r\nContent-Type: application/json\r\nSet-Cookie: id=1; Path=/\r\n");
        let body = format!(r#"{{"session":{{"logged_in":{logged_in}}}}}"#);
        _ = stream.write_all(server::http("200 OK", &headers, &body).as_bytes());
    });
    let url = format!("http://{address}/");
    let arguments = ["session-test", &url, "--login", "POST /login user=alice", "--check", "GET /", "--format", "json"];
    for (identity, code, session) in [(None, 4, "undetermined"), (Some("header:x-flavour"), 0, "kept")] {
        let named = identity.map(|identity| ["--identity", identity]);
        let tested = place.lbctl(arguments.iter().copied().chain(named.into_iter().flatten()));
        assert_eq!(tested.code, Some(code), "{tested:#?}");
        let test: serde_json::Value = serde_json::from_str(&tested.stdout).unwrap();
        assert_eq!(test["verdict"]["session"], session, "{test}");
        assert_eq!(test["verdict"]["cause"].as_str().unwrap().contains("a guess which"), identity.is_none(), "{test}");
    }
}
