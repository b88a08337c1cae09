//! What happens while a lab is up, and how a terminal shows it.

use std::sync::Arc;

use indicatif::ProgressBar;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{
    cli::Format,
    lab::Progress,
    model::{Entry, LabView},
    report::{self, Paint},
};

use super::super::console;

/// What happens while a lab is up.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// Something worth knowing.
    Note(String),
    /// Replicas are starting.
    Starting {
        /// So many are ready,
        ready: u32,
        /// of so many.
        of: u32,
    },
    /// Something takes its time.
    Doing(String),
    /// Every replica answers.
    Ready(Box<LabView>),
    /// The log goes on.
    Entry(Arc<Entry>),
    /// The lab did not start, or ended with an error.
    Failed {
        /// The exit code.
        code: u8,
        /// What happened.
        message: Option<String>,
        /// What can be done about it.
        hint: Option<String>,
        /// What says more than a line.
        detail: Option<String>,
    },
}

impl From<Progress> for Event {
    fn from(progress: Progress) -> Event {
        match progress {
            Progress::Ready { ready, of } => Event::Starting { ready, of },
            Progress::Doing(what) => Event::Doing(what),
            Progress::Note(note) => Event::Note(note),
        }
    }
}

/// Shows events to a person.
pub struct Terminal {
    format: Format,
    paint: Paint,
    log_paint: Paint,
    zone: TimeZone,
    doing: Option<ProgressBar>,
    bar: Option<ProgressBar>,
}

impl Terminal {
    /// Shows data in this format.
    pub fn new(format: Format) -> Terminal {
        let (paint, log_paint) = (console::paint(), console::paint_stderr());
        Terminal { format, paint, log_paint, zone: TimeZone::system(), doing: None, bar: None }
    }

    /// Shows one event.
    pub fn show(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Note(note) => match &self.doing {
                // a spinner must not be drawn over it
                Some(doing) => doing.suspend(|| console::say(&format!("note: {note}"))),
                None => console::say(&format!("note: {note}")),
            },
            Event::Doing(what) => {
                self.doing.get_or_insert_with(console::spinner).set_message(what);
            }
            Event::Starting { ready, of } => {
                self.clear_doing();
                let bar = self.bar.get_or_insert_with(|| console::bar(of.into(), "starting replicas"));
                bar.set_position(ready.into());
            }
            Event::Ready(view) => {
                self.clear();
                match self.format {
                    Format::Json => console::json(&view)?,
                    Format::Table => console::data(&report::lab::table(&view, self.paint))?,
                }
            }
            Event::Entry(entry) => console::say(&report::log::line(&entry, &self.zone, self.log_paint)),
            Event::Failed { .. } => self.clear(),
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.clear_doing();
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn clear_doing(&mut self) {
        if let Some(doing) = self.doing.take() {
            doing.finish_and_clear();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The next entry; waits for ever where there are none.
pub async fn next(entries: &mut Option<broadcast::Receiver<Arc<Entry>>>) -> Arc<Entry> {
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
