//! Running labs, as commands find them: by their supervisors, else by the containers that Docker tells of.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{Stream, StreamExt, stream::BoxStream};

use crate::{
    engine::DockerError,
    model::{Entry, LabView, ScaleView},
};

use super::{
    client::{Client, ClientError},
    containers::{Unsupervised, UnsupervisedError},
    control::LogQuery,
};

/// How long Docker may take to tell of labs that nobody asked for by name.
const UNASKED: Duration = Duration::from_millis(500);

/// A running lab.
#[derive(Debug, Clone)]
pub enum Running {
    /// It has a supervisor.
    Supervised(Client),
    /// It has containers alone.
    Unsupervised(Unsupervised),
}

/// Why a running lab could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum RunningError {
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
pub async fn find(project: &str) -> Result<Running, RunningError> {
    match Client::find(project) {
        Ok(client) => return Ok(Running::Supervised(client)),
        Err(ClientError::NoLab(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let none = |docker| RunningError::NoLab { project: project.to_owned(), docker };
    match Unsupervised::find(project).await {
        Ok(Some(lab)) => Ok(Running::Unsupervised(lab)),
        Ok(None) => Err(none(None)),
        Err(error) => Err(none(Some(error))),
    }
}

/// Every running lab, by name. Where Docker does not tell, or not at once, its labs are not among them.
///
/// # Errors
/// When the directory where supervisors are found cannot be used.
pub async fn all() -> Result<Vec<Running>, RunningError> {
    let supervised = Client::all()?;
    let others = tokio::time::timeout(UNASKED, Unsupervised::all()).await;
    let others = others.ok().and_then(Result::ok).unwrap_or_default();
    let known = |lab: &Unsupervised| supervised.iter().any(|client| client.project() == lab.project());
    let others: Vec<_> = others.into_iter().filter(|lab| !known(lab)).map(Running::Unsupervised).collect();
    Ok(supervised.into_iter().map(Running::Supervised).chain(others).collect())
}

impl Running {
    /// The project's name.
    pub fn project(&self) -> &str {
        match self {
            Running::Supervised(lab) => lab.project(),
            Running::Unsupervised(lab) => lab.project(),
        }
    }

    /// The lab as it is now.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn view(&self) -> Result<LabView, RunningError> {
        Ok(match self {
            Running::Supervised(lab) => lab.view().await?,
            Running::Unsupervised(lab) => lab.view().await?,
        })
    }

    /// The service that a request for this host and path would be given to.
    ///
    /// # Errors
    /// When the lab does not answer.
    pub async fn route(&self, host: &str, path: &str) -> Result<Option<String>, RunningError> {
        Ok(match self {
            Running::Supervised(lab) => lab.route(host, path).await?,
            Running::Unsupervised(lab) => lab.route(host, path).await?,
        })
    }

    /// Changes the number of replicas.
    ///
    /// # Errors
    /// When the lab refuses or does not answer.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>) -> Result<ScaleView, RunningError> {
        Ok(match self {
            Running::Supervised(lab) => lab.scale(targets).await?,
            Running::Unsupervised(lab) => lab.scale(targets).await?,
        })
    }

    /// The log, entry by entry.
    ///
    /// # Errors
    /// When the lab does not answer; later failures come as items.
    pub async fn log(
        &self,
        query: &LogQuery,
    ) -> Result<impl Stream<Item = Result<Entry, RunningError>> + Send + Unpin + use<>, RunningError> {
        let entries: BoxStream<'static, Result<Entry, RunningError>> = match self {
            Running::Supervised(lab) => lab.log(query).await?.map(|entry| Ok(entry?)).boxed(),
            Running::Unsupervised(lab) => lab.log(query).await?.map(|entry| Ok(entry?)).boxed(),
        };
        Ok(entries)
    }

    /// Stops the lab and waits until it has, for as long as `limit` where it has a supervisor.
    ///
    /// # Errors
    /// When it does not answer or does not stop.
    pub async fn stop(&self, limit: Duration) -> Result<(), RunningError> {
        match self {
            Running::Supervised(lab) => lab.stop(limit).await?,
            Running::Unsupervised(lab) => lab.stop().await?,
        }
        Ok(())
    }
}
