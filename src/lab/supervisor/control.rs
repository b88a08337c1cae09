//! The control API: HTTP over the Unix socket of a supervisor, by which other commands ask and change its lab.

use std::{collections::BTreeMap, convert::Infallible, future::Future, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Query, State},
    http::StatusCode,
    routing::{get, post},
};
use futures_util::stream;
use tokio::{
    net::UnixListener,
    sync::{
        broadcast::{self, error::RecvError},
        oneshot,
    },
    task::JoinHandle,
};

use crate::model::{Entry, LabView, ScaleView};

use super::{
    Supervisor,
    message::{ControlError, ControlErrorKind, LogQuery, RouteQuery},
};

/// The time for unfinished answers after the stop.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(200);

/// A control API that is being served, in the background, for as long as the lab runs.
#[derive(Debug)]
pub struct ControlServer {
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl ControlServer {
    /// Serves the control API of a lab.
    pub fn start(lab: &Arc<Supervisor>, socket: UnixListener) -> ControlServer {
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(serve(lab.clone(), socket, async { _ = stopped.await }));
        ControlServer { stop, served }
    }

    /// Ends the control API. Commands that follow the log still read its end.
    pub async fn stop(self) {
        drop(self.stop);
        _ = tokio::time::timeout(CLOSE_TIMEOUT, self.served).await;
    }
}

/// Serves the control API until `end` completes. Answers that have begun by then are finished.
async fn serve(lab: Arc<Supervisor>, socket: UnixListener, end: impl Future<Output = ()> + Send + 'static) {
    let router = Router::new()
        .route("/v1/lab", get(view))
        .route("/v1/route", get(route))
        .route("/v1/log", get(log))
        .route("/v1/scale", post(scale))
        .route("/v1/stop", post(stop))
        .with_state(lab);
    // axum gives no error here: `end` alone ends it
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
) -> Result<Json<ScaleView>, ControlError> {
    // in a task of its own, so that a caller that goes away does not leave the lab half changed
    let scaled = tokio::spawn(async move { lab.scale(&targets).await }).await;
    match scaled {
        Ok(Ok(view)) => Ok(Json(view)),
        Ok(Err(error)) => Err(error.into()),
        Err(error) => Err(ControlError {
            kind: ControlErrorKind::Environment,
            error: error.to_string(),
            hint: None,
            detail: None,
        }),
    }
}

async fn stop(State(lab): State<Arc<Supervisor>>) -> StatusCode {
    lab.ask_to_stop();
    StatusCode::ACCEPTED
}

/// Streams the log as JSON, one entry per line.
async fn log(State(lab): State<Arc<Supervisor>>, Query(query): Query<LogQuery>) -> Body {
    let (entries, new_entries) = lab.journal().read();
    // the stream must not keep the lab alive: it ends when the journal is closed
    drop(lab);
    let new_entries = new_entries.filter(|_| query.follow);
    let lines: Vec<Bytes> = entries.iter().filter(|entry| is_wanted(entry, &query)).map(|entry| line(entry)).collect();
    let lines = stream::iter(lines.into_iter().map(Ok::<_, Infallible>));
    let new_lines = stream::unfold((new_entries, query), |(mut entries, query)| async move {
        let entry = next_entry(entries.as_mut()?, &query).await?;
        Some((Ok::<_, Infallible>(line(&entry)), (entries, query)))
    });
    Body::from_stream(stream::StreamExt::chain(lines, new_lines))
}

async fn next_entry(entries: &mut broadcast::Receiver<Arc<Entry>>, query: &LogQuery) -> Option<Arc<Entry>> {
    loop {
        match entries.recv().await {
            Ok(entry) if is_wanted(&entry, query) => return Some(entry),
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => return Some(Arc::new(Entry::Missed { missed })),
            Err(RecvError::Closed) => return None,
        }
    }
}

fn is_wanted(entry: &Entry, query: &LogQuery) -> bool {
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
