//! ^C at several moments of the start: 130, nothing said, nothing left.

use std::fs;

use rustix::process::Signal;

use crate::support::{
    compose::PATIENCE,
    docker::{base, docker},
    eventually_within,
};

use super::Start;

/// Starts with these arguments and interrupts it as soon as `moment` has come.
#[track_caller]
fn interrupted(start: &Start, arguments: &[&str], what: &str, moment: impl Fn() -> bool) {
    let arguments = start.arguments(arguments);
    let mut lbctl = start.place.starting(&arguments[1..]);
    eventually_within(PATIENCE, what, || moment().then_some(()));
    lbctl.signal(Signal::INT);
    let (status, said) = lbctl.end();
    assert_eq!(status.code(), Some(130), "{said:#?}");
    assert!(!said.iter().any(|line| line.starts_with("error") || line.contains("panicked")), "{said:#?}");
    start.leaves_nothing();
}

#[test]
fn before_anything_is_started() {
    let Some(start) = Start::new() else { return };
    let place = start.place.path().join(format!("lbctl/{}.lock", start.project.name));
    interrupted(&start, &[], "the place to be taken", || place.exists());
}

#[test]
fn while_an_image_is_built() {
    let Some(start) = Start::new() else { return };
    let image = start.place.path().join("image");
    fs::create_dir(&image).unwrap();
    let lasts = format!("echo {} && sleep 600", start.project.name);
    fs::write(image.join("Dockerfile"), format!("FROM {}\nRUN {lasts}\n", base("web_dynamic"))).unwrap();
    let file = start.file("  web:\n    build: ./image\n");
    let builds = || {
        let all = docker(&["ps", "--all", "--no-trunc", "--format", "{{.Command}}"]);
        all.stdout.contains(&lasts)
    };
    interrupted(&start, &["-f", &file], "the build", builds);
    eventually_within(PATIENCE, "the build's container to go", || (!builds()).then_some(()));
}

#[test]
fn while_containers_are_started() {
    let Some(start) = Start::new() else { return };
    let first = || !start.project.containers().is_empty();
    interrupted(&start, &["--web-static", "4", "--web-dynamic", "0"], "a container", first);
}

#[test]
fn while_containers_are_waited_for() {
    let Some(start) = Start::new() else { return };
    let file = start.file(&format!(
        "  web:\n    image: {}\n    init: true\n    command: sleep 600\n    \
         healthcheck: {{ test: [\"CMD\", \"false\"], interval: 1s, retries: 1000 }}\n",
        base("web_dynamic")
    ));
    let waiting = || {
        let composing = start.place.processes().iter().any(|process| process.command.contains("--project-name"));
        start.project.running("web") == 1 && start.project.running("reverse-proxy") == 1 && !composing
    };
    interrupted(&start, &["-f", &file], "the container to be waited for", waiting);
}
