//! `web_dynamic`: a JSON service that names its server and counts its answers.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{Router, extract::State, http::Uri, response::Response, routing::get};
use jiff::Timestamp;
use serde::Serialize;

use super::answer::{self, ErrorResponse};

/// The name of this app's service.
const SERVICE: &str = "web_dynamic";

/// One replica of the JSON service.
pub(super) struct Api {
    hostname: String,
    answered: AtomicU64,
}

impl Api {
    pub(super) fn new(hostname: String) -> Self {
        Self { hostname, answered: AtomicU64::new(0) }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    hostname: &'a str,
    service: &'static str,
    request: u64,
    time: String,
}

pub(super) fn routes(api: Arc<Api>) -> Router {
    Router::new().route("/api/", get(answer_request)).route("/health", get(answer::health)).with_state(api)
}

async fn answer_request(State(api): State<Arc<Api>>, uri: Uri) -> Result<Response, ErrorResponse> {
    // numbered after the delay: a client that gives up during the delay gets no answer, so it takes no number
    answer::wait(answer::delay(&uri)?).await;
    let request = api.answered.fetch_add(1, Ordering::Relaxed) + 1;
    Ok(answer::json(&Answer { hostname: &api.hostname, service: SERVICE, request, time: rfc3339(Timestamp::now()) }))
}

/// The time with milliseconds, in the format of JavaScript's `toISOString`.
fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn the_time_is_in_utc_and_has_milliseconds() {
        let time = Timestamp::new(1_700_000_000, 5_999_999).unwrap();
        assert_eq!(rfc3339(time), "2023-11-14T22:13:20.005Z");
        assert_eq!(rfc3339(Timestamp::new(0, 0).unwrap()), "1970-01-01T00:00:00.000Z");
    }
}
