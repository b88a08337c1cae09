//! Runs commands in containers, stops and removes containers, and removes whole compose projects.

use std::time::Duration;

use bollard::{
    container::LogOutput,
    errors::Error as ApiError,
    exec::{CreateExecOptions, StartExecOptions, StartExecResults},
    query_parameters::{
        InspectContainerOptions, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptions,
    },
};
use futures_util::{StreamExt, future::join_all};
use tracing::debug;

use super::{connection::Docker, container::PROJECT, error::DockerError, inspection::Scope};

/// The longest time that a container without a stop timeout of its own may take to stop, in seconds: Docker's default.
const DEFAULT_STOP_SECONDS: u64 = 10;
/// The time that the engine may take longer than the container to report the stop, in seconds.
const STOP_MARGIN_SECONDS: u64 = 60;
/// The longest time that a removal by another client may take.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause between two looks at a removal.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The number of failed removals after which a project stays as it is.
const MAX_FAILURES: u32 = 10;

/// The result of a command that ran in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOutput {
    pub code: i64,
    pub stdout: String,
}

impl Docker {
    /// Runs a command in a container to its end.
    ///
    /// # Errors
    /// Fails when the engine does not run it.
    pub async fn exec(&self, id: &str, argv: &[&str]) -> Result<ExecOutput, DockerError> {
        self.execute(id, argv).await.map_err(|error| self.explain(&error))
    }

    async fn execute(&self, id: &str, argv: &[&str]) -> Result<ExecOutput, ApiError> {
        let command = CreateExecOptions {
            cmd: Some(argv.to_vec()),
            attach_stdout: Some(true),
            // without a reader, a command that writes many errors would never end
            attach_stderr: Some(true),
            ..CreateExecOptions::default()
        };
        debug!(id, ?argv, "Docker: run a command");
        let created = self.api.create_exec(id, command).await?;
        let mut stdout = Vec::new();
        let started = self.api.start_exec(&created.id, None::<StartExecOptions>).await?;
        if let StartExecResults::Attached { mut output, .. } = started {
            while let Some(message) = output.next().await {
                if let LogOutput::StdOut { message } | LogOutput::Console { message } = message? {
                    stdout.extend_from_slice(&message);
                }
            }
        }
        let ended = self.api.inspect_exec(&created.id).await?;
        let stdout = String::from_utf8_lossy(&stdout).into_owned();
        Ok(ExecOutput { code: ended.exit_code.unwrap_or(-1), stdout })
    }

    /// Stops containers, all at once and each with the signal and the time that it was created with, and removes them
    /// with their anonymous volumes. A container that no longer exists is no error.
    ///
    /// # Errors
    /// Returns the error of the first container that could not be removed, after all the others were removed.
    pub async fn remove(&self, ids: &[String]) -> Result<(), DockerError> {
        let removals = join_all(ids.iter().map(|id| self.remove_one(id))).await;
        removals.into_iter().collect::<Result<(), ApiError>>().map_err(|error| self.explain(&error))
    }

    async fn remove_one(&self, id: &str) -> Result<(), ApiError> {
        debug!(id, "Docker: remove container");
        let inspected = match self.api.inspect_container(id, None::<InspectContainerOptions>).await {
            Err(error) if is_gone(&error) => return Ok(()),
            inspected => inspected?,
        };
        let timeout = inspected.config.and_then(|config| config.stop_timeout);
        let timeout =
            timeout.map_or(DEFAULT_STOP_SECONDS, |seconds| u64::try_from(seconds).unwrap_or(u64::from(u32::MAX)));
        if inspected.state.and_then(|state| state.running) == Some(true) {
            let client = self.api.clone().with_timeout(Duration::from_secs(timeout + STOP_MARGIN_SECONDS));
            match client.stop_container(id, None::<StopContainerOptions>).await {
                Err(error) if is_gone(&error) => return Ok(()),
                // a container that cannot be stopped is killed by its removal
                Ok(()) | Err(ApiError::DockerResponseServerError { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let options = RemoveContainerOptionsBuilder::default().v(true).force(true).build();
        match self.api.remove_container(id, Some(options)).await {
            Err(error) if is_gone(&error) => Ok(()),
            Err(ApiError::DockerResponseServerError { status_code: 409, .. }) => self.wait_for_removal(id).await,
            removed => removed,
        }
    }

    /// Waits for the end of a container that another client removes at the same time.
    async fn wait_for_removal(&self, id: &str) -> Result<(), ApiError> {
        let gone = async {
            loop {
                match self.api.inspect_container(id, None::<InspectContainerOptions>).await {
                    Err(error) if is_gone(&error) => return Ok(()),
                    Err(error) => return Err(error),
                    Ok(_) => tokio::time::sleep(POLL_INTERVAL).await,
                }
            }
        };
        tokio::time::timeout(REMOVAL_TIMEOUT, gone).await.unwrap_or(Err(ApiError::RequestTimeoutError))
    }

    /// Removes all containers of a compose project, as [`Docker::remove`] does, and its networks. Volumes with a name stay.
    /// It repeats this until nothing is left, because after a cancelled `compose up` the engine may still create
    /// something.
    ///
    /// # Errors
    /// Fails when a container or a network cannot be removed.
    pub async fn remove_project(&self, project: &str) -> Result<(), DockerError> {
        let scope = Scope::Project(project.to_owned());
        let mut failures = 0;
        // a container that is created while the first look finds nothing is found by the second
        let mut empty_looks = 0;
        while empty_looks < 2 {
            let containers = self.ids(&scope).await?;
            let networks = self.networks(project).await?;
            if containers.is_empty() && networks.is_empty() {
                empty_looks += 1;
                tokio::time::sleep(POLL_INTERVAL).await;
                continue;
            }
            empty_looks = 0;
            let removed = match self.remove(&containers).await {
                Ok(()) => self.remove_networks(&networks).await,
                Err(error) => Err(error),
            };
            if let Err(error) = removed {
                failures += 1;
                if failures >= MAX_FAILURES {
                    return Err(error);
                }
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        }
        Ok(())
    }

    /// Removes a project as [`Docker::remove_project`] does, but kills its containers instead of stopping them.
    ///
    /// # Errors
    /// Fails when a container or a network cannot be removed.
    pub async fn kill_project(&self, project: &str) -> Result<(), DockerError> {
        debug!(project, "Docker: kill all containers of a project");
        let containers = self.ids(&Scope::Project(project.to_owned())).await?;
        let options = || Some(RemoveContainerOptionsBuilder::default().v(true).force(true).build());
        // a container that cannot be killed is tried again by `remove_project`, which returns the error
        join_all(containers.iter().map(|id| self.api.remove_container(id, options()))).await;
        self.remove_project(project).await
    }

    async fn networks(&self, project: &str) -> Result<Vec<String>, DockerError> {
        let filters = [("label", vec![format!("{PROJECT}={project}")])].into();
        let options = ListNetworksOptionsBuilder::default().filters(&filters).build();
        let listed = self.api.list_networks(Some(options)).await.map_err(|error| self.explain(&error))?;
        Ok(listed.into_iter().filter_map(|network| network.id).collect())
    }

    async fn remove_networks(&self, networks: &[String]) -> Result<(), DockerError> {
        for network in networks {
            debug!(network, "Docker: remove network");
            match self.api.remove_network(network).await {
                Err(error) if is_gone(&error) => {}
                removed => removed.map_err(|error| self.explain(&error))?,
            }
        }
        Ok(())
    }
}

fn is_gone(error: &ApiError) -> bool {
    matches!(error, ApiError::DockerResponseServerError { status_code: 404, .. })
}
