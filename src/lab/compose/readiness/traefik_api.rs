//! Traefik's API, which lists the servers to which Traefik gives requests.

use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::client::ANSWER_TIMEOUT;

/// The time in which the API must answer for the first time; it counts as unavailable after that.
const FIRST_ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to Traefik's API.
pub struct TraefikApi {
    http: reqwest::Client,
    pub address: SocketAddr,
    since: Instant,
    has_answered: bool,
}

/// The servers to which Traefik gives requests.
pub enum TraefikServers {
    /// Traefik has not listed its servers yet.
    Pending,
    /// The list is not available: Traefik does not balance, or its API cannot be reached from this machine.
    Unavailable,
    /// Traefik gives requests to the servers at these addresses.
    Listed(HashSet<SocketAddr>),
}

/// A service in Traefik's list; its servers are URLs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TraefikService {
    #[serde(default)]
    server_status: BTreeMap<String, String>,
}

impl TraefikApi {
    pub fn new(address: SocketAddr) -> TraefikApi {
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_TIMEOUT).build().unwrap_or_default();
        TraefikApi { http, address, since: Instant::now(), has_answered: false }
    }

    /// Asks for every server that gets requests.
    pub async fn servers(&mut self) -> TraefikServers {
        match self.list_servers().await {
            Some(servers) => {
                self.has_answered = true;
                TraefikServers::Listed(servers)
            }
            None if !self.has_answered && self.since.elapsed() > FIRST_ANSWER_TIMEOUT => TraefikServers::Unavailable,
            None => TraefikServers::Pending,
        }
    }

    async fn list_servers(&self) -> Option<HashSet<SocketAddr>> {
        let url = format!("http://{}/api/http/services?per_page=10000", self.address);
        let body = self.http.get(url).send().await.ok()?.error_for_status().ok()?.bytes().await.ok()?;
        let services: Vec<TraefikService> = serde_json::from_slice(&body).ok()?;
        let servers = services.into_iter().flat_map(|service| service.server_status);
        let up = servers.filter(|(_, status)| status == "UP");
        Some(up.filter_map(|(url, _)| url.split_once("://")?.1.trim_end_matches('/').parse().ok()).collect())
    }
}
