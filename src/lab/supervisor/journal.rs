//! The journal: what happened in a lab, the latest part of it, and everything from now on.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::broadcast::{self, error::RecvError};

use crate::model::{Access, Entry};

/// Entries that are kept.
const KEPT: usize = 10_000;
/// Entries that a follower may be behind before it misses some.
const BACKLOG: usize = 4096;

/// What happened in a lab.
#[derive(Debug)]
pub struct Journal {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    kept: VecDeque<Arc<Entry>>,
    follow: Option<broadcast::Sender<Arc<Entry>>>,
}

impl Default for Journal {
    fn default() -> Self {
        let follow = Some(broadcast::channel(BACKLOG).0);
        Journal { inner: Mutex::new(Inner { kept: VecDeque::new(), follow }) }
    }
}

impl Journal {
    /// Enters a request.
    pub fn request(&self, access: Arc<Access>) {
        self.enter(Entry::Request(access));
    }

    /// Enters something that happened to the lab itself.
    pub fn note(&self, message: String) {
        self.enter(Entry::Lab { at: jiff::Timestamp::now(), message });
    }

    /// What is kept, and every entry after it, none missing and none twice.
    pub fn read(&self) -> (Vec<Arc<Entry>>, Option<broadcast::Receiver<Arc<Entry>>>) {
        let inner = self.lock();
        (inner.kept.iter().cloned().collect(), inner.follow.as_ref().map(broadcast::Sender::subscribe))
    }

    /// Ends every follower's stream.
    pub fn close(&self) {
        self.lock().follow = None;
    }

    fn enter(&self, entry: Entry) {
        let entry = Arc::new(entry);
        let mut inner = self.lock();
        if inner.kept.len() == KEPT {
            inner.kept.pop_front();
        }
        inner.kept.push_back(entry.clone());
        if let Some(follow) = &inner.follow {
            // nobody follows: fine
            _ = follow.send(entry);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Enters every request that a proxy has answered.
pub async fn keep_requests(mut events: broadcast::Receiver<Arc<Access>>, journal: Arc<Journal>) {
    loop {
        match events.recv().await {
            Ok(access) => journal.request(access),
            Err(RecvError::Lagged(missed)) => journal.note(format!("{missed} requests are missing in this log")),
            Err(RecvError::Closed) => return,
        }
    }
}
