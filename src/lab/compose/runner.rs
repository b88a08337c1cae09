//! The runner of a lab of containers: starts, scales and stops its containers, and the bundled proxy if that balances.

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
    engine::{Compose, Containers, Docker, RecreatePolicy},
    lab::{
        change_error::ChangeError,
        start_event::StartEvent,
        stop_mode::StopMode,
        supervisor::{Journal, record_proxy_requests},
    },
    model::{LabView, ProxyKind, ScaleView, ServiceView},
    proxy::{Proxy, Settings},
};

use super::{
    journal_feed::{record_state_changes, record_traefik_requests},
    lab_directory::remove_directory,
    plan::ComposePlan,
    ports,
    readiness::{Goal, ask_every_replica, wait_for_bundled_proxy, wait_for_replicas},
    routes,
    scale::Scaling,
    traefik::Traefik,
    variables,
    view::{LabFacts, lab_view},
};

/// The longest time in which requests in flight finish when the lab is stopped.
const REQUESTS_TIMEOUT: Duration = Duration::from_millis(500);
/// The longest time in which the Docker Engine kills the containers in an immediate stop.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);

/// A lab of containers.
#[derive(Debug)]
pub struct ComposeLab {
    pub(super) docker: Docker,
    pub(super) compose: Compose,
    pub(super) plan: ComposePlan,
    /// The directory of the files that Compose reads.
    pub(super) files: PathBuf,
    /// The containers of the lab, which follow the engine's events.
    pub(super) containers: Containers,
    /// The address at which the proxy listens, or will be tried first.
    pub(super) address: Mutex<SocketAddr>,
    /// The addresses to try after that.
    pub(super) other_addresses: Vec<SocketAddr>,
    /// The listeners of the bundled proxy, until the proxy takes them at its start.
    pub(super) listeners: Mutex<Vec<TcpListener>>,
    /// The bundled proxy, if that balances; it starts after the replicas.
    pub(super) proxy: SetOnce<Proxy>,
    /// The longest time without progress before a change fails.
    pub(super) patience: Duration,
    /// The address that the user chose for the proxy.
    pub(super) bind: Option<IpAddr>,
    /// The number of replicas that the user wants, which may be none.
    pub(super) wanted_replicas: AtomicU32,
}

impl ComposeLab {
    /// Builds and starts the containers, and waits until all answer.
    ///
    /// # Errors
    /// When an image cannot be built, a container does not become ready, or the engine is lost.
    pub async fn start(&self, journal: &Arc<Journal>, report: &mut impl FnMut(StartEvent)) -> Result<(), ChangeError> {
        let started = tokio::select! {
            started = self.start_lab(journal, report) => started,
            // a lost engine ends no other wait
            lost = self.containers.lost() => Err(lost.into()),
        };
        match started {
            // a lost engine makes Compose fail, whose message does not say where the engine was
            Err(ChangeError::Compose(failure)) => Err(match self.docker.projects().await {
                Err(lost) => lost.into_lost().into(),
                Ok(_) => failure.into(),
            }),
            Err(ChangeError::Docker(lost)) => Err(lost.into_lost().into()),
            started => started,
        }
    }

    async fn start_lab(&self, journal: &Arc<Journal>, report: &mut impl FnMut(StartEvent)) -> Result<(), ChangeError> {
        let counts: BTreeMap<String, u32> =
            self.plan.services.iter().map(|(name, service)| (name.clone(), service.replicas)).collect();
        self.start_containers(&counts, report).await?;
        let ComposePlan { proxy_kind, exposed_by_default, .. } = self.plan;
        let goal = Goal { counts: &counts, proxy_kind, exposed_by_default, patience: self.patience };
        let of = counts.values().sum();
        let mut report_ready = |ready| report(StartEvent::Ready { ready, of });
        wait_for_replicas(&self.docker, &self.containers, &goal, &mut report_ready).await?;
        match proxy_kind {
            ProxyKind::Traefik => self.follow_traefik(journal, report),
            ProxyKind::Bundled => self.start_proxy(journal)?,
        }
        tokio::spawn(record_state_changes(self.containers.replicas(), journal.clone()));
        let replicas = self.containers.replicas().borrow().clone();
        match self.proxy.get() {
            Some(proxy) => wait_for_bundled_proxy(&replicas, proxy, exposed_by_default).await?,
            None => {
                let route = |host: &str, path: &str| self.route(host, path);
                ask_every_replica(&self.view(), &counts, self.patience, route).await?;
            }
        }
        Ok(())
    }

    /// Builds the images and starts the containers.
    async fn start_containers(
        &self,
        counts: &BTreeMap<String, u32>,
        report: &mut impl FnMut(StartEvent),
    ) -> Result<(), ChangeError> {
        report(StartEvent::Doing("building images".to_owned()));
        self.compose.build(|line| report(StartEvent::Doing(line.to_owned()))).await?;
        report(StartEvent::Doing("starting containers".to_owned()));
        self.wanted_replicas.store(counts.values().sum(), Ordering::Relaxed);
        self.start_at_free_address(counts, report).await?;
        // the engine's events may come later than the end of Compose
        self.containers.refresh().await?;
        Ok(())
    }

    fn start_proxy(&self, journal: &Arc<Journal>) -> Result<(), ChangeError> {
        let settings = Settings { exposed_by_default: self.plan.exposed_by_default, workers: 1 };
        let listeners = std::mem::take(&mut *self.listeners.lock().unwrap_or_else(PoisonError::into_inner));
        let proxy = Proxy::start(listeners, self.containers.replicas(), &settings)?;
        tokio::spawn(record_proxy_requests(proxy.events(), journal.clone()));
        // a lab is started once
        _ = self.proxy.set(proxy);
        Ok(())
    }

    /// Reads Traefik's log from now on, and its address.
    fn follow_traefik(&self, journal: &Arc<Journal>, report: &mut impl FnMut(StartEvent)) {
        self.take_traefik_address(report);
        let (docker, containers) = (self.docker.clone(), self.containers.containers());
        tokio::spawn(record_traefik_requests(docker, containers, self.containers.replicas(), journal.clone()));
    }

    /// Takes the address at which Traefik listens, and reports what the user should know of Traefik.
    fn take_traefik_address(&self, report: &mut impl FnMut(StartEvent)) {
        let Some(traefik) = Traefik::find_running(&self.containers.containers().borrow()) else { return };
        if traefik.log == AccessLog::NotInContainerLog {
            let note = "its Traefik does not write requests to its log (--accesslog=true): none are shown";
            report(StartEvent::Note(note.to_owned()));
        }
        if let Some(api) = traefik.api {
            report(StartEvent::Note(format!("Traefik's dashboard is http://{api}/dashboard/")));
        }
        if let Some(address) = traefik.address {
            if self.bind.is_some_and(|bind| bind != address.ip() && !bind.is_unspecified()) {
                report(StartEvent::Note(format!(
                    "the compose file publishes its proxy at {address}, whatever --bind says"
                )));
            }
            self.set_address(address);
        }
    }

    /// Starts the containers. The proxy listens at the first address that the engine can bind.
    async fn start_at_free_address(
        &self,
        counts: &BTreeMap<String, u32>,
        report: &mut impl FnMut(StartEvent),
    ) -> Result<(), ChangeError> {
        let services = self.plan.services_to_start();
        let mut compose = self.compose.clone();
        let mut other_addresses = self.other_addresses.iter().copied();
        let mut address = self.address();
        loop {
            self.set_address(address);
            compose.variables.insert(variables::HTTP_PORT.to_owned(), address.port().to_string());
            let up = compose
                .up(&services, counts, RecreatePolicy::AsNeeded, |line| report(StartEvent::Doing(line.to_owned())));
            let error = match up.await {
                Err(error) if error.is_port_taken() => error,
                result => return Ok(result?),
            };
            // some containers have started
            self.docker.remove_project(&self.plan.project).await?;
            let dashboard = compose.variables.get_mut(variables::DASHBOARD_PORT);
            let clash = dashboard
                .filter(|port| error.to_string().contains(&format!(":{port}")) && address.port().to_string() != **port);
            if let Some((port, other)) = clash.zip(ports::free_loopback_port()) {
                // another program took the port a moment ago; the dashboard may have any other
                *port = other.to_string();
            } else if let Some(next) = other_addresses.next() {
                report(StartEvent::Note(format!("the Docker Engine cannot listen on {address}")));
                address = next;
            } else {
                return Err(error.into());
            }
        }
    }

    fn address(&self) -> SocketAddr {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_address(&self, address: SocketAddr) {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// The state of the lab at this moment.
    pub fn view(&self) -> LabView {
        let services = self.plan.services.iter().map(|(name, service)| (name.clone(), service.view.clone()));
        lab_view(LabFacts {
            project: &self.plan.project,
            replicas: &self.containers.replicas().borrow(),
            proxy_kind: self.plan.proxy_kind,
            address: self.address(),
            exposed_by_default: self.plan.exposed_by_default,
            services: services.collect(),
            hosts: self.plan.hosts.clone(),
        })
    }

    /// Returns the service that gets a request for this host and path. It is the same with either proxy_kind, as both
    /// read the same labels.
    pub fn route(&self, host: &str, path: &str) -> Option<String> {
        routes::service_for(&self.containers.replicas().borrow(), self.plan.exposed_by_default, host, path)
    }

    /// Adds and removes containers.
    ///
    /// # Errors
    /// When a service is unknown, a number is out of range, or a container does not become ready.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>, journal: &Journal) -> Result<ScaleView, ChangeError> {
        let scaling = Scaling {
            docker: &self.docker,
            compose: &self.compose,
            containers: &self.containers,
            proxy_kind: self.plan.proxy_kind,
            proxy: self.proxy.get(),
            services: self.plan.services.keys().cloned().collect(),
            exposed_by_default: self.plan.exposed_by_default,
            patience: self.patience,
        };
        let count = |(name, service): (&String, &ServiceView)| {
            targets.get(name).copied().unwrap_or(service.replicas.len() as u32)
        };
        let wanted_replicas = self.view().services.iter().map(count).sum();
        self.wanted_replicas.store(wanted_replicas, Ordering::Relaxed);
        scaling.scale(targets, || Some(self.view()), |note| journal.add_note(note)).await
    }

    /// Waits until the engine is lost or another program has removed the containers, and returns the error.
    pub async fn lost(&self) -> ChangeError {
        let mut containers = self.containers.containers();
        tokio::select! {
            lost = self.containers.lost() => lost.into(),
            // the sender lives as long as the lab
            _ = containers.wait_for(|containers| {
                let none_wanted =
                    self.plan.proxy_kind == ProxyKind::Bundled && self.wanted_replicas.load(Ordering::Relaxed) == 0;
                containers.is_empty() && !none_wanted
            }) => {
                ChangeError::Removed(self.plan.project.clone())
            }
        }
    }

    /// Stops the proxy and removes the containers and the files of the lab.
    ///
    /// # Errors
    /// When the engine does not remove all containers.
    pub async fn stop(&self, mode: StopMode) -> Result<(), ChangeError> {
        self.compose.cancel().await;
        if let Some(proxy) = self.proxy.get() {
            let grace = if mode == StopMode::Graceful { REQUESTS_TIMEOUT } else { Duration::ZERO };
            proxy.stop(grace).await;
        }
        // so that their end is not taken for a failure
        let names =
            self.containers.replicas().borrow().iter().map(|replica| replica.name.to_string()).collect::<Vec<_>>();
        self.containers.drain(&names);
        let project = &self.plan.project;
        let removed = match mode {
            StopMode::Graceful => self.docker.remove_project(project).await,
            StopMode::Immediate => match tokio::time::timeout(KILL_TIMEOUT, self.docker.kill_project(project)).await {
                Ok(removed) => removed,
                Err(_) => Err(self.docker.silent()),
            },
        };
        // an engine that does not answer may still have containers, which can be removed without these files
        remove_directory(&self.files);
        Ok(removed?)
    }
}
