//! The requests of one experiment, under one set of conditions.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use serde::{Deserialize, Serialize};

use super::{
    InstanceId, Request,
    cookie::{CookieValue, ObservedCookie},
};

/// The requests of one experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    pub name: SeriesName,
    pub conditions: Conditions,
    /// The requests, in the order in which they were started.
    pub requests: Vec<Request>,
    /// The cookies that the target set, in the order of their first appearance.
    pub cookies: Vec<ObservedCookie>,
    /// Requests of other clients that took turns meanwhile, as far as the lab's own log shows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<BackgroundRequest>,
}

impl Series {
    /// The number of answers of each instance that answered.
    pub fn answers(&self) -> BTreeMap<InstanceId, usize> {
        // by index, because there may be a million requests
        let mut counts: Vec<usize> = Vec::new();
        for InstanceId(index) in self.requests.iter().filter_map(|request| request.instance) {
            let index = usize::from(index);
            if index >= counts.len() {
                counts.resize(index + 1, 0);
            }
            counts[index] += 1;
        }
        let ids = (0..).map(InstanceId);
        ids.zip(counts).filter(|(_, count)| *count > 0).collect()
    }

    /// The instances that answered, each once.
    pub fn instances(&self) -> BTreeSet<InstanceId> {
        self.answers().into_keys().collect()
    }
}

/// The experiment that a series belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeriesName {
    /// Each request is that of a new client.
    WithoutJar,
    /// The requests of one client that keeps its cookies.
    WithJar,
    /// All requests over one connection, without cookies.
    OneConnection,
    /// Groups of requests of new clients, those of a group at once.
    AtOnce,
    /// Each request is that of a new client, among others in an order drawn by lot.
    Control,
    /// The client that keeps its cookies goes on, among others in an order drawn by lot.
    JarByLot,
    /// The one connection goes on, among others in an order drawn by lot.
    ConnectionByLot,
    /// One cookie alone is sent back, among others in an order drawn by lot.
    CookieAlone(String),
    /// One cookie alone is sent, with a value that the target issued to a client without a jar.
    CookieIssued(CookieValue),
    /// One cookie alone is sent, with a value that the target never issued.
    CookieMadeUp(CookieValue),
    /// One cookie alone is sent, with an issued value as far as its first separator and a made-up rest.
    CookieHead(CookieValue),
    /// One cookie alone is sent, with an issued value from its last separator on and a made-up beginning.
    CookieTail(CookieValue),
    /// All requests come from one address of the client's, out of several.
    Source(IpAddr),
    /// All requests ask for one path, out of several.
    Path(String),
    /// All requests carry one value of a header, out of several.
    Header(Header),
    /// Slow requests that make instances busy.
    Slow,
    /// Quick requests while slow requests make instances busy.
    Meanwhile,
}

/// A header's name and value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub name: String,
    pub value: String,
}

impl SeriesName {
    /// The address that the requests come from, in an experiment about addresses.
    pub fn source(&self) -> Option<IpAddr> {
        match self {
            SeriesName::Source(address) => Some(*address),
            SeriesName::WithoutJar
            | SeriesName::WithJar
            | SeriesName::OneConnection
            | SeriesName::AtOnce
            | SeriesName::Control
            | SeriesName::JarByLot
            | SeriesName::ConnectionByLot
            | SeriesName::CookieAlone(_)
            | SeriesName::CookieIssued(_)
            | SeriesName::CookieMadeUp(_)
            | SeriesName::CookieHead(_)
            | SeriesName::CookieTail(_)
            | SeriesName::Path(_)
            | SeriesName::Header(_)
            | SeriesName::Slow
            | SeriesName::Meanwhile => None,
        }
    }

    /// The value that the requests send, in an experiment about one value of one cookie.
    pub fn cookie_value(&self) -> Option<&CookieValue> {
        match self {
            SeriesName::CookieIssued(value)
            | SeriesName::CookieMadeUp(value)
            | SeriesName::CookieHead(value)
            | SeriesName::CookieTail(value) => Some(value),
            SeriesName::WithoutJar
            | SeriesName::WithJar
            | SeriesName::OneConnection
            | SeriesName::AtOnce
            | SeriesName::Control
            | SeriesName::JarByLot
            | SeriesName::ConnectionByLot
            | SeriesName::CookieAlone(_)
            | SeriesName::Source(_)
            | SeriesName::Path(_)
            | SeriesName::Header(_)
            | SeriesName::Slow
            | SeriesName::Meanwhile => None,
        }
    }

    /// The header that the requests carry, in an experiment about a header.
    pub fn header(&self) -> Option<&Header> {
        match self {
            SeriesName::Header(header) => Some(header),
            SeriesName::WithoutJar
            | SeriesName::WithJar
            | SeriesName::OneConnection
            | SeriesName::AtOnce
            | SeriesName::Control
            | SeriesName::JarByLot
            | SeriesName::ConnectionByLot
            | SeriesName::CookieAlone(_)
            | SeriesName::CookieIssued(_)
            | SeriesName::CookieMadeUp(_)
            | SeriesName::CookieHead(_)
            | SeriesName::CookieTail(_)
            | SeriesName::Source(_)
            | SeriesName::Path(_)
            | SeriesName::Slow
            | SeriesName::Meanwhile => None,
        }
    }
}

impl std::fmt::Display for SeriesName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SeriesName::WithoutJar => f.write_str("without-jar"),
            SeriesName::WithJar => f.write_str("with-jar"),
            SeriesName::OneConnection => f.write_str("one-connection"),
            SeriesName::AtOnce => f.write_str("at-once"),
            SeriesName::Control => f.write_str("control"),
            SeriesName::JarByLot => f.write_str("jar-by-lot"),
            SeriesName::ConnectionByLot => f.write_str("connection-by-lot"),
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

/// The conditions that all requests of a series have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    pub jar: CookieJar,
    pub connection: Connection,
    /// Path and query of the requests.
    pub path: String,
    /// The address that the requests came from, where the probe chose it.
    #[serde(default)]
    pub source: Option<IpAddr>,
    /// The header that the probe added, in an experiment about a header.
    #[serde(default)]
    pub header: Option<Header>,
    /// The number of requests that were under way at once.
    pub concurrency: u32,
}

/// The use of cookies by the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CookieJar {
    /// The client keeps its cookies and sends them back, as a browser does.
    Kept,
    /// The client sends no cookies.
    None,
}

/// The use of connections by the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// Each request opens a connection of its own.
    Fresh,
    /// The requests share connections, for as long as the server keeps them.
    Reused,
}

/// A request of another client that took a turn of the balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackgroundRequest {
    /// The balancer's own count of the request.
    pub turn: u64,
    /// The instance that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
}

/// A path without its query string.
pub fn without_query(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}
