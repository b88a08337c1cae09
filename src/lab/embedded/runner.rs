//! The embedded lab: replicas as child processes, behind the bundled proxy in this process.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use indexmap::IndexMap;
use tokio::sync::{SetOnce, watch};

use crate::{
    engine::EmbeddedEngine,
    lab::{
        BoundListeners, ChangeError, Progress, address,
        supervisor::{Journal, keep_requests},
    },
    model::{
        Balancer, Engine, LAB_SCHEMA, LabView, ReplicaView, Replicas, ScaleView, ScaledView, ServiceStrategy,
        ServiceView, Sessions, State,
    },
    proxy::{Proxy, Settings},
    routing::{Subject, bare_host},
};

use super::{
    plan::{EmbeddedPlan, check_range},
    route_check,
};

/// How long a replica that is scaled away may take to finish its requests, and how long to end after that: hundreds that
/// end at once share the machine, and the last words of each count the sessions that are lost with it.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
const FAREWELL: Duration = Duration::from_secs(5);
/// How long requests under way may take when the lab is stopped, and how long a replica may take to end after that.
/// Together they stay below the two seconds that `down` may take.
const LAST_REQUESTS: Duration = Duration::from_millis(800);
const LAST_WORDS: Duration = Duration::from_millis(800);

/// Runs a lab of processes.
#[derive(Debug)]
pub struct EmbeddedLab {
    plan: EmbeddedPlan,
    /// The services that requests can reach.
    routed: BTreeSet<Arc<str>>,
    address: std::net::SocketAddr,
    /// Until the proxy takes them.
    listeners: Mutex<Vec<TcpListener>>,
    engine: EmbeddedEngine,
    /// There is none before every replica has started.
    proxy: SetOnce<Proxy>,
}

impl EmbeddedLab {
    /// A lab of which nothing runs yet.
    ///
    /// # Errors
    /// When the labels of its services do not fit together.
    pub fn new(plan: EmbeddedPlan, bound: BoundListeners) -> Result<EmbeddedLab, ChangeError> {
        let routed = route_check::routed(&plan)?;
        let engine = EmbeddedEngine::new(plan.services.values().map(|service| service.spec.clone()).collect());
        let BoundListeners { listeners, address, .. } = bound;
        Ok(EmbeddedLab { plan, routed, address, listeners: Mutex::new(listeners), engine, proxy: SetOnce::new() })
    }

    /// Starts the replicas, then the proxy.
    pub async fn begin(&self, journal: &Arc<Journal>, tell: &mut impl FnMut(Progress)) -> Result<(), ChangeError> {
        let mut replicas = self.engine.replicas();
        let services = &self.plan.services;
        let of = services.values().map(|service| service.replicas).sum();
        let mut tell = |replicas: &Replicas| {
            let ready = replicas.iter().filter(|replica| replica.state == State::Ready).count() as u32;
            tell(Progress::Ready { ready, of });
        };
        let starts: Vec<_> = services.iter().map(|(name, service)| (name.as_str(), 1..=service.replicas)).collect();
        {
            let started = self.engine.start(&starts);
            tokio::pin!(started);
            loop {
                tokio::select! {
                    result = &mut started => break result?,
                    _ = replicas.changed() => tell(&replicas.borrow_and_update()),
                }
            }
        }
        tell(&replicas.borrow());
        // The proxy accepts only now, so that the first request finds the whole lab.
        let settings = Settings { exposed_by_default: self.plan.exposed_by_default, workers: 1 };
        let listeners = std::mem::take(&mut *self.listeners.lock().unwrap_or_else(PoisonError::into_inner));
        let proxy = Proxy::start(listeners, replicas.clone(), &settings)?;
        tokio::spawn(keep_requests(proxy.events(), journal.clone()));
        tokio::spawn(keep_restarts(replicas, journal.clone()));
        // a lab is started once
        _ = self.proxy.set(proxy);
        for service in services.keys() {
            self.wait_until_offered(service, 1).await;
        }
        Ok(())
    }

    /// The lab as it is now.
    pub fn view(&self) -> LabView {
        let replicas = self.engine.replicas();
        let replicas = replicas.borrow();
        let services = self.plan.services.iter().map(|(name, service)| {
            let mine = replicas.iter().filter(|replica| *replica.service == **name);
            let view = ServiceView {
                app: Some(service.spec.app),
                strategy: ServiceStrategy::Known(service.routing.strategy),
                sticky_cookie: service.routing.sticky_cookie.clone(),
                replicas: mine.map(ReplicaView::from).collect(),
            };
            (name.clone(), view)
        });
        let hosts = self.plan.hosts();
        LabView {
            schema: LAB_SCHEMA.to_owned(),
            project: self.plan.project.clone(),
            engine: Engine::Embedded,
            proxy: Balancer::Bundled,
            url: address::url(&hosts, self.address),
            proxy_address: self.address,
            dashboard_url: None,
            hosts,
            services: services.collect(),
        }
    }

    /// The service that a request would be given to.
    pub async fn route(&self, host: &str, path: &str) -> Option<String> {
        self.proxy.wait().await.route(Subject { host: bare_host(host), path })
    }

    /// Starts what is to be added, then drains and ends what is to be removed.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>, journal: &Journal) -> Result<ScaleView, ChangeError> {
        for (service, &replicas) in targets {
            self.plan.known(service)?;
            check_range(service, replicas)?;
        }
        let mut services = IndexMap::new();
        for name in self.plan.services.keys() {
            if let (Some(&to), Some(from)) = (targets.get(name), self.engine.count(name)) {
                services.insert(name.clone(), ScaledView { from, to, lost: Sessions::default() });
            }
        }
        let starts: Vec<_> =
            services.iter().map(|(name, scaled)| (name.as_str(), scaled.from + 1..=scaled.to)).collect();
        self.engine.start(&starts).await?;
        for (name, scaled) in &services {
            self.wait_until_offered(name, scaled.from + 1).await;
        }
        let removed = services.iter_mut().filter(|(_, scaled)| scaled.to < scaled.from);
        join_all(removed.map(async |(name, scaled)| {
            scaled.lost = self.remove(&self.engine.names_from(name, scaled.to + 1), journal).await;
        }))
        .await;
        Ok(ScaleView { services })
    }

    /// Finishes what is under way, within limits, and ends everything.
    pub async fn end(&self) {
        if let Some(proxy) = self.proxy.get() {
            proxy.stop(LAST_REQUESTS).await;
        }
        self.engine.stop(&self.engine.names(), LAST_WORDS).await;
    }

    /// Drains replicas, ends them, and returns the sessions that lived in them.
    async fn remove(&self, names: &[String], journal: &Journal) -> Sessions {
        self.engine.drain(names);
        let proxy = self.proxy.wait().await;
        let drained = join_all(names.iter().map(|name| proxy.drained(name)));
        if tokio::time::timeout(DRAIN_LIMIT, drained).await.is_err() {
            let limit = DRAIN_LIMIT.as_secs();
            journal.note(format!("requests in flight were cut off {limit} s after their replica was removed"));
        }
        self.engine.stop(names, FAREWELL).await
    }

    /// Waits until replicas `from` and above of a service get requests, if it can be reached at all.
    async fn wait_until_offered(&self, service: &str, from: u32) {
        if self.routed.contains(service) {
            self.proxy.wait().await.offers(&self.engine.names_from(service, from)).await;
        }
    }
}

/// Enters each end and each new start of a replica.
async fn keep_restarts(mut replicas: watch::Receiver<Replicas>, journal: Arc<Journal>) {
    let mut before: BTreeMap<Arc<str>, (State, u32)> = BTreeMap::new();
    loop {
        let now = replicas.borrow_and_update().clone();
        for replica in now.iter() {
            let (name, restarts) = (&replica.name, replica.restarts);
            let (was, known) = before.get(name).copied().unwrap_or((replica.state, restarts));
            if restarts > known {
                let how = replica.ended.as_deref().unwrap_or("unknown");
                journal.note(format!("{name} ended by itself ({how}) and is started again"));
            } else if was == State::Restarting && replica.state == State::Ready {
                journal.note(format!("{name} is back (restarts: {restarts})"));
            }
        }
        before = now.iter().map(|replica| (replica.name.clone(), (replica.state, replica.restarts))).collect();
        if replicas.changed().await.is_err() {
            return;
        }
    }
}
