//! The client of the control API: a running lab, as another process finds it.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use reqwest::{RequestBuilder, Response};
use serde::{Serialize, de::DeserializeOwned};

use crate::model::{Entry, LabView, ScaleView};

use super::{
    control::{LogQuery, Refusal, RouteQuery},
    lock::{Rendezvous, RendezvousError},
};

/// How long a supervisor may take to answer a question.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How often `stopped` looks.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Why a running lab could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is none of this project.
    #[error("no running lab called `{0}`")]
    NoLab(String),
    /// It said no.
    #[error("{}", .0.error)]
    Refused(Refusal),
    /// It did not answer as expected.
    #[error("the lab `{project}` did not answer: {reason}")]
    Broken {
        /// The project.
        project: String,
        /// What happened.
        reason: String,
    },
    /// It did not answer in time.
    #[error("the lab `{0}` does not answer")]
    Silent(String),
    /// The directory where labs are found cannot be used.
    #[error(transparent)]
    Rendezvous(#[from] RendezvousError),
}

/// A running lab.
#[derive(Debug, Clone)]
pub struct Client {
    project: String,
    http: reqwest::Client,
    rendezvous: Rendezvous,
}

impl Client {
    /// The running lab of `project`.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(project: &str) -> Result<Client, ClientError> {
        let rendezvous = Rendezvous::open()?;
        let socket = rendezvous.find(project).ok_or_else(|| ClientError::NoLab(project.to_owned()))?;
        Client::new(project, socket, rendezvous)
    }

    /// Every running lab, by name.
    ///
    /// # Errors
    /// When the directory where labs are found cannot be used.
    pub fn all() -> Result<Vec<Client>, ClientError> {
        let rendezvous = Rendezvous::open()?;
        let projects = rendezvous.projects().into_iter();
        // one that ends this very moment is none
        let found = projects.filter_map(|project| Some((rendezvous.find(&project)?, project)));
        found.map(|(socket, project)| Client::new(&project, socket, rendezvous.clone())).collect()
    }

    fn new(project: &str, socket: PathBuf, rendezvous: Rendezvous) -> Result<Client, ClientError> {
        let http = reqwest::Client::builder().unix_socket(socket).no_proxy().build();
        let http = http.map_err(|error| broken(project, &error))?;
        Ok(Client { project: project.to_owned(), http, rendezvous })
    }

    /// The project's name.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The lab as it is now.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn view(&self) -> Result<LabView, ClientError> {
        self.json(self.http.get(url("lab", &())).timeout(ANSWER_LIMIT)).await
    }

    /// The service that a request for this host and path would be given to.
    ///
    /// # Errors
    /// When the lab does not answer.
    pub async fn route(&self, host: &str, path: &str) -> Result<Option<String>, ClientError> {
        let query = RouteQuery { host: host.to_owned(), path: path.to_owned() };
        self.json(self.http.get(url("route", &query)).timeout(ANSWER_LIMIT)).await
    }

    /// Changes the number of replicas.
    ///
    /// # Errors
    /// When the lab refuses or does not answer.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>) -> Result<ScaleView, ClientError> {
        let body = serde_json::to_vec(targets).unwrap_or_default();
        self.json(self.http.post(url("scale", &())).header("content-type", "application/json").body(body)).await
    }

    /// The log, entry by entry.
    ///
    /// # Errors
    /// When the lab does not answer; later failures come as items.
    pub async fn log(
        &self,
        query: &LogQuery,
    ) -> Result<impl Stream<Item = Result<Entry, ClientError>> + Unpin + use<>, ClientError> {
        let response = self.answer(self.http.get(url("log", query))).await?;
        let project = self.project.clone();
        let chunks = response.bytes_stream().map_err({
            let project = project.clone();
            move |error| broken(&project, &error)
        });
        let lines = chunks.scan(Vec::new(), |rest: &mut Vec<u8>, chunk| {
            let lines = chunk.map(|chunk| {
                rest.extend_from_slice(&chunk);
                split_lines(rest)
            });
            std::future::ready(Some(lines))
        });
        let entries = lines.map_ok(move |lines| {
            let project = project.clone();
            stream::iter(lines).map(move |line| serde_json::from_slice(&line).map_err(|error| broken(&project, &error)))
        });
        Ok(Box::pin(entries.try_flatten()))
    }

    /// Asks the lab to stop, and waits until it has.
    ///
    /// # Errors
    /// When it does not answer or does not stop within `limit`.
    pub async fn stop(&self, limit: Duration) -> Result<(), ClientError> {
        self.answer(self.http.post(url("stop", &())).timeout(ANSWER_LIMIT)).await?;
        let stopped = async {
            while self.rendezvous.find(&self.project).is_some() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::time::timeout(limit, stopped).await.map_err(|_| ClientError::Broken {
            project: self.project.clone(),
            reason: format!("it did not stop within {} s", limit.as_secs()),
        })
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let body = self.answer(request).await?.bytes().await.map_err(|error| broken(&self.project, &error))?;
        serde_json::from_slice(&body).map_err(|error| broken(&self.project, &error))
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|error| match error.is_timeout() {
            true => ClientError::Silent(self.project.clone()),
            false => broken(&self.project, &error),
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = response.bytes().await.unwrap_or_default();
        Err(match serde_json::from_slice(&body) {
            Ok(refused) => ClientError::Refused(refused),
            Err(_) => ClientError::Broken { project: self.project.clone(), reason: status.to_string() },
        })
    }
}

fn url(path: &str, query: &impl Serialize) -> String {
    // the host is never resolved: the connection goes to the socket
    match serde_json::to_value(query) {
        Ok(serde_json::Value::Object(fields)) => {
            let mut pairs = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in fields {
                match value {
                    serde_json::Value::Null => {}
                    serde_json::Value::String(text) => _ = pairs.append_pair(&name, &text),
                    other => _ = pairs.append_pair(&name, &other.to_string()),
                }
            }
            format!("http://lab/v1/{path}?{}", pairs.finish())
        }
        _ => format!("http://lab/v1/{path}"),
    }
}

/// Takes the complete lines out of `rest`.
fn split_lines(rest: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let Some(end) = rest.iter().rposition(|&byte| byte == b'\n') else { return Vec::new() };
    let complete: Vec<u8> = rest.drain(..=end).collect();
    complete.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

fn broken(project: &str, error: &(dyn std::error::Error + 'static)) -> ClientError {
    // the innermost cause says it best
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    ClientError::Broken { project: project.to_owned(), reason: cause.to_string() }
}
