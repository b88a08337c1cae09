//! Following a lab of containers: Traefik's log and what becomes of the containers, entered in the journal.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    engine::{Container, Docker, Follow},
    lab::supervisor::Journal,
    model::{Replicas, State},
};

use super::{readiness, traefik_log::Directory, view::Traefik};

/// The pause before a log that broke off is read on.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// Enters each request that Traefik has answered from now on, as long as its containers are followed.
pub async fn keep_requests(
    docker: Docker,
    mut containers: watch::Receiver<Arc<[Container]>>,
    mut replicas: watch::Receiver<Replicas>,
    journal: Arc<Journal>,
) {
    let mut directory = Directory::default();
    let mut since = Timestamp::now();
    let mut runs = false;
    loop {
        let traefik = Traefik::among(&containers.borrow_and_update());
        let Some(Traefik { id, .. }) = traefik else {
            if runs {
                journal.note("Traefik does not run any more".to_owned());
                runs = false;
            }
            // another may come
            match containers.changed().await {
                Ok(()) => continue,
                Err(_) => return,
            }
        };
        runs = true;
        let mut lines = docker.log(&id, Some(since), Follow::On);
        while let Some(Ok(line)) = lines.next().await {
            if replicas.has_changed().unwrap_or(false) || directory.is_empty() {
                directory.enter(&replicas.borrow_and_update());
            }
            if let Some(access) = directory.read(&line)
                && access.user_agent.as_deref() != Some(readiness::AGENT)
            {
                journal.request(Arc::new(access));
            }
        }
        // the next log begins where this one ended
        since = Timestamp::now();
        tokio::select! {
            changed = containers.changed() => if changed.is_err() { return },
            // a log that broke off goes on, if the engine does
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Enters what becomes of the replicas by themselves.
pub async fn keep_changes(mut replicas: watch::Receiver<Replicas>, journal: Arc<Journal>) {
    let mut before: BTreeMap<Arc<str>, State> = BTreeMap::new();
    loop {
        let now = replicas.borrow_and_update().clone();
        for replica in now.iter() {
            let name = &replica.name;
            match (before.get(name), replica.state) {
                (Some(State::Ready | State::Starting | State::Unhealthy), State::Ended) => {
                    let how = replica.ended.as_deref().unwrap_or("unknown");
                    journal.note(format!("{name} ended by itself ({how})"));
                }
                (Some(State::Ready), State::Unhealthy) => journal.note(format!("{name} is unhealthy")),
                (Some(State::Ended | State::Unhealthy | State::Restarting), State::Ready) => {
                    journal.note(format!("{name} is back"));
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
