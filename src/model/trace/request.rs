//! One request of a series, and its answer.

use std::{num::NonZeroU16, ops::Deref, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::InstanceId;

/// The purpose of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The first visit, as a browser opens the page.
    Open,
    Login,
    /// A visit like any other.
    Get,
}

/// One request of a series, and its answer. A series may have a million requests, so rare parts stand behind a pointer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The number of the request in its series, from 1.
    pub n: u32,
    pub action: Action,
    /// The start of the request, in microseconds since the probe began.
    pub at_us: u64,
    /// The time to the end of the answer, in microseconds.
    pub us: u64,
    /// The local port of the connection, which distinguishes connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<NonZeroU16>,
    /// The number of cookies that were sent with the request.
    pub cookies_sent: u16,
    /// The instance that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The status, where there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<NonZeroU16>,
    /// The id of the session that the server used, where the answer has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// True if the server saw the login; `None` where the answer does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logged_in: Option<bool>,
    /// The failure, where the request brought no complete answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<Failure>>,
    /// The balancer's own count of the request ([`turn`](super::super::Access::turn)), where the lab's log has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
}

impl Request {
    /// A request of which only the start, counted from the beginning of the probe, and the duration are known.
    pub fn sent(n: u32, action: Action, at: Duration, took: Duration) -> Request {
        Request {
            n,
            action,
            at_us: microseconds(at),
            us: microseconds(took),
            port: None,
            cookies_sent: 0,
            instance: None,
            status: None,
            session_id: None,
            logged_in: None,
            error: None,
            turn: None,
        }
    }
}

fn microseconds(duration: Duration) -> u64 {
    duration.as_micros().try_into().unwrap_or(u64::MAX)
}

/// The id of a session. All clones share one text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct SessionId(Arc<Box<str>>);

impl From<String> for SessionId {
    fn from(id: String) -> SessionId {
        SessionId(Arc::new(id.into()))
    }
}

impl Deref for SessionId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// The reason why a request brought no complete answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    pub kind: FailureKind,
    /// The failure in words, in one line.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The name did not resolve.
    Dns,
    /// No connection could be made.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The request took longer than it may.
    Timeout,
    /// The answer was not HTTP.
    Protocol,
    /// The connection ended before the answer did.
    Closed,
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_small() {
        assert!(size_of::<Request>() <= 64, "{} bytes", size_of::<Request>());
    }
}
