//! Labs of containers: each under a name of its own, few at a time, and removed whatever becomes of the test.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Condvar, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    docker::{base, docker},
    eventually_within, missing, peer,
};

/// How long a lab of containers may take to start or to stop: long, because the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// The image of the lab's proxy.
pub const TRAEFIK: &str = "traefik:v3.7";
/// The label by which Compose, whichever started them, knows a project's containers and networks.
const PROJECT: &str = "com.docker.compose.project";

/// A right to run containers: two tests have one at a time, for more would wait for each other all the same.
struct Turn;

static FREE: (Mutex<usize>, Condvar) = (Mutex::new(2), Condvar::new());

impl Turn {
    fn take() -> Turn {
        let free = FREE.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = FREE.1.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *FREE.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        FREE.1.notify_one();
    }
}

/// A project's name that nothing else has. What Docker has of that name is removed when it is dropped.
pub struct Project {
    pub name: String,
    _turn: Turn,
}

impl Project {
    /// Where this machine cannot run the lab, the test says that it is skipped, or fails if the environment has
    /// `LBCTL_REQUIRE=all`.
    pub fn new() -> Option<Project> {
        static LACK: OnceLock<Option<String>> = OnceLock::new();
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        peer("docker")?;
        peer("docker-compose")?;
        if let Some(lack) = LACK.get_or_init(lack) {
            missing(lack);
            return None;
        }
        let turn = Turn::take();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Some(Project { name: format!("lbctltest{}x{number}", std::process::id()), _turn: turn })
    }

    /// Its containers, running or not.
    pub fn containers(&self) -> Vec<Running> {
        let ids = self.listed(&["ps", "--all", "--quiet"]);
        if ids.is_empty() {
            return Vec::new();
        }
        let mut inspect = vec!["inspect"];
        inspect.extend(ids.iter().map(String::as_str));
        let inspected = docker(&inspect);
        // of those that are gone meanwhile it complains, and tells of the others
        let inspected: Vec<Value> = serde_json::from_str(&inspected.stdout).expect("JSON");
        let mut containers: Vec<Running> = inspected.iter().map(Running::read).collect();
        containers.sort_by(|a, b| (&a.service, a.number).cmp(&(&b.service, b.number)));
        containers
    }

    /// How many containers of a service run.
    pub fn running(&self, service: &str) -> usize {
        self.containers().iter().filter(|one| one.service == service && one.state == "running").count()
    }

    /// That Docker has nothing of it.
    #[track_caller]
    pub fn is_gone(&self) {
        assert_eq!(self.containers(), []);
        assert_eq!(self.listed(&["network", "ls", "--quiet"]), Vec::<String>::new());
    }

    fn listed(&self, list: &[&str]) -> Vec<String> {
        let filter = format!("label={PROJECT}={}", self.name);
        let listed = docker(&[list, &["--filter", &filter]].concat());
        listed.stdout.lines().map(str::to_owned).collect()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let remove = |remove: &[&str], what: &[String]| {
            if !what.is_empty() {
                docker(&[remove, &what.iter().map(String::as_str).collect::<Vec<_>>()].concat());
            }
        };
        // a Compose that was killed may have something in the making
        for _ in 0..2 {
            remove(&["rm", "--force", "--volumes"], &self.listed(&["ps", "--all", "--quiet"]));
            remove(&["network", "rm"], &self.listed(&["network", "ls", "--quiet"]));
        }
        // what Compose calls them before 2.0, and since
        let references = ["_", "-"].map(|joint| format!("reference={}{joint}*", self.name));
        let [old, new] = references.each_ref().map(|reference| reference.as_str());
        let list = ["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", old, "--filter", new];
        let images = docker(&list);
        remove(&["rmi", "--force"], &images.stdout.lines().map(str::to_owned).collect::<Vec<_>>());
    }
}

/// A directory for `DOCKER_CONFIG` with which `docker compose` is today's; else the test says that it is skipped.
pub fn plugin() -> Option<PathBuf> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("docker");
    let version = Command::new("docker").args(["compose", "version"]).env("DOCKER_CONFIG", &directory).output();
    let found = version.is_ok_and(|version| version.status.success());
    if !found {
        missing("`docker compose` is not on this machine; tests/images/make fetches it");
    }
    found.then_some(directory)
}

/// What this machine lacks to run the lab.
fn lack() -> Option<String> {
    if docker(&["version", "--format", "{{.Server.Version}}"]).code != Some(0) {
        return Some("no Docker Engine answers".to_owned());
    }
    let images = [base("web_static"), base("web_dynamic"), TRAEFIK.to_owned()];
    let lacks = |image: &String| docker(&["image", "inspect", "--format", "{{.Id}}", image]).code != Some(0);
    let image = images.into_iter().find(lacks)?;
    Some(format!("there is no image {image}, which tests/images/make makes"))
}

/// A container as Docker shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    pub service: String,
    pub number: u32,
    pub hostname: String,
    /// In the lab's network.
    pub ip: String,
    pub state: String,
    pub exit_code: i64,
}

impl Running {
    fn read(inspected: &Value) -> Running {
        let text = |pointer: &str| inspected.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let label = |name: &str| text(&format!("/Config/Labels/com.docker.compose.{name}"));
        let networks = inspected["NetworkSettings"]["Networks"].as_object();
        let ip = networks.and_then(|networks| networks.values().next()?["IPAddress"].as_str()).unwrap_or_default();
        Running {
            service: label("service"),
            number: label("container-number").parse().unwrap_or(0),
            hostname: text("/Config/Hostname"),
            ip: ip.to_owned(),
            state: text("/State/Status"),
            exit_code: inspected["State"]["ExitCode"].as_i64().unwrap_or(-1),
        }
    }
}

/// The lab as a person starts it who has Docker alone: `docker-compose up` in a copy of `lab/`, in the foreground.
pub struct ByHand {
    compose: Child,
    console: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
    pub http: u16,
    pub api: u16,
    pub project: Project,
    _directory: TempDir,
}

impl ByHand {
    /// `docker-compose up` with these arguments, in a directory of the project's name.
    pub fn up(arguments: &[&str]) -> Option<ByHand> {
        let project = Project::new()?;
        let directory = TempDir::new().expect("a temporary directory");
        let lab = directory.path().join(&project.name);
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("lab"), &lab);
        let [http, api] = free_ports();
        let mut compose = Command::new("docker-compose")
            .arg("up")
            .args(arguments)
            .current_dir(&lab)
            .env("LBCTL_HTTP_PORT", http.to_string())
            .env("LBCTL_TRAEFIK_PORT", api.to_string())
            // other labs run on this engine at the same time
            .env("LBCTL_CONSTRAINT", format!("Label(`{PROJECT}`, `{}`)", project.name))
            .env_remove("LBCTL_BIND")
            .env_remove("LBCTL_ACCESS_LOG")
            .env_remove("COMPOSE_FILE")
            .env_remove("COMPOSE_PROJECT_NAME")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-compose runs");
        let console = Arc::new(Mutex::new(Vec::new()));
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(compose.stdout.take().expect("a pipe")), Box::new(compose.stderr.take().expect("a pipe"))];
        let readers = outputs.map(|output| {
            let console = console.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    console.lock().unwrap_or_else(PoisonError::into_inner).push(plain(&line));
                }
            })
        });
        Some(ByHand { compose, console, readers: readers.into(), http, api, project, _directory: directory })
    }

    /// To how many servers of web_static and of web_dynamic Traefik gives requests.
    pub fn servers(&self) -> (usize, usize) {
        let up = |service: &str| {
            let service = self.asked(&format!("/api/http/services/{service}@docker"))?;
            Some(service["serverStatus"].as_object()?.values().filter(|status| *status == "UP").count())
        };
        (up("web-static").unwrap_or(0), up("web-dynamic").unwrap_or(0))
    }

    /// An answer of Traefik's API.
    fn asked(&self, path: &str) -> Option<Value> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.api)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// What the console shows so far.
    pub fn console(&self) -> Vec<String> {
        self.console.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The lines so far that containers wrote: `web_static-3`, and what it wrote.
    pub fn written(&self) -> Vec<(String, String)> {
        let lines = self.console();
        let split = lines.iter().filter_map(|line| line.split_once(" | "));
        split.map(|(name, text)| (replica(name.trim()), text.to_owned())).collect()
    }

    /// Waits until something of it is so; shows the console where it does not come to be.
    #[track_caller]
    pub fn eventually<T>(&mut self, what: &str, mut look: impl FnMut(&ByHand) -> Option<T>) -> T {
        let found = eventually_within(PATIENCE, what, || match self.compose.try_wait().expect("its end") {
            Some(status) => Some(Err(status)),
            None => look(self).map(Ok),
        });
        found.unwrap_or_else(|status| panic!("docker-compose ended ({status}) before {what}: {:#?}", self.console()))
    }

    /// ^C in its terminal, which goes to the whole process group.
    pub fn interrupt(&self) {
        let group = Pid::from_raw(self.compose.id() as i32).expect("a process id");
        kill_process_group(group, Signal::INT).expect("it runs");
    }

    /// Waits for the end of docker-compose.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        let console = self.console.clone();
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.compose.try_wait().expect("its end") {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "docker-compose does not end: {:#?}", console.lock());
            thread::sleep(Duration::from_millis(20));
        };
        self.readers.drain(..).for_each(|reader| reader.join().expect("lines"));
        status
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.compose.id() as i32).filter(|_| !self.readers.is_empty()) {
            _ = kill_process_group(group, Signal::KILL);
        }
        _ = self.compose.wait();
    }
}

/// `web_static-3`, as today's Compose writes it and the one before 2.0 does not.
fn replica(name: &str) -> String {
    match name.rsplit_once(['_', '-']) {
        Some((service, number)) => format!("{service}-{number}"),
        None => name.to_owned(),
    }
}

/// Ports that nobody has at the moment.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"));
    held.map(|listener| listener.local_addr().expect("its address").port())
}

fn copy(from: &Path, to: &PathBuf) {
    fs::create_dir(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// A line without its colours.
fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}
