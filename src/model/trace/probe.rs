//! What a probe saw from outside, request by request.
//!
//! The names of fields and variants are those of the file that a trace is kept in: a field that is added later gets
//! `#[serde(default)]`, so that older files stay readable, and one that is renamed makes a new version of the file.

use std::{net::IpAddr, num::NonZeroU16, ops::Deref, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::cookie::{CookieValue, SeenCookie};

/// What a probe saw of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Whom it asked.
    pub target: Target,
    /// How an instance said who it is, in words (`the header x-served-by`); `None` when nothing told them apart.
    pub identified_by: Option<String>,
    /// Why nothing did, in words.
    pub unidentified: Option<String>,
    /// Every instance seen, in the order of its first answer; [`InstanceId`] is the index.
    pub instances: Vec<Instance>,
    /// The experiments, in the order they were made.
    pub series: Vec<Series>,
}

impl Trace {
    /// The experiment with this name, if it was made.
    pub fn series(&self, name: &SeriesName) -> Option<&Series> {
        self.series.iter().find(|series| series.name == *name)
    }
}

/// The balancer under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The URL as asked for.
    pub url: String,
    /// The address the requests went to, `127.0.0.1:80`, where one answered.
    pub connected_to: Option<String>,
    /// What chose that address.
    pub via: Via,
}

/// What chose the address of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// A running lab of this project routes the host.
    Lab(String),
    /// The name was resolved as usual.
    Dns,
    /// `--connect` said so.
    Flag,
}

/// A server as seen from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// The name a person knows: `web_static-3` in a lab, else the hostname.
    pub name: String,
    /// What the server said of itself.
    pub hostname: String,
}

/// Index into [`Trace::instances`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceId(pub u16);

/// One experiment: requests under one set of conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Which experiment.
    pub name: SeriesName,
    /// Under what conditions.
    pub conditions: Conditions,
    /// The requests, in the order they were started.
    pub requests: Vec<Request>,
    /// The cookies that the target set, in the order of their first appearance.
    pub cookies: Vec<SeenCookie>,
    /// Requests of other clients that took turns meanwhile, as far as the lab's own log tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<BackgroundRequest>,
}

/// Which experiment a series is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeriesName {
    /// Every request as from a new client.
    WithoutJar,
    /// One client that keeps its cookies.
    WithJar,
    /// Every request over one kept connection, without cookies.
    OneConnection,
    /// One cookie alone is sent back.
    CookieAlone(String),
    /// A value of a cookie that the target gave to somebody without a jar, sent alone.
    CookieIssued(CookieValue),
    /// A value of a cookie that the target never gave to anybody, sent alone.
    CookieMadeUp(CookieValue),
    /// The beginning of such a value, as far as its first separator, with a made-up rest.
    CookieHead(CookieValue),
    /// Its end, from its last separator on, likewise.
    CookieTail(CookieValue),
    /// From one address of the client's, out of several.
    Source(IpAddr),
    /// For one path, out of several.
    Path(String),
    /// With one value of a header, out of several.
    Header(Header),
    /// Requests that keep instances busy.
    Slow,
    /// Requests while others keep instances busy.
    Meanwhile,
}

/// A header's name and value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl SeriesName {
    /// The address that its requests come from, where it is about one.
    pub fn source(&self) -> Option<IpAddr> {
        match self {
            SeriesName::Source(address) => Some(*address),
            _ => None,
        }
    }

    /// The one value of one cookie that its requests have, where it is about one.
    pub fn cookie_value(&self) -> Option<&CookieValue> {
        match self {
            SeriesName::CookieIssued(value)
            | SeriesName::CookieMadeUp(value)
            | SeriesName::CookieHead(value)
            | SeriesName::CookieTail(value) => Some(value),
            _ => None,
        }
    }

    /// The header that its requests have, where it is about one.
    pub fn header(&self) -> Option<&Header> {
        match self {
            SeriesName::Header(header) => Some(header),
            _ => None,
        }
    }
}

impl std::fmt::Display for SeriesName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SeriesName::WithoutJar => f.write_str("without-jar"),
            SeriesName::WithJar => f.write_str("with-jar"),
            SeriesName::OneConnection => f.write_str("one-connection"),
            SeriesName::CookieAlone(cookie) => write!(f, "cookie-alone:{cookie}"),
            SeriesName::CookieIssued(CookieValue { name, n }) => write!(f, "cookie-issued:{name}:{n}"),
            SeriesName::CookieMadeUp(CookieValue { name, n }) => write!(f, "cookie-made-up:{name}:{n}"),
            SeriesName::CookieHead(CookieValue { name, n }) => write!(f, "cookie-head:{name}:{n}"),
            SeriesName::CookieTail(CookieValue { name, n }) => write!(f, "cookie-tail:{name}:{n}"),
            SeriesName::Source(address) => write!(f, "source:{address}"),
            SeriesName::Path(path) => write!(f, "path:{path}"),
            SeriesName::Header(Header { name, value }) => write!(f, "header:{name}={value}"),
            SeriesName::Slow => f.write_str("slow"),
            SeriesName::Meanwhile => f.write_str("meanwhile"),
        }
    }
}

/// What stayed the same during a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// Whether cookies were kept.
    pub jar: Jar,
    /// Whether each request had a connection of its own.
    pub connection: Connection,
    /// The path that was asked for, with its query.
    pub path: String,
    /// The address that the requests came from, where the probe chose it.
    #[serde(default)]
    pub source: Option<IpAddr>,
    /// The header that the probe added, where the experiment is about one.
    #[serde(default)]
    pub header: Option<Header>,
    /// How many requests were under way at once.
    pub concurrency: u32,
}

/// Whether cookies are kept from one request to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Jar {
    /// Kept and sent back, as a browser does.
    Kept,
    /// Never sent.
    None,
}

/// Whether connections are kept from one request to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// A new connection for every request.
    Fresh,
    /// One connection, as long as the server keeps it.
    Reused,
}

/// What a request of a series was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The first visit, as a browser opens the page.
    Open,
    /// The login.
    Login,
    /// A reload.
    Get,
}

/// One request of a series, and what came back. There may be a million of them: what is rare stands elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Its place in the series, from 1.
    pub n: u32,
    /// What it was for.
    pub action: Action,
    /// When it was started, in microseconds since the probe began.
    pub at_us: u64,
    /// How long the whole answer took, in microseconds.
    pub us: u64,
    /// The local port of the connection it went by, which tells connections apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<NonZeroU16>,
    /// How many cookies were sent with it.
    pub cookies_sent: u16,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The status, where there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<NonZeroU16>,
    /// The id of the session the server used, where the answer tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// Whether the server saw the login, where the answer tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logged_in: Option<bool>,
    /// What went wrong, where something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<Failure>>,
    /// The balancer's own count of this request ([`turn`](super::Access::turn)), where the lab's log tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
}

impl Request {
    /// A request of which nothing is known yet but when it was sent, since the probe began, and how long it took.
    pub fn sent(n: u32, action: Action, at: Duration, took: Duration) -> Request {
        let us = |duration: Duration| duration.as_micros().try_into().unwrap_or(u64::MAX);
        Request {
            n,
            action,
            at_us: us(at),
            us: us(took),
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

/// The id of a session. Its clones are one text.
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

/// A turn that another client took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackgroundRequest {
    /// The balancer's own count of that request.
    pub turn: u64,
    /// Who answered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
}

/// Why a request brought no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What sort of failure it was.
    pub kind: FailureKind,
    /// In words, one line.
    pub message: String,
}

/// The sorts of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The name did not resolve.
    Dns,
    /// No connection could be made.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// It took longer than allowed.
    Timeout,
    /// What came back was not HTTP.
    Protocol,
    /// The connection ended before the answer did.
    Closed,
    /// Anything else.
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
