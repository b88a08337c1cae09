//! Labs of containers that `lbctl up --engine compose` starts: the same commands, the same answers.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::support::{
    Ended, Place,
    compose::{PATIENCE, Project, plugin},
    docker::docker,
    eventually_within,
    http::{Answer, Connection, Load, get, get_with},
};

/// A lab of containers; what is left of it goes with its project.
struct Lab {
    place: Place,
    project: Project,
    view: Value,
    plugins: Option<PathBuf>,
}

impl Lab {
    fn up(arguments: &[&str]) -> Option<Lab> {
        Lab::up_with(None, arguments)
    }

    /// With another Compose than the one in the path.
    fn up_with(plugins: Option<PathBuf>, arguments: &[&str]) -> Option<Lab> {
        let mut lab = Lab { place: Place::with_docker(), project: Project::new()?, view: Value::Null, plugins };
        let up = ["up", "-d", "--engine", "compose", "--port", "0", "--format", "json"];
        lab.view = lab.lbctl(&[&up, arguments].concat()).json();
        Some(lab)
    }

    fn lbctl(&self, arguments: &[&str]) -> Ended {
        let mut command = self.place.command(arguments);
        command.args(["-p", &self.project.name]);
        if let Some(plugins) = &self.plugins {
            command.env("DOCKER_CONFIG", plugins);
        }
        command.output().expect("lbctl runs").into()
    }

    fn address(&self) -> String {
        text(&self.view["proxy_address"])
    }

    fn ps(&self) -> Value {
        self.lbctl(&["ps", "--format", "json"]).json()
    }

    fn replicas(&self, service: &str) -> Vec<Value> {
        self.ps()["services"][service]["replicas"].as_array().expect("replicas").clone()
    }

    fn names(&self, service: &str) -> Vec<String> {
        self.replicas(service).iter().map(|replica| text(&replica["name"])).collect()
    }

    fn hostnames(&self, service: &str) -> Vec<String> {
        self.replicas(service).iter().map(|replica| text(&replica["hostname"])).collect()
    }

    /// Docker's id of a replica.
    fn container(&self, service: &str, number: u32) -> String {
        let labels = [
            format!("label=com.docker.compose.project={}", self.project.name),
            format!("label=com.docker.compose.service={service}"),
            format!("label=com.docker.compose.container-number={number}"),
        ];
        let filters: Vec<&str> = labels.iter().flat_map(|label| ["--filter", label]).collect();
        docker(&[&["ps", "--all", "--quiet"], &filters[..]].concat()).ok().stdout.trim().to_owned()
    }

    /// That nothing of it is left.
    #[track_caller]
    fn is_gone(&self) {
        self.place.is_left_clean();
        self.project.is_gone();
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // a lab that is down already does not mind
        self.lbctl(&["down"]);
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Who answered so many requests, by hostname.
fn served(address: &str, path: &str, requests: usize) -> Vec<String> {
    (0..requests).map(|_| get(address, path).served_by().to_owned()).collect()
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn a_lab_of_containers_is_used_like_any_other() {
    let Some(lab) = Lab::up(&["--web-static", "3", "--web-dynamic", "2"]) else { return };
    assert_eq!(lab.view["schema"], "lbctl.lab.v1");
    assert_eq!((&lab.view["engine"], &lab.view["proxy"]), (&"compose".into(), &"traefik".into()));
    assert_eq!(lab.view["hosts"], serde_json::json!(["demo.api.ch", "demo.localhost"]));
    assert_eq!(lab.ps(), lab.view, "the lab does not change by being looked at");
    assert_eq!(lab.names("web_static"), ["web_static-1", "web_static-2", "web_static-3"]);
    let hostnames = lab.hostnames("web_static");

    // when `up` has returned, every replica answers, and each has one request of every round
    let mut seen = served(&lab.address(), "/session", 3);
    seen.sort();
    let mut expected = hostnames.clone();
    expected.sort();
    assert_eq!(seen, expected);

    // in tables, a container goes by its name, with the hostname beside it
    let table = lab.lbctl(&["ps"]).ok().stdout.clone();
    let row = lines(&table).into_iter().find(|row| row.contains("web_static-2")).expect("a row").to_owned();
    assert!(row.contains(&hostnames[1]) && row.contains(":80") && row.contains("ready"), "{table}");

    let probed = lab.lbctl(&["probe", "--format", "json"]).json();
    let verdict = &probed["verdict"];
    assert_eq!((&verdict["algorithm"], &verdict["order"]), (&"round-robin".into(), &"changing".into()), "{verdict}");
    assert_eq!(verdict["repeats_after"], 9, "{verdict}");
    let series = &probed["series"][0];
    assert!(series["requests"].as_array().unwrap().iter().all(|request| request["turn"].is_u64()), "{series}");

    let tested = lab.lbctl(&["session-test", "--format", "json"]).json();
    assert_eq!((&tested["verdict"]["session"], &tested["passed"]), (&"lost".into(), &true.into()), "{tested}");

    // the log has a line a request with the replica's name, in the form of the bundled proxy's
    get_with(&lab.address(), "/session", &["User-Agent: somebody/1"]);
    let entry = eventually_within(PATIENCE, "the request in the log", || {
        let log = lab.lbctl(&["logs", "web_static", "--format", "json"]).ok().stdout.clone();
        let entries = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        entries.into_iter().find(|entry| entry["user_agent"] == "somebody/1")
    });
    assert!(text(&entry["replica"]).starts_with("web_static-"), "{entry}");
    assert_eq!((&entry["path"], &entry["status"], &entry["method"]), (&"/session".into(), &200.into(), &"GET".into()));
    let log = lab.lbctl(&["logs"]).ok().stdout.clone();
    assert!(!log.contains("/health") && !log.contains("/api/ready"), "what asked for readiness is no request: {log}");

    assert_eq!(lab.lbctl(&["down"]).ok().stderr, format!("stopped the lab `{}`\n", lab.project.name));
    lab.is_gone();
}

#[test]
fn containers_are_added_and_removed_and_their_sessions_counted() {
    let Some(lab) = Lab::up(&["--web-static", "1", "--web-dynamic", "1"]) else { return };
    let scaled = lab.lbctl(&["scale", "web_static=3", "web_dynamic=2", "--format", "json"]).json();
    assert_eq!(scaled["services"]["web_static"]["from"], 1);
    assert_eq!(lab.names("web_static"), ["web_static-1", "web_static-2", "web_static-3"]);
    assert!(lab.replicas("web_static").iter().all(|replica| replica["state"] == "ready"));

    // a login on each of the three; then the two highest numbers are taken away, and their sessions with them
    let form = ["Content-Type: application/x-www-form-urlencoded"];
    for _ in 0..3 {
        let mut connection = Connection::open(&lab.address()).unwrap();
        assert_eq!(connection.request("POST", "/login", &form, "user=alice").unwrap().status, 303);
    }
    let scaled = lab.lbctl(&["scale", "web_static=1", "--format", "json"]).json();
    let lost = &scaled["services"]["web_static"]["lost"];
    assert_eq!((&lost["logged_in"], &scaled["services"]["web_static"]["to"]), (&2.into(), &1.into()), "{scaled}");
    assert_eq!(lab.names("web_static"), ["web_static-1"]);

    // one that is killed is shown, and a scale to the same number starts it again
    docker(&["kill", &lab.container("web_dynamic", 2)]).ok();
    eventually_within(PATIENCE, "its end", || (lab.replicas("web_dynamic")[1]["state"] == "ended").then_some(()));
    let log = lab.lbctl(&["logs"]).ok().stdout.clone();
    assert!(log.contains("web_dynamic-2 ended by itself (exit code 137"), "{log}");
    // which does not stand in the way of others
    lab.lbctl(&["scale", "web_static=2"]).ok();
    lab.lbctl(&["scale", "web_dynamic=2"]).ok();
    assert!(lab.replicas("web_dynamic").iter().all(|replica| replica["state"] == "ready"));

    // the route goes with the last one: then the page gets these requests
    lab.lbctl(&["scale", "web_dynamic=0"]).ok();
    let hostname = text(&lab.replicas("web_static")[0]["hostname"]);
    let answers = |answer: &Answer| answer.status == 404 && answer.header("x-served-by") == Some(&hostname);
    eventually_within(PATIENCE, "no route", || answers(&get(&lab.address(), "/api/")).then_some(()));
    lab.lbctl(&["scale", "web_dynamic=1"]).ok();
    assert_eq!(get(&lab.address(), "/api/").status, 200);

    lab.lbctl(&["scale", "nothing=1"]).fails(2, "no service `nothing` in this lab");
    lab.lbctl(&["scale", "web_static=1001"]).fails(2, "0 to 1000 replicas");
}

#[test]
fn ten_changes_of_scale_fail_no_get() {
    for proxy in ["traefik", "bundled"] {
        let Some(lab) = Lab::up(&["--web-static", "2", "--web-dynamic", "1", "--proxy", proxy]) else { return };
        let load = Load::of_gets(&lab.address());
        for replicas in [3, 1, 3, 1, 2, 3, 1, 3, 2, 1] {
            lab.lbctl(&["scale", &format!("web_static={replicas}")]).ok();
        }
        let tally = load.finish();
        assert_eq!(tally.failed, Vec::<String>::new(), "{proxy}: of {}", tally.sent);
        assert!(tally.sent > 100, "{proxy}: {}", tally.sent);
    }
}

#[test]
fn the_bundled_proxy_takes_traefiks_place() {
    let Some(lab) =
        Lab::up(&["--web-static", "3", "--web-dynamic", "1", "--proxy", "bundled", "--sticky", "web_dynamic"])
    else {
        return;
    };
    assert_eq!(lab.view["proxy"], "bundled");
    assert_eq!(lab.project.running("reverse-proxy"), 0);
    // strictly in order, from the first
    let hostnames = lab.hostnames("web_static");
    assert_eq!(
        served(&lab.address(), "/session", 9),
        [hostnames.clone(), hostnames.clone(), hostnames.clone()].concat()
    );
    assert!(get(&lab.address(), "/api/").header("set-cookie").is_some(), "sticky, as the command line says");
    // a container that Docker ends is passed over at once, and its number is not waited for
    docker(&["stop", &lab.container("web_static", 2)]).ok();
    eventually_within(PATIENCE, "its end", || (lab.replicas("web_static")[1]["state"] == "ended").then_some(()));
    assert!(!served(&lab.address(), "/session", 6).contains(&hostnames[1]));
    // a lab without any replica is a lab still
    lab.lbctl(&["scale", "web_static=0", "web_dynamic=0"]).ok();
    assert_eq!(lab.names("web_static"), [""; 0]);
    assert_eq!(lab.view["hosts"], lab.ps()["hosts"]);
    lab.lbctl(&["scale", "web_static=1"]).ok();
    assert_eq!(get(&lab.address(), "/session").status, 200);
    lab.lbctl(&["down"]).ok();
    lab.is_gone();
}

#[test]
fn todays_compose_does_the_same() {
    let Some(plugins) = plugin() else { return };
    let Some(lab) = Lab::up_with(Some(plugins), &["--web-static", "2", "--web-dynamic", "1"]) else { return };
    assert_eq!(lab.names("web_static"), ["web_static-1", "web_static-2"]);
    lab.lbctl(&["scale", "web_static=3", "web_dynamic=2"]).ok();
    assert_eq!(lab.names("web_static").len() + lab.names("web_dynamic").len(), 5);
    lab.lbctl(&["scale", "web_static=1"]).ok();
    assert_eq!(lab.names("web_static"), ["web_static-1"]);
    lab.lbctl(&["session-test"]).ok();
    lab.lbctl(&["down"]).ok();
    lab.is_gone();
}

#[test]
fn a_supervisor_that_is_killed_leaves_a_lab_that_can_be_used_and_ended() {
    let Some(lab) = Lab::up(&["--web-static", "2", "--web-dynamic", "1"]) else { return };
    lab.place.supervisor().signal(rustix::process::Signal::KILL);
    eventually_within(PATIENCE, "its end", || lab.place.processes().is_empty().then_some(()));
    assert_eq!(lab.ps(), lab.view, "Docker tells the same");
    lab.lbctl(&["session-test"]).ok();
    lab.lbctl(&["scale", "web_static=3"]).ok();
    assert_eq!(lab.names("web_static").len(), 3);
    let log = lab.lbctl(&["logs", "web_static"]).ok().stdout.clone();
    assert!(log.contains("  GET  /session  "), "{log}");
    // no other takes its name meanwhile
    lab.lbctl(&["up", "-d", "--engine", "compose", "--port", "0"]).fails(3, "is running already");
    lab.lbctl(&["down"]).ok();
    lab.is_gone();
}

#[test]
fn a_lab_whose_containers_somebody_else_removes_ends() {
    let Some(lab) = Lab::up(&["--web-static", "1", "--web-dynamic", "0"]) else { return };
    let containers = [lab.container("web_static", 1), lab.container("reverse-proxy", 1)];
    docker(&["rm", "--force", "--volumes", &containers[0], &containers[1]]).ok();
    eventually_within(PATIENCE, "the supervisor's end", || lab.place.processes().is_empty().then_some(()));
    lab.is_gone();
}

#[test]
fn the_address_of_the_gateway_proves_nothing() {
    // whatever address a client has, Traefik sees the gateway's: by it, every client is the same one
    let Some(lab) = Lab::up(&["--web-static", "3", "--web-dynamic", "0", "--strategy", "hrw"]) else { return };
    let verdict = &lab.lbctl(&["probe", "--format", "json"]).json()["verdict"];
    assert_ne!(verdict["stickiness"], "source", "{verdict}");
    assert_ne!(verdict["algorithm"], "source-hash", "{verdict}");
    assert!(verdict["candidates"].as_array().unwrap().contains(&"source-hash".into()), "{verdict}");
    // what the lab's configuration says may be said
    let tested = lab.lbctl(&["session-test", "--format", "json"]).json();
    assert_eq!((&tested["verdict"]["kept_by"], &tested["passed"]), (&"source".into(), &true.into()), "{tested}");
}

/// A lab of somebody else's: other names, a port of its own, a service that nobody reaches.
const FOREIGN: &str = r#"
version: "3.8"
services:
  edge:
    image: traefik:v3.7
    command: --providers.docker=true --entrypoints.web.address=:8000 --accesslog=true
      --providers.docker.constraints=Label(`com.docker.compose.project`,`PROJECT`)
    ports: ["127.0.0.1:PORT:8000"]
    volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]
  shop:
    image: node:24-slim
    init: true
    command: ["node", "-e", "require('http').createServer((q, r) => { r.setHeader('X-Served-By', require('os').hostname()); r.end('hi') }).listen(9000)"]
    labels:
      - traefik.http.routers.shop.rule=Host(`shop.test`)
      - traefik.http.services.shop.loadbalancer.server.port=9000
  db:
    image: node:24-slim
    init: true
    command: ["sleep", "1000"]
    labels: ["traefik.enable=false"]
"#;

#[test]
fn somebody_elses_compose_file_is_a_lab_too() {
    let directory = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let Some(project) = Project::new() else { return };
    let file = directory.path().join("their.yml");
    fs::write(&file, FOREIGN.replace("PORT", &port.to_string()).replace("PROJECT", &project.name)).unwrap();
    let mut lab = Lab { place: Place::with_docker(), project, view: Value::Null, plugins: None };
    let file = file.to_str().unwrap();
    let up =
        ["up", "-d", "--engine", "compose", "-f", file, "--scale", "shop=3", "--sticky", "shop", "--format", "json"];
    lab.lbctl(&[&up[..], &["--port", "1"]].concat()).fails(2, &format!("publishes its proxy at port {port}"));
    lab.is_gone();
    lab.view = lab.lbctl(&up).json();
    assert_eq!(lab.view["proxy_address"], format!("127.0.0.1:{port}"));
    assert_eq!((lab.names("shop").len(), lab.names("db").len()), (3, 1));
    assert_eq!(lab.view["services"]["db"]["strategy"], "none");
    let verdict = &lab.lbctl(&["probe", "shop.test", "--format", "json"]).json()["verdict"];
    assert_eq!((&verdict["algorithm"], &verdict["stickiness"]), (&"round-robin".into(), &"cookie".into()), "{verdict}");
    lab.lbctl(&["scale", "shop=1"]).ok();
    let log = lab.lbctl(&["logs", "shop"]).ok().stdout.clone();
    assert!(lines(&log).iter().any(|line| line.contains("  shop-") && line.contains("  200  GET  /")), "{log}");
    lab.lbctl(&["session-test"]).fails(2, "is no lab's page");
    lab.lbctl(&["down"]).ok();
    lab.is_gone();
}
