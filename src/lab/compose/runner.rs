//! The lab of containers that is started here: Compose builds and starts, the Docker Engine tells what runs, and Traefik or
//! the bundled proxy balances.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::sync::SetOnce;

use crate::{
    composefile::AccessLog,
    engine::{Compose, Containers, Docker, Recreate},
    lab::{
        ChangeError, Progress, StopMode,
        supervisor::{Journal, keep_requests},
    },
    model::{Balancer, LabView, ScaleView},
    proxy::{Proxy, Settings},
};

use super::{
    journal_feed, lab_directory,
    plan::ComposePlan,
    prepare,
    readiness::{self, Awaited},
    scale::Scaling,
    view::{self, Shown, Traefik},
};

/// How long requests under way may take when the lab is stopped.
const LAST_REQUESTS: Duration = Duration::from_millis(500);

/// How long an engine may take to end a lab for somebody who has no time.
const HASTE: Duration = Duration::from_secs(10);

/// Runs a lab of containers.
#[derive(Debug)]
pub struct ComposeLab {
    pub(super) docker: Docker,
    pub(super) compose: Compose,
    pub(super) plan: ComposePlan,
    /// Where the files for Compose are.
    pub(super) files: PathBuf,
    /// What runs, by the engine's events.
    pub(super) containers: Containers,
    /// Where the proxy may listen: the first that can be had.
    pub(super) addresses: Vec<SocketAddr>,
    /// Where it does, as far as that is known.
    pub(super) address: Mutex<SocketAddr>,
    /// The bundled proxy's, until it takes them.
    pub(super) listeners: Mutex<Vec<TcpListener>>,
    pub(super) proxy: SetOnce<Proxy>,
    /// How long it may make no progress before its laggard is named.
    pub(super) patience: Duration,
    /// Where the proxy was to listen, if that was said.
    pub(super) bind: Option<IpAddr>,
    /// How many replicas there should be: none need be.
    pub(super) intended: AtomicU32,
}

impl ComposeLab {
    /// Builds and starts the containers, and waits until all answer.
    pub async fn begin(&self, journal: &Arc<Journal>, tell: &mut impl FnMut(Progress)) -> Result<(), ChangeError> {
        let started = tokio::select! {
            started = self.start(journal, tell) => started,
            // nothing gets on without it
            gone = self.containers.lost() => Err(gone.into()),
        };
        match started {
            // what Compose complains of may be that the engine has gone, which it does not call by its place
            Err(ChangeError::Compose(complaint)) => Err(match self.docker.projects().await {
                Err(gone) => gone.into_lost().into(),
                Ok(_) => complaint.into(),
            }),
            Err(ChangeError::Docker(gone)) => Err(gone.into_lost().into()),
            started => started,
        }
    }

    async fn start(&self, journal: &Arc<Journal>, tell: &mut impl FnMut(Progress)) -> Result<(), ChangeError> {
        tell(Progress::Doing("building images".to_owned()));
        self.compose.build(|line| tell(Progress::Doing(line.to_owned()))).await?;
        tell(Progress::Doing("starting containers".to_owned()));
        let counts: BTreeMap<String, u32> =
            self.plan.services.iter().map(|(name, service)| (name.clone(), service.replicas)).collect();
        self.intended.store(counts.values().sum(), Ordering::Relaxed);
        self.up(&counts, tell).await?;
        // its events may lag behind Compose
        self.containers.refresh().await?;
        let of = counts.values().sum();
        let ComposePlan { balancer, exposed_by_default, .. } = self.plan;
        let awaited = Awaited { counts: &counts, balancer, exposed_by_default, patience: self.patience };
        let mut ready = |ready| tell(Progress::Ready { ready, of });
        readiness::wait(&self.docker, &self.containers, &awaited, &mut ready).await?;
        match balancer {
            Balancer::Traefik => {
                self.traefik_runs(tell);
                let (docker, containers) = (self.docker.clone(), self.containers.containers());
                let replicas = self.containers.replicas();
                tokio::spawn(journal_feed::keep_requests(docker, containers, replicas, journal.clone()));
            }
            Balancer::Bundled => {
                let settings = Settings { exposed_by_default: self.plan.exposed_by_default, workers: 1 };
                let listeners = std::mem::take(&mut *self.listeners.lock().unwrap_or_else(PoisonError::into_inner));
                let proxy = Proxy::start(listeners, self.containers.replicas(), &settings)?;
                tokio::spawn(keep_requests(proxy.events(), journal.clone()));
                // a lab is started once
                _ = self.proxy.set(proxy);
            }
        }
        tokio::spawn(journal_feed::keep_changes(self.containers.replicas(), journal.clone()));
        let replicas = self.containers.replicas().borrow().clone();
        match self.proxy.get() {
            Some(proxy) => Ok(readiness::reach(&replicas, proxy, exposed_by_default).await?),
            None => {
                Ok(readiness::ask(&self.view(), &counts, self.patience, |host, path| self.routes(host, path)).await?)
            }
        }
    }

    /// Says what is worth knowing of Traefik, and where it is.
    fn traefik_runs(&self, tell: &mut impl FnMut(Progress)) {
        let Some(traefik) = Traefik::among(&self.containers.containers().borrow()) else { return };
        if traefik.log == AccessLog::NotInContainerLog {
            let note = "its Traefik does not write requests to its log (--accesslog=true): none are shown";
            tell(Progress::Note(note.to_owned()));
        }
        if let Some(api) = traefik.api {
            tell(Progress::Note(format!("Traefik's dashboard is http://{api}/dashboard/")));
        }
        if let Some(address) = traefik.address {
            if self.bind.is_some_and(|bind| bind != address.ip() && !bind.is_unspecified()) {
                tell(Progress::Note(format!(
                    "the compose file publishes its proxy at {address}, whatever --bind says"
                )));
            }
            *self.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
        }
    }

    /// Starts the containers at the first address that can be had.
    async fn up(&self, counts: &BTreeMap<String, u32>, tell: &mut impl FnMut(Progress)) -> Result<(), ChangeError> {
        let started = self.plan.started();
        let mut compose = self.compose.clone();
        let mut addresses = self.addresses.iter().copied();
        let mut address = addresses.next().unwrap_or(self.addresses[0]);
        loop {
            *self.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
            compose.variables.insert(prepare::HTTP_PORT.to_owned(), address.port().to_string());
            let up = compose.up(&started, counts, Recreate::AsNeeded, |line| tell(Progress::Doing(line.to_owned())));
            let error = match up.await {
                Err(error) if error.is_port_taken() => error,
                result => return Ok(result?),
            };
            // Compose has started what it could
            self.docker.remove_project(&self.plan.project).await?;
            let dashboard = compose.variables.get_mut(prepare::TRAEFIK_PORT);
            let clash = dashboard
                .filter(|port| error.to_string().contains(&format!(":{port}")) && address.port().to_string() != **port);
            if let Some((port, other)) = clash.zip(prepare::free_port()) {
                // somebody took it a moment ago: the dashboard may be anywhere
                *port = other.to_string();
            } else if let Some(next) = addresses.next() {
                tell(Progress::Note(format!("the Docker Engine cannot listen on {address}")));
                address = next;
            } else {
                return Err(error.into());
            }
        }
    }

    fn routes(&self, host: &str, path: &str) -> Option<String> {
        view::route(&self.containers.replicas().borrow(), self.plan.exposed_by_default, host, path)
    }

    /// The lab as it is now.
    pub fn view(&self) -> LabView {
        let services = self.plan.services.iter().map(|(name, service)| (name.clone(), service.view.clone()));
        view::view(Shown {
            project: &self.plan.project,
            replicas: &self.containers.replicas().borrow(),
            balancer: self.plan.balancer,
            address: *self.address.lock().unwrap_or_else(PoisonError::into_inner),
            exposed_by_default: self.plan.exposed_by_default,
            services: services.collect(),
            hosts: self.plan.hosts.clone(),
        })
    }

    /// The service that a request would be given to.
    pub fn route(&self, host: &str, path: &str) -> Option<String> {
        // both balancers read the same labels
        self.routes(host, path)
    }

    /// Another number of containers.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>, journal: &Journal) -> Result<ScaleView, ChangeError> {
        let scaling = Scaling {
            docker: &self.docker,
            compose: &self.compose,
            containers: &self.containers,
            balancer: self.plan.balancer,
            proxy: self.proxy.get(),
            known: self.plan.services.keys().cloned().collect(),
            exposed_by_default: self.plan.exposed_by_default,
            patience: self.patience,
        };
        let of = |service: &str, now: u32| targets.get(service).copied().unwrap_or(now);
        let now = self.view().services;
        let intended = now.iter().map(|(name, service)| of(name, service.replicas.len() as u32)).sum();
        self.intended.store(intended, Ordering::Relaxed);
        scaling.run(targets, || Some(self.view()), |note| journal.note(note)).await
    }

    /// Waits until the engine is lost, or somebody else has removed the containers.
    pub async fn lost(&self) -> ChangeError {
        let mut containers = self.containers.containers();
        tokio::select! {
            lost = self.containers.lost() => lost.into(),
            // the sender lives as long as the lab
            _ = containers.wait_for(|containers| {
                let all = self.plan.balancer == Balancer::Bundled && self.intended.load(Ordering::Relaxed) == 0;
                containers.is_empty() && !all
            }) => {
                ChangeError::Removed(self.plan.project.clone())
            }
        }
    }

    /// Ends everything.
    ///
    /// # Errors
    /// When the engine does not do it.
    pub async fn end(&self, ending: StopMode) -> Result<(), ChangeError> {
        self.compose.cancel().await;
        if let Some(proxy) = self.proxy.get() {
            let grace = if ending == StopMode::Graceful { LAST_REQUESTS } else { Duration::ZERO };
            proxy.stop(grace).await;
        }
        // what ends now does not end by itself
        let names =
            self.containers.replicas().borrow().iter().map(|replica| replica.name.to_string()).collect::<Vec<_>>();
        self.containers.drain(&names);
        let project = &self.plan.project;
        let removed = match ending {
            StopMode::Graceful => self.docker.remove_project(project).await,
            StopMode::Immediate => match tokio::time::timeout(HASTE, self.docker.kill_project(project)).await {
                Ok(removed) => removed,
                Err(_) => Err(self.docker.silent()),
            },
        };
        // containers that an engine still has, which does not answer, are removed without them
        lab_directory::remove(&self.files);
        Ok(removed?)
    }
}
