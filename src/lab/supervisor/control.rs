//! The control API: how other commands talk to a supervisor, as HTTP over its Unix socket.

use std::{collections::BTreeMap, convert::Infallible, future::Future, sync::Arc};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::{
    net::UnixListener,
    sync::broadcast::{self, error::RecvError},
};

use crate::model::{Entry, LabView, ScaleView};

use super::{ChangeError, Supervisor};

/// What a request was refused for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Whose fault it is.
    pub kind: RefusalKind,
    /// What happened, in one line.
    pub error: String,
    /// What can be done about it.
    pub hint: Option<String>,
    /// What says more than a line.
    #[serde(default)]
    pub detail: Option<String>,
}

/// Whose fault a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefusalKind {
    /// The caller's.
    Usage,
    /// The surroundings'.
    Environment,
}

/// What of the log is wanted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LogQuery {
    /// Only requests of this service, and what happened to the lab.
    pub service: Option<String>,
    /// Whether it goes on.
    #[serde(default)]
    pub follow: bool,
    /// Only requests that came later than this.
    pub since: Option<jiff::Timestamp>,
}

/// Which request is asked about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteQuery {
    /// Its `Host` header.
    pub host: String,
    /// Its path.
    pub path: String,
}

/// Serves the control API until `end` completes, and finishes what it is answering then.
pub async fn serve(lab: Arc<Supervisor>, socket: UnixListener, end: impl Future<Output = ()> + Send + 'static) {
    let router = Router::new()
        .route("/v1/lab", get(view))
        .route("/v1/route", get(route))
        .route("/v1/log", get(log))
        .route("/v1/scale", post(scale))
        .route("/v1/stop", post(stop))
        .with_state(lab);
    // nothing else ends it
    _ = axum::serve(socket, router).with_graceful_shutdown(end).await;
}

async fn view(State(lab): State<Arc<Supervisor>>) -> Json<LabView> {
    Json(lab.view())
}

async fn route(State(lab): State<Arc<Supervisor>>, Query(query): Query<RouteQuery>) -> Json<Option<String>> {
    Json(lab.route(&query.host, &query.path).await)
}

async fn scale(
    State(lab): State<Arc<Supervisor>>,
    Json(targets): Json<BTreeMap<String, u32>>,
) -> Result<Json<ScaleView>, Refusal> {
    // a caller that goes away does not leave the lab half changed
    let scaled = tokio::spawn(async move { lab.scale(&targets).await }).await;
    match scaled {
        Ok(Ok(view)) => Ok(Json(view)),
        Ok(Err(error)) => Err(error.into()),
        Err(error) => {
            Err(Refusal { kind: RefusalKind::Environment, error: error.to_string(), hint: None, detail: None })
        }
    }
}

async fn stop(State(lab): State<Arc<Supervisor>>) -> StatusCode {
    lab.ask_to_stop();
    StatusCode::ACCEPTED
}

/// The log as JSON, an entry a line.
async fn log(State(lab): State<Arc<Supervisor>>, Query(query): Query<LogQuery>) -> Body {
    let (kept, follow) = lab.journal().read();
    // the stream must not keep the lab alive: it ends when the journal is closed
    drop(lab);
    let follow = follow.filter(|_| query.follow);
    let kept: Vec<Bytes> = kept.iter().filter(|entry| wanted(entry, &query)).map(|entry| line(entry)).collect();
    let kept = stream::iter(kept.into_iter().map(Ok::<_, Infallible>));
    let rest = stream::unfold((follow, query), |(mut follow, query)| async move {
        let entry = next(follow.as_mut()?, &query).await?;
        Some((Ok::<_, Infallible>(line(&entry)), (follow, query)))
    });
    Body::from_stream(stream::StreamExt::chain(kept, rest))
}

async fn next(follow: &mut broadcast::Receiver<Arc<Entry>>, query: &LogQuery) -> Option<Arc<Entry>> {
    loop {
        match follow.recv().await {
            Ok(entry) if wanted(&entry, query) => return Some(entry),
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => return Some(Arc::new(Entry::Missed { missed })),
            Err(RecvError::Closed) => return None,
        }
    }
}

fn wanted(entry: &Entry, query: &LogQuery) -> bool {
    match (entry, &query.service) {
        (Entry::Request(access), _) if query.since.is_some_and(|since| access.at < since) => false,
        (Entry::Request(access), Some(service)) => access.service.as_deref() == Some(service),
        _ => true,
    }
}

fn line(entry: &Entry) -> Bytes {
    // an entry is made of strings and numbers, which are always JSON
    let mut line = serde_json::to_vec(entry).unwrap_or_default();
    line.push(b'\n');
    line.into()
}

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        let kind = match &error {
            ChangeError::Plan(_) => RefusalKind::Usage,
            _ => RefusalKind::Environment,
        };
        Refusal { kind, error: error.to_string(), hint: error.hint(), detail: error.detail() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.kind {
            RefusalKind::Usage => StatusCode::BAD_REQUEST,
            RefusalKind::Environment => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(self)).into_response()
    }
}
