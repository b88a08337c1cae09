//! The lab of containers that is started here: Compose builds and starts, the Docker Engine tells what runs, and Traefik or
//! the bundled proxy balances.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::SetOnce;

use crate::{
    engine::{Compose, Containers, Docker, Recreate},
    proxy::{Proxy, Settings, Subject, bare_host},
    replica::{Balancer, LabView, ScaleView},
};

use super::{
    super::{
        compose::AccessLog,
        journal::{self, Journal},
        supervisor::{ChangeError, Ending, Progress},
    },
    files, follow,
    observed::{self, Shown, Traefik},
    plan::Plan,
    prepare,
    ready::{self, Awaited},
    scale::Scaling,
};

/// How long requests under way may take when the lab is stopped.
const LAST_REQUESTS: Duration = Duration::from_millis(500);

/// Runs a lab of containers.
#[derive(Debug)]
pub struct Runner {
    pub(super) docker: Docker,
    pub(super) compose: Compose,
    pub(super) plan: Plan,
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
}

impl Runner {
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
                Err(gone) => gone.lost().into(),
                Ok(_) => complaint.into(),
            }),
            started => started,
        }
    }

    async fn start(&self, journal: &Arc<Journal>, tell: &mut impl FnMut(Progress)) -> Result<(), ChangeError> {
        tell(Progress::Doing("building images".to_owned()));
        self.compose.build(|line| tell(Progress::Doing(line.to_owned()))).await?;
        tell(Progress::Doing("starting containers".to_owned()));
        let counts: BTreeMap<String, u32> =
            self.plan.services.iter().map(|(name, service)| (name.clone(), service.replicas)).collect();
        self.up(&counts, tell).await?;
        let traefik = match self.plan.balancer {
            Balancer::Traefik => self.traefik(),
            Balancer::Bundled => None,
        };
        let of = counts.values().sum();
        let (through, unmarked, patience) = (traefik.as_ref(), self.plan.unmarked, self.patience);
        let awaited = Awaited { counts: &counts, through, unmarked, patience };
        let mut ready = |ready| tell(Progress::Ready { ready, of });
        ready::wait(&self.docker, &self.containers, &awaited, &mut ready).await?;
        match self.plan.balancer {
            Balancer::Traefik => {
                if traefik.as_ref().is_some_and(|traefik| traefik.log == AccessLog::Elsewhere) {
                    let note = "its Traefik does not write requests to its log (--accesslog=true): none are shown";
                    tell(Progress::Note(note.to_owned()));
                }
                if let Some(address) = traefik.as_ref().and_then(|traefik| traefik.address) {
                    *self.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
                }
                let (docker, containers) = (self.docker.clone(), self.containers.containers());
                let replicas = self.containers.replicas();
                tokio::spawn(follow::keep_requests(docker, containers, replicas, journal.clone()));
            }
            Balancer::Bundled => {
                let settings = Settings { unmarked: self.plan.unmarked, workers: 1 };
                let listeners = std::mem::take(&mut *self.listeners.lock().unwrap_or_else(PoisonError::into_inner));
                let proxy = Proxy::start(listeners, self.containers.replicas(), &settings)?;
                tokio::spawn(journal::keep_requests(proxy.events(), journal.clone()));
                // a lab is started once
                _ = self.proxy.set(proxy);
            }
        }
        tokio::spawn(follow::keep_changes(self.containers.replicas(), journal.clone()));
        let replicas = self.containers.replicas().borrow().clone();
        match self.proxy.get() {
            Some(proxy) => Ok(ready::reach(&replicas, proxy, self.plan.unmarked).await?),
            None => Ok(ready::ask(&self.view(), patience, |host, path| self.routes(host, path)).await?),
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

    fn traefik(&self) -> Option<Traefik> {
        Traefik::among(&self.containers.containers().borrow())
    }

    fn routes(&self, host: &str, path: &str) -> Option<String> {
        observed::route(&self.containers.replicas().borrow(), self.plan.unmarked, host, path)
    }

    /// The lab as it is now.
    pub fn view(&self) -> LabView {
        observed::view(&Shown {
            project: &self.plan.project,
            replicas: &self.containers.replicas().borrow(),
            balancer: self.plan.balancer,
            address: *self.address.lock().unwrap_or_else(PoisonError::into_inner),
            unmarked: self.plan.unmarked,
        })
    }

    /// The service that a request would be given to.
    pub async fn route(&self, host: &str, path: &str) -> Option<String> {
        match self.plan.balancer {
            Balancer::Traefik => self.routes(host, path),
            Balancer::Bundled => self.proxy.wait().await.route(Subject { host: bare_host(host), path }),
        }
    }

    /// Another number of containers.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>, journal: &Journal) -> Result<ScaleView, ChangeError> {
        let traefik = self.traefik().filter(|_| self.plan.balancer == Balancer::Traefik);
        let scaling = Scaling {
            docker: &self.docker,
            compose: &self.compose,
            containers: &self.containers,
            traefik: traefik.as_ref(),
            proxy: self.proxy.get(),
            known: self.plan.services.keys().cloned().collect(),
            unmarked: self.plan.unmarked,
            patience: self.patience,
        };
        scaling.run(targets, || Some(self.view()), |note| journal.note(note)).await
    }

    /// Waits until the engine is lost, or somebody else has removed the containers.
    pub async fn lost(&self) -> ChangeError {
        let mut containers = self.containers.containers();
        tokio::select! {
            lost = self.containers.lost() => lost.into(),
            // the sender lives as long as the lab
            _ = containers.wait_for(|containers| containers.is_empty()) => {
                ChangeError::Removed(self.plan.project.clone())
            }
        }
    }

    /// Ends everything.
    ///
    /// # Errors
    /// When the engine does not do it.
    pub async fn end(&self, ending: Ending) -> Result<(), ChangeError> {
        self.compose.abandon().await;
        if let Some(proxy) = self.proxy.get() {
            let grace = if ending == Ending::Gentle { LAST_REQUESTS } else { Duration::ZERO };
            proxy.stop(grace).await;
        }
        let removed = match ending {
            Ending::Gentle => self.docker.remove_project(&self.plan.project).await,
            Ending::AtOnce => self.docker.kill_project(&self.plan.project).await,
        };
        // containers that an engine still has, which does not answer, are removed without them
        files::remove(&self.files);
        Ok(removed?)
    }
}
