//! The same containers with the same labels, and the proxies in front of them.
//!
//! The bundled proxy runs on the host and reaches containers by their addresses, as it can where the engine is on the
//! same Linux machine.

use std::{
    io::{self, BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use super::wire::{ask, get};
use crate::support::{
    Place,
    docker::{Container, build, present, traefik},
    eventually,
};

/// Which proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Traefik,
    Bundled,
}

/// A proxy under test.
pub struct Side {
    pub kind: Kind,
    pub address: SocketAddr,
    /// The address of the tests, as it sees them.
    client: String,
    /// What it calls itself.
    server: String,
    _process: Process,
}

/// What it ends with.
#[allow(dead_code)]
enum Process {
    Traefik(Container),
    Bundled(Child, Place),
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Process::Bundled(child, _) = self {
            _ = child.kill();
            _ = child.wait();
        }
    }
}

/// Containers of one project, and the proxies that route to them. All of it goes when it is dropped.
pub struct Stage {
    pub project: String,
    image: String,
    pub sides: Vec<Side>,
    many: String,
}

/// A server in a container, behind every proxy of its stage.
pub struct Server {
    pub container: Container,
    /// `SERVICE-NUMBER`
    pub name: String,
    /// Where a proxy reaches it.
    pub ip: String,
}

/// A container to be started: its service, its number, and its labels, one a line, of which those of `routers`,
/// `services` and `middlewares` lack the beginning `traefik.http.`.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub service: &'a str,
    pub number: u32,
    pub labels: &'a str,
    /// More arguments of `docker run`.
    pub flags: &'a [&'a str],
}

impl Stage {
    /// An empty one, unless there is no engine or no image to make one of.
    pub fn new() -> Option<Stage> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if !present("node:24-slim") || !present(traefik()) {
            return None;
        }
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/echo");
        Some(Stage {
            project: format!("lbctl-b-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)),
            image: build("echo", &directory),
            sides: Vec::new(),
            many: String::new(),
        })
    }

    /// Starts containers, all at once.
    pub fn start(&mut self, wanted: &[Wanted]) -> Vec<Server> {
        let stage = &*self;
        let servers: Vec<Server> = thread::scope(|scope| {
            let starting: Vec<_> = wanted.iter().map(|&wanted| scope.spawn(move || stage.server(wanted))).collect();
            // every one is waited for before the first that failed is spoken of: nothing is left behind
            let started: Vec<_> = starting.into_iter().map(|thread| thread.join()).collect();
            started.into_iter().map(|server| server.expect("a container")).collect()
        });
        if let Some(many) = servers.iter().find(|server| server.name == "many-1") {
            self.many.clone_from(&many.ip);
        }
        servers
    }

    fn server(&self, Wanted { service, number, labels, flags }: Wanted) -> Server {
        let labels = labels.lines().map(str::trim).filter(|line| !line.is_empty());
        let labels = labels.map(|line| match line.split('.').next() {
            Some("routers" | "services" | "middlewares") => format!("traefik.http.{line}"),
            _ => line.to_owned(),
        });
        let compose = [
            format!("balancers.stage={}", self.project),
            format!("com.docker.compose.project={}", self.project),
            format!("com.docker.compose.service={service}"),
            format!("com.docker.compose.container-number={number}"),
            "com.docker.compose.oneoff=False".to_owned(),
        ];
        let labels: Vec<String> = compose.into_iter().chain(labels).map(|label| format!("--label={label}")).collect();
        let arguments = labels.iter().map(String::as_str).chain(flags.iter().copied()).chain([&*self.image]);
        let name = format!("{service}-{number}");
        let container = Container::run(&format!("{}-{name}", self.project), &arguments.collect::<Vec<_>>());
        let ip = container.inspect("{{.NetworkSettings.IPAddress}}");
        Server { container, name, ip }
    }

    /// Starts the proxies; Traefik with these flags more. Returns when a GET of `/` from this host reaches a server.
    pub fn open(&mut self, flags: &[&str], host: &str) {
        self.sides = vec![self.traefik(flags), self.bundled()];
        for side in &self.sides {
            eventually(&format!("{:?} to route", side.kind), || {
                (ask(side.address, &get(host, "/")).status == 200).then_some(())
            });
        }
    }

    fn traefik(&self, flags: &[&str]) -> Side {
        let constraint = format!("--providers.docker.constraints=Label(`balancers.stage`,`{}`)", self.project);
        let arguments = [
            "--publish=127.0.0.1::80",
            "--volume=/var/run/docker.sock:/var/run/docker.sock:ro",
            traefik(),
            "--providers.docker=true",
            "--providers.docker.exposedbydefault=false",
            &constraint,
            "--providers.providersthrottleduration=100ms",
            "--entrypoints.web.address=:80",
            "--global.checknewversion=false",
        ];
        let container = Container::run(&format!("{}-traefik", self.project), &[&arguments, flags].concat());
        Side {
            kind: Kind::Traefik,
            address: container.published(80).parse().expect("an address"),
            client: container.inspect("{{.NetworkSettings.Gateway}}"),
            server: container.hostname.clone(),
            _process: Process::Traefik(container),
        }
    }

    /// The bundled proxy for the containers of this project.
    fn bundled(&self) -> Side {
        let place = Place::with_docker();
        let mut command = place.command(["proxy", "--docker", "--project", &self.project, "--port", "0", "--quiet"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("lbctl runs");
        let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
        let process = Process::Bundled(child, place);
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended before it listened");
            if let Some(rest) = line.strip_prefix("listening on http://") {
                break rest.split('/').next().and_then(|address| address.parse().ok()).expect(&line);
            }
        };
        // what it goes on to say is let go, lest it wait for a reader
        thread::spawn(move || io::copy(&mut said, &mut io::sink()));
        Side {
            kind: Kind::Bundled,
            address,
            client: "127.0.0.1".to_owned(),
            server: rustix::system::uname().nodename().to_str().unwrap().to_owned(),
            _process: process,
        }
    }

    /// The text with what its placeholders stand for.
    pub fn fill(&self, side: &Side, text: &str) -> String {
        let known =
            [("client", &side.client), ("server", &side.server), ("many", &self.many), ("project", &self.project)];
        known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}
