//! The pace: requests start no more often than allowed, and after random pauses where a series asks for them.
//!
//! Without pauses, two clients that each send one request after the other fall in step: each always takes the same turns of the
//! balancer, and meets a part of its instances. Clocks alias with an even pace in the same way. A random pause between two requests breaks both.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::RngExt;
use tokio::time::Instant;

/// The range of pauses is at least this, because timers are hardly more precise than a millisecond.
const SHORTEST_RANGE: Duration = Duration::from_millis(2);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// The pauses between the requests of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pauses {
    /// Each request follows the answer before it at once, or after the interval.
    None,
    /// The times of the first `requests` requests are drawn by lot.
    Random { requests: u32 },
}

impl Pauses {
    /// Returns true if there is a random pause before request `n`, counted from 1.
    pub fn is_before(self, n: u32) -> bool {
        match self {
            Pauses::None => false,
            Pauses::Random { requests } => n > 1 && n <= requests,
        }
    }
}

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
        if let Some((start, _)) = self.take_slot() {
            tokio::time::sleep_until(start).await;
        }
    }

    /// Waits for a random time: anywhere in the interval, or else up to as long as the last answer took. In so long a pause,
    /// another client that sends one request after the other takes one turn more or none, by a chance of about one half.
    pub async fn next_after_pause(&self, last_answer: Duration) {
        match self.take_slot() {
            Some((start, interval)) => tokio::time::sleep_until(start + random_part(interval)).await,
            None => {
                let range = last_answer.max(SHORTEST_RANGE).min(LONGEST_PAUSE);
                tokio::time::sleep(random_part(range)).await;
            }
        }
    }

    /// The time at which the next interval begins, and its length; `None` where requests may start at any time.
    fn take_slot(&self) -> Option<(Instant, Duration)> {
        let interval = self.interval?;
        let mut next_start = self.next_start.lock().unwrap_or_else(PoisonError::into_inner);
        let start = (*next_start).max(Instant::now());
        *next_start = start + interval;
        Some((start, interval))
    }
}

fn random_part(range: Duration) -> Duration {
    range.mul_f64(rand::rng().random_range(0.0..1.0))
}
