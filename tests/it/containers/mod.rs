//! Labs of real containers: Traefik, Apache with PHP, and Node.
//!
//! | file | what it is about |
//! | --- | --- |
//! | `procedure.rs` | the eight steps of the lab's procedure, with Docker alone |
//! | `by_hand.rs` | `lbctl` and a lab that it has not started |
//! | `labs.rs` | what `lbctl up --engine compose` starts |
//! | `surroundings.rs` | no Docker, no Compose, a compose file with an error |
//! | `starts.rs` | what goes wrong when containers are built and started |
//! | `engine.rs` | an engine that goes away |
//! | `interrupts.rs` | ^C at several moments of the start |

mod by_hand;
mod engine;
mod interrupts;
mod labs;
mod procedure;
mod starts;
mod surroundings;

use std::fs;

use crate::support::{
    Ended, Place,
    compose::{Project, TRAEFIK},
};

/// `lbctl up --engine compose` that must fail or be cut off, under a project of its own.
struct Start {
    place: Place,
    project: Project,
}

impl Start {
    fn new() -> Option<Start> {
        Some(Start { project: Project::new()?, place: Place::with_docker() })
    }

    /// The arguments that every start has, and these.
    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&["up", "--engine", "compose", "-p", &self.project.name], more].concat()
    }

    /// Runs it to its end.
    fn up(&self, more: &[&str]) -> Ended {
        self.place.lbctl(self.arguments(more))
    }

    /// Writes a compose file: Traefik and these services. Returns its path.
    fn file(&self, services: &str) -> String {
        self.write("docker-compose.yml", &format!("{}{services}", proxy()))
    }

    /// Writes a file beside it.
    fn write(&self, name: &str, text: &str) -> String {
        let path = self.place.path().join(name);
        fs::write(&path, text).expect("a file");
        path.to_str().expect("text").to_owned()
    }

    /// That neither Docker, nor the place where labs are found, nor the process table has anything of it.
    #[track_caller]
    fn leaves_nothing(&self) {
        self.place.is_left_clean();
        self.project.is_gone();
    }
}

/// A compose file's beginning: Traefik alone, as the lab has it.
fn proxy() -> String {
    format!(
        "services:
  reverse-proxy:
    image: {TRAEFIK}
    command:
      - --providers.docker=true
      - --providers.docker.exposedbydefault=false
      - --providers.docker.constraints=${{LBCTL_CONSTRAINT}}
      - --entrypoints.web.address=:80
      - --api.insecure=true
    ports: [\"127.0.0.1:${{LBCTL_HTTP_PORT:-80}}:80\"]
    volumes: [\"/var/run/docker.sock:/var/run/docker.sock:ro\"]
"
    )
}

/// A failure with a hint.
#[track_caller]
fn hints(ended: &Ended, words: &str) {
    let hints: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("hint: ")).collect();
    assert_eq!(hints.len(), 1, "one hint: {ended:#?}");
    assert!(hints[0].contains(words), "`{words}` in {ended:#?}");
}
