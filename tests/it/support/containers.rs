//! Labs of containers in tests: few at a time, because each has a dozen processes and the machine few processors.

use std::{
    path::PathBuf,
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    docker::{base, docker},
    missing, peer,
};

static TURN: Mutex<()> = Mutex::new(());

/// A turn with the Docker Engine, which others wait for; where there is no engine, no Compose, or not the images that the
/// lab is made from, the test says that it is skipped, or fails if the environment has `LBCTL_REQUIRE=all`.
pub fn engine() -> Option<MutexGuard<'static, ()>> {
    peer("docker")?;
    peer("docker-compose")?;
    if docker(&["version", "--format", "{{.Server.Version}}"]).code != Some(0) {
        missing("no Docker Engine answers");
        return None;
    }
    for image in [base("web_static"), base("web_dynamic"), "traefik:v3.7".to_owned()] {
        if docker(&["image", "inspect", "--format", "{{.Id}}", &image]).code != Some(0) {
            missing(&format!("there is no image {image}, which tests/images/make makes"));
            return None;
        }
    }
    // a test that failed has removed what it started
    Some(TURN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A directory for `DOCKER_CONFIG` with which `docker compose` is today's.
pub fn plugin() -> Option<PathBuf> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("docker");
    let version = Command::new("docker").args(["compose", "version"]).env("DOCKER_CONFIG", &directory).output();
    let found = version.is_ok_and(|version| version.status.success());
    if !found {
        missing("`docker compose` is not on this machine; tests/images/make fetches it");
    }
    found.then_some(directory)
}
