//! `lbctl proxy --docker`: containers as upstreams.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStderr, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    Ended, Place,
    docker::{Project, docker},
    eventually,
    forwarder::Forwarder,
    http::get,
};

/// `lbctl proxy --docker` with these arguments, in front of an engine.
pub struct Proxy {
    child: Child,
    stderr: BufReader<ChildStderr>,
    pub address: String,
    _place: Place,
}

impl Proxy {
    #[track_caller]
    pub fn start(environment: &[(&str, &str)], arguments: &[&str]) -> Proxy {
        let place = Place::with_docker();
        let mut command =
            place.command(["proxy", "--docker", "--port", "0", "--bind", "127.0.0.1"].iter().chain(arguments));
        command.envs(environment.iter().copied()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let listens = line.strip_prefix("listening on http://").unwrap_or_else(|| panic!("{line}"));
        let address = listens.split('/').next().unwrap().to_owned();
        Proxy { child, stderr, address, _place: place }
    }

    /// Who answers a request; nobody where there is no route, or no server behind it.
    fn answer(&self) -> Option<String> {
        let answer = get(&self.address, "/");
        (answer.status == 200).then_some(answer.body)
    }

    /// What it says next.
    fn says(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Waits until it has ended by itself.
    pub fn ended(mut self) -> Ended {
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).unwrap();
        let code = self.child.wait().unwrap().code();
        Ended { code, stdout: String::new(), stderr }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

const ENABLED: [&str; 4] =
    ["--label", "traefik.enable=true", "--label", "traefik.http.routers.test.rule=PathPrefix(`/`)"];

fn labelled(options: &[&'static str]) -> Vec<&'static str> {
    [&ENABLED, options].concat()
}

#[test]
fn containers_are_routed_as_they_come_get_healthy_and_go() {
    let (Some(project), Some(forwarder)) = (Project::new(), Forwarder::new()) else { return };
    let proxy = Proxy::start(&[("DOCKER_HOST", &forwarder.host())], &["-p", &project.name]);
    assert_eq!(proxy.answer(), None);
    let first = project.server("web", 1, &labelled(&["--hostname", "one"]));
    eventually("the first to answer", || proxy.answer().filter(|name| name == "one"));

    // nothing is asked while nothing happens
    let asked = forwarder.connections();
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(forwarder.connections(), asked);

    let healthy = [
        "--hostname",
        "two",
        "--health-cmd",
        "test -e /tmp/well",
        "--health-interval",
        "100ms",
        "--health-retries",
        "1",
    ];
    let second = project.server("web", 2, &labelled(&healthy));
    assert!((0..4).all(|_| proxy.answer().as_deref() == Some("one")));
    docker(&["exec", &second, "touch", "/tmp/well"]).ok();
    eventually("the second to be healthy", || proxy.answer().filter(|name| name == "two"));
    docker(&["exec", &second, "rm", "/tmp/well"]).ok();
    eventually("the second to be left alone", || {
        (0..4).all(|_| proxy.answer().as_deref() == Some("one")).then_some(())
    });
    docker(&["exec", &second, "touch", "/tmp/well"]).ok();
    docker(&["rm", "--force", &first]).ok();
    eventually("the second alone", || (0..4).all(|_| proxy.answer().as_deref() == Some("two")).then_some(()));
}

#[test]
fn other_projects_and_unmarked_containers_are_left_alone() {
    let (Some(project), Some(other)) = (Project::new(), Project::new()) else { return };
    project.server("web", 1, &["--hostname", "unmarked", "--label", "traefik.http.routers.test.rule=PathPrefix(`/`)"]);
    other.server("web", 1, &labelled(&["--hostname", "other"]));
    let marked = Proxy::start(&[], &["-p", &project.name]);
    let all = Proxy::start(&[], &["-p", &project.name, "--exposed-by-default"]);
    eventually("the unmarked one", || all.answer().filter(|name| name == "unmarked"));
    assert_eq!(marked.answer(), None);
}

#[test]
fn what_is_wrong_with_labels_is_said_once() {
    let Some(project) = Project::new() else { return };
    let mut proxy = Proxy::start(&[], &["-p", &project.name]);
    project.server(
        "web",
        1,
        &["--label", "traefik.enable=true", "--label", "traefik.http.routers.test.rule=Hots(`a`)"],
    );
    let said = proxy.says();
    assert!(said.starts_with("note: ") && said.contains("test"), "{said}");
}

#[test]
fn an_engine_that_goes_away_for_good_ends_it() {
    let (Some(project), Some(forwarder)) = (Project::new(), Forwarder::new()) else { return };
    let proxy = Proxy::start(&[("DOCKER_HOST", &forwarder.host())], &["-p", &project.name]);
    project.server("web", 1, &labelled(&["--hostname", "one"]));
    eventually("an answer", || proxy.answer());
    forwarder.cut();
    let cut = Instant::now();
    // what was known goes on meanwhile
    assert_eq!(proxy.answer().as_deref(), Some("one"));
    proxy.ended().fails(3, &format!("lost the Docker Engine at {}: no such file", forwarder.host()));
    assert!(cut.elapsed() >= Duration::from_secs(9), "it may come back for 10 s: {:?}", cut.elapsed());
}

#[test]
fn an_engine_that_comes_back_is_listed_anew() {
    let (Some(project), Some(forwarder)) = (Project::new(), Forwarder::new()) else { return };
    let proxy = Proxy::start(&[("DOCKER_HOST", &forwarder.host())], &["-p", &project.name]);
    let first = project.server("web", 1, &labelled(&["--hostname", "one"]));
    eventually("an answer", || proxy.answer());
    forwarder.cut();
    docker(&["rm", "--force", &first]).ok();
    project.server("web", 2, &labelled(&["--hostname", "two"]));
    forwarder.open();
    eventually("what came meanwhile", || proxy.answer().filter(|name| name == "two"));
    assert!((0..4).all(|_| proxy.answer().as_deref() == Some("two")));
}
