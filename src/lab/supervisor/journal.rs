//! The journal of a lab: its latest entries, and a stream of the new ones.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::broadcast::{self, error::RecvError};

use crate::model::{Access, Entry};

/// The largest number of entries that the journal holds; older ones are dropped.
const CAPACITY: usize = 10_000;
/// The number of entries that a reader may be behind before it misses some.
const BACKLOG: usize = 4096;

/// The entries of a lab's log.
#[derive(Debug)]
pub struct Journal {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    entries: VecDeque<Arc<Entry>>,
    /// Sends new entries; `None` when the journal is closed.
    sender: Option<broadcast::Sender<Arc<Entry>>>,
}

impl Default for Journal {
    fn default() -> Self {
        let sender = Some(broadcast::channel(BACKLOG).0);
        Journal { inner: Mutex::new(Inner { entries: VecDeque::new(), sender }) }
    }
}

impl Journal {
    /// Adds a request that was answered.
    pub fn add_request(&self, access: Arc<Access>) {
        self.add(Entry::Request(access));
    }

    /// Adds an event of the lab itself, with the time of now.
    pub fn add_note(&self, message: String) {
        self.add(Entry::Lab { at: jiff::Timestamp::now(), message });
    }

    /// Returns the entries so far, and a stream of every entry after them: none is missing and none comes twice. A
    /// journal that is closed has no stream.
    pub fn read(&self) -> (Vec<Arc<Entry>>, Option<broadcast::Receiver<Arc<Entry>>>) {
        let inner = self.lock();
        (inner.entries.iter().cloned().collect(), inner.sender.as_ref().map(broadcast::Sender::subscribe))
    }

    /// Ends the stream of every reader.
    pub fn close(&self) {
        self.lock().sender = None;
    }

    fn add(&self, entry: Entry) {
        let entry = Arc::new(entry);
        let mut inner = self.lock();
        if inner.entries.len() == CAPACITY {
            inner.entries.pop_front();
        }
        inner.entries.push_back(entry.clone());
        if let Some(sender) = &inner.sender {
            // the only error is that there are no readers
            _ = sender.send(entry);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds every request that the bundled proxy answers to the journal, until the proxy ends.
pub async fn record_proxy_requests(mut events: broadcast::Receiver<Arc<Access>>, journal: Arc<Journal>) {
    loop {
        match events.recv().await {
            Ok(access) => journal.add_request(access),
            Err(RecvError::Lagged(missed)) => journal.add_note(format!("{missed} requests are missing in this log")),
            Err(RecvError::Closed) => return,
        }
    }
}
