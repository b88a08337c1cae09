//! The supervisor: owns the replicas and the proxy of one lab from its start to its end.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use indexmap::IndexMap;
use tokio::sync::{Mutex, SetOnce, broadcast::error::RecvError, watch};

use crate::{
    engine::{Embedded, StartError},
    proxy::{Proxy, Settings, Subject, bare_host},
    replica::{
        Balancer, Engine, LAB_SCHEMA, LabView, ReplicaView, Replicas, ScaleView, ScaledView, ServiceView, Sessions,
        State,
    },
};

use super::{
    journal::Journal,
    plan::{Plan, PlanError, check_range},
    trial,
};

/// How long a replica that is scaled away may take to finish its requests, and how long to end after that: hundreds that
/// end at once share the machine, and the last words of each count the sessions that are lost with it.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
const FAREWELL: Duration = Duration::from_secs(5);
/// How long requests under way may take when the lab is stopped, and how long a replica may take to end after that.
/// Together they stay below the two seconds that `down` may take.
const LAST_REQUESTS: Duration = Duration::from_millis(800);
const LAST_WORDS: Duration = Duration::from_millis(800);

/// One running lab.
#[derive(Debug)]
pub struct Supervisor {
    plan: Plan,
    /// The services that requests can reach.
    routed: BTreeSet<Arc<str>>,
    address: SocketAddr,
    engine: Embedded,
    /// There is none before every replica has started.
    proxy: SetOnce<Proxy>,
    journal: Arc<Journal>,
    /// One change at a time.
    changing: Mutex<()>,
    /// Whether somebody asked the lab to stop.
    stop: watch::Sender<bool>,
}

/// Why a lab could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It was asked for something that cannot be.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A replica did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The proxy did not start.
    #[error("the proxy did not start")]
    Proxy(#[from] std::io::Error),
    /// Somebody asked the lab to stop meanwhile.
    #[error("the lab is being stopped")]
    Stopping,
}

impl Supervisor {
    /// A lab of which nothing runs yet, whose proxy will listen at `address`.
    ///
    /// # Errors
    /// When the labels of its services do not fit together.
    pub fn new(plan: Plan, address: SocketAddr) -> Result<Supervisor, ChangeError> {
        let routed = trial::routed(&plan)?;
        let engine = Embedded::new(plan.services.values().map(|service| service.spec.clone()).collect());
        let (proxy, journal, changing) = Default::default();
        Ok(Supervisor { plan, routed, address, engine, proxy, journal, changing, stop: watch::Sender::new(false) })
    }

    /// Starts it: returns when every replica answers through the proxy. `starting` is shown the replicas whenever they
    /// change.
    ///
    /// # Errors
    /// When a replica or the proxy does not start, or the lab is stopped meanwhile.
    pub async fn start(&self, listeners: Vec<TcpListener>, starting: impl FnMut(&Replicas)) -> Result<(), ChangeError> {
        self.unless_stopped(self.begin(listeners, starting)).await
    }

    async fn begin(&self, listeners: Vec<TcpListener>, mut starting: impl FnMut(&Replicas)) -> Result<(), ChangeError> {
        let _alone = self.changing.lock().await;
        let mut replicas = self.engine.replicas();
        let services = &self.plan.services;
        let starts: Vec<_> = services.iter().map(|(name, service)| (name.as_str(), 1..=service.replicas)).collect();
        {
            let started = self.engine.start(&starts);
            tokio::pin!(started);
            loop {
                tokio::select! {
                    result = &mut started => break result?,
                    _ = replicas.changed() => starting(&replicas.borrow_and_update()),
                }
            }
        }
        starting(&replicas.borrow());
        // The proxy accepts only now, so that the first request finds the whole lab.
        let settings = Settings { unmarked: self.plan.unmarked, workers: 1 };
        let proxy = Proxy::start(listeners, replicas.clone(), &settings)?;
        tokio::spawn(keep_requests(proxy.events(), self.journal.clone()));
        tokio::spawn(keep_restarts(replicas, self.journal.clone()));
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
                strategy: service.routing.strategy.as_str().to_owned(),
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
            url: url(&hosts, self.address),
            proxy_address: self.address,
            dashboard_url: None,
            hosts,
            services: services.collect(),
        }
    }

    /// The service that a request for this host and path would be given to, as soon as the lab has started.
    pub async fn route(&self, host: &str, path: &str) -> Option<String> {
        self.proxy.wait().await.route(Subject { host: bare_host(host), path })
    }

    /// What happened and happens.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Gives services another number of replicas; returns when those that were added answer and those that were removed
    /// have finished and ended.
    ///
    /// # Errors
    /// When a service is unknown, a number out of range, or a replica does not start; then nothing is changed. When the
    /// lab is stopped meanwhile, which waits for no change.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>) -> Result<ScaleView, ChangeError> {
        for (service, &replicas) in targets {
            self.plan.known(service)?;
            check_range(service, replicas)?;
        }
        self.unless_stopped(self.change(targets)).await
    }

    /// A change, which ends where it is when the lab is to stop.
    async fn unless_stopped<T>(&self, change: impl Future<Output = Result<T, ChangeError>>) -> Result<T, ChangeError> {
        tokio::select! {
            biased;
            () = self.asked_to_stop() => Err(ChangeError::Stopping),
            changed = change => changed,
        }
    }

    async fn change(&self, targets: &BTreeMap<String, u32>) -> Result<ScaleView, ChangeError> {
        let _alone = self.changing.lock().await;
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
            scaled.lost = self.remove(&self.engine.names_from(name, scaled.to + 1)).await;
        }))
        .await;
        for (name, ScaledView { from, to, .. }) in services.iter().filter(|(_, scaled)| scaled.from != scaled.to) {
            self.journal.note(format!("{name} was scaled from {from} to {to}"));
        }
        Ok(ScaleView { services })
    }

    /// Asks the lab to stop; whoever runs it is told by [`Supervisor::asked_to_stop`].
    pub fn ask_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until somebody asks the lab to stop.
    pub async fn asked_to_stop(&self) {
        // the sender lives as long as the lab
        _ = self.stop.subscribe().wait_for(|&stop| stop).await;
    }

    /// Finishes what is under way, within limits, and ends everything.
    pub async fn stop(&self) {
        self.ask_to_stop();
        let _alone = self.changing.lock().await;
        if let Some(proxy) = self.proxy.get() {
            proxy.stop(LAST_REQUESTS).await;
        }
        self.engine.stop(&self.engine.names(), LAST_WORDS).await;
        self.journal.close();
    }

    /// Drains replicas, ends them, and returns the sessions that lived in them.
    async fn remove(&self, names: &[String]) -> Sessions {
        self.engine.drain(names);
        let proxy = self.proxy.wait().await;
        let drained = join_all(names.iter().map(|name| proxy.drained(name)));
        if tokio::time::timeout(DRAIN_LIMIT, drained).await.is_err() {
            let limit = DRAIN_LIMIT.as_secs();
            self.journal.note(format!("requests in flight were cut off {limit} s after their replica was removed"));
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

/// The page's address: a `.localhost` name, which browsers resolve by themselves, before others.
fn url(hosts: &[String], address: SocketAddr) -> String {
    let local = hosts.iter().find(|host| host.ends_with(".localhost"));
    let host = match local.or(hosts.first()) {
        Some(host) => host.clone(),
        None => address.ip().to_string(),
    };
    match address.port() {
        80 => format!("http://{host}/"),
        port => format!("http://{host}:{port}/"),
    }
}

async fn keep_requests(mut events: tokio::sync::broadcast::Receiver<Arc<crate::trace::Access>>, journal: Arc<Journal>) {
    loop {
        match events.recv().await {
            Ok(access) => journal.request(access),
            Err(RecvError::Lagged(missed)) => journal.note(format!("{missed} requests are missing in this log")),
            Err(RecvError::Closed) => return,
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
