//! What the tests share: the built `lbctl`, labs of their own, and real peers.

#![allow(dead_code)]

pub mod balancers;
pub mod browser;
pub mod compose;
pub mod docker;
pub mod forwarder;
pub mod http;
mod page;
mod processes;
pub mod server;
pub mod traces;

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

pub use processes::send;

/// How long a test waits for a state before it gives up: long, because the machine may be busy.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Polls until `look` finds something.
#[track_caller]
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    poll(DEADLINE, Duration::from_millis(5), what, &mut look)
}

/// The same for what takes longer, and is dearer to look at, as containers are.
#[track_caller]
pub fn eventually_within<T>(deadline: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    poll(deadline, Duration::from_millis(50), what, &mut look)
}

#[track_caller]
fn poll<T>(deadline: Duration, pause: Duration, what: &str, look: &mut dyn FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < deadline, "waited {deadline:?} in vain for {what}");
        std::thread::sleep(pause);
    }
}

/// A place where labs are found that no other test sees.
pub struct Place {
    directory: TempDir,
    docker: Sees,
}

/// Whether a place's labs may be containers.
#[derive(Clone, Copy, PartialEq)]
enum Sees {
    /// Those of this machine, whoever runs them.
    Docker,
    /// None: other tests and people run labs on this machine's engine, and a command that looks for any lab finds them.
    NoDocker,
}

/// What `DOCKER_HOST` says where there is no Docker Engine.
pub const NO_DOCKER: &str = "unix:///nonexistent/docker.sock";

/// How a command ended and what it wrote.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ended {
    /// Standard output as JSON, after the command has ended well.
    #[track_caller]
    pub fn json(&self) -> Value {
        self.ok();
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {}", self.stdout))
    }

    /// That the command has ended well.
    #[track_caller]
    pub fn ok(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// That the command failed with this code, one `error:` line that has these words, and nothing on standard output.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &str) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        let errors: Vec<&str> = self.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "one error line: {self:#?}");
        assert!(errors[0].contains(words), "`{words}` in {self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        self
    }
}

impl Default for Place {
    fn default() -> Self {
        Place::new()
    }
}

impl Place {
    pub fn new() -> Place {
        Place::that(Sees::NoDocker)
    }

    /// One whose labs may be containers.
    pub fn with_docker() -> Place {
        Place::that(Sees::Docker)
    }

    fn that(docker: Sees) -> Place {
        let directory = tempfile::Builder::new().prefix("lb").tempdir().expect("a temporary directory");
        Place { directory, docker }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// `lbctl` with these arguments, not started yet.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lbctl"));
        command.args(arguments).env("XDG_RUNTIME_DIR", self.path()).stdin(Stdio::null());
        // whatever the developer has set must not change what is tested
        for variable in
            ["LBCTL_PROJECT", "LBCTL_LOG", "LBCTL_HTTP_PORT", "NO_COLOR", "CLICOLOR_FORCE", "HTTP_PROXY", "http_proxy"]
        {
            command.env_remove(variable);
        }
        if self.docker == Sees::NoDocker {
            command.env("DOCKER_HOST", NO_DOCKER);
        }
        command
    }

    /// Runs `lbctl` to its end.
    pub fn lbctl<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        self.command(arguments).output().expect("lbctl runs").into()
    }
}

/// A lab in the background, stopped when it is dropped.
pub struct Lab {
    pub place: Place,
    pub view: Value,
}

impl Lab {
    /// `lbctl up -d --port 0` with these arguments.
    #[track_caller]
    pub fn up(arguments: &[&str]) -> Lab {
        Lab::up_in(Place::new(), arguments)
    }

    /// The same, where it can be found by others.
    #[track_caller]
    pub fn up_in(place: Place, arguments: &[&str]) -> Lab {
        let always = ["up", "-d", "--port", "0", "--format", "json"];
        let view = place.lbctl(always.iter().chain(arguments)).json();
        Lab { place, view }
    }

    /// Runs `lbctl` where this lab is found.
    pub fn lbctl(&self, arguments: &[&str]) -> Ended {
        self.place.lbctl(arguments)
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> String {
        self.view["proxy_address"].as_str().expect("an address").to_owned()
    }

    /// `http://127.0.0.1:PORT` and a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Where the replicas of a service answered at the start.
    pub fn replica_addresses(&self, service: &str) -> Vec<String> {
        let replicas = self.view["services"][service]["replicas"].as_array().expect("replicas");
        replicas.iter().map(|replica| replica["address"].as_str().expect("an address").to_owned()).collect()
    }

    /// `lbctl ps --format json`
    #[track_caller]
    pub fn ps(&self) -> Value {
        self.lbctl(&["ps", "--format", "json"]).json()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let projects = std::fs::read_dir(self.place.path().join("lbctl")).into_iter().flatten().flatten();
        for entry in projects {
            if let Some(project) = entry.file_name().to_str().and_then(|name| name.strip_suffix(".lock")) {
                _ = self.place.lbctl(["down", "-p", project]);
            }
        }
    }
}

/// A real peer on this machine; where it is missing, the test says that it is skipped, or fails if the environment has
/// `LBCTL_REQUIRE=all`.
pub fn peer(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers out of an ordinary user's path
    let directories = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = directories.map(|directory| directory.join(program)).find(|file| file.is_file());
    if found.is_none() {
        missing(&format!("{program} is not on this machine"));
    }
    found
}

/// Says that a test is skipped, and why; fails if the environment has `LBCTL_REQUIRE=all`.
pub fn missing(what: &str) {
    assert_ne!(std::env::var("LBCTL_REQUIRE").as_deref(), Ok("all"), "{what}, and it is required");
    static SKIPPED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    skipped.insert(test.clone());
    let count = skipped.len();
    // written past the capture of passing tests, so that `cargo test` shows what it did not test
    _ = writeln!(std::io::stderr(), "skipped: {test}: {what} ({count} skipped so far)");
}

/// A blocking-free HTTP client that keeps nothing and follows nothing.
pub fn client() -> reqwest::Client {
    _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .build()
        .expect("a client")
}
