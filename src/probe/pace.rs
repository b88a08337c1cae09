//! The pace: requests start no more often than allowed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Lets requests start at intervals, which its clones share.
#[derive(Debug, Clone)]
pub struct Pace {
    interval: Option<Duration>,
    /// The time at which the next request may start.
    next_start: Arc<Mutex<Instant>>,
}

impl Pace {
    /// A pace with at least `interval` between the starts of two requests.
    pub fn new(interval: Option<Duration>) -> Pace {
        Pace { interval, next_start: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Waits until the next request may start.
    pub async fn next(&self) {
        let Some(interval) = self.interval else { return };
        let start = {
            let mut next_start = self.next_start.lock().unwrap_or_else(PoisonError::into_inner);
            let start = (*next_start).max(Instant::now());
            *next_start = start + interval;
            start
        };
        tokio::time::sleep_until(start).await;
    }
}
