//! Another number of containers: Compose adds, the Docker Engine removes the highest numbers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future::join_all;
use indexmap::IndexMap;
use serde::Deserialize;

use crate::{
    engine::{Compose, Container, Containers, Docker, Naming, Recreate},
    lab::{ChangeError, PlanError, embedded::check_range},
    model::{Balancer, ExposedByDefault, LabView, ScaleView, ScaledView, Sessions, State},
    proxy::Proxy,
};

use super::{
    readiness::{self, Awaited},
    view,
};

/// How long a replica that is scaled away may take to finish the requests that it has.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// The label that says which program of a container counts the sessions that live in it, as JSON:
/// `{"sessions": 3, "logged_in": 1}`.
const SESSIONS_LABEL: &str = "lbctl.sessions";

/// A lab of containers that is to be changed.
pub struct Scaling<'a> {
    /// Where they run.
    pub docker: &'a Docker,
    /// What adds some.
    pub compose: &'a Compose,
    /// Those there are.
    pub containers: &'a Containers,
    /// What balances,
    pub balancer: Balancer,
    /// and the bundled proxy, where that is it.
    pub proxy: Option<&'a Proxy>,
    /// The services that there may be containers of.
    pub known: Vec<String>,
    /// Whether a container without `traefik.enable` is routed to.
    pub exposed_by_default: ExposedByDefault,
    /// How long it may make no progress before its laggard is named.
    pub patience: Duration,
}

impl Scaling<'_> {
    /// Starts what is to be added, then drains and ends what is to be removed. `view` shows the lab as it is then.
    ///
    /// # Errors
    /// When a service is unknown or a replica does not come to answer; then nothing is changed.
    pub async fn run(
        &self,
        targets: &BTreeMap<String, u32>,
        view: impl Fn() -> Option<LabView>,
        note: impl Fn(String),
    ) -> Result<ScaleView, ChangeError> {
        for (service, &replicas) in targets {
            if !self.known.contains(service) {
                return Err(PlanError::UnknownService { name: service.clone(), known: self.known.clone() }.into());
            }
            check_range(service, replicas)?;
        }
        let before = self.containers.containers().borrow().clone();
        let of = |service: &str| before.iter().filter(|one| one.service.as_deref() == Some(service)).count() as u32;
        let mut services: IndexMap<String, ScaledView> = IndexMap::new();
        for name in self.known.iter().filter(|name| targets.contains_key(*name)) {
            let scaled = ScaledView { from: of(name), to: targets[name], lost: Sessions::default() };
            services.insert(name.clone(), scaled);
        }
        self.add(&before, &services, view).await?;
        let removed = services.iter_mut().filter(|(_, scaled)| scaled.to < scaled.from);
        let removed = removed.map(async |(name, scaled)| {
            scaled.lost = self.remove(name, scaled.to as usize, &note).await?;
            Ok::<_, ChangeError>(())
        });
        for ended in join_all(removed).await {
            ended?;
        }
        Ok(ScaleView { services })
    }

    /// Starts what is missing, what has ended included; what does not come to answer is removed again.
    async fn add(
        &self,
        before: &[Container],
        services: &IndexMap<String, ScaledView>,
        view: impl Fn() -> Option<LabView>,
    ) -> Result<(), ChangeError> {
        let has_ended = |name: &str| {
            let mut mine = before.iter().filter(|container| container.service.as_deref() == Some(name));
            mine.any(|container| container.state == State::Ended)
        };
        let growing = services
            .iter()
            .filter(|(name, scaled)| scaled.to > scaled.from || (scaled.to == scaled.from && has_ended(name)));
        let counts: BTreeMap<String, u32> = growing.map(|(name, scaled)| (name.clone(), scaled.to)).collect();
        if counts.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = counts.keys().cloned().collect();
        let added = async {
            self.compose.up(&names, &counts, Recreate::Never, |_| {}).await?;
            // its events may lag behind Compose
            self.containers.refresh().await?;
            let Scaling { balancer, exposed_by_default, patience, .. } = *self;
            let awaited = Awaited { counts: &counts, balancer, exposed_by_default, patience };
            readiness::wait(self.docker, self.containers, &awaited, &mut |_| {}).await?;
            let replicas = self.containers.replicas().borrow().clone();
            match (self.proxy, view()) {
                (Some(proxy), _) => readiness::reach(&replicas, proxy, self.exposed_by_default).await?,
                (None, Some(view)) => {
                    readiness::ask(&view, &counts, patience, |host, path| self.route(host, path)).await?
                }
                (None, None) => {}
            }
            Ok(())
        };
        let added: Result<(), ChangeError> = added.await;
        if added.is_err() {
            let known: BTreeSet<&str> = before.iter().map(|container| container.id.as_str()).collect();
            self.containers.refresh().await?;
            let now = self.containers.containers().borrow().clone();
            let new = now.iter().filter(|container| {
                container.service.as_ref().is_some_and(|service| counts.contains_key(service))
                    && !known.contains(container.id.as_str())
            });
            let new: Vec<&Container> = new.collect();
            self.containers.drain(&names_of(&new));
            self.docker.remove(&new.iter().map(|container| container.id.clone()).collect::<Vec<_>>()).await?;
        }
        added
    }

    /// Drains and ends a service's highest numbers, and returns the sessions that lived in them.
    async fn remove(&self, service: &str, keep: usize, note: &impl Fn(String)) -> Result<Sessions, ChangeError> {
        let now = self.containers.containers().borrow().clone();
        let mut mine: Vec<&Container> =
            now.iter().filter(|container| container.service.as_deref() == Some(service)).collect();
        mine.sort_by_key(|container| container.number);
        let removed = mine.split_off(keep.min(mine.len()));
        let names = names_of(&removed);
        self.containers.drain(&names);
        if let Some(proxy) = self.proxy {
            let drained = join_all(names.iter().map(|name| proxy.drained(name)));
            if tokio::time::timeout(DRAIN_LIMIT, drained).await.is_err() {
                let limit = DRAIN_LIMIT.as_secs();
                note(format!("{service}: requests are still in flight {limit} s after their replica was removed"));
            }
        }
        let sessions = join_all(removed.iter().map(|container| self.sessions(container))).await;
        let ids: Vec<String> = removed.iter().map(|container| container.id.clone()).collect();
        self.docker.remove(&ids).await?;
        Ok(sessions.into_iter().fold(Sessions::default(), |all, more| all + more))
    }

    fn route(&self, host: &str, path: &str) -> Option<String> {
        view::route(&self.containers.replicas().borrow(), self.exposed_by_default, host, path)
    }

    /// The sessions that live in a container, as far as it says.
    async fn sessions(&self, container: &Container) -> Sessions {
        #[derive(Deserialize)]
        struct Counted {
            sessions: usize,
            logged_in: usize,
        }
        let Some(program) = container.labels.get(SESSIONS_LABEL).filter(|_| container.state != State::Ended) else {
            return Sessions::default();
        };
        let argv: Vec<&str> = program.split_whitespace().collect();
        let counted = self.docker.exec(&container.id, &argv).await.ok();
        // a container that cannot say loses what it has all the same
        let counted = counted.and_then(|done| serde_json::from_str::<Counted>(&done.stdout).ok());
        counted.map_or_else(Sessions::default, |Counted { sessions, logged_in }| Sessions { sessions, logged_in })
    }
}

/// The names of containers as replicas.
fn names_of(containers: &[&Container]) -> Vec<String> {
    containers.iter().map(|container| container.replica(Naming::Compose).name.to_string()).collect()
}
