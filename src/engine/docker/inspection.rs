//! Inspection: lists compose projects and containers, and reads the logs of containers.

use std::collections::BTreeMap;

use bollard::{
    container::LogOutput,
    errors::Error as ApiError,
    query_parameters::{
        InspectContainerOptions, ListContainersOptions, ListContainersOptionsBuilder, LogsOptionsBuilder,
    },
};
use futures_util::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use jiff::Timestamp;
use tracing::debug;

use super::{
    connection::Docker,
    container::{Container, PROJECT},
    error::DockerError,
    logs::LineAssembler,
};

/// The number of requests about containers at the same time. An ssh server refuses connections where more than about ten
/// begin at once.
const MAX_PARALLEL_REQUESTS: usize = 8;

/// A set of containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The containers of the compose project with this name.
    Project(String),
    /// All containers of the engine.
    All,
}

impl Scope {
    /// Returns whether a container belongs to the set. A container that `compose run` made does not: it is no replica.
    pub(super) fn includes(&self, container: &Container) -> bool {
        let belongs = match self {
            Scope::Project(name) => container.project.as_ref() == Some(name),
            Scope::All => true,
        };
        belongs && !container.is_one_off()
    }
}

/// A compose project that has containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub name: String,
    /// The number of running containers.
    pub running: usize,
    /// True if one of its containers has a label of this program.
    pub lab: bool,
}

/// The point at which the reading of a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowMode {
    /// Reading ends when the container ends.
    On,
    /// Reading ends with the line that is the last one now.
    Off,
}

impl Docker {
    /// Lists the compose projects that have a container, running or not.
    ///
    /// # Errors
    /// Fails when the engine does not list them.
    pub async fn projects(&self) -> Result<Vec<Project>, DockerError> {
        debug!("Docker: list projects");
        let options = labelled(PROJECT);
        let listed = self.api.list_containers(Some(options)).await.map_err(|error| self.explain(&error))?;
        let mut projects: BTreeMap<String, Project> = BTreeMap::new();
        for container in listed {
            let mut labels = container.labels.unwrap_or_default();
            let lab = labels.keys().any(|label| label.starts_with("lbctl."));
            let Some(name) = labels.remove(PROJECT) else { continue };
            let runs = container.state.is_some_and(|state| state.to_string() == "running");
            let project = projects.entry(name.clone()).or_insert(Project { name, running: 0, lab: false });
            project.running += usize::from(runs);
            project.lab |= lab;
        }
        Ok(projects.into_values().collect())
    }

    /// Lists the containers in any state, sorted by service and number.
    ///
    /// # Errors
    /// Fails when the engine does not list them.
    pub async fn containers(&self, scope: &Scope) -> Result<Vec<Container>, DockerError> {
        let mut containers = self.inspect_all(self.ids(scope).await?).await?;
        containers.retain(|container| scope.includes(container));
        containers.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        Ok(containers)
    }

    /// Lists the ids of the containers in any state, with those that `compose run` made.
    pub(super) async fn ids(&self, scope: &Scope) -> Result<Vec<String>, DockerError> {
        let options = match scope {
            Scope::Project(name) => labelled(&format!("{PROJECT}={name}")),
            Scope::All => ListContainersOptionsBuilder::default().all(true).build(),
        };
        debug!(?scope, "Docker: list containers");
        let listed = self.api.list_containers(Some(options)).await.map_err(|error| self.explain(&error))?;
        Ok(listed.into_iter().filter_map(|container| container.id).collect())
    }

    /// Inspects these containers. Those that no longer exist are left out.
    pub(super) async fn inspect_all(
        &self,
        ids: impl IntoIterator<Item = String>,
    ) -> Result<Vec<Container>, DockerError> {
        let inspections = stream::iter(ids).map(|id| async move { self.inspect(&id).await });
        let found: Vec<Option<Container>> = inspections.buffer_unordered(MAX_PARALLEL_REQUESTS).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Inspects a container. Returns `None` for one that no longer exists, or that the engine cannot describe.
    async fn inspect(&self, id: &str) -> Result<Option<Container>, DockerError> {
        debug!(id, "Docker: inspect container");
        match self.api.inspect_container(id, None::<InspectContainerOptions>).await {
            Ok(inspected) => Ok(Some(Container::from_api(inspected))),
            Err(ApiError::DockerResponseServerError { .. }) => Ok(None),
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// Reads the last `lines` lines of a container's log.
    ///
    /// # Errors
    /// Fails when there is no such container, or the engine does not return its log.
    pub async fn tail(&self, id: &str, lines: usize) -> Result<Vec<String>, DockerError> {
        debug!(id, lines, "Docker: read the end of a log");
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&lines.to_string()).build();
        let mut written: Vec<String> = self.lines(self.api.logs(id, Some(options)).boxed(), None).try_collect().await?;
        // the engine counts messages of both outputs together, and a long line is several messages
        Ok(written.split_off(written.len().saturating_sub(lines)))
    }

    /// Reads a container's log in complete lines, from its beginning or from a moment on.
    pub fn log(
        &self,
        id: &str,
        since: Option<Timestamp>,
        follow: FollowMode,
    ) -> impl Stream<Item = Result<String, DockerError>> + Send + Unpin + use<> {
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).follow(follow == FollowMode::On);
        let options = match since {
            // the API takes whole seconds; the times of the messages decide within the first second
            Some(since) => options.since(i32::try_from(since.as_second()).unwrap_or(0)).timestamps(true),
            None => options,
        };
        self.lines(self.api.logs(id, Some(options.build())).boxed(), since)
    }

    fn lines(
        &self,
        output: BoxStream<'static, Result<LogOutput, ApiError>>,
        since: Option<Timestamp>,
    ) -> BoxStream<'static, Result<String, DockerError>> {
        let docker = self.clone();
        let mut lines = LineAssembler::new(since);
        let messages = output.map(Some).chain(stream::iter([None]));
        let complete = messages.flat_map(move |message| {
            stream::iter(match message {
                Some(Ok(message)) => lines.add(&message).into_iter().map(Ok).collect(),
                Some(Err(error)) => vec![Err(docker.explain(&error))],
                None => lines.rest().into_iter().map(Ok).collect(),
            })
        });
        complete.boxed()
    }
}

/// Options that list the containers in any state that have this label.
fn labelled(label: &str) -> ListContainersOptions {
    let filters = [("label", vec![label])].into();
    ListContainersOptionsBuilder::default().all(true).filters(&filters).build()
}
