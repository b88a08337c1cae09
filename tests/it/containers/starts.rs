//! What goes wrong when containers are built and started: the one that did it is named, with what it wrote.

use std::{fs, net::TcpListener};

use crate::support::{Ended, docker::base, docker::docker};

use super::{Start, hints, proxy};

/// How often these words are in what a command wrote for people.
fn times(ended: &Ended, words: &str) -> usize {
    ended.stderr.matches(words).count()
}

#[test]
fn an_image_that_does_not_build_shows_the_whole_log_once() {
    let Some(start) = Start::new() else { return };
    let image = start.place.path().join("image");
    fs::create_dir(&image).unwrap();
    // what is written differs from what is to be written, which is in the log as well
    let tells = format!("echo {}-$((6*7))", start.project.name);
    let dockerfile = format!("FROM {}\nRUN echo at-first\nRUN {tells} && false\n", base("web_dynamic"));
    fs::write(image.join("Dockerfile"), dockerfile).unwrap();
    let file = start.file("  web:\n    build: ./image\n");
    for detached in [&[][..], &["-d"]] {
        let ended = start.up(&[&["-f", &file], detached].concat());
        ended.fails(3, "could not build the images: ");
        assert_eq!(times(&ended, &format!("{}-42", start.project.name)), 1, "{ended:#?}");
        assert!(ended.stderr.contains("echo at-first"), "from its beginning: {ended:#?}");
        start.leaves_nothing();
        let left = docker(&["ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Command}}"]).ok().stdout.clone();
        let left: Vec<&str> = left.lines().filter(|container| container.contains(&tells)).collect();
        assert!(left.is_empty(), "the container of the step that failed: {left:?}");
    }
}

#[test]
fn a_port_that_was_asked_for_is_taken_at_its_word() {
    let Some(start) = Start::new() else { return };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = start.up(&["--port", &port]);
    ended.fails(3, &format!("cannot listen on 127.0.0.1:{port}: the port is taken"));
    hints(&ended, "port");
    start.leaves_nothing();
}

#[test]
fn a_port_that_is_taken_is_passed_over_and_that_is_said() {
    let Some(start) = Start::new() else { return };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let small = ["-d", "--web-static", "1", "--web-dynamic", "0", "--format", "json"];
    let mut lbctl = start.place.command(start.arguments(&small));
    let ended: Ended = lbctl.env("LBCTL_HTTP_PORT", &port).output().unwrap().into();
    let view = ended.json();
    let (_, other) = view["proxy_address"].as_str().unwrap().rsplit_once(':').unwrap();
    assert_ne!(other, port);
    assert!(ended.stderr.contains(&format!("note: port {port} is taken: it is port {other} instead\n")), "{ended:#?}");
    start.place.lbctl(["down", "-p", &start.project.name]).ok();
    start.leaves_nothing();
}

/// A service that Traefik would give requests to, which does this instead of answering.
fn service(does: &str) -> String {
    format!(
        "  web:
    image: {}
    init: true
    {does}
    labels:
      traefik.enable: \"true\"
      traefik.http.routers.web.rule: Host(`demo.localhost`)
      traefik.http.services.web.loadbalancer.server.port: \"80\"
",
        base("web_dynamic")
    )
}

#[test]
fn a_container_that_ends_at_once_is_named_with_its_last_words() {
    let Some(start) = Start::new() else { return };
    let file = start.file(&service(r#"command: ["sh", "-c", "echo famous last words; exit 7"]"#));
    let ended = start.up(&["-f", &file, "--port", "0"]);
    ended.fails(3, "web-1 ended before it answered: ");
    assert!(ended.stderr.contains('7'), "how it ended: {ended:#?}");
    assert_eq!(times(&ended, "web-1: famous last words\n"), 1, "{ended:#?}");
    hints(&ended, "the end of its log stands above");
    start.leaves_nothing();
}

#[test]
fn a_container_that_does_not_get_healthy_is_named_with_its_last_words() {
    let Some(start) = Start::new() else { return };
    let does = r#"command: ["sh", "-c", "echo still loading; sleep 600"]
    healthcheck: { test: ["CMD", "false"], interval: 1s, retries: 1000 }"#;
    let file = start.file(&service(does));
    let ended = start.up(&["-f", &file, "--port", "0", "--wait", "2", "--scale", "web=2"]);
    ended.fails(3, " is still starting after 2 s");
    let name = if times(&ended, "error: web-1 ") == 1 { "web-1" } else { "web-2" };
    assert_eq!(times(&ended, "still loading"), 1, "its own log alone: {ended:#?}");
    assert!(ended.stderr.contains(&format!("{name}: still loading\n")), "{ended:#?}");
    hints(&ended, "--wait");
    start.leaves_nothing();
}

#[test]
fn a_traefik_that_ends_at_once_is_named_too() {
    let Some(start) = Start::new() else { return };
    let services = service(r#"command: ["sleep", "600"]"#);
    let file = start.write(
        "docker-compose.yml",
        &format!("{}{services}", proxy().replace("entrypoints.web.address", "entrypoints.web.adress")),
    );
    let ended = start.up(&["-f", &file, "--port", "0"]);
    ended.fails(3, "reverse-proxy-1 ended before it answered: ");
    assert!(ended.stderr.contains("adress"), "its log: {ended:#?}");
    hints(&ended, "the end of its log stands above");
    start.leaves_nothing();
}
