//! The trace: the balancer as a probe saw it from outside, request by request. The analysis turns it into a verdict.
//!
//! ```text
//! request  one request, and what came back
//! series   the requests of one experiment
//! cookie   a cookie that the target set
//! file     the trace as a JSON text, to keep it and to judge it again
//! text     text from outside, as it may be shown
//! ```
//!
//! The names of fields and variants are those of the file `lbctl.trace.v1`. A field that is added gets
//! `#[serde(default)]`, so that older files stay readable; a field that is renamed makes a new version of the file.

mod cookie;
mod file;
mod request;
mod series;
mod text;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use cookie::{CookieAttributes, CookieRule, CookieValue, IssuedValue, ObservedCookie, WithholdReason};
pub use file::TraceError;
pub use request::{Action, Failure, FailureKind, Request, SessionId};
pub use series::{BackgroundRequest, Conditions, Connection, CookieJar, Header, Series, SeriesName, without_query};
pub use text::{is_hidden, without_hidden};

/// The schema of the file of a trace.
pub const TRACE_SCHEMA: &str = "lbctl.trace.v1";
/// The schema of the JSON report of a probe. Such a report is made from a trace and cannot be judged again.
pub const PROBE_SCHEMA: &str = "lbctl.probe.v1";

/// The record of one probe of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    pub target: Target,
    /// The feature that distinguishes instances; `None` where there is none.
    pub identified_by: Option<NameFeature>,
    /// The reason why no feature distinguishes instances, in words.
    pub unidentified: Option<String>,
    /// Every instance, in the order of its first answer; [`InstanceId`] is the index.
    pub instances: Vec<Instance>,
    /// The series, in the order in which they were begun.
    pub series: Vec<Series>,
}

impl Trace {
    /// The series with this name, if it was sent.
    pub fn series(&self, name: &SeriesName) -> Option<&Series> {
        self.series.iter().find(|series| series.name == *name)
    }

    /// The number of requests of the series with this name; 0 if it was not sent.
    pub fn series_length(&self, name: &SeriesName) -> u32 {
        self.series(name).map_or(0, |series| series.requests.len() as u32)
    }

    /// The name of an instance; `?` for an index that the trace does not have.
    pub fn instance_name(&self, id: InstanceId) -> &str {
        self.instances.get(usize::from(id.0)).map_or("?", |instance| &instance.name)
    }
}

/// The feature of the answers that distinguishes instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameFeature {
    /// The feature in words, for example `the header x-served-by`.
    pub words: String,
    pub certainty: NameCertainty,
}

impl NameFeature {
    /// A feature that is known to name instances.
    pub fn known(words: impl Into<String>) -> NameFeature {
        NameFeature { words: words.into(), certainty: NameCertainty::Known }
    }
}

/// The certainty that a feature of the answers names instances, and nothing else that varies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameCertainty {
    /// The user says so, or the name of the feature does. A trace of an older version counts as such.
    #[default]
    Known,
    /// Only the way in which the values vary speaks for it. A shard, a database or a flavour of the page may vary alike.
    Guessed,
}

/// The balancer under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The URL as the user named it.
    pub url: String,
    /// The address that the requests went to, for example `127.0.0.1:80`; `None` where no address answered.
    pub connected_to: Option<String>,
    pub via: Via,
    /// All addresses of the URL's name, where it was resolved; only the one in `connected_to` was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
}

/// The source of the address of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// The running lab of this project routes the host.
    Lab(String),
    /// The name was resolved as usual.
    Dns,
    /// The flag `--connect`.
    Flag,
}

/// A server as it is seen from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// The name of the instance for people: `web_static-3` in a lab, otherwise the hostname.
    pub name: String,
    /// The hostname in the server's answers.
    pub hostname: String,
}

/// An index into [`Trace::instances`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceId(pub u16);
