//! Traefik's access log, line by line, as events of the same form as the bundled proxy's.
//!
//! Both of its formats are read: JSON, which labs of ours write, and the common one, which Traefik writes unless told
//! otherwise. A line that is neither is Traefik's own log and no request.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, LazyLock},
};

use jiff::Timestamp;
use regex::Regex;
use serde::Deserialize;

use crate::{
    model::{Access, Replica},
    routing,
};

/// Who answers where, those that are gone included: their last requests are logged after them.
#[derive(Debug, Default)]
pub struct Directory {
    replicas: HashMap<SocketAddr, (Arc<str>, Arc<str>)>,
    /// Services by the name under which Traefik knows them, where only one goes by it.
    services: HashMap<String, Option<Arc<str>>>,
}

impl Directory {
    /// Enters what runs now.
    pub fn enter(&mut self, replicas: &[Replica]) {
        for replica in replicas {
            if let Some(address) = routing::address(replica) {
                self.replicas.insert(address, (replica.name.clone(), replica.service.clone()));
            }
            for name in routing::balancer_names(&replica.base, &replica.labels) {
                let known = self.services.entry(name).or_insert_with(|| Some(replica.service.clone()));
                if known.as_ref().is_some_and(|service| *service != replica.service) {
                    *known = None;
                }
            }
        }
    }

    /// Whether nobody was entered yet.
    pub fn is_empty(&self) -> bool {
        self.replicas.is_empty()
    }

    /// A line of the log as a request; `None` for any other line.
    pub fn read(&self, line: &str) -> Option<Access> {
        let line = line.trim();
        let read = if line.starts_with('{') { json(line) } else { common(line) }?;
        let answered = read.server.and_then(|server| self.replicas.get(&server));
        let named = || self.services.get(read.service.as_deref()?.strip_suffix("@docker")?)?.clone();
        Some(Access {
            at: read.at,
            client: read.client,
            method: read.method.into(),
            host: read.host.into(),
            path: read.path.into(),
            user_agent: read.user_agent.map(Into::into),
            router: read.router.map(Into::into),
            service: answered.map(|(_, service)| service.clone()).or_else(named),
            replica: answered.map(|(name, _)| name.clone()),
            turn: read.count,
            failed_over: Vec::new(),
            status: read.status,
            bytes: read.bytes,
            duration_us: read.duration_us,
        })
    }
}

/// A line as it stands, in either format.
#[derive(Debug, PartialEq)]
struct Line {
    at: Timestamp,
    client: SocketAddr,
    method: String,
    host: String,
    path: String,
    user_agent: Option<String>,
    router: Option<String>,
    service: Option<String>,
    server: Option<SocketAddr>,
    count: Option<u64>,
    status: u16,
    bytes: u64,
    duration_us: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Json {
    #[serde(rename = "StartUTC")]
    start: Timestamp,
    client_addr: String,
    request_method: String,
    request_addr: String,
    request_path: String,
    router_name: Option<String>,
    service_name: Option<String>,
    service_addr: Option<String>,
    request_count: Option<u64>,
    downstream_status: u16,
    #[serde(default)]
    downstream_content_size: u64,
    /// In nanoseconds.
    #[serde(default)]
    duration: u64,
    #[serde(rename = "request_User-Agent")]
    user_agent: Option<String>,
}

fn json(line: &str) -> Option<Line> {
    let json: Json = serde_json::from_str(line).ok()?;
    Some(Line {
        at: json.start,
        client: json.client_addr.parse().unwrap_or(UNKNOWN),
        method: json.request_method,
        host: json.request_addr,
        path: json.request_path,
        user_agent: json.user_agent,
        router: json.router_name,
        service: json.service_name,
        server: json.service_addr.and_then(|address| address.parse().ok()),
        count: json.request_count,
        status: json.downstream_status,
        bytes: json.downstream_content_size,
        duration_us: json.duration / 1000,
    })
}

/// Where a log does not tell.
const UNKNOWN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// `client - user [time] "METHOD PATH PROTOCOL" status bytes "referer" "agent" count "router" "server" Nms`
static COMMON: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let quoted = r#""((?:[^"\\]|\\.)*)""#;
    let pattern = format!(
        r#"^(\S+) \S+ \S+ \[([^\]]+)\] "(\S+) (.*) HTTP/[0-9.]+" (\d+) (\d+|-) {quoted} {quoted} (\d+) {quoted} {quoted} (\d+)ms$"#
    );
    Regex::new(&pattern).ok()
});

fn common(line: &str) -> Option<Line> {
    let found = COMMON.as_ref()?.captures(line)?;
    let given = |text: &str| (text != "-").then(|| text.to_owned());
    let (_, [client, at, method, path, status, bytes, _referer, agent, count, router, server, duration]) =
        found.extract();
    let client = client.parse().map_or(UNKNOWN, |ip| SocketAddr::new(ip, 0));
    Some(Line {
        at: jiff::fmt::strtime::parse("%d/%b/%Y:%H:%M:%S %z", at).ok()?.to_timestamp().ok()?,
        client,
        method: method.to_owned(),
        // the common format does not have it
        host: String::new(),
        path: path.to_owned(),
        user_agent: given(agent),
        router: given(router),
        service: None,
        server: server.strip_prefix("http://").and_then(|server| server.parse().ok()),
        count: count.parse().ok(),
        status: status.parse().ok()?,
        bytes: bytes.parse().unwrap_or(0),
        duration_us: duration.parse::<u64>().ok()? * 1000,
    })
}
