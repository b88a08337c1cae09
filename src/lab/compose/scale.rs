//! Scaling: Compose adds containers, and the Docker Engine removes those with the highest numbers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future::join_all;
use indexmap::IndexMap;
use serde::Deserialize;

use crate::{
    engine::{Compose, Container, Containers, Docker, Naming, RecreatePolicy},
    lab::{change_error::ChangeError, overrides::check_targets},
    model::{ExposedByDefault, LabView, ProxyKind, ScaleView, ServiceScaleView, Sessions, State},
    proxy::Proxy,
};

use super::{
    readiness::{Goal, ask_every_replica, wait_for_bundled_proxy, wait_for_replicas},
    routes,
};

/// The longest time in which a replica that is removed finishes its requests.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// The label that names the program of a container that counts the sessions in it. The program prints JSON:
/// `{"sessions": 3, "logged_in": 1}`.
const SESSIONS_LABEL: &str = "lbctl.sessions";

/// A lab of containers whose numbers of replicas change.
pub struct Scaling<'a> {
    pub docker: &'a Docker,
    pub compose: &'a Compose,
    pub containers: &'a Containers,
    pub proxy_kind: ProxyKind,
    /// The bundled proxy, if that balances.
    pub proxy: Option<&'a Proxy>,
    /// The names of the lab's services, without Traefik's own.
    pub services: Vec<String>,
    pub exposed_by_default: ExposedByDefault,
    /// The longest time without progress before the change fails.
    pub patience: Duration,
}

impl Scaling<'_> {
    /// Starts the containers to add, then drains and removes those to remove. `view` shows the lab between the two
    /// steps, and `note` gets sentences for the journal.
    ///
    /// # Errors
    /// When a service is unknown or a container does not become ready: then the lab stays as it was. Also when the
    /// engine does not remove a container.
    pub async fn scale(
        &self,
        targets: &BTreeMap<String, u32>,
        view: impl Fn() -> Option<LabView>,
        note: impl Fn(String),
    ) -> Result<ScaleView, ChangeError> {
        check_targets(targets, self.services.iter())?;
        let before = self.containers.containers().borrow().clone();
        let count = |service: &str| containers_of(&before, service).count() as u32;
        let mut services: IndexMap<String, ServiceScaleView> = IndexMap::new();
        for name in self.services.iter().filter(|name| targets.contains_key(*name)) {
            let scaled = ServiceScaleView { from: count(name), to: targets[name], lost: Sessions::default() };
            services.insert(name.clone(), scaled);
        }
        self.add(&before, &services, view).await?;
        let shrinking = services.iter_mut().filter(|(_, scaled)| scaled.to < scaled.from);
        let removals = shrinking.map(async |(name, scaled)| {
            scaled.lost = self.remove(name, scaled.to as usize, &note).await?;
            Ok::<_, ChangeError>(())
        });
        for removal in join_all(removals).await {
            removal?;
        }
        Ok(ScaleView { services })
    }

    /// Starts the containers that are missing, and those that have ended. Containers that do not become ready are
    /// removed.
    async fn add(
        &self,
        before: &[Container],
        services: &IndexMap<String, ServiceScaleView>,
        view: impl Fn() -> Option<LabView>,
    ) -> Result<(), ChangeError> {
        let has_ended = |name: &str| containers_of(before, name).any(|container| container.state == State::Ended);
        let growing = services
            .iter()
            .filter(|(name, scaled)| scaled.to > scaled.from || (scaled.to == scaled.from && has_ended(name)));
        let counts: BTreeMap<String, u32> = growing.map(|(name, scaled)| (name.clone(), scaled.to)).collect();
        if counts.is_empty() {
            return Ok(());
        }
        let added = self.start_containers(&counts, view).await;
        if added.is_err() {
            self.remove_new_containers(before, &counts).await?;
        }
        added
    }

    /// Starts containers until each service has its number in `counts`, and waits until they are ready.
    async fn start_containers(
        &self,
        counts: &BTreeMap<String, u32>,
        view: impl Fn() -> Option<LabView>,
    ) -> Result<(), ChangeError> {
        let Scaling { proxy_kind, exposed_by_default, patience, .. } = *self;
        let names: Vec<String> = counts.keys().cloned().collect();
        self.compose.up(&names, counts, RecreatePolicy::Never, |_| {}).await?;
        // the engine's events may come later than the end of Compose
        self.containers.refresh().await?;
        let goal = Goal { counts, proxy_kind, exposed_by_default, patience };
        wait_for_replicas(self.docker, self.containers, &goal, &mut |_| {}).await?;
        let replicas = self.containers.replicas().borrow().clone();
        match (self.proxy, view()) {
            (Some(proxy), _) => wait_for_bundled_proxy(&replicas, proxy, exposed_by_default).await?,
            (None, Some(view)) => {
                ask_every_replica(&view, counts, patience, |host, path| self.route(host, path)).await?;
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// Removes the containers of the services in `counts` that did not exist before.
    async fn remove_new_containers(
        &self,
        before: &[Container],
        counts: &BTreeMap<String, u32>,
    ) -> Result<(), ChangeError> {
        let old: BTreeSet<&str> = before.iter().map(|container| container.id.as_str()).collect();
        self.containers.refresh().await?;
        let now = self.containers.containers().borrow().clone();
        let new = now.iter().filter(|container| {
            container.service.as_ref().is_some_and(|service| counts.contains_key(service))
                && !old.contains(container.id.as_str())
        });
        let new: Vec<&Container> = new.collect();
        self.containers.drain(&replica_names(&new));
        self.docker.remove(&new.iter().map(|container| container.id.clone()).collect::<Vec<_>>()).await?;
        Ok(())
    }

    /// Drains and removes all containers of a service but the first `remaining` ones, and counts the sessions in them.
    async fn remove(&self, service: &str, remaining: usize, note: &impl Fn(String)) -> Result<Sessions, ChangeError> {
        let now = self.containers.containers().borrow().clone();
        let mut containers: Vec<&Container> = containers_of(&now, service).collect();
        containers.sort_by_key(|container| container.number);
        let surplus = containers.split_off(remaining.min(containers.len()));
        let names = replica_names(&surplus);
        self.containers.drain(&names);
        if let Some(proxy) = self.proxy {
            let drained = join_all(names.iter().map(|name| proxy.drained(name)));
            if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
                let limit = DRAIN_TIMEOUT.as_secs();
                note(format!("{service}: requests are still in flight {limit} s after their replica was removed"));
            }
        }
        let sessions = join_all(surplus.iter().map(|container| self.count_sessions(container))).await;
        let ids: Vec<String> = surplus.iter().map(|container| container.id.clone()).collect();
        self.docker.remove(&ids).await?;
        Ok(sessions.into_iter().fold(Sessions::default(), |all, more| all + more))
    }

    fn route(&self, host: &str, path: &str) -> Option<String> {
        routes::service_for(&self.containers.replicas().borrow(), self.exposed_by_default, host, path)
    }

    /// Counts the sessions that live in a container, by its own program.
    async fn count_sessions(&self, container: &Container) -> Sessions {
        #[derive(Deserialize)]
        struct SessionCounts {
            sessions: usize,
            logged_in: usize,
        }
        let Some(program) = container.labels.get(SESSIONS_LABEL).filter(|_| container.state != State::Ended) else {
            return Sessions::default();
        };
        let argv: Vec<&str> = program.split_whitespace().collect();
        let output = self.docker.exec(&container.id, &argv).await.ok();
        // a container that cannot count its sessions is removed all the same
        let counts = output.and_then(|output| serde_json::from_str(&output.stdout).ok());
        counts.map_or_else(Sessions::default, |SessionCounts { sessions, logged_in }| Sessions { sessions, logged_in })
    }
}

/// The containers of one service.
fn containers_of<'a>(containers: &'a [Container], service: &'a str) -> impl Iterator<Item = &'a Container> {
    containers.iter().filter(move |container| container.service.as_deref() == Some(service))
}

/// The names that containers have as replicas.
fn replica_names(containers: &[&Container]) -> Vec<String> {
    containers.iter().map(|container| container.replica(Naming::Compose).name.to_string()).collect()
}
