//! The events of a lab that is started and runs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{
    lab::StartEvent,
    model::{Entry, LabView},
};

/// An event of a lab that is started and runs. The process in the background sends its events as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// A sentence that is worth knowing.
    Note(String),
    /// `ready` of `of` replicas are ready.
    Starting { ready: u32, of: u32 },
    /// The step that is being made, in words.
    Doing(String),
    /// Every replica answers.
    Ready(Box<LabView>),
    /// A new entry of the log.
    Entry(Arc<Entry>),
    /// The lab did not start, or ended with an error.
    Failed {
        /// The exit code.
        code: u8,
        message: Option<String>,
        hint: Option<String>,
        detail: Option<String>,
    },
}

impl From<StartEvent> for Event {
    fn from(event: StartEvent) -> Event {
        match event {
            StartEvent::Ready { ready, of } => Event::Starting { ready, of },
            StartEvent::Doing(what) => Event::Doing(what),
            StartEvent::Note(note) => Event::Note(note),
        }
    }
}

/// The next entry of the log; never returns where there is no log any more.
pub async fn next_entry(entries: &mut Option<broadcast::Receiver<Arc<Entry>>>) -> Arc<Entry> {
    loop {
        match entries {
            Some(receiver) => match receiver.recv().await {
                Ok(entry) => return entry,
                Err(RecvError::Lagged(missed)) => return Arc::new(Entry::Missed { missed }),
                Err(RecvError::Closed) => *entries = None,
            },
            None => std::future::pending().await,
        }
    }
}
