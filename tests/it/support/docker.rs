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

/// The image that the lab's Dockerfile of this service makes. Where there is no engine, or not the image that it is
/// made from, the test says that it is skipped, or fails if the environment has `LBCTL_REQUIRE=all`.
pub fn image(service: &str) -> Option<String> {
    static ENGINE: OnceLock<bool> = OnceLock::new();
    peer("docker")?;
    let answers = ENGINE.get_or_init(|| docker(&["version", "--format", "{{.Server.Version}}"]).code == Some(0));
    if !answers {
        missing("no Docker Engine answers");
        return None;
    }
    let base = base(service);
    if docker(&["image", "inspect", "--format", "{{.Id}}", &base]).code != Some(0) {
        missing(&format!("there is no image {base}, which tests/images/make makes"));
        return None;
    }
    let tag = format!("lbctl-test/{service}");
    docker(&["build", "--quiet", "--tag", &tag, directory(service).to_str().expect("text")]).ok();
    Some(tag)
}

fn directory(service: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lab").join(service)
}

/// The image that a service's Dockerfile begins with.
pub fn base(service: &str) -> String {
    let text = fs::read_to_string(directory(service).join("Dockerfile")).expect("a Dockerfile");
    text.lines().find_map(|line| line.strip_prefix("FROM ")).expect("FROM").to_owned()
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
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("lbctl-test-{}-{number}", std::process::id());
        let mut container = Container { name, address: String::new(), hostname: String::new() };
        let published = format!("127.0.0.1::{port}");
        docker(&["run", "--detach", "--name", &container.name, "--publish", &published, image]).ok();
        container.address = container.asked(&["port", &container.name, &port.to_string()]);
        container.hostname = container.asked(&["inspect", "--format", "{{.Config.Hostname}}", &container.name]);
        container
    }

    fn asked(&self, arguments: &[&str]) -> String {
        docker(arguments).ok().stdout.trim().to_owned()
    }

    /// What the engine says of its health: `starting`, `healthy` or `unhealthy`.
    pub fn health(&self) -> String {
        self.asked(&["inspect", "--format", "{{.State.Health.Status}}", &self.name])
    }

    /// The user that its first process runs as.
    pub fn user(&self) -> String {
        self.asked(&["exec", &self.name, "id", "-un"])
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
        self.asked(&["inspect", "--format", "{{.State.ExitCode}}", &self.name])
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        docker(&["rm", "--force", "--volumes", &self.name]);
    }
}
