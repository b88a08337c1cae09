//! Running labs: commands find them by their supervisors, else by the containers that Docker lists.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{Stream, StreamExt, stream::BoxStream};

use crate::{
    engine::DockerError,
    model::{Engine, Entry, LabView, ScaleView},
};

use super::{
    compose::{UnsupervisedError, UnsupervisedLab},
    supervisor::{ClientError, ControlClient, LogQuery},
};

/// The longest time for Docker's list of labs where the user has not named one.
const DOCKER_TIMEOUT: Duration = Duration::from_millis(500);

/// The longest time for the end of a lab of processes; one that takes longer has a fault.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest time for the end of containers. A compose file may give each of them more than Docker's 10 s.
const CONTAINERS_STOP_TIMEOUT: Duration = Duration::from_secs(90);

/// A lab that another process started.
#[derive(Debug, Clone)]
pub enum RunningLab {
    /// A supervisor keeps the lab.
    Supervised(ControlClient),
    /// The lab consists of containers, and no supervisor keeps it.
    Unsupervised(UnsupervisedLab),
}

/// A running lab that could not be found, asked or changed.
#[derive(Debug, thiserror::Error)]
pub enum RunningLabError {
    /// No lab of this project runs.
    #[error("no running lab called `{project}`")]
    NoLab {
        project: String,
        /// The reason why Docker could not list its containers, where it could not.
        docker: Option<DockerError>,
    },
    /// The supervisor did not answer, or refused.
    #[error(transparent)]
    Supervised(#[from] ClientError),
    /// The lab has no supervisor, and its containers could not be asked or changed.
    #[error(transparent)]
    Unsupervised(#[from] UnsupervisedError),
}

/// Finds the running lab of a project.
///
/// # Errors
/// When no lab of this project runs.
pub async fn find_running_lab(project: &str) -> Result<RunningLab, RunningLabError> {
    match ControlClient::connect(project).await {
        Ok(client) => return Ok(RunningLab::Supervised(client)),
        Err(ClientError::NoLab(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let none = |docker| RunningLabError::NoLab { project: project.to_owned(), docker };
    match UnsupervisedLab::find_project(project).await {
        Ok(Some(lab)) => Ok(RunningLab::Unsupervised(lab)),
        Ok(None) => Err(none(None)),
        Err(error) => Err(none(Some(error))),
    }
}

/// Lists every running lab: those with a supervisor first, each part in the order of the names. Labs without a
/// supervisor are left out where Docker does not list them within 500 ms.
///
/// # Errors
/// When the directory of the supervisors cannot be used.
pub async fn running_labs() -> Result<Vec<RunningLab>, RunningLabError> {
    let supervised = ControlClient::connect_all().await?;
    let others = tokio::time::timeout(DOCKER_TIMEOUT, UnsupervisedLab::list_running()).await;
    let others = others.ok().and_then(Result::ok).unwrap_or_default();
    let has_supervisor = |lab: &UnsupervisedLab| supervised.iter().any(|client| client.project() == lab.project());
    let others: Vec<_> = others.into_iter().filter(|lab| !has_supervisor(lab)).map(RunningLab::Unsupervised).collect();
    Ok(supervised.into_iter().map(RunningLab::Supervised).chain(others).collect())
}

impl RunningLab {
    pub fn project(&self) -> &str {
        match self {
            RunningLab::Supervised(lab) => lab.project(),
            RunningLab::Unsupervised(lab) => lab.project(),
        }
    }

    /// Asks for the state of the lab at this moment.
    ///
    /// # Errors
    /// When the lab does not answer.
    pub async fn view(&self) -> Result<LabView, RunningLabError> {
        Ok(match self {
            RunningLab::Supervised(lab) => lab.view().await?,
            RunningLab::Unsupervised(lab) => lab.view().await?,
        })
    }

    /// Asks for the service that gets a request for this host and path.
    ///
    /// # Errors
    /// When the lab does not answer.
    pub async fn route(&self, host: &str, path: &str) -> Result<Option<String>, RunningLabError> {
        Ok(match self {
            RunningLab::Supervised(lab) => lab.route(host, path).await?,
            RunningLab::Unsupervised(lab) => lab.route(host, path).await?,
        })
    }

    /// Gives services new numbers of replicas.
    ///
    /// # Errors
    /// When the lab refuses or does not answer.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>) -> Result<ScaleView, RunningLabError> {
        Ok(match self {
            RunningLab::Supervised(lab) => lab.scale(targets).await?,
            RunningLab::Unsupervised(lab) => lab.scale(targets).await?,
        })
    }

    /// Streams the entries of the log.
    ///
    /// # Errors
    /// When the lab does not answer. A later failure is an item of the stream.
    pub async fn log(
        &self,
        query: &LogQuery,
    ) -> Result<impl Stream<Item = Result<Entry, RunningLabError>> + Send + Unpin + use<>, RunningLabError> {
        let entries: BoxStream<'static, Result<Entry, RunningLabError>> = match self {
            RunningLab::Supervised(lab) => lab.log(query).await?.map(|entry| Ok(entry?)).boxed(),
            RunningLab::Unsupervised(lab) => lab.log(query).await?.map(|entry| Ok(entry?)).boxed(),
        };
        Ok(entries)
    }

    /// Stops the lab and waits for its end.
    ///
    /// # Errors
    /// When the lab does not answer, or does not stop in time: within 5 s a lab of processes, within 90 s one of
    /// containers.
    pub async fn stop(&self) -> Result<(), RunningLabError> {
        match self {
            RunningLab::Supervised(lab) => {
                let timeout = match lab.view().await {
                    Ok(LabView { engine: Engine::Embedded, .. }) => STOP_TIMEOUT,
                    // a lab that does not answer is stopped all the same
                    Ok(LabView { engine: Engine::Compose, .. }) | Err(_) => CONTAINERS_STOP_TIMEOUT,
                };
                lab.stop(timeout).await?;
            }
            RunningLab::Unsupervised(lab) => lab.stop().await?,
        }
        Ok(())
    }
}
