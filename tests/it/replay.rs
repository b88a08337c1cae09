//! `lbctl probe --save` and `--replay`: what was seen is kept, and judged again as it was.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::{PermissionsExt, symlink},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use clap::{CommandFactory, error::ErrorKind};
use lbctl::{cli::Cli, model::trace::Trace};
use rustix::process::Signal;

use crate::support::{Ended, Lab, Place, eventually, send, server};

/// Everything that a trace can hold.
const FULL: &str = r#"{
  "schema": "lbctl.trace.v1",
  "target": {"url": "http://demo/", "connected_to": "127.0.0.1:80", "via": {"lab": "lab"}},
  "identified_by": "the header x-served-by",
  "instances": [{"name": "web-1", "hostname": "a"}, {"name": "web-2", "hostname": "b"}],
  "series": [
    {"name": "without-jar", "conditions": {"jar": "none", "connection": "fresh", "path": "/", "concurrency": 8}, "requests": [
      {"n": 1, "action": "get", "at_us": 1, "us": 2, "port": 4, "cookies_sent": 0, "instance": 1, "status": 200, "turn": 7},
      {"n": 3, "action": "get", "at_us": 5, "us": 6, "cookies_sent": 0, "error": {"kind": "timeout", "message": "too \"late\"\n"}}
    ], "cookies": [], "others": [{"turn": 8, "instance": 0}, {"turn": 9, "instance": null}]},
    {"name": "with-jar", "conditions": {"jar": "kept", "connection": "fresh", "path": "/", "concurrency": 1}, "requests": [
      {"n": 1, "action": "open", "at_us": 11, "us": 2, "cookies_sent": 0, "instance": 0, "status": 303, "session_id": "x"},
      {"n": 2, "action": "login", "at_us": 12, "us": 2, "cookies_sent": 1, "instance": 1, "status": 200, "session_id": "y", "logged_in": true},
      {"n": 3, "action": "get", "at_us": 13, "us": 2, "cookies_sent": 2, "instance": 0, "status": 200, "session_id": "x", "logged_in": false}
    ], "cookies": [
      {"name": "a"}, {"name": "b", "withheld": "secure"}, {"name": "c", "withheld": {"path": "/x"}},
      {"name": "d", "withheld": {"domain": "e.org"}}, {"name": "f", "withheld": "expired"}, {"name": "g", "withheld": "invalid"}
    ]},
    {"name": {"cookie-alone": "a"}, "conditions": {"jar": "none", "connection": "reused", "path": "/", "concurrency": 1}, "requests": [], "cookies": []},
    {"name": "one-connection", "conditions": {"jar": "none", "connection": "reused", "path": "/", "concurrency": 1}, "requests": [], "cookies": []}
  ]
}
"#;

/// Runs `lbctl` with this on standard input.
fn fed(place: &Place, arguments: &[&str], input: &[u8]) -> Ended {
    let mut command = place.command(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lbctl runs");
    child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
    child.wait_with_output().expect("it ends").into()
}

fn files(place: &Place) -> Vec<String> {
    let names = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "lbctl").collect();
    names.sort();
    names
}

#[test]
fn standard_output_in_a_file_is_written_and_not_replaced() {
    let lab = Lab::up(&["--web-static", "2", "--web-dynamic", "0"]);
    let log = lab.place.path().join("log");
    fs::write(&log, "before\n").unwrap();
    let open = fs::OpenOptions::new().append(true).open(&log).unwrap();
    let mut command = lab.place.command(["probe", "demo.api.ch", "-n", "2", "--save", "/dev/stdout"]);
    assert!(command.stdout(open).stderr(Stdio::null()).status().unwrap().success());
    let text = fs::read_to_string(&log).unwrap();
    let trace = text.strip_prefix("before\n").expect("the line that was there before");
    Trace::from_json("log", trace.as_bytes()).expect("a trace and nothing else");
}

#[test]
fn a_reader_that_has_gone_does_not_change_the_exit_code() {
    let lab = Lab::up(&["--web-static", "2", "--web-dynamic", "0"]);
    for (arguments, code) in [
        (&["probe", "demo.api.ch", "--expect", "random"][..], 1),
        (&["probe", "demo.api.ch", "--expect", "random", "--format", "json"], 1),
        (&["probe", "demo.api.ch", "--expect", "instances=2"], 0),
        (&["session-test", "-n", "4", "--expect", "kept"], 1),
    ] {
        let mut command = lab.place.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn a_replay_says_what_the_probe_said() {
    let lab = Lab::up(&["--web-static", "3", "--web-dynamic", "2", "--sticky", "web_static"]);
    let elsewhere = Place::new();
    let json = ["--format", "json"];
    let expecting = ["--expect", "round-robin", "--expect", "sticky=none", "--expect", "single", "--format", "json"];
    for (asking, judging) in [
        (&["demo.api.ch"][..], &json[..]),
        (&["demo.api.ch"], &[]),
        (&["-n", "60", "-c", "8"], &json),
        (&["demo.api.ch/api/?delay=1", "--connection", "reused", "-n", "9"], &json),
        (&[], &expecting),
        (&[], &["--expect", "round-robin", "--strict"]),
    ] {
        let file = elsewhere.path().join("trace.json");
        let file = file.to_str().unwrap();
        let said = lab.lbctl(&[&["probe", "--save", file], asking, judging].concat());
        // where no lab is
        let replayed = elsewhere.lbctl([&["probe", "--replay", file], judging].concat());
        assert_eq!((replayed.code, &replayed.stdout), (said.code, &said.stdout), "{asking:?} {judging:?}");
        assert!(said.stdout.len() > 1000, "{said:?}");
        assert_eq!(replayed.stderr, "");
    }
}

#[test]
fn standard_output_and_input_are_files_too() {
    let lab = Lab::up(&["--web-static", "2", "--web-dynamic", "0"]);
    let kept = lab.lbctl(&["probe", "--save", "-", "--expect", "instances=3"]);
    assert_eq!(kept.code, Some(1), "{kept:?}");
    let trace = Trace::from_json("-", kept.stdout.as_bytes()).expect("a trace and nothing else");
    assert_eq!(trace.instances.len(), 2);
    assert!(kept.stderr.contains("not as expected: instances=3, it is 2"), "{kept:?}");
    let replayed = fed(&lab.place, &["probe", "--replay", "-"], kept.stdout.as_bytes());
    assert!(replayed.ok().stdout.starts_with("http://demo.api.ch/ at "), "{replayed:?}");
    assert!(kept.stderr.starts_with(&replayed.stdout), "{kept:?}");
    fed(&lab.place, &["probe", "--replay", "-"], b"{}").fails(2, "standard input: not a trace");
}

#[test]
fn a_trace_tells_no_secrets() {
    let place = Place::new();
    let next = AtomicU32::new(0);
    let target = server::raw(move |_, stream| {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let body = serde_json::json!({ "hostname": "web", "session": { "id": format!("private-{}", n % 2) } });
        let headers = "Content-Type: application/json\r\nSet-Cookie: sid=private-cookie\r\n";
        _ = stream.write_all(server::http("200 OK", headers, &body.to_string()).as_bytes());
    });
    let file = place.path().join("trace.json");
    let file = file.to_str().unwrap();
    let target = target.to_string();
    let asked = ["probe", &target, "-H", "Authorization: private-header", "-n", "4", "--format", "json"];
    assert!(place.lbctl(asked).ok().stdout.contains("private-1"), "the id is shown to who asks");
    let probe = place.lbctl(asked.iter().chain(&["--save", file])).json();
    let ids = probe["series"][1]["requests"].as_array().unwrap().iter().map(|request| request["session_id"].clone());
    let ids: Vec<_> = ids.collect();
    assert!(ids[0].is_string() && ids[0] != ids[1] && ids[0] == ids[2] && ids[1] == ids[3], "{ids:?}");
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("\"session_id\": \"s1\"") && !text.contains("private"), "{text}");
}

#[test]
fn what_is_written_is_what_is_read() {
    let full = Trace::from_json("full", FULL.as_bytes()).unwrap();
    let mut text = Vec::new();
    full.write_json(&mut text).unwrap();
    assert_eq!(Trace::from_json("again", &text).unwrap(), full);
    let text = String::from_utf8(text).unwrap();
    let request = "\n        {\"n\": 2, \"action\": \"login\", \"at_us\": 12, \"us\": 2, ";
    assert!(text.contains(request) && text.ends_with("\n  ]\n}\n"), "a request a line: {text}");
    let mut concealed = full.clone();
    concealed.conceal_sessions();
    let ids = concealed.series[1].requests.iter().map(|request| request.session_id.as_deref().unwrap());
    assert_eq!(ids.collect::<Vec<_>>(), ["s1", "s2", "s1"]);
}

#[test]
fn a_file_that_is_no_trace_is_refused_in_one_line() {
    let place = Place::new();
    let file = place.path().join("trace.json");
    let file = file.to_str().unwrap();
    let changed = |from: &str, to: &str| {
        assert!(FULL.contains(from), "{from}");
        FULL.replacen(from, to, 1)
    };
    for (text, words, hint) in [
        (String::new(), ": the file is empty", "--save FILE"),
        (" \n".to_owned(), ": the file is empty", "--save FILE"),
        ("# lbctl\n".to_owned(), ":1:1: not JSON: expected value", "--save FILE"),
        ("[1, 2]".to_owned(), ": not a trace", "--save FILE"),
        ("{}".to_owned(), ": not a trace: it has no `schema`", "--save FILE"),
        ("{\"schema\": 7}".to_owned(), ": not a trace: its schema is ``", "--save FILE"),
        ("{\"schema\": \"lbctl.probe.v1\"}".to_owned(), ": not a trace, but the report of a probe", "--save FILE"),
        ("{\"schema\": \"a\\u001b[2J\"}".to_owned(), ": not a trace: its schema is `a\\u{1b}[2J`", "--save FILE"),
        (changed("trace.v1", "trace.v2"), ": a trace of version 2; this lbctl judges version 1", "newer"),
        (FULL[..FULL.len() / 2].to_owned(), ": it breaks off here", "damaged"),
        (changed("\"us\": 2,", "\"us\": 2"), ":8:53: not JSON: expected `,` or `}`", "--save FILE"),
        (changed("\"at_us\": 1,", "\"at_us\": -1,"), ":8:43: invalid value: integer `-1`, expected u64", "damaged"),
        (changed("\"at_us\": 1, ", ""), "missing field `at_us`", "damaged"),
        (changed("\"jar\": \"none\"", "\"jar\": \"none\", \"moon\": 1"), ":7:64: unknown field `moon`", "newer"),
        (changed("one-connection", "by-moonlight"), ":20:27: unknown variant `by-moonlight`", "newer"),
        (
            changed("\"instance\": 1", "\"instance\": 2"),
            "series without-jar: request 1: instance 2, but there are 2",
            "",
        ),
        (
            changed("8, \"instance\": 0", "8, \"instance\": 9"),
            "a turn of another client: instance 9, but there are",
            "",
        ),
        (changed("\"n\": 3", "\"n\": 1"), "series without-jar: request 1 comes after request 1", "damaged"),
        (changed("\"n\": 1", "\"n\": 0"), "series without-jar: request 0 comes after request 0", "damaged"),
        (changed("\"turn\": 7", "\"turn\": 18446744073709551615"), "request 1: turn 18446744073709551615 is past", ""),
        (changed("\"with-jar\"", "\"without-jar\""), "series without-jar: it stands there twice", "damaged"),
        (
            changed("\"concurrency\": 8", "\"concurrency\": 0"),
            "series without-jar: no request was under way",
            "damaged",
        ),
        (changed("\"web-2\", \"hostname\": \"b\"", "\"web-1\", \"hostname\": \"a\""), "`web-1` stands there twice", ""),
        (changed("{\"name\": \"a\"}", "{\"name\": \"a\", \"name\": \"b\"}"), "duplicate field `name`", "damaged"),
        (FULL.to_owned() + "x", ":23:1: not JSON: trailing characters", "--save FILE"),
    ] {
        fs::write(file, &text).unwrap();
        let refused = place.lbctl(["probe", "--replay", file]);
        refused.fails(2, words);
        assert!(refused.stderr.starts_with(&format!("error: {file}:")), "{refused:?}");
        let hints: Vec<&str> = refused.stderr.lines().filter(|line| line.starts_with("hint: ")).collect();
        assert!(hints.len() == 1 && hints[0].contains(hint), "`{hint}` in {refused:?}");
        assert!(refused.stdout.is_empty() && !refused.stderr.contains('\u{1b}'), "{refused:?}");
    }
    fs::write(file, b"{\"schema\": \"\xff\"}").unwrap();
    place.lbctl(["probe", "--replay", file]).fails(2, ":1:13: not JSON: invalid unicode code point");
    place.lbctl(["probe", "--replay", "/nowhere/trace.json"]).fails(3, "/nowhere/trace.json: ");
    place.lbctl(["probe", "--replay", place.path().to_str().unwrap()]).fails(3, place.path().to_str().unwrap());
}

#[test]
fn names_in_a_trace_from_anybody_do_not_reach_the_terminal() {
    let place = Place::new();
    let hostile = FULL
        .replace("127.0.0.1:80", "\\u001b[2J")
        .replace("{\"lab\": \"lab\"}", "{\"lab\": \"\\u001b]0;x\\u0007\"}")
        .replace("web-1", "web\\u001b[31m")
        .replace("x-served-by", "\\u001b[0m")
        .replace("\"session_id\": \"x\"", "\"session_id\": \"\\u001b[0m\"");
    let shown = fed(&place, &["probe", "--replay", "-", "--expect", "sticky-cookie=\u{1b}[0m"], hostile.as_bytes());
    assert!(shown.stdout.contains("undecided: sticky-cookie=\u{fffd}[0m, it is undetermined"), "{shown:?}");
    assert!(!shown.stdout.contains(['\u{1b}', '\u{7}']), "{shown:?}");
}

#[test]
fn nothing_is_sent_where_nothing_could_be_kept() {
    let place = Place::new();
    let asked = Arc::new(AtomicU32::new(0));
    let counted = asked.clone();
    let target = server::raw(move |_, stream| {
        counted.fetch_add(1, Ordering::Relaxed);
        _ = stream.write_all(server::http("200 OK", "X-Served-By: a\r\n", "").as_bytes());
    });
    let target = target.to_string();
    let directory = place.path().to_str().unwrap();
    for file in [directory, "/nowhere/trace.json", "/dev/null/trace.json"] {
        let refused = place.lbctl(["probe", &target, "--save", file]);
        refused.fails(3, file);
        assert_eq!(refused.stdout, "");
    }
    place.lbctl(["probe", &target, "--save", "x", "--expect", "nothing"]).fails(2, "`nothing`");
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    // what was seen is told all the same
    let full = place.lbctl(["probe", &target, "--save", "/dev/full"]);
    full.fails(3, "/dev/full: ");
    assert!(full.stdout.contains("one instance answers"), "{full:?}");
    place.lbctl(["probe", &target, "--save", "/dev/null"]).ok();
    assert_eq!(files(&place), [""; 0]);
}

#[test]
fn a_file_is_replaced_when_the_trace_is_whole() {
    let place = Place::new();
    let target = server::raw(|_, stream| {
        _ = stream.write_all(server::http("200 OK", "X-Served-By: a\r\n", "").as_bytes());
    });
    let target = target.to_string();
    let (file, link) = (place.path().join("trace.json"), place.path().join("link.json"));
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
    symlink("trace.json", &link).unwrap();
    // nothing answers: the old one stays
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    place.lbctl(["probe", &nobody, "--save", link.to_str().unwrap()]).fails(3, "does not answer");
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
    place.lbctl(["probe", &target, "--save", link.to_str().unwrap()]).ok();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o604);
    place.lbctl(["probe", "--replay", file.to_str().unwrap()]).ok();
    // beside where one stands, in a name without a directory
    let mut here = place.command(["probe", &target, "--save", "here.json"]);
    Ended::from(here.current_dir(place.path()).output().unwrap()).ok();
    assert_eq!(files(&place), ["here.json", "link.json", "trace.json"]);
}

#[test]
fn an_interrupted_probe_leaves_no_file() {
    let place = Place::new();
    let target = server::raw(|_, _| std::thread::sleep(std::time::Duration::from_secs(60)));
    let file = place.path().join("trace.json");
    let mut command = place.command(["probe", &target.to_string(), "--save", file.to_str().unwrap()]);
    let mut probe = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("the draft", || (files(&place).len() == 1).then_some(()));
    send(probe.id() as i32, Signal::INT);
    assert_eq!(probe.wait().unwrap().code(), Some(130));
    assert_eq!(files(&place), [""; 0]);
}

#[test]
fn an_interrupted_probe_tells_and_keeps_what_it_saw() {
    const ANSWERED: usize = 40;
    let place = Place::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let target = server::raw(move |_, stream| {
        let n = counter.fetch_add(1, Ordering::SeqCst);
        if n >= ANSWERED {
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
        let name = ["a", "b", "c"][n % 3];
        _ = stream.write_all(server::http("200 OK", &format!("X-Served-By: {name}\r\n"), "").as_bytes());
    });
    let file = place.path().join("trace.json");
    let mut command = place.command(["probe", &target.to_string(), "-n", "1000", "--save", file.to_str().unwrap()]);
    let probe = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the request that is not answered", || (asked.load(Ordering::SeqCst) > ANSWERED).then_some(()));
    send(probe.id() as i32, Signal::INT);
    let told = Ended::from(probe.wait_with_output().unwrap());
    assert_eq!(told.code, Some(130), "{told:#?}");
    assert!(
        told.stdout.contains("without jar: 40 requests") && told.stdout.contains("round-robin over 3"),
        "{told:#?}"
    );
    assert_eq!(told.stderr, "note: stopped before the end; this is what was seen until then\n");
    let again = place.lbctl(["probe", "--replay", file.to_str().unwrap()]);
    assert_eq!(again.ok().stdout, told.stdout);
}

#[test]
fn a_trace_is_judged_again_with_another_alpha() {
    let place = Place::new();
    // with two instances picked at random, one of them answers all twelve once in 2048 times
    let requests = (1..=12).map(|n| {
        serde_json::json!({ "n": n, "action": "get", "at_us": n, "us": 1, "cookies_sent": 0, "instance": 0, "status": 200 })
    });
    let trace = serde_json::json!({
        "schema": "lbctl.trace.v1",
        "target": { "url": "http://demo/", "via": "dns" },
        "instances": [{ "name": "a", "hostname": "a" }],
        "series": [{
            "name": "without-jar",
            "conditions": { "jar": "none", "connection": "fresh", "path": "/", "concurrency": 1 },
            "requests": requests.collect::<Vec<_>>(),
            "cookies": [],
        }],
    });
    let judged = |alpha: &[&str], expected: f64, algorithm: &str| {
        let asked = [&["probe", "--replay", "-", "--format", "json"], alpha].concat();
        let verdict = fed(&place, &asked, trace.to_string().as_bytes()).json()["verdict"].clone();
        assert_eq!(
            (verdict["alpha"].as_f64(), &verdict["algorithm"]),
            (Some(expected), &algorithm.into()),
            "{verdict}"
        );
    };
    judged(&[], lbctl::analysis::ALPHA, "undetermined");
    judged(&["--alpha", "1e-9"], 1e-9, "undetermined");
    judged(&["--alpha", "0.001"], 0.001, "undetermined");
    judged(&["--alpha", "0.05"], 0.05, "single");
    for refused in ["0", "0.051", "1e-13", "NaN", "-1"] {
        place.lbctl(["probe", &format!("--alpha={refused}")]).fails(2, "it must be between 1e-12 and 0.05");
    }
    place.lbctl(["probe", "--alpha", "5%"]).fails(2, "`5%` is not a probability, for example 1e-9");
}

#[test]
fn nobody_is_recognised_in_a_replay_either() {
    let place = Place::new();
    let text = FULL.replace("\"instance\": 0", "\"instance\": null").replace("\"instance\": 1", "\"instance\": null");
    let text =
        text.replace("{\"name\": \"web-1\", \"hostname\": \"a\"}, {\"name\": \"web-2\", \"hostname\": \"b\"}", "");
    let unknown = fed(&place, &["probe", "--replay", "-"], text.as_bytes());
    unknown.fails(4, "says which instance sent them");
    assert!(unknown.stdout.contains("undetermined: 0 instances answered"), "{unknown:?}");
}

#[test]
fn a_replay_takes_no_flag_that_asks() {
    let cli = Cli::command();
    let probe = cli.find_subcommand("probe").unwrap();
    let judging = ["replay", "alpha", "format", "expect", "strict", "verbose", "help"];
    let mut refused = 0;
    for argument in probe.get_arguments().filter(|argument| !judging.contains(&argument.get_id().as_str())) {
        let value = match argument.get_id().as_str() {
            "addresses" => "each",
            "connect" => "127.0.0.1:1",
            "connection" => "fresh",
            "experiments" => "order",
            "from" => "127.0.0.2",
            "paths" | "slow_path" => "/x",
            _ => "1",
        };
        let flag = argument.get_long().map(|long| format!("--{long}"));
        let value = argument.get_action().takes_values().then(|| value.to_owned());
        let given = flag.into_iter().chain(value).collect::<Vec<_>>();
        let words = ["lbctl", "probe", "--replay", "x"].map(str::to_owned).into_iter().chain(given.clone());
        let error = Cli::command().try_get_matches_from(words).expect_err(&given.join(" "));
        assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{given:?}: {error}");
        refused += 1;
    }
    assert!(refused > 10);
    Place::new().lbctl(["probe", "--replay", "x", "demo.api.ch"]).fails(2, "cannot be used with");
    Place::new().lbctl(["probe", "--strict"]).fails(2, "required arguments were not provided");
}
