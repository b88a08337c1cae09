//! Whom `lbctl probe` asks: labs, names, `--connect`, and what cannot be asked.

use std::io::Write;

use crate::support::{Lab, Place, server};

fn count(n: &str) -> [&str; 4] {
    ["--web-static", n, "--web-dynamic", "0"]
}

#[test]
fn what_does_not_answer_is_said_with_what_was_tried() {
    let place = Place::new();
    let silent = server::raw(|_, _| std::thread::sleep(std::time::Duration::from_secs(5)));
    let garbage = server::raw(|_, stream| _ = stream.write_all(b"220 mail.example.org ESMTP\r\n"));
    let endless = server::raw(|_, stream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-More: and more\r\n").is_ok() {}
    });
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (target, words) in [
        (format!("http://{closed}/"), "refused"),
        (format!("http://{silent}/"), "timed out"),
        (format!("http://{garbage}/"), "not an HTTP answer"),
        (format!("http://{endless}/"), "not an HTTP answer"),
        (format!("https://{garbage}/"), "does not answer"),
        ("http://no-such-host.invalid/".to_owned(), "does not resolve"),
    ] {
        let failed = place.lbctl(["probe", &target, "--timeout", "0.5"]);
        failed.fails(3, words);
        assert!(failed.stderr.contains("hint: "), "{target}: {}", failed.stderr);
        // a name is resolved once, before anything is sent
        let tried = if words == "does not resolve" { "nothing was sent" } else { "3 requests" };
        assert!(failed.stderr.contains(tried), "{target}: {}", failed.stderr);
        assert_eq!(failed.stdout, "");
    }
}

#[test]
fn connect_changes_the_address_and_nothing_else() {
    let place = Place::new();
    let target = server::raw(|request, stream| {
        let host = request.lines().find_map(|line| line.strip_prefix("host: ").or(line.strip_prefix("Host: ")));
        let headers = format!("X-Served-By: {}\r\n", host.unwrap_or("nobody"));
        _ = stream.write_all(server::http("200 OK", &headers, "").as_bytes());
    });
    for url in ["http://demo.example.org:8081/x", "http://demo.example.org/x"] {
        let mut command =
            place.command(["probe", url, "--connect", &target.to_string(), "-n", "3", "--format", "json"]);
        // a proxy that would have to be asked is not
        let ended = command.env("HTTP_PROXY", "http://127.0.0.1:9").env("http_proxy", "http://127.0.0.1:9").output();
        let probe = crate::support::Ended::from(ended.unwrap()).json();
        assert_eq!(probe["target"]["via"], "flag");
        assert_eq!(probe["target"]["connected_to"], target.to_string());
        let authority = url.trim_start_matches("http://").trim_end_matches("/x");
        assert_eq!(probe["series"][0]["requests"][0]["hostname"], authority);
    }
}

#[test]
fn a_certificate_is_verified_unless_told_otherwise() {
    let Some(openssl) = crate::support::peer("openssl") else { return };
    let lab = Lab::up(&count("2"));
    let (key, certificate) = (lab.place.path().join("key.pem"), lab.place.path().join("certificate.pem"));
    let made = std::process::Command::new(openssl)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=demo.test"])
        .args(["-addext", "subjectAltName=DNS:demo.test", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let tls = format!("ssl_certificate {}; ssl_certificate_key {};", certificate.display(), key.display());
    let Some(nginx) = server::nginx(&lab.replica_addresses("web_static"), "", &tls) else { return };
    let ask = ["probe", "https://demo.test/", "--connect", &nginx.address.to_string()].map(str::to_owned);
    let refused = lab.place.lbctl(&ask);
    refused.fails(3, "certificate");
    assert!(refused.stderr.contains("hint: -k takes any certificate"), "{}", refused.stderr);
    let taken = lab.place.lbctl(ask.iter().map(String::as_str).chain(["-k", "--format", "json"])).json();
    assert_eq!(taken["verdict"]["algorithm"], "round-robin");
    assert_eq!(taken["target"]["connected_to"], nginx.address.to_string());
}

#[test]
fn a_target_whose_answers_never_end_in_time_is_unreachable() {
    let place = Place::new();
    let target = server::raw(|_, stream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Served-By: a\r\nContent-Length: 1000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    place.lbctl(["probe", &target.to_string(), "--timeout", "0.3"]).fails(3, "timed out");
    place.lbctl(["probe", &target.to_string(), "--timeout", "0.3", "-c", "4"]).fails(3, "timed out");
}

#[test]
fn the_project_of_the_environment_is_a_preference_and_no_demand() {
    let lab = Lab::up_in(Place::new(), &["-p", "one", "--web-static", "2", "--web-dynamic", "0"]);
    let always = ["up", "-d", "--port", "0", "-p", "two", "--web-static", "2", "--web-dynamic", "0"];
    lab.lbctl(&always).ok();
    let with = |project: &str, arguments: &[&str]| {
        crate::support::Ended::from(lab.place.command(arguments).env("LBCTL_PROJECT", project).output().unwrap())
    };
    let probe = with("two", &["probe", "demo.api.ch", "-n", "3", "--format", "json"]).json();
    assert_eq!(probe["target"]["lab"], "two");
    with("three", &["probe", "http://127.0.0.1:1/"]).fails(3, "does not answer");
    with("three", &["probe", "http://127.0.0.1:1/", "--no-lab"]).fails(3, "does not answer");
    with("three", &["session-test", "--fresh"]).ok();
}

#[test]
fn a_lab_that_cannot_answer_says_why() {
    let lab = Lab::up(&count("2"));
    let address = lab.address();
    lab.lbctl(&["probe", &address]).fails(2, "which routes by the host's name");
    lab.lbctl(&["probe", "demo.api.ch", "--no-lab", "-p", "lab"]);
    lab.lbctl(&["scale", "web_static=0"]).ok();
    let empty = lab.lbctl(&["probe", "demo.api.ch"]);
    empty.fails(3, "has no replica");
    assert!(empty.stderr.contains("lbctl scale web_static=5"), "{}", empty.stderr);
}

#[test]
fn several_labs_that_route_a_host_are_listed() {
    let lab = Lab::up_in(Place::new(), &["-p", "one", "--web-static", "2", "--web-dynamic", "0"]);
    let always = ["up", "-d", "--port", "0", "-p", "two", "--web-static", "2", "--web-dynamic", "0"];
    lab.lbctl(&always).ok();
    let failed = lab.lbctl(&["probe", "demo.api.ch"]);
    failed.fails(2, "several labs route demo.api.ch: one, two");
    assert!(failed.stderr.contains("hint: choose one with -p"));
    lab.lbctl(&["probe"]).fails(2, "several labs are running: one, two");
    lab.lbctl(&["probe", "demo.api.ch", "-p", "two", "-n", "4"]).ok();
    // the port tells them apart as well
    let named = format!("http://demo.api.ch:{}/", lab.address().rsplit(':').next().unwrap());
    assert_eq!(lab.lbctl(&["probe", &named, "-n", "4", "--format", "json"]).json()["target"]["lab"], "one");
    lab.lbctl(&["probe", "demo.api.ch", "--no-lab", "--timeout", "5"]).fails(3, "does not");
    lab.lbctl(&["probe", "example.org", "-p", "one"]).fails(2, "does not route");
}

#[test]
fn what_cannot_be_asked_is_a_mistake_in_the_command_line() {
    let place = Place::new();
    for (arguments, words) in [
        (&["ftp://a"][..], "neither http nor https"),
        (&["http://"], "is not a target"),
        (&["a b"], "is not a target"),
        (&["a", "--identity", "hostname"], "not an identity"),
        (&["a", "--identity", "regex:("], "not an identity"),
        (&["a", "-H", "nonsense"], "NAME: VALUE"),
        (&["a", "--path", "x"], "must start with"),
        (&["a", "--check", "GET /"], "--check needs --login"),
        (&["a", "--login", "login"], "METHOD and PATH"),
        (&["--connect", "127.0.0.1:1"], "needs a target"),
    ] {
        place.lbctl([&["probe"], arguments].concat()).fails(2, words);
    }
    for arguments in [&["-n", "0"][..], &["-c", "0"], &["--timeout", "0"], &["--connect", "nowhere"], &["-n", "x"]] {
        assert_eq!(place.lbctl([&["probe", "a"], arguments].concat()).code, Some(2), "{arguments:?}");
    }
    place.lbctl(["probe"]).fails(3, "no lab is running");
}
