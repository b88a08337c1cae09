//! The client of the control API: a supervised lab, on the side of another process.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use reqwest::{RequestBuilder, Response};
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;

use crate::model::{Entry, LabView, ScaleView};

use super::{
    message::{ControlError, LogQuery, RouteQuery},
    rendezvous::{Rendezvous, RendezvousError},
};

/// The longest time for an answer of the supervisor, except to a change or a log.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause between two checks whether the supervisor has ended.
const CHECK_INTERVAL: Duration = Duration::from_millis(10);
/// The longest time between the lock and the socket of a supervisor that starts, and between their ends.
const TRANSITION_TIMEOUT: Duration = Duration::from_secs(1);

/// A supervised lab that could not be asked or changed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No supervisor of this project runs.
    #[error("no running lab called `{0}`")]
    NoLab(String),
    /// The lab refuses.
    #[error("{}", .0.error)]
    Refused(ControlError),
    /// The connection failed, or the answer cannot be read.
    #[error("the lab `{project}` did not answer: {reason}")]
    Broken { project: String, reason: String },
    /// The lab did not answer in time.
    #[error("the lab `{0}` does not answer")]
    Silent(String),
    /// The directory of the supervisors cannot be used.
    #[error(transparent)]
    Rendezvous(#[from] RendezvousError),
}

/// A connection to the supervisor of a running lab.
#[derive(Debug, Clone)]
pub struct ControlClient {
    project: String,
    http: reqwest::Client,
    rendezvous: Rendezvous,
}

impl ControlClient {
    /// Makes a client of the running lab of a project.
    ///
    /// # Errors
    /// When no supervisor of this project runs, or the directory of the supervisors cannot be used.
    pub async fn connect(project: &str) -> Result<ControlClient, ClientError> {
        let rendezvous = Rendezvous::open()?;
        let socket = find_socket(&rendezvous, project).await.ok_or_else(|| ClientError::NoLab(project.to_owned()))?;
        ControlClient::new(project, socket, rendezvous)
    }

    /// Makes a client of every running lab, in the order of their names.
    ///
    /// # Errors
    /// When the directory of the supervisors cannot be used.
    pub async fn connect_all() -> Result<Vec<ControlClient>, ClientError> {
        let rendezvous = Rendezvous::open()?;
        let mut clients = Vec::new();
        for project in rendezvous.running_projects() {
            // a supervisor may have ended since it was listed
            if let Some(socket) = find_socket(&rendezvous, &project).await {
                clients.push(ControlClient::new(&project, socket, rendezvous.clone())?);
            }
        }
        Ok(clients)
    }

    fn new(project: &str, socket: PathBuf, rendezvous: Rendezvous) -> Result<ControlClient, ClientError> {
        let http = reqwest::Client::builder().unix_socket(socket).no_proxy().build();
        let http = http.map_err(|error| broken(project, &error))?;
        Ok(ControlClient { project: project.to_owned(), http, rendezvous })
    }

    pub fn project(&self) -> &str {
        &self.project
    }

    /// Asks for the state of the lab at this moment.
    ///
    /// # Errors
    /// When the lab does not answer.
    pub async fn view(&self) -> Result<LabView, ClientError> {
        self.ask(self.http.get(url("lab", &())).timeout(ANSWER_TIMEOUT)).await
    }

    /// Asks for the service that gets a request for this host and path.
    ///
    /// # Errors
    /// When the lab does not answer.
    pub async fn route(&self, host: &str, path: &str) -> Result<Option<String>, ClientError> {
        let query = RouteQuery { host: host.to_owned(), path: path.to_owned() };
        self.ask(self.http.get(url("route", &query)).timeout(ANSWER_TIMEOUT)).await
    }

    /// Gives services new numbers of replicas.
    ///
    /// # Errors
    /// When the lab refuses or does not answer.
    pub async fn scale(&self, targets: &BTreeMap<String, u32>) -> Result<ScaleView, ClientError> {
        let body = serde_json::to_vec(targets).unwrap_or_default();
        self.ask(self.http.post(url("scale", &())).header("content-type", "application/json").body(body)).await
    }

    /// Streams the entries of the log.
    ///
    /// # Errors
    /// When the lab does not answer. A later failure is an item of the stream.
    pub async fn log(
        &self,
        query: &LogQuery,
    ) -> Result<impl Stream<Item = Result<Entry, ClientError>> + Unpin + use<>, ClientError> {
        let response = self.send(self.http.get(url("log", query))).await?;
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

    /// Asks the lab to stop, and waits until its supervisor has ended.
    ///
    /// # Errors
    /// When the lab does not answer, or does not stop within `limit`.
    pub async fn stop(&self, limit: Duration) -> Result<(), ClientError> {
        self.send(self.http.post(url("stop", &())).timeout(ANSWER_TIMEOUT)).await?;
        let stopped = async {
            while self.rendezvous.running_socket(&self.project).is_some() {
                tokio::time::sleep(CHECK_INTERVAL).await;
            }
        };
        tokio::time::timeout(limit, stopped).await.map_err(|_| ClientError::Broken {
            project: self.project.clone(),
            reason: format!("it did not stop within {} s", limit.as_secs()),
        })
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let body = self.send(request).await?.bytes().await.map_err(|error| broken(&self.project, &error))?;
        serde_json::from_slice(&body).map_err(|error| broken(&self.project, &error))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|error| {
            if error.is_timeout() { ClientError::Silent(self.project.clone()) } else { broken(&self.project, &error) }
        })?;
        tracing::debug!(
            project = self.project,
            path = response.url().path(),
            status = response.status().as_u16(),
            "control API"
        );
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = response.bytes().await.unwrap_or_default();
        Err(match serde_json::from_slice(&body) {
            Ok(error) => ClientError::Refused(error),
            Err(_) => ClientError::Broken { project: self.project.clone(), reason: status.to_string() },
        })
    }
}

/// Finds the socket of a running supervisor. One that starts or ends holds its lock and does not listen for a moment, which
/// is waited for.
async fn find_socket(rendezvous: &Rendezvous, project: &str) -> Option<PathBuf> {
    let deadline = Instant::now() + TRANSITION_TIMEOUT;
    loop {
        let socket = rendezvous.running_socket(project)?;
        if UnixStream::connect(&socket).await.is_ok() || Instant::now() > deadline {
            return Some(socket);
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
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

/// Moves the complete lines out of `rest`.
fn split_lines(rest: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let Some(end) = rest.iter().rposition(|&byte| byte == b'\n') else { return Vec::new() };
    let complete: Vec<u8> = rest.drain(..=end).collect();
    complete.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

fn broken(project: &str, error: &(dyn std::error::Error + 'static)) -> ClientError {
    // the innermost cause is the most precise
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    ClientError::Broken { project: project.to_owned(), reason: cause.to_string() }
}
