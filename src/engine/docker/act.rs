//! What is done to containers: a command is run in one, they are ended, a project is removed.

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

use super::{connect::Docker, container::PROJECT, error::DockerError, look::Which};

/// How long a container has to end after it was asked to, where it does not say, in seconds: Docker's default.
const STOP_TIMEOUT: u64 = 10;
/// How much longer the engine may take to say so, in seconds.
const STOP_MARGIN: u64 = 60;
/// How long a container that somebody else removes may take to go.
const GOING: Duration = Duration::from_secs(30);
/// The pause before it is looked again.
const PAUSE: Duration = Duration::from_millis(100);
/// How often what cannot be removed is tried again.
const TRIES: u32 = 10;

/// What a command in a container did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// Its exit code.
    pub code: i64,
    /// What it wrote to standard output.
    pub stdout: String,
}

impl Docker {
    /// Runs a command in a container to its end.
    ///
    /// # Errors
    /// When the engine does not run it.
    pub async fn exec(&self, id: &str, argv: &[&str]) -> Result<Executed, DockerError> {
        self.execute(id, argv).await.map_err(|error| self.explain(&error))
    }

    async fn execute(&self, id: &str, argv: &[&str]) -> Result<Executed, ApiError> {
        let command = CreateExecOptions {
            cmd: Some(argv.to_vec()),
            attach_stdout: Some(true),
            // without a reader, a command that complains at length would never end
            attach_stderr: Some(true),
            ..CreateExecOptions::default()
        };
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
        Ok(Executed { code: ended.exit_code.unwrap_or(-1), stdout })
    }

    /// Stops containers, all at once and each with the signal and the time that it was created with, and removes them
    /// with their anonymous volumes. One that is gone already is no error.
    ///
    /// # Errors
    /// The first that could not be removed, after all the others were.
    pub async fn end(&self, ids: &[String]) -> Result<(), DockerError> {
        let ended = join_all(ids.iter().map(|id| self.end_one(id))).await;
        ended.into_iter().collect::<Result<(), ApiError>>().map_err(|error| self.explain(&error))
    }

    async fn end_one(&self, id: &str) -> Result<(), ApiError> {
        let inspected = match self.api.inspect_container(id, None::<InspectContainerOptions>).await {
            Err(error) if is_gone(&error) => return Ok(()),
            inspected => inspected?,
        };
        let timeout = inspected.config.and_then(|config| config.stop_timeout);
        let timeout = timeout.map_or(STOP_TIMEOUT, |seconds| u64::try_from(seconds).unwrap_or(u64::from(u32::MAX)));
        if inspected.state.and_then(|state| state.running) == Some(true) {
            let patient = self.api.clone().with_timeout(Duration::from_secs(timeout + STOP_MARGIN));
            match patient.stop_container(id, None::<StopContainerOptions>).await {
                Err(error) if is_gone(&error) => return Ok(()),
                // one that cannot be stopped is killed when it is removed
                Ok(()) | Err(ApiError::DockerResponseServerError { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let options = RemoveContainerOptionsBuilder::default().v(true).force(true).build();
        match self.api.remove_container(id, Some(options)).await {
            Err(error) if is_gone(&error) => Ok(()),
            Err(ApiError::DockerResponseServerError { status_code: 409, .. }) => self.going(id).await,
            removed => removed,
        }
    }

    /// Waits until a container is gone that somebody else removes at the same time.
    async fn going(&self, id: &str) -> Result<(), ApiError> {
        let gone = async {
            loop {
                match self.api.inspect_container(id, None::<InspectContainerOptions>).await {
                    Err(error) if is_gone(&error) => return Ok(()),
                    Err(error) => return Err(error),
                    Ok(_) => tokio::time::sleep(PAUSE).await,
                }
            }
        };
        tokio::time::timeout(GOING, gone).await.unwrap_or(Err(ApiError::RequestTimeoutError))
    }

    /// Removes all containers of a compose project, as [`Docker::end`] does, and its networks. Volumes with a name stay.
    /// It looks again until nothing is left: a `compose up` that was cut off may still have something made.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub async fn remove_project(&self, project: &str) -> Result<(), DockerError> {
        let which = Which::Project(project.to_owned());
        let mut tries = 0;
        // what is being made while the first look finds nothing is found by the second
        let mut empty_looks = 0;
        while empty_looks < 2 {
            let containers = self.ids(&which).await?;
            let networks = self.networks(project).await?;
            if containers.is_empty() && networks.is_empty() {
                empty_looks += 1;
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            empty_looks = 0;
            let removed = match self.end(&containers).await {
                Ok(()) => self.remove_networks(&networks).await,
                Err(error) => Err(error),
            };
            if let Err(error) = removed {
                tries += 1;
                if tries >= TRIES {
                    return Err(error);
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    /// Removes the same at once, whatever its containers are doing.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub async fn kill_project(&self, project: &str) -> Result<(), DockerError> {
        let containers = self.ids(&Which::Project(project.to_owned())).await?;
        let options = || Some(RemoveContainerOptionsBuilder::default().v(true).force(true).build());
        // what cannot be killed is tried again below, and said there
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
