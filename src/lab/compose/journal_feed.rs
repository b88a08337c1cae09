//! The feed of the journal: adds Traefik's requests, and changes of the containers, to the journal.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    engine::{Container, Docker, FollowMode},
    lab::supervisor::Journal,
    model::{Replicas, State},
};

use super::{readiness::USER_AGENT, traefik::Traefik, traefik_log::LogReader};

/// The pause before a log that broke off is opened again.
const RETRY_PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// Adds each request that Traefik answers from now on to the journal, as long as the containers are watched.
pub async fn record_traefik_requests(
    docker: Docker,
    mut containers: watch::Receiver<Arc<[Container]>>,
    mut replicas: watch::Receiver<Replicas>,
    journal: Arc<Journal>,
) {
    let mut reader = LogReader::default();
    let mut since = Timestamp::now();
    let mut runs = false;
    loop {
        let traefik = Traefik::find_running(&containers.borrow_and_update());
        let Some(Traefik { id, .. }) = traefik else {
            if runs {
                journal.add_note("Traefik does not run any more".to_owned());
                runs = false;
            }
            // another Traefik may start
            match containers.changed().await {
                Ok(()) => continue,
                Err(_) => return,
            }
        };
        runs = true;
        let mut lines = docker.log(&id, Some(since), FollowMode::On);
        while let Some(Ok(line)) = lines.next().await {
            if replicas.has_changed().unwrap_or(false) || !reader.knows_replicas() {
                reader.learn(&replicas.borrow_and_update());
            }
            if let Some(access) = reader.read(&line)
                && access.user_agent.as_deref() != Some(USER_AGENT)
            {
                journal.add_request(Arc::new(access));
            }
        }
        // the next log begins where this one ended
        since = Timestamp::now();
        tokio::select! {
            changed = containers.changed() => if changed.is_err() { return },
            // a log that broke off goes on as long as the engine runs
            () = tokio::time::sleep(RETRY_PAUSE) => {}
        }
    }
}

/// Adds each failure and recovery of a replica to the journal, as long as the replicas are watched.
pub async fn record_state_changes(mut replicas: watch::Receiver<Replicas>, journal: Arc<Journal>) {
    let mut before: BTreeMap<Arc<str>, State> = BTreeMap::new();
    loop {
        let now = replicas.borrow_and_update().clone();
        for replica in now.iter() {
            let name = &replica.name;
            match (before.get(name), replica.state) {
                (Some(State::Ready | State::Starting | State::Unhealthy), State::Ended) => {
                    let how = replica.ended.as_deref().unwrap_or("unknown");
                    journal.add_note(format!("{name} ended by itself ({how})"));
                }
                (Some(State::Ready), State::Unhealthy) => journal.add_note(format!("{name} is unhealthy")),
                (Some(State::Ended | State::Unhealthy | State::Restarting), State::Ready) => {
                    journal.add_note(format!("{name} is back"));
                }
                _ => {}
            }
        }
        before = now.iter().map(|replica| (replica.name.clone(), replica.state)).collect();
        if replicas.changed().await.is_err() {
            return;
        }
    }
}
