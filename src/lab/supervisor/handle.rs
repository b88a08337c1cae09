//! Running labs, as commands find them: by their supervisors, else by the containers that Docker tells of.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{Stream, StreamExt, stream::BoxStream};

use crate::{
    engine::DockerError,
    lab::compose::{UnsupervisedError, UnsupervisedLab},
    model::{Entry, LabView, ScaleView},
};

use super::{
    client::{Client, ClientError},
    control::LogQuery,
};

/// How long Docker may take to tell of labs that nobody asked for by name.
const UNASKED: Duration = Duration::from_millis(500);

/// A running lab.
#[derive(Debug, Clone)]
pub enum RunningLab {
    /// It has a supervisor.
    Supervised(Client),
    /// It has containers alone.
    Unsupervised(UnsupervisedLab),
}

/// Why a running lab could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum RunningLabError {
    /// There is none of this project.
    #[error("no running lab called `{project}`")]
    NoLab {
        /// The project.
        project: String,
        /// Why Docker could not be asked, where it could not.
        docker: Option<DockerError>,
    },
    /// Its supervisor did not do it.
    #[error(transparent)]
    Supervised(#[from] ClientError),
    /// It has no supervisor, and could not do it.
    #[error(transparent)]
    Unsupervised(#[from] UnsupervisedError),
}

/// The running lab of `project`.
///
/// # Errors
/// When there is none.
pub async fn find_running_lab(project: &str) -> Result<RunningLab, RunningLabError> {
    match Client::find(project) {
        Ok(client) => return Ok(RunningLab::Supervised(client)),
        Err(ClientError::NoLab(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let none = |docker| RunningLabError::NoLab { project: project.to_owned(), docker };
    match UnsupervisedLab::find(project).await {
        Ok(Some(lab)) => Ok(RunningLab::Unsupervised(lab)),
        Ok(None) => Err(none(None)),
        Err(error) => Err(none(Some(error))),
    }
}

/// Every running lab, by name. Where Docker does not tell, or not at once, its labs are not among them.
///
/// # Errors
/// When the directory where supervisors are found cannot be used.
pub async fn running_labs() -> Result<Vec<RunningLab>, RunningLabError> {
    let supervised = Client::all()?;
    let others = tokio::time::timeout(UNASKED, UnsupervisedLab::all()).await;
    let others = others.ok().and_then(Result::ok).unwrap_or_default();
    let known = |lab: &UnsupervisedLab| supervised.iter().any(|client| client.project() == lab.project());
    let others: Vec<_> = others.into_iter().filter(|lab| !known(lab)).map(RunningLab::Unsupervised).collect();
    Ok(supervised.into_iter().map(RunningLab::Supervised).chain(others).collect())
}

impl RunningLab {
    /// The project's name.
    pub fn project(&self) -> &str {
        match self {
            RunningLab::Supervised(lab) => lab.project(),
            RunningLab::Unsupervised(lab) => lab.project(),
        }
    }

    /// The lab as it is now.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn view(&self) -> Result<LabView, RunningLabError> {
        Ok(match self {
            RunningLab::Supervised(lab) => lab.view().await?,
            RunningLab::Unsupervised(lab) => lab.view().await?,
        })
    }

    /// The service that a request for this host and path would be given to.
    ///
    /// # Errors
    /// When the lab does not answer.
    pub async fn route(&self, host: &str, path: &str) -> Result<Option<String>, RunningLabError> {
        Ok(match self {
            RunningLab::Supervised(lab) => lab.route(host, path).await?,
            RunningLab::Unsupervised(lab) => lab.route(host, path).await?,
        })
    }

    /// Changes the number of replicas.
    ///
    /// # Errors
    /// When the lab refuses or does not answer.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>) -> Result<ScaleView, RunningLabError> {
        Ok(match self {
            RunningLab::Supervised(lab) => lab.scale(targets).await?,
            RunningLab::Unsupervised(lab) => lab.scale(targets).await?,
        })
    }

    /// The log, entry by entry.
    ///
    /// # Errors
    /// When the lab does not answer; later failures come as items.
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

    /// Stops the lab and waits until it has, for as long as `limit` where it has a supervisor.
    ///
    /// # Errors
    /// When it does not answer or does not stop.
    pub async fn stop(&self, limit: Duration) -> Result<(), RunningLabError> {
        match self {
            RunningLab::Supervised(lab) => lab.stop(limit).await?,
            RunningLab::Unsupervised(lab) => lab.stop().await?,
        }
        Ok(())
    }
}
