//! Pace: no more requests a second than allowed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Lets requests start at intervals; its clones share them.
#[derive(Debug, Clone)]
pub struct Pace {
    interval: Option<Duration>,
    /// When the next may start.
    free: Arc<Mutex<Instant>>,
}

impl Pace {
    /// At least this long from one request to the next.
    pub fn new(interval: Option<Duration>) -> Pace {
        Pace { interval, free: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Waits until the next request may start.
    pub async fn next(&self) {
        let Some(interval) = self.interval else { return };
        let start = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let start = (*free).max(Instant::now());
            *free = start + interval;
            start
        };
        tokio::time::sleep_until(start).await;
    }
}
