//! The reader of Traefik's access log. It makes the same events of the lines as the bundled proxy makes of its
//! requests.
//!
//! The log has one of two formats: JSON, which the built-in lab chooses, or the common log format, which is Traefik's
//! default. A line in neither format belongs to Traefik's own log and is no request.

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

/// A reader of log lines that knows the replicas by their addresses. It remembers replicas that have ended, as their
/// last requests are logged afterwards.
#[derive(Debug, Default)]
pub struct LogReader {
    /// The names of a replica and of its service, by the address of the replica.
    replicas: HashMap<SocketAddr, (Arc<str>, Arc<str>)>,
    /// The services by the names that Traefik gives them; `None` where two services have one name.
    services: HashMap<String, Option<Arc<str>>>,
}

impl LogReader {
    /// Learns the addresses and names of replicas.
    pub fn learn(&mut self, replicas: &[Replica]) {
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

    /// Returns true once the reader has learned the address of a replica.
    pub fn knows_replicas(&self) -> bool {
        !self.replicas.is_empty()
    }

    /// Reads a line as a request; `None` for a line that is no request.
    pub fn read(&self, line: &str) -> Option<Access> {
        let line = line.trim();
        let line = if line.starts_with('{') { read_json(line) } else { read_common(line) }?;
        let replica = line.server.and_then(|server| self.replicas.get(&server));
        let named_service = || self.services.get(line.service.as_deref()?.strip_suffix("@docker")?)?.clone();
        Some(Access {
            at: line.at,
            client: line.client,
            method: line.method.into(),
            host: line.host.into(),
            path: line.path.into(),
            user_agent: line.user_agent.map(Into::into),
            router: line.router.map(Into::into),
            service: replica.map(|(_, service)| service.clone()).or_else(named_service),
            replica: replica.map(|(name, _)| name.clone()),
            turn: line.count,
            failed_over: Vec::new(),
            status: line.status,
            bytes: line.bytes,
            duration_us: line.duration_us,
        })
    }
}

/// The fields of a line in either format.
#[derive(Debug, PartialEq)]
struct LogLine {
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
struct JsonLine {
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
    /// The duration in nanoseconds.
    #[serde(default)]
    duration: u64,
    #[serde(rename = "request_User-Agent")]
    user_agent: Option<String>,
}

fn read_json(line: &str) -> Option<LogLine> {
    let json: JsonLine = serde_json::from_str(line).ok()?;
    Some(LogLine {
        at: json.start,
        client: json.client_addr.parse().unwrap_or(UNKNOWN_CLIENT),
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

/// The address of a client that the log does not name.
const UNKNOWN_CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// `client - user [time] "METHOD PATH PROTOCOL" status bytes "referer" "agent" count "router" "server" Nms`
static COMMON_FORMAT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let quoted = r#""((?:[^"\\]|\\.)*)""#;
    let pattern = format!(
        r#"^(\S+) \S+ \S+ \[([^\]]+)\] "(\S+) (.*) HTTP/[0-9.]+" (\d+) (\d+|-) {quoted} {quoted} (\d+) {quoted} {quoted} (\d+)ms$"#
    );
    Regex::new(&pattern).ok()
});

fn read_common(line: &str) -> Option<LogLine> {
    let captures = COMMON_FORMAT.as_ref()?.captures(line)?;
    let not_empty = |text: &str| (text != "-").then(|| text.to_owned());
    let (_, [client, at, method, path, status, bytes, _referer, agent, count, router, server, duration]) =
        captures.extract();
    let client = client.parse().map_or(UNKNOWN_CLIENT, |ip| SocketAddr::new(ip, 0));
    Some(LogLine {
        at: jiff::fmt::strtime::parse("%d/%b/%Y:%H:%M:%S %z", at).ok()?.to_timestamp().ok()?,
        client,
        method: method.to_owned(),
        // the common format has no host
        host: String::new(),
        path: path.to_owned(),
        user_agent: not_empty(agent),
        router: not_empty(router),
        service: None,
        server: server.strip_prefix("http://").and_then(|server| server.parse().ok()),
        count: count.parse().ok(),
        status: status.parse().ok()?,
        bytes: bytes.parse().unwrap_or(0),
        duration_us: duration.parse::<u64>().ok()? * 1000,
    })
}
