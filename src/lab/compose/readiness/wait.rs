//! The wait for the replicas of a lab: all shall be healthy, and Traefik shall give requests to them.

use std::time::{Duration, Instant};

use crate::{
    engine::{Containers, Docker, Naming},
    model::{ProxyKind, State},
};

use super::{
    super::traefik::Traefik,
    client::ASK_INTERVAL,
    explain::{explain_delay, explain_replica},
    not_ready::NotReady,
    snapshot::{Goal, Snapshot},
    through_proxy::traefik_has_routes,
    traefik_api::{TraefikApi, TraefikServers},
};

/// The longest time without progress before the wait fails, unless the user gives another.
pub const READINESS_TIMEOUT: Duration = Duration::from_secs(60);

/// Waits until all replicas of the goal are healthy and get requests from Traefik, if that balances. `report` gets the
/// number of replicas that are ready.
///
/// # Errors
/// The first replica that ended, or that is not ready after some time without any progress.
pub async fn wait_for_replicas(
    docker: &Docker,
    containers: &Containers,
    goal: &Goal<'_>,
    report: &mut impl FnMut(u32),
) -> Result<(), NotReady> {
    let mut replicas = containers.replicas();
    let mut api: Option<TraefikApi> = None;
    let mut progress = ProgressTimer::start();
    loop {
        let now = replicas.borrow_and_update().clone();
        let snapshot = Snapshot::new(&now, goal);
        if let Some(replica) = snapshot.failed_replica() {
            let how = replica.ended.as_deref().unwrap_or("its container stopped");
            let problem = format!("ended before it answered: {how}");
            return Err(explain_replica(docker, containers, &replica.name, problem).await);
        }
        let proxy = ProxyState::observe(docker, containers, goal.proxy_kind).await?;
        let healthy = snapshot.count_healthy();
        let all_healthy = healthy >= goal.total();
        let servers = traefik_servers(&mut api, &proxy, all_healthy).await;
        let ready = snapshot.count_ready(&servers);
        // once all are healthy, those that Traefik has not listed yet are the ones to wait for
        report(if all_healthy && ready < goal.total() { ready } else { healthy } as u32);
        let all_ready = ready >= goal.total() && snapshot.replicas.len() >= goal.total();
        if all_ready && proxy.answers(&snapshot, goal, &servers).await {
            return Ok(());
        }
        if progress.has_stopped(snapshot.replicas.len() + healthy + ready, goal.patience) {
            return Err(explain_delay(docker, containers, goal.patience, &snapshot, &servers).await);
        }
        _ = tokio::time::timeout(ASK_INTERVAL, replicas.changed()).await;
    }
}

/// The proxy for which a lab that is not ready waits.
enum ProxyState {
    /// The bundled proxy starts after the replicas: the lab waits for the replicas alone.
    Bundled,
    /// The container of Traefik has not started.
    TraefikStarts,
    TraefikRuns(Traefik),
}

impl ProxyState {
    /// Looks at the containers.
    ///
    /// # Errors
    /// When the container of Traefik has ended.
    async fn observe(docker: &Docker, containers: &Containers, proxy_kind: ProxyKind) -> Result<ProxyState, NotReady> {
        match proxy_kind {
            ProxyKind::Bundled => return Ok(ProxyState::Bundled),
            ProxyKind::Traefik => {}
        }
        let now = containers.containers().borrow().clone();
        match now.iter().find(|container| container.is_traefik()) {
            Some(container) if container.state == State::Ended => {
                let how = container.exit.as_deref().unwrap_or("its container stopped");
                let name = container.replica(Naming::Compose).name;
                Err(explain_replica(docker, containers, &name, format!("ended before it answered: {how}")).await)
            }
            _ => Ok(Traefik::find_running(&now).map_or(ProxyState::TraefikStarts, ProxyState::TraefikRuns)),
        }
    }

    /// Checks whether the proxy answers for the lab. The bundled proxy starts later, and so passes.
    async fn answers(&self, snapshot: &Snapshot<'_>, goal: &Goal<'_>, servers: &TraefikServers) -> bool {
        match (self, servers) {
            (ProxyState::Bundled, _) => true,
            (ProxyState::TraefikStarts, _) => false,
            (ProxyState::TraefikRuns(_), TraefikServers::Listed(_)) => true,
            (ProxyState::TraefikRuns(traefik), _) => {
                traefik_has_routes(snapshot.all, traefik, goal.exposed_by_default).await
            }
        }
    }
}

/// Asks Traefik for its servers. The question waits until all replicas are healthy, as an earlier list could not have
/// all of them.
async fn traefik_servers(api: &mut Option<TraefikApi>, proxy: &ProxyState, all_healthy: bool) -> TraefikServers {
    if let ProxyState::TraefikRuns(Traefik { api: Some(address), .. }) = proxy
        && api.as_ref().is_none_or(|api| api.address != *address)
    {
        *api = Some(TraefikApi::new(*address));
    }
    match api {
        None => TraefikServers::Unavailable,
        Some(_) if !all_healthy => TraefikServers::Pending,
        Some(api) => api.servers().await,
    }
}

/// The time since the last progress.
struct ProgressTimer {
    best: usize,
    since: Instant,
}

impl ProgressTimer {
    fn start() -> ProgressTimer {
        ProgressTimer { best: 0, since: Instant::now() }
    }

    /// Checks whether `count` has not grown for longer than `patience`.
    fn has_stopped(&mut self, count: usize, patience: Duration) -> bool {
        if count > self.best {
            *self = ProgressTimer { best: count, since: Instant::now() };
            return false;
        }
        self.since.elapsed() > patience
    }
}
