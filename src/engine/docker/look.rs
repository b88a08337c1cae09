//! What the engine runs, and what that wrote.

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

use super::{
    connect::Docker,
    container::{Container, PROJECT},
    error::DockerError,
    lines::Assembler,
};

/// Containers that are asked about at once: fewer than the connections that an ssh server lets begin at once.
const AT_ONCE: usize = 8;

/// Which containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Those of a compose project.
    Project(String),
    /// All that the engine has.
    All,
}

impl Which {
    /// Whether a container is one of them. One that `compose run` made is nobody's replica.
    pub(super) fn includes(&self, container: &Container) -> bool {
        let ours = match self {
            Which::Project(name) => container.project.as_ref() == Some(name),
            Which::All => true,
        };
        ours && !container.is_one_off()
    }
}

/// A compose project that has containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// How many of its containers run.
    pub running: usize,
    /// Whether one of them has a label of this program.
    pub lab: bool,
}

/// Whether a log goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// Until the container ends.
    On,
    /// What there is.
    Off,
}

impl Docker {
    /// The compose projects that have a container, running or not.
    ///
    /// # Errors
    /// When the engine does not say.
    pub async fn projects(&self) -> Result<Vec<Project>, DockerError> {
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

    /// The containers in any state, by service and number.
    ///
    /// # Errors
    /// When the engine does not say.
    pub async fn containers(&self, which: &Which) -> Result<Vec<Container>, DockerError> {
        let mut containers = self.inspect_all(self.ids(which).await?).await?;
        containers.retain(|container| which.includes(container));
        containers.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(containers)
    }

    /// The ids of the containers in any state, those of `compose run` among them.
    pub(super) async fn ids(&self, which: &Which) -> Result<Vec<String>, DockerError> {
        let options = match which {
            Which::Project(name) => labelled(&format!("{PROJECT}={name}")),
            Which::All => ListContainersOptionsBuilder::default().all(true).build(),
        };
        let listed = self.api.list_containers(Some(options)).await.map_err(|error| self.explain(&error))?;
        Ok(listed.into_iter().filter_map(|container| container.id).collect())
    }

    /// What the engine says of these containers; those that are gone are left out.
    pub(super) async fn inspect_all(
        &self,
        ids: impl IntoIterator<Item = String>,
    ) -> Result<Vec<Container>, DockerError> {
        let asked = stream::iter(ids).map(|id| async move { self.inspect(&id).await });
        let found: Vec<Option<Container>> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// What the engine says of a container; nothing of one that is gone, or of which it cannot say anything.
    async fn inspect(&self, id: &str) -> Result<Option<Container>, DockerError> {
        match self.api.inspect_container(id, None::<InspectContainerOptions>).await {
            Ok(inspected) => Ok(Some(Container::read(inspected))),
            Err(ApiError::DockerResponseServerError { .. }) => Ok(None),
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// The last lines that a container wrote.
    ///
    /// # Errors
    /// When there is no such container, or the engine does not say.
    pub async fn tail(&self, id: &str, lines: usize) -> Result<Vec<String>, DockerError> {
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&lines.to_string()).build();
        let mut written: Vec<String> = self.lines(self.api.logs(id, Some(options)).boxed(), None).try_collect().await?;
        // the two outputs are counted together, and what is longer than a message arrives in parts
        Ok(written.split_off(written.len().saturating_sub(lines)))
    }

    /// What a container wrote since then, or ever, in complete lines.
    pub fn log(
        &self,
        id: &str,
        since: Option<Timestamp>,
        follow: Follow,
    ) -> impl Stream<Item = Result<String, DockerError>> + Send + Unpin + use<> {
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).follow(follow == Follow::On);
        let options = match since {
            // the API takes whole seconds; the messages' own times say the rest
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
        let mut lines = Assembler::new(since);
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

/// Containers in any state that have this label.
fn labelled(label: &str) -> ListContainersOptions {
    let filters = [("label", vec![label])].into();
    ListContainersOptionsBuilder::default().all(true).filters(&filters).build()
}
