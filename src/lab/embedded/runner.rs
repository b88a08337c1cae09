//! The runner of an embedded lab: starts, scales and stops its replicas and the bundled proxy.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use indexmap::IndexMap;
use tokio::sync::{SetOnce, watch};

use crate::{
    engine::EmbeddedEngine,
    lab::{
        address,
        change_error::ChangeError,
        listen::BoundListeners,
        overrides::check_targets,
        start_event::StartEvent,
        supervisor::{Journal, record_proxy_requests},
    },
    model::{
        Engine, LAB_SCHEMA, LabView, ProxyKind, ReplicaView, Replicas, ScaleView, ServiceScaleView, ServiceStrategy,
        ServiceView, Sessions, State,
    },
    proxy::{Proxy, Settings},
    routing::{Subject, bare_host},
};

use super::{plan::EmbeddedPlan, route_check::reachable_services};

/// The longest time in which a replica that is removed finishes its requests.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time in which a replica that is removed ends after that. Hundreds that end at once share the machine,
/// and at its end each reports the sessions that are lost with it.
const REMOVE_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest time in which requests in flight finish when the lab is stopped. With [`EXIT_TIMEOUT`], it stays below
/// the two seconds that `down` may take.
const REQUESTS_TIMEOUT: Duration = Duration::from_millis(800);
/// The longest time in which a replica ends after that.
const EXIT_TIMEOUT: Duration = Duration::from_millis(800);

/// A lab of processes.
#[derive(Debug)]
pub struct EmbeddedLab {
    plan: EmbeddedPlan,
    reachable_services: BTreeSet<Arc<str>>,
    address: SocketAddr,
    /// The listeners of the proxy, until the proxy takes them at its start.
    listeners: Mutex<Vec<TcpListener>>,
    engine: EmbeddedEngine,
    /// The proxy, which starts after the replicas.
    proxy: SetOnce<Proxy>,
}

impl EmbeddedLab {
    /// Makes a lab that has not started.
    ///
    /// # Errors
    /// When the labels of its services do not fit together.
    pub fn new(plan: EmbeddedPlan, bound: BoundListeners) -> Result<EmbeddedLab, ChangeError> {
        let reachable_services = reachable_services(&plan)?;
        let engine = EmbeddedEngine::new(plan.services.values().map(|service| service.spec.clone()).collect());
        let BoundListeners { listeners, address, .. } = bound;
        let (listeners, proxy) = (Mutex::new(listeners), SetOnce::new());
        Ok(EmbeddedLab { plan, reachable_services, address, listeners, engine, proxy })
    }

    /// Starts the replicas, then the proxy, and waits until it gives requests to every replica.
    ///
    /// # Errors
    /// When a replica or the proxy does not start.
    pub async fn start(&self, journal: &Arc<Journal>, report: &mut impl FnMut(StartEvent)) -> Result<(), ChangeError> {
        self.start_replicas(report).await?;
        // The proxy accepts only now, so that the first request finds the whole lab.
        let settings = Settings { exposed_by_default: self.plan.exposed_by_default, workers: 1 };
        let listeners = std::mem::take(&mut *self.listeners.lock().unwrap_or_else(PoisonError::into_inner));
        let proxy = Proxy::start(listeners, self.engine.replicas(), &settings)?;
        tokio::spawn(record_proxy_requests(proxy.events(), journal.clone()));
        tokio::spawn(record_restarts(self.engine.replicas(), journal.clone()));
        // a lab is started once
        _ = self.proxy.set(proxy);
        for service in self.plan.services.keys() {
            self.wait_until_routed(service, 1).await;
        }
        Ok(())
    }

    async fn start_replicas(&self, report: &mut impl FnMut(StartEvent)) -> Result<(), ChangeError> {
        let mut replicas = self.engine.replicas();
        let services = &self.plan.services;
        let of = services.values().map(|service| service.replicas).sum();
        let mut report = |replicas: &Replicas| {
            let ready = replicas.iter().filter(|replica| replica.state == State::Ready).count() as u32;
            report(StartEvent::Ready { ready, of });
        };
        let starts: Vec<_> = services.iter().map(|(name, service)| (name.as_str(), 1..=service.replicas)).collect();
        let started = self.engine.start(&starts);
        tokio::pin!(started);
        loop {
            tokio::select! {
                result = &mut started => break result?,
                _ = replicas.changed() => report(&replicas.borrow_and_update()),
            }
        }
        report(&replicas.borrow());
        Ok(())
    }

    /// The state of the lab at this moment.
    pub fn view(&self) -> LabView {
        let replicas = self.engine.replicas();
        let replicas = replicas.borrow();
        let services = self.plan.services.iter().map(|(name, service)| {
            let replicas = replicas.iter().filter(|replica| *replica.service == **name);
            let view = ServiceView {
                app: Some(service.spec.app),
                strategy: ServiceStrategy::Known(service.routing.strategy),
                sticky_cookie: service.routing.sticky_cookie.clone(),
                replicas: replicas.map(ReplicaView::from).collect(),
            };
            (name.clone(), view)
        });
        let hosts = self.plan.hosts();
        LabView {
            schema: LAB_SCHEMA.to_owned(),
            project: self.plan.project.clone(),
            engine: Engine::Embedded,
            proxy: ProxyKind::Bundled,
            url: address::url(&hosts, self.address),
            proxy_address: self.address,
            dashboard_url: None,
            hosts,
            services: services.collect(),
        }
    }

    /// Returns the service that gets a request for this host and path, as soon as the proxy has started.
    pub async fn route(&self, host: &str, path: &str) -> Option<String> {
        self.proxy.wait().await.route(Subject { host: bare_host(host), path })
    }

    /// Starts the replicas to add, then drains and ends the replicas to remove.
    ///
    /// # Errors
    /// When a service is unknown, a number is out of range, or a replica does not start.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>, journal: &Journal) -> Result<ScaleView, ChangeError> {
        check_targets(targets, self.plan.services.keys())?;
        let mut services = IndexMap::new();
        for name in self.plan.services.keys() {
            if let (Some(&to), Some(from)) = (targets.get(name), self.engine.count(name)) {
                services.insert(name.clone(), ServiceScaleView { from, to, lost: Sessions::default() });
            }
        }
        let starts: Vec<_> =
            services.iter().map(|(name, scaled)| (name.as_str(), scaled.from + 1..=scaled.to)).collect();
        self.engine.start(&starts).await?;
        for (name, scaled) in &services {
            self.wait_until_routed(name, scaled.from + 1).await;
        }
        let shrinking = services.iter_mut().filter(|(_, scaled)| scaled.to < scaled.from);
        join_all(shrinking.map(async |(name, scaled)| {
            scaled.lost = self.remove(&self.engine.names_from(name, scaled.to + 1), journal).await;
        }))
        .await;
        Ok(ScaleView { services })
    }

    /// Finishes the requests in flight, as far as there is time, and ends every replica.
    pub async fn stop(&self) {
        if let Some(proxy) = self.proxy.get() {
            proxy.stop(REQUESTS_TIMEOUT).await;
        }
        self.engine.stop(&self.engine.names(), EXIT_TIMEOUT).await;
    }

    /// Drains and ends replicas, and counts the sessions that lived in them.
    async fn remove(&self, names: &[String], journal: &Journal) -> Sessions {
        self.engine.drain(names);
        let proxy = self.proxy.wait().await;
        let drained = join_all(names.iter().map(|name| proxy.drained(name)));
        if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
            let limit = DRAIN_TIMEOUT.as_secs();
            journal.add_note(format!("requests in flight were cut off {limit} s after their replica was removed"));
        }
        self.engine.stop(names, REMOVE_TIMEOUT).await
    }

    /// Waits until the proxy gives requests to the replicas of a service with the number `from` and above, if requests
    /// can reach the service at all.
    async fn wait_until_routed(&self, service: &str, from: u32) {
        if self.reachable_services.contains(service) {
            self.proxy.wait().await.offers(&self.engine.names_from(service, from)).await;
        }
    }
}

/// Adds each end and each new start of a replica to the journal, as long as the engine exists.
async fn record_restarts(mut replicas: watch::Receiver<Replicas>, journal: Arc<Journal>) {
    let mut before: BTreeMap<Arc<str>, (State, u32)> = BTreeMap::new();
    loop {
        let now = replicas.borrow_and_update().clone();
        for replica in now.iter() {
            let (name, restarts) = (&replica.name, replica.restarts);
            let (was, known) = before.get(name).copied().unwrap_or((replica.state, restarts));
            if restarts > known {
                let how = replica.ended.as_deref().unwrap_or("unknown");
                journal.add_note(format!("{name} ended by itself ({how}) and is started again"));
            } else if was == State::Restarting && replica.state == State::Ready {
                journal.add_note(format!("{name} is back (restarts: {restarts})"));
            }
        }
        before = now.iter().map(|replica| (replica.name.clone(), (replica.state, replica.restarts))).collect();
        if replicas.changed().await.is_err() {
            return;
        }
    }
}
