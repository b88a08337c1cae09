//! The lab's images, and containers of them that live as long as a test.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{Ended, missing, peer};

/// Runs docker to its end.
pub fn docker(arguments: &[&str]) -> Ended {
    Command::new("docker").args(arguments).stdin(Stdio::null()).output().expect("docker runs").into()
}

/// Whether an engine answers; where there is none, the test says that it is skipped, or fails if the environment has
/// `LBCTL_REQUIRE=all`.
pub fn engine() -> bool {
    static ENGINE: OnceLock<bool> = OnceLock::new();
    if peer("docker").is_none() {
        return false;
    }
    let answers = ENGINE.get_or_init(|| docker(&["version", "--format", "{{.Server.Version}}"]).code == Some(0));
    if !answers {
        missing("no Docker Engine answers");
    }
    *answers
}

/// Whether the engine has this image, said in the same way.
pub fn present(image: &str) -> bool {
    if !engine() {
        return false;
    }
    let there = docker(&["image", "inspect", "--format", "{{.Id}}", image]).code == Some(0);
    if !there {
        missing(&format!("there is no image {image}, which tests/images/make makes"));
    }
    there
}

/// The image that the lab's Dockerfile of this service makes, where what it is made from is there.
pub fn image(service: &str) -> Option<String> {
    present(&base(service)).then(|| build(service, &directory(service)))
}

/// The image that the one of this service is made from; the same where there is none.
pub fn base_image(service: &str) -> Option<String> {
    let base = base(service);
    present(&base).then_some(base)
}

/// Makes an image of a directory's Dockerfile.
pub fn build(name: &str, directory: &Path) -> String {
    let tag = format!("lbctl-test/{name}");
    docker(&["build", "--quiet", "--tag", &tag, directory.to_str().expect("text")]).ok();
    tag
}

/// The image of the lab's proxy.
pub fn traefik() -> &'static str {
    let compose = include_str!("../../../lab/docker-compose.yml");
    compose.lines().find_map(|line| line.trim().strip_prefix("image: ")).expect("an image")
}

fn directory(service: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lab").join(service)
}

/// The image that a service's Dockerfile begins with.
pub fn base(service: &str) -> String {
    let text = fs::read_to_string(directory(service).join("Dockerfile")).expect("a Dockerfile");
    text.lines().find_map(|line| line.strip_prefix("FROM ")).expect("FROM").to_owned()
}

/// A name that nothing else on this engine has.
fn unique() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("lbctl-test-{}-{number}", std::process::id())
}

/// A container that is removed when it is dropped.
pub struct Container {
    name: String,
    /// Where the host reaches it.
    pub address: String,
    pub hostname: String,
}

impl Container {
    /// Starts one of this image, whose program listens on this port.
    pub fn start(image: &str, port: u16) -> Container {
        let mut container = Container::run(&unique(), &["--publish", &format!("127.0.0.1::{port}"), image]);
        container.address = container.published(port);
        container
    }

    /// Starts one as `docker run` does with these arguments.
    pub fn run(name: &str, arguments: &[&str]) -> Container {
        // made before it is started, so that what fails half way is removed as well
        let mut container = Container { name: name.to_owned(), address: String::new(), hostname: String::new() };
        docker(&[&["run", "--detach", "--name", name], arguments].concat()).ok();
        container.hostname = container.inspect("{{.Config.Hostname}}");
        container
    }

    /// Where the host reaches a port that it publishes.
    pub fn published(&self, port: u16) -> String {
        self.asked(&["port", &self.name, &port.to_string()])
    }

    /// What the engine says of it.
    pub fn inspect(&self, format: &str) -> String {
        self.asked(&["inspect", "--format", format, &self.name])
    }

    /// Runs a command inside it.
    pub fn exec(&self, command: &[&str]) -> String {
        self.asked(&[&["exec", &self.name], command].concat())
    }

    fn asked(&self, arguments: &[&str]) -> String {
        docker(arguments).ok().stdout.trim().to_owned()
    }

    /// What the engine says of its health: `starting`, `healthy` or `unhealthy`.
    pub fn health(&self) -> String {
        self.inspect("{{.State.Health.Status}}")
    }

    /// The user that its first process runs as.
    pub fn user(&self) -> String {
        self.exec(&["id", "-un"])
    }

    pub fn log(&self) -> String {
        docker(&["logs", &self.name]).ok().stdout.clone()
    }

    /// Asks it to stop, with as much time as the lab gives.
    pub fn stop(&self) -> Child {
        Command::new("docker")
            .args(["stop", "--time", "11", &self.name])
            .stdout(Stdio::null())
            .spawn()
            .expect("docker runs")
    }

    /// How its first process ended.
    pub fn exit_code(&self) -> String {
        self.inspect("{{.State.ExitCode}}")
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        docker(&["rm", "--force", "--volumes", &self.name]);
    }
}

/// A compose project, put together by hand or by Compose. Everything that has its label goes when it is dropped.
pub struct Project {
    pub name: String,
    /// The image of its containers.
    image: String,
}

/// A program for Node that answers with its hostname on port 80, and leaves when it is asked to.
const SERVER: &str = "process.on('SIGTERM', () => process.exit()); \
    require('http').createServer((_, answer) => answer.end(require('os').hostname())).listen(80)";

impl Project {
    /// An empty one, where there is an engine with the image that its containers need.
    pub fn new() -> Option<Project> {
        Some(Project { image: base_image("web_dynamic")?, name: unique() })
    }

    /// The image of its containers.
    pub fn image(&self) -> &str {
        &self.image
    }

    /// Starts a container of a service, which answers with its hostname on port 80; `options` are those of `docker run`.
    /// Returns its id.
    pub fn server(&self, service: &str, number: u32, options: &[&str]) -> String {
        self.run(service, number, options, &["node", "--eval", SERVER])
    }

    /// Starts a container of a service with this command.
    pub fn run(&self, service: &str, number: u32, options: &[&str], command: &[&str]) -> String {
        self.docker("run", &["--detach"], service, number, options, command)
    }

    /// Makes one, and does not start it.
    pub fn create(&self, service: &str, number: u32, command: &[&str]) -> String {
        self.docker("create", &[], service, number, &[], command)
    }

    fn docker(
        &self,
        verb: &str,
        flags: &[&str],
        service: &str,
        number: u32,
        options: &[&str],
        command: &[&str],
    ) -> String {
        let name = format!("{}-{service}-{number}", self.name);
        let labels = [
            format!("com.docker.compose.project={}", self.name),
            format!("com.docker.compose.service={service}"),
            format!("com.docker.compose.container-number={number}"),
            "com.docker.compose.oneoff=False".to_owned(),
        ];
        let mut arguments = vec![verb, "--name", &name, "--expose", "80"];
        arguments.extend(flags);
        arguments.extend(labels.iter().flat_map(|label| ["--label", label]));
        arguments.extend(options);
        arguments.push(&self.image);
        arguments.extend(command);
        docker(&arguments).ok().stdout.trim().to_owned()
    }

    /// The ids of everything of this kind (`container`, `network`) that has its label.
    pub fn ids(&self, kind: &str) -> Vec<String> {
        let filter = format!("label=com.docker.compose.project={}", self.name);
        let mut arguments = vec![kind, "ls", "--quiet", "--no-trunc", "--filter", &filter];
        if kind == "container" {
            arguments.push("--all");
        }
        docker(&arguments).ok().stdout.lines().map(str::to_owned).collect()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let containers = self.ids("container");
        if !containers.is_empty() {
            docker(
                &["rm", "--force", "--volumes"]
                    .into_iter()
                    .chain(containers.iter().map(String::as_str))
                    .collect::<Vec<_>>(),
            );
        }
        for network in self.ids("network") {
            docker(&["network", "rm", &network]);
        }
    }
}
