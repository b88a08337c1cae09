//! A lab of containers without a supervisor: the user started it with Compose, or its supervisor has ended. Commands
//! work on it all the same, as Docker knows everything about it.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use futures_util::{Stream, StreamExt};
use indexmap::IndexMap;

use crate::{
    composefile::{self, AccessLog, Role},
    engine::{Compose, Container, Containers, Docker, DockerError, FollowMode, Naming, Scope, Tool},
    lab::{
        change_error::ChangeError,
        supervisor::{LogQuery, Rendezvous},
    },
    model::{Entry, LabView, ProxyKind, Replica, ScaleView},
};

use super::{
    lab_directory::remove_directory,
    readiness::{READINESS_TIMEOUT, USER_AGENT},
    routes,
    scale::Scaling,
    traefik::Traefik,
    traefik_log::LogReader,
    view::{LabFacts, lab_view},
};

/// The label that lists the compose files of a container, separated by commas.
const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
/// The label that names the directory to which these paths are relative.
const WORKING_DIR: &str = "com.docker.compose.project.working_dir";

/// A lab without a supervisor.
#[derive(Debug, Clone)]
pub struct UnsupervisedLab {
    docker: Docker,
    project: String,
    owner: Owner,
}

/// The owner of a project, by the labels of its containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The project is a lab of this program, which may change and remove it.
    ThisProgram,
    Other,
}

/// A lab without a supervisor that cannot be asked or changed.
#[derive(Debug, thiserror::Error)]
pub enum UnsupervisedError {
    /// No container of the lab is a proxy that runs.
    #[error("the lab `{0}` has containers and no proxy that runs")]
    NoProxy(String),
    /// The proxy does not write requests to the log of its container.
    #[error("the Traefik of `{0}` does not write requests to its log")]
    NoLog(String),
    /// Another program started the containers, and they have no label of this program.
    #[error("the containers of `{0}` were not started by lbctl, nor from its lab")]
    NotOurs(String),
    /// The Docker Engine cannot be used, or refuses.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// The change failed.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl UnsupervisedError {
    /// The advice to the user, where there is one.
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
    /// Finds the containers of a project; `None` where it has none.
    ///
    /// # Errors
    /// When the Docker Engine does not list them.
    pub async fn find_project(project: &str) -> Result<Option<UnsupervisedLab>, DockerError> {
        let docker = Docker::connect().await?;
        let found = docker.projects().await?.into_iter().find(|other| other.name == project);
        Ok(found.map(|project| {
            let owner = if project.lab { Owner::ThisProgram } else { Owner::Other };
            UnsupervisedLab { docker, project: project.name, owner }
        }))
    }

    /// Lists every lab of this program that has a running container, in the order of their names.
    ///
    /// # Errors
    /// When the Docker Engine does not list them.
    pub async fn list_running() -> Result<Vec<UnsupervisedLab>, DockerError> {
        let docker = Docker::connect().await?;
        let labs = docker.projects().await?.into_iter().filter(|project| project.lab && project.running > 0);
        let owner = Owner::ThisProgram;
        Ok(labs.map(|lab| UnsupervisedLab { docker: docker.clone(), project: lab.name, owner }).collect())
    }

    pub fn project(&self) -> &str {
        &self.project
    }

    /// Reads the state of the lab at this moment.
    ///
    /// # Errors
    /// When the Docker Engine does not list the containers, or no proxy is among them.
    pub async fn view(&self) -> Result<LabView, UnsupervisedError> {
        let (containers, replicas) = self.containers_and_replicas().await?;
        self.lab_view(&containers, &replicas)
    }

    fn lab_view(&self, containers: &[Container], replicas: &[Replica]) -> Result<LabView, UnsupervisedError> {
        let traefik = self.traefik(containers)?;
        Ok(lab_view(LabFacts {
            project: &self.project,
            replicas,
            proxy_kind: ProxyKind::Traefik,
            address: traefik.address.ok_or_else(|| UnsupervisedError::NoProxy(self.project.clone()))?,
            exposed_by_default: traefik.exposed_by_default,
            services: IndexMap::new(),
            hosts: Vec::new(),
        }))
    }

    /// Returns the service that gets a request for this host and path.
    ///
    /// # Errors
    /// The errors of [`UnsupervisedLab::view`].
    pub async fn route(&self, host: &str, path: &str) -> Result<Option<String>, UnsupervisedError> {
        let (containers, replicas) = self.containers_and_replicas().await?;
        let traefik = self.traefik(&containers)?;
        Ok(routes::service_for(&replicas, traefik.exposed_by_default, host, path))
    }

    /// Adds and removes containers.
    ///
    /// # Errors
    /// When the lab belongs to another program, a service is unknown, or a container does not become ready.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>) -> Result<ScaleView, UnsupervisedError> {
        self.check_owner()?;
        let scope = Scope::Project(self.project.clone());
        let containers = Containers::watch(self.docker.clone(), scope, Naming::Compose).await?;
        let now = containers.containers().borrow().clone();
        let traefik = self.traefik(&now)?;
        let tool = Tool::detect().await.map_err(ChangeError::from)?;
        let compose = Compose::new(tool, &self.project, config_files(&now), None, BTreeMap::new());
        let definition = compose.config().await.map_err(ChangeError::from)?;
        let definition = composefile::parse_resolved(&definition).map_err(ChangeError::from)?;
        let services = definition.services.into_iter().filter(|service| service.role != Role::Proxy);
        let scaling = Scaling {
            docker: &self.docker,
            compose: &compose,
            containers: &containers,
            proxy_kind: ProxyKind::Traefik,
            proxy: None,
            services: services.map(|service| service.name).collect(),
            exposed_by_default: traefik.exposed_by_default,
            patience: READINESS_TIMEOUT,
        };
        let view = || {
            let (containers, replicas) = (containers.containers(), containers.replicas());
            self.lab_view(&containers.borrow(), &replicas.borrow()).ok()
        };
        Ok(scaling.scale(targets, view, drop).await?)
    }

    /// Streams the requests in Traefik's log.
    ///
    /// # Errors
    /// When the lab has no Traefik, or its container's log has no requests. A later failure is an item of the stream.
    pub async fn log(
        &self,
        query: &LogQuery,
    ) -> Result<impl Stream<Item = Result<Entry, UnsupervisedError>> + Send + Unpin + use<>, UnsupervisedError> {
        let (containers, replicas) = self.containers_and_replicas().await?;
        let traefik = self.traefik(&containers)?;
        if traefik.log == AccessLog::NotInContainerLog {
            return Err(UnsupervisedError::NoLog(self.project.clone()));
        }
        let mut reader = LogReader::default();
        reader.learn(&replicas);
        let service = query.service.clone();
        let follow = if query.follow { FollowMode::On } else { FollowMode::Off };
        let lines = self.docker.log(&traefik.id, query.since, follow);
        Ok(lines.filter_map(move |line| {
            let entry = match line {
                Ok(line) => {
                    // the requests by which `scale` checks that replicas are ready are left out
                    let access = reader.read(&line);
                    let access = access.filter(|access| access.user_agent.as_deref() != Some(USER_AGENT));
                    access.map(|access| Ok(Entry::Request(Arc::new(access))))
                }
                Err(error) => Some(Err(error.into())),
            };
            let is_wanted = |entry: &Result<Entry, _>| match (entry, &service) {
                (Ok(Entry::Request(access)), Some(service)) => access.service.as_deref() == Some(service),
                _ => true,
            };
            std::future::ready(entry.filter(is_wanted))
        }))
    }

    /// Removes the containers, the networks and the files of the lab.
    ///
    /// # Errors
    /// When the lab belongs to another program, or the Docker Engine does not remove all of it.
    pub async fn stop(&self) -> Result<(), UnsupervisedError> {
        self.check_owner()?;
        self.docker.remove_project(&self.project).await?;
        if let Ok(rendezvous) = Rendezvous::open() {
            remove_directory(&rendezvous.lab_directory(&self.project));
        }
        Ok(())
    }

    /// Checks that this program may change the lab.
    fn check_owner(&self) -> Result<(), UnsupervisedError> {
        match self.owner {
            Owner::ThisProgram => Ok(()),
            Owner::Other => Err(UnsupervisedError::NotOurs(self.project.clone())),
        }
    }

    fn traefik(&self, containers: &[Container]) -> Result<Traefik, UnsupervisedError> {
        Traefik::find_running(containers).ok_or_else(|| UnsupervisedError::NoProxy(self.project.clone()))
    }

    async fn containers_and_replicas(&self) -> Result<(Arc<[Container]>, Vec<Replica>), UnsupervisedError> {
        let containers: Arc<[Container]> = self.docker.containers(&Scope::Project(self.project.clone())).await?.into();
        let replicas = containers.iter().filter(|container| !container.is_traefik());
        let replicas = replicas.map(|container| container.replica(Naming::Compose)).collect();
        Ok((containers, replicas))
    }
}

/// The compose files of these containers, by their labels.
fn config_files(containers: &[Container]) -> Vec<PathBuf> {
    let label = |name: &str| containers.iter().find_map(|container| container.labels.get(name));
    let directory = label(WORKING_DIR).map(PathBuf::from).unwrap_or_default();
    let files = label(CONFIG_FILES).into_iter().flat_map(|files| files.split(','));
    // Compose before 2.0 lists the paths as the user gave them, and names the directory of the first file instead of
    // the directory of the user
    let resolve = |file: &str| match directory.join(file) {
        path if path.exists() => path,
        path => path.file_name().map_or(path.clone(), |name| directory.join(name)),
    };
    files.map(resolve).collect()
}
