//! A lab of containers that nobody watches over: started by hand, or left behind by its supervisor. Docker tells all about
//! it, so commands work on it all the same.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use futures_util::{Stream, StreamExt};
use indexmap::IndexMap;

use crate::{
    composefile::{self, AccessLog, Role},
    engine::{Compose, Container, Containers, Docker, DockerError, Follow, Naming, Scope, Tool},
    lab::{ChangeError, LogQuery, Rendezvous},
    model::{Balancer, Entry, LabView, Replica, ScaleView},
};

use super::{
    lab_directory, readiness,
    scale::Scaling,
    traefik_log::Directory,
    view::{self, Shown, Traefik},
};

/// Where Compose says which files a container was made from.
const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
const WORKING_DIR: &str = "com.docker.compose.project.working_dir";

/// A lab without a supervisor.
#[derive(Debug, Clone)]
pub struct UnsupervisedLab {
    docker: Docker,
    project: String,
    lab: Ours,
}

/// Whether a project is a lab of ours, by its labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ours {
    /// It is.
    Yes,
    /// It may be anything.
    No,
}

/// Why a lab without a supervisor cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum UnsupervisedError {
    /// There is no proxy in it.
    #[error("the lab `{0}` has containers and no proxy that runs")]
    NoProxy(String),
    /// Its proxy keeps no log.
    #[error("the Traefik of `{0}` does not write requests to its log")]
    NoLog(String),
    /// It is somebody else's.
    #[error("the containers of `{0}` were not started by lbctl, nor from its lab")]
    NotOurs(String),
    /// The engine said no.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// It could not be changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl UnsupervisedError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            UnsupervisedError::NoProxy(project) => {
                Some(format!("`lbctl down -p {project}` removes them; `lbctl up` starts the lab anew"))
            }
            UnsupervisedError::NoLog(_) => Some("`--accesslog=true` among its flags makes it".to_owned()),
            UnsupervisedError::NotOurs(project) => Some(format!("`docker compose -p {project}` is there for them")),
            UnsupervisedError::Docker(error) => error.hint(),
            UnsupervisedError::Change(error) => error.hint(),
        }
    }
}

impl UnsupervisedLab {
    /// The containers of `project`, where there are any.
    ///
    /// # Errors
    /// When the engine cannot be asked.
    pub async fn find(project: &str) -> Result<Option<UnsupervisedLab>, DockerError> {
        let docker = Docker::connect().await?;
        let found = docker.projects().await?.into_iter().find(|found| found.name == project);
        Ok(found.map(|found| UnsupervisedLab::new(docker, found.name, found.lab)))
    }

    /// Every lab of ours that has containers running.
    ///
    /// # Errors
    /// When the engine cannot be asked.
    pub async fn all() -> Result<Vec<UnsupervisedLab>, DockerError> {
        let docker = Docker::connect().await?;
        let found = docker.projects().await?.into_iter().filter(|found| found.lab && found.running > 0);
        Ok(found.map(|found| UnsupervisedLab::new(docker.clone(), found.name, found.lab)).collect())
    }

    fn new(docker: Docker, project: String, lab: bool) -> UnsupervisedLab {
        UnsupervisedLab { docker, project, lab: if lab { Ours::Yes } else { Ours::No } }
    }

    /// The project's name.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The lab as it is now.
    ///
    /// # Errors
    /// When the engine does not tell, or the lab has no proxy.
    pub async fn view(&self) -> Result<LabView, UnsupervisedError> {
        let (containers, replicas) = self.now().await?;
        self.shown(&containers, &replicas)
    }

    fn shown(&self, containers: &[Container], replicas: &[Replica]) -> Result<LabView, UnsupervisedError> {
        let no_proxy = || UnsupervisedError::NoProxy(self.project.clone());
        let traefik = Traefik::among(containers).ok_or_else(no_proxy)?;
        Ok(view::view(Shown {
            project: &self.project,
            replicas,
            balancer: Balancer::Traefik,
            address: traefik.address.ok_or_else(no_proxy)?,
            exposed_by_default: traefik.exposed_by_default,
            services: IndexMap::new(),
            hosts: Vec::new(),
        }))
    }

    /// The service that a request for this host and path would be given to.
    ///
    /// # Errors
    /// As [`UnsupervisedLab::view`].
    pub async fn route(&self, host: &str, path: &str) -> Result<Option<String>, UnsupervisedError> {
        let (containers, replicas) = self.now().await?;
        let traefik = Traefik::among(&containers).ok_or_else(|| UnsupervisedError::NoProxy(self.project.clone()))?;
        Ok(view::route(&replicas, traefik.exposed_by_default, host, path))
    }

    /// Another number of containers.
    ///
    /// # Errors
    /// When a service is unknown, or a container does not come to answer.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>) -> Result<ScaleView, UnsupervisedError> {
        self.ours()?;
        let scope = Scope::Project(self.project.clone());
        let containers = Containers::watch(self.docker.clone(), scope, Naming::Compose).await?;
        let now = containers.containers().borrow().clone();
        let traefik = Traefik::among(&now).ok_or_else(|| UnsupervisedError::NoProxy(self.project.clone()))?;
        let tool = Tool::detect().await.map_err(ChangeError::from)?;
        let compose = Compose::new(tool, &self.project, config_files(&now), None, BTreeMap::new());
        let definition = compose.config().await.map_err(ChangeError::from)?;
        let definition = composefile::resolved(&definition).map_err(ChangeError::from)?;
        let services = definition.services.into_iter().filter(|service| service.role != Role::Proxy);
        let scaling = Scaling {
            docker: &self.docker,
            compose: &compose,
            containers: &containers,
            balancer: Balancer::Traefik,
            proxy: None,
            known: services.map(|service| service.name).collect(),
            exposed_by_default: traefik.exposed_by_default,
            patience: readiness::PATIENCE,
        };
        let view = || {
            let (containers, replicas) = (containers.containers(), containers.replicas());
            self.shown(&containers.borrow(), &replicas.borrow()).ok()
        };
        Ok(scaling.run(targets, view, drop).await?)
    }

    /// What Traefik's log has of requests.
    ///
    /// # Errors
    /// When the lab has no Traefik; later failures come as items.
    pub async fn log(
        &self,
        query: &LogQuery,
    ) -> Result<impl Stream<Item = Result<Entry, UnsupervisedError>> + Send + Unpin + use<>, UnsupervisedError> {
        let (containers, replicas) = self.now().await?;
        let traefik = Traefik::among(&containers).ok_or_else(|| UnsupervisedError::NoProxy(self.project.clone()))?;
        if traefik.log == AccessLog::NotInContainerLog {
            return Err(UnsupervisedError::NoLog(self.project.clone()));
        }
        let mut directory = Directory::default();
        directory.enter(&replicas);
        let service = query.service.clone();
        let follow = if query.follow { Follow::On } else { Follow::Off };
        let lines = self.docker.log(&traefik.id, query.since, follow);
        Ok(lines.filter_map(move |line| {
            let entry = match line {
                Ok(line) => {
                    // that `scale` asked each whether it answers is no request of a visitor's
                    let asked =
                        directory.read(&line).filter(|asked| asked.user_agent.as_deref() != Some(readiness::AGENT));
                    asked.map(|access| Ok(Entry::Request(Arc::new(access))))
                }
                Err(error) => Some(Err(error.into())),
            };
            let wanted = |entry: &Result<Entry, _>| match (entry, &service) {
                (Ok(Entry::Request(access)), Some(service)) => access.service.as_deref() == Some(service),
                _ => true,
            };
            std::future::ready(entry.filter(wanted))
        }))
    }

    /// Ends all of its containers and removes what belongs to them.
    ///
    /// # Errors
    /// When it is not ours, or the engine does not do it.
    pub async fn stop(&self) -> Result<(), UnsupervisedError> {
        self.ours()?;
        self.docker.remove_project(&self.project).await?;
        if let Ok(rendezvous) = Rendezvous::open() {
            lab_directory::remove(&rendezvous.files(&self.project));
        }
        Ok(())
    }

    /// That it may be changed.
    fn ours(&self) -> Result<(), UnsupervisedError> {
        match self.lab {
            Ours::Yes => Ok(()),
            Ours::No => Err(UnsupervisedError::NotOurs(self.project.clone())),
        }
    }

    async fn now(&self) -> Result<(Arc<[Container]>, Vec<Replica>), UnsupervisedError> {
        let containers: Arc<[Container]> = self.docker.containers(&Scope::Project(self.project.clone())).await?.into();
        let replicas = containers.iter().filter(|container| !container.is_traefik());
        let replicas = replicas.map(|container| container.replica(Naming::Compose)).collect();
        Ok((containers, replicas))
    }
}

/// The files that these containers were made from.
fn config_files(containers: &[Container]) -> Vec<PathBuf> {
    let label = |name: &str| containers.iter().find_map(|container| container.labels.get(name));
    let directory = label(WORKING_DIR).map(PathBuf::from).unwrap_or_default();
    let files = label(CONFIG_FILES).into_iter().flat_map(|files| files.split(','));
    // Compose before 2.0 names them as they were given, and beside that the directory of the first, not of who gave them
    let found = |file: &str| match directory.join(file) {
        path if path.exists() => path,
        path => path.file_name().map_or(path.clone(), |name| directory.join(name)),
    };
    files.map(found).collect()
}
