//! Surroundings in which no lab of containers can be started: one line that says so, a hint, and nothing left behind.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{PermissionsExt, chown},
        net::UnixListener,
    },
    path::Path,
    process::{Command, Stdio},
};

use rustix::process::geteuid;

use crate::support::{Ended, NO_DOCKER, Place, missing, peer};

use super::{Start, hints};

const UP: [&str; 3] = ["up", "--engine", "compose"];

#[test]
fn without_docker_the_place_is_named_where_it_should_be() {
    let place = Place::new();
    for detached in [&[][..], &["-d"]] {
        let ended = place.lbctl(UP.iter().chain(detached));
        ended.fails(3, &format!("no Docker Engine at {NO_DOCKER}"));
        hints(&ended, "start Docker, or leave --engine compose out");
        assert_eq!(ended.stdout, "");
        place.is_left_clean();
    }
}

/// Who has nothing to say on a machine.
const NOBODY: u32 = 65534;

#[test]
fn a_socket_that_is_somebody_elses_is_named() {
    let place = Place::new();
    let socket = place.path().join("docker.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    // to its owner, too, if that is an ordinary user
    fs::set_permissions(&socket, Permissions::from_mode(0o000)).unwrap();
    let mut lbctl = if geteuid().is_root() {
        // root may do everything
        match as_nobody(&place) {
            Some(lbctl) => lbctl,
            None => return,
        }
    } else {
        place.command(UP)
    };
    let endpoint = format!("unix://{}", socket.display());
    let ended: Ended = lbctl.env("DOCKER_HOST", &endpoint).output().unwrap().into();
    ended.fails(3, &format!("not allowed to use the Docker Engine at {endpoint}: "));
    hints(&ended, "add this user to the group `docker`");
    fs::remove_file(socket).unwrap();
    place.is_left_clean();
}

/// `lbctl up` as an ordinary user, who may write in this place and read a program there.
fn as_nobody(place: &Place) -> Option<Command> {
    let setpriv = peer("setpriv")?;
    let program = place.path().join("program");
    let built = Path::new(env!("CARGO_BIN_EXE_lbctl"));
    fs::hard_link(built, &program).or_else(|_| fs::copy(built, &program).map(drop)).unwrap();
    chown(place.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let user = NOBODY.to_string();
    let mut command = Command::new(setpriv);
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]).arg(&program);
    command.env("XDG_RUNTIME_DIR", place.path()).current_dir("/").stdin(Stdio::null());
    let mut trial = Command::new(command.get_program());
    let can_run = trial.args(command.get_args()).arg("--version").output().is_ok_and(|ended| ended.status.success());
    if !can_run {
        missing("no program can be run as another user");
        return None;
    }
    command.args(UP);
    Some(command)
}

#[test]
fn without_compose_both_of_its_names_are_said() {
    let Some(start) = Start::new() else { return };
    let mut lbctl = start.place.command(start.arguments(&[]));
    let ended: Ended = lbctl.env("PATH", start.place.path()).output().unwrap().into();
    ended.fails(3, "neither `docker compose` nor `docker-compose` is on this machine");
    hints(&ended, "install Docker Compose");
    start.leaves_nothing();
}

#[test]
fn a_compose_file_with_an_error_is_named() {
    let Some(start) = Start::new() else { return };
    let missing = start.place.path().join("missing.yml");
    let missing = missing.to_str().unwrap();
    let broken = start.write("broken.yml", "services:\n  web: [\n");
    let unknown = start.write("unknown.yml", "services:\n  web:\n    image: x\n    lables: {}\n");
    for (file, words) in [(missing, "missing.yml: "), (&broken, "broken.yml\", line 3"), (&unknown, "lables")] {
        start.up(&["-f", file]).fails(3, words);
        start.leaves_nothing();
    }
}

#[test]
fn a_compose_file_without_traefik_needs_the_bundled_proxy() {
    let Some(start) = Start::new() else { return };
    let file = start.write("alone.yml", "services:\n  web:\n    image: x\n");
    let ended = start.up(&["-f", &file]);
    ended.fails(2, "the lab has no service with Traefik's image");
    hints(&ended, "`--proxy bundled` puts lbctl's own in its place");
    start.leaves_nothing();
}

#[test]
fn a_service_or_a_number_that_cannot_be_is_named() {
    let Some(start) = Start::new() else { return };
    let ended = start.up(&["--scale", "web=3"]);
    ended.fails(2, "no service `web` in this lab");
    hints(&ended, "web_static");
    start.up(&["--web-static", "1001"]).fails(2, "web_static=1001: a service has 0 to 1000 replicas");
    start.leaves_nothing();
}
