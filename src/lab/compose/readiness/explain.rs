//! The explanation of a wait that fails: the replica that is not ready, and the end of its log.

use std::time::Duration;

use crate::{
    engine::{Container, Containers, Docker, Naming},
    model::State,
};

use super::{not_ready::NotReady, snapshot::Snapshot, traefik_api::TraefikServers};

/// The number of lines of a log that an error shows.
const LOG_LINES: usize = 20;

/// Makes an error with the end of the replica's log.
pub async fn explain_replica(docker: &Docker, containers: &Containers, name: &str, problem: String) -> NotReady {
    let is_it = |container: &&Container| *container.replica(Naming::Compose).name == *name;
    let id = containers.containers().borrow().iter().find(is_it).map(|container| container.id.clone());
    let log = match id {
        // an error without a log is better than the error of the log
        Some(id) => docker.tail(&id, LOG_LINES).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let hint = if log.is_empty() { "its log is empty" } else { "the end of its log stands above" };
    NotReady { name: name.to_owned(), problem, log, hint: Some(hint) }
}

/// Makes an error for a lab that has made no progress for longer than `patience`.
pub async fn explain_delay(
    docker: &Docker,
    containers: &Containers,
    patience: Duration,
    snapshot: &Snapshot<'_>,
    servers: &TraefikServers,
) -> NotReady {
    match snapshot.first_not_ready(servers) {
        Some(replica) if replica.state == State::Ready => {
            let problem = "is healthy, but Traefik does not route to it".to_owned();
            explain_replica(docker, containers, &replica.name, problem).await
        }
        Some(replica) => {
            let problem = format!("is still {} after {} s", replica.state, patience.as_secs_f64());
            let error = explain_replica(docker, containers, &replica.name, problem).await;
            let hint = if error.log.is_empty() {
                "its log is empty; `lbctl up --wait SECONDS` waits longer"
            } else {
                "the end of its log stands above; `lbctl up --wait SECONDS` waits longer"
            };
            NotReady { hint: Some(hint), ..error }
        }
        None => match snapshot.incomplete_service() {
            Some(service) => NotReady::new(service, "has fewer containers than asked for"),
            None => NotReady::new("Traefik", "does not answer for every service"),
        },
    }
}
