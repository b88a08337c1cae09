//! `logs`, and output that nobody reads to its end.

use std::{
    io::{BufRead, BufReader, Read},
    process::{ChildStdout, Stdio},
};

use serde_json::Value;

use crate::support::{
    Lab, eventually,
    http::{get, numbers},
};

const SMALL: [&str; 4] = ["--web-static", "2", "--web-dynamic", "1"];

/// The log's entries as JSON.
fn entries(lab: &Lab, arguments: &[&str]) -> Vec<Value> {
    let logs = lab.place.lbctl(["logs", "--format", "json"].iter().chain(arguments));
    logs.ok().stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn the_log_has_a_line_for_each_request() {
    let lab = Lab::up(&SMALL);
    assert_eq!(entries(&lab, &[]), [Value::Null; 0]);
    assert_eq!(lab.lbctl(&["logs"]).ok().stdout, "");
    numbers(&lab.address(), "/session", 3);
    numbers(&lab.address(), "/api/", 2);
    let all = eventually("five entries", || Some(entries(&lab, &[])).filter(|all| all.len() == 5));
    let replicas: Vec<_> = all.iter().map(|entry| entry["replica"].as_str().expect("a replica")).collect();
    assert_eq!(replicas, ["web_static-1", "web_static-2", "web_static-1", "web_dynamic-1", "web_dynamic-1"]);
    assert_eq!(all.iter().map(|entry| entry["turn"].as_u64().expect("a turn")).collect::<Vec<_>>(), [0, 1, 2, 0, 1]);
    for (field, value) in
        [("method", "GET"), ("host", "demo.localhost"), ("path", "/session"), ("service", "web_static")]
    {
        assert_eq!(all[0][field], value);
    }
    assert_eq!(all[0]["status"], 200);

    assert_eq!(entries(&lab, &["web_dynamic"]), all[3..]);
    assert_eq!(entries(&lab, &["web_static"]), all[..3]);
    let text = lab.lbctl(&["logs", "web_dynamic"]).ok().stdout.clone();
    assert_eq!(text.lines().filter(|line| line.contains("  web_dynamic-1   200  GET  /api/  ")).count(), 2, "{text}");
    assert_eq!(text.lines().count(), 2);
    let unknown = lab.lbctl(&["logs", "web"]);
    unknown.fails(2, "no service `web` in this lab");
    assert!(unknown.stderr.contains("\nhint: it has web_static, web_dynamic"), "{unknown:?}");
}

/// The first line that has these words.
fn line(output: &mut BufReader<ChildStdout>, words: &str) -> String {
    output.lines().map(|line| line.expect("text")).find(|line| line.contains(words)).expect(words)
}

#[test]
fn the_log_can_be_followed_to_the_end_of_the_lab() {
    let lab = Lab::up(&SMALL);
    numbers(&lab.address(), "/session", 1);
    let mut follow = lab.place.command(["logs", "-f", "web_static"]);
    let mut follow = follow.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lbctl runs");
    let mut output = BufReader::new(follow.stdout.take().expect("a pipe"));
    // what was before, what comes as it comes, and nothing of the other service
    line(&mut output, "web_static-1");
    numbers(&lab.address(), "/api/", 1);
    numbers(&lab.address(), "/session", 1);
    let mut next = String::new();
    output.read_line(&mut next).expect("a line");
    assert!(next.contains("web_static-2"), "{next}");
    lab.lbctl(&["scale", "web_static=1"]).ok();
    line(&mut output, "web_static was scaled from 2 to 1");

    lab.lbctl(&["down"]).ok();
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("text");
    let ended = crate::support::Ended::from(follow.wait_with_output().expect("its end"));
    assert_eq!((ended.code, ended.stderr.as_str(), rest.as_str()), (Some(0), "", ""));
}

#[test]
fn a_follower_that_is_interrupted_says_so_with_its_exit_code() {
    let lab = Lab::up(&SMALL);
    numbers(&lab.address(), "/", 1);
    let mut follow = lab.place.command(["logs", "-f"]).stdout(Stdio::piped()).spawn().expect("lbctl runs");
    line(&mut BufReader::new(follow.stdout.take().expect("a pipe")), "web_static-1");
    crate::support::send(follow.id() as i32, rustix::process::Signal::INT);
    assert_eq!(follow.wait().expect("its end").code(), Some(130));
    assert_eq!(lab.ps(), lab.view);
}

#[test]
fn a_follower_whose_reader_has_stopped_reading_can_be_interrupted() {
    let lab = Lab::up(&SMALL);
    let mut follow = lab.place.command(["logs", "-f"]);
    let mut follow = follow.stdout(Stdio::piped()).spawn().expect("lbctl runs");
    let pipe = follow.stdout.take().expect("a pipe");
    eventually("a pipe that is full", || {
        numbers(&lab.address(), "/session", 100);
        (rustix::io::ioctl_fionread(&pipe).unwrap() > 60_000).then_some(())
    });
    let pid = rustix::process::Pid::from_child(&follow);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ended = eventually("its end", || follow.try_wait().unwrap());
    assert_eq!(ended.code(), Some(130));
}

#[test]
fn output_that_nobody_reads_is_no_error() {
    let lab = Lab::up(&["--web-static", "300", "--web-dynamic", "1"]);
    for _ in 0..40 {
        get(&lab.address(), "/");
    }
    let commands = [
        &["ps"][..],
        &["ps", "--format", "json"],
        &["logs"],
        &["logs", "--format", "json"],
        &["completions", "zsh"],
        &["--help"],
        &["scale", "web_static=300"],
    ];
    for arguments in commands {
        // the reader is gone before anything is written, and after the first line
        for lines in [0, 1] {
            let mut child = lab.place.command(arguments);
            let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lbctl runs");
            let reader = BufReader::with_capacity(64, child.stdout.take().expect("a pipe"));
            assert_eq!(reader.lines().take(lines).count(), lines, "{arguments:?}");
            let ended = crate::support::Ended::from(child.wait_with_output().expect("its end"));
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        }
    }
    // a lab whose first words nobody hears does not stay
    let mut child = lab.place.command(["up", "--port", "0", "-p", "unheard"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lbctl runs");
    drop(child.stdout.take());
    let ended = crate::support::Ended::from(child.wait_with_output().expect("its end"));
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    lab.lbctl(&["ps", "-p", "unheard"]).fails(3, "no running lab called `unheard`");
    lab.lbctl(&["down"]).ok();
    lab.place.is_left_clean();
}
