//! Readiness: waits until every container of a lab answers through its proxy, and names the one that does not.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    engine::{Container, Containers, Docker, Naming},
    model::{App, Balancer, ExposedByDefault, LabView, Replica, State, Strategy},
    proxy::Proxy,
    routing,
};
use serde::Deserialize;

use super::view::{self, Traefik};

/// How long a lab may make no progress before its laggard is named, unless it is said.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long an API that does not answer may be expected to.
const SILENCE: Duration = Duration::from_secs(10);
/// How a container ends that has done what it was for.
const DONE: &str = "exit code 0";
/// How often Traefik is asked whom it routes to.
const ASK_AGAIN: Duration = Duration::from_millis(50);
/// How long one of these questions may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// What Traefik answers where it has no router.
const NO_ROUTER: &str = "404 page not found\n";
/// Lines of a container's log that are shown.
const LAST_LINES: usize = 20;
/// What our own requests call themselves, so that they are left out of the log.
pub const AGENT: &str = concat!("lbctl/", env!("CARGO_PKG_VERSION"), " up");

/// A replica that did not come to answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} {what}")]
pub struct NotReady {
    /// Which.
    pub name: String,
    /// What it did instead.
    pub what: String,
    /// The end of its log.
    pub log: Vec<String>,
    /// What can be done about it.
    pub hint: Option<&'static str>,
}

impl NotReady {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        self.hint.map(str::to_owned)
    }

    /// Its log, under its name.
    pub fn detail(&self) -> Option<String> {
        let lines = self.log.iter().map(|line| format!("{}: {line}\n", self.name));
        (!self.log.is_empty()).then(|| lines.collect())
    }
}

/// What is waited for.
#[derive(Debug)]
pub struct Awaited<'a> {
    /// How many replicas each service shall have.
    pub counts: &'a BTreeMap<String, u32>,
    /// What balances; Traefik has a container too.
    pub balancer: Balancer,
    /// Whether a container without `traefik.enable` is routed to.
    pub exposed_by_default: ExposedByDefault,
    /// How long it may make no progress before its laggard is named.
    pub patience: Duration,
}

/// Waits until all of them are healthy and routed to. `tell` hears how many are, whenever that changes.
///
/// # Errors
/// The first one that ended, or that stays behind while nothing else gets on either.
pub async fn wait(
    docker: &Docker,
    containers: &Containers,
    awaited: &Awaited<'_>,
    tell: &mut impl FnMut(u32),
) -> Result<(), NotReady> {
    let mut replicas = containers.replicas();
    let mut api: Option<TraefikApi> = None;
    let of: u32 = awaited.counts.values().sum();
    let mut last = (0, Instant::now());
    loop {
        let now = replicas.borrow_and_update().clone();
        let routed = view::routed(&now, awaited.exposed_by_default);
        let wanted: Vec<&Replica> =
            awaited.counts.keys().flat_map(|service| now.iter().filter(|r| *r.service == **service)).collect();
        // what is not routed to may have done its work
        let is_done = |replica: &Replica| {
            replica.ended.as_deref() == Some(DONE) && !view::is_routed(replica, awaited.exposed_by_default)
        };
        if let Some(ended) = wanted.iter().find(|replica| replica.state == State::Ended && !is_done(replica)) {
            let how = ended.ended.as_deref().unwrap_or("its container stopped").to_owned();
            return Err(laggard(docker, containers, &ended.name, format!("ended before it answered: {how}")).await);
        }
        let traefik = match awaited.balancer {
            Balancer::Bundled => None,
            Balancer::Traefik => Some(traefik(docker, containers).await?),
        };
        let traefik = match traefik {
            Some(None) => Waiting::ForTraefik,
            Some(Some(traefik)) => Waiting::Behind(traefik),
            None => Waiting::ForReplicas,
        };
        let is_well = |replica: &&&Replica| replica.state == State::Ready || is_done(replica);
        let healthy: Vec<&Replica> = wanted.iter().filter(is_well).copied().collect();
        let complete = healthy.len() as u32 >= of;
        if let Waiting::Behind(Traefik { api: Some(address), .. }) = &traefik
            && api.as_ref().is_none_or(|api| api.address != *address)
        {
            api = Some(TraefikApi::new(*address));
        }
        let offered = match &mut api {
            // asked only when it could have all: it is not told of by events
            Some(api) if complete => api.offered().await,
            _ => Offered::Unknown,
        };
        let is_offered = |replica: &Replica| match &offered {
            Offered::Unknown => api.is_none(),
            Offered::Nobody => true,
            Offered::To(addresses) => {
                !routed.contains(&replica.service)
                    || routing::address(replica).is_some_and(|address| addresses.contains(&address))
            }
        };
        let ready = healthy.iter().filter(|replica| is_offered(replica)).count() as u32;
        tell(if complete && ready < of { ready } else { healthy.len() as u32 });
        if ready >= of && wanted.len() as u32 >= of {
            match &traefik {
                Waiting::ForReplicas => return Ok(()),
                Waiting::Behind(_) if matches!(offered, Offered::To(_)) => return Ok(()),
                Waiting::Behind(traefik) if answers(&now, traefik, awaited.exposed_by_default).await => return Ok(()),
                Waiting::Behind(_) | Waiting::ForTraefik => {}
            }
        }
        let progress = wanted.len() + healthy.len() + ready as usize;
        if progress > last.0 {
            last = (progress, Instant::now());
        } else if last.1.elapsed() > awaited.patience {
            let behind = wanted.iter().find(|replica| !(is_well(replica) && is_offered(replica)));
            return Err(late(docker, containers, awaited, behind.copied(), &wanted).await);
        }
        _ = tokio::time::timeout(ASK_AGAIN, replicas.changed()).await;
    }
}

/// What a lab that is not complete waits for.
enum Waiting {
    /// Its replicas alone.
    ForReplicas,
    /// Traefik's container.
    ForTraefik,
    /// Traefik runs, and has to take notice of them.
    Behind(Traefik),
}

/// Traefik, as soon as it runs.
async fn traefik(docker: &Docker, containers: &Containers) -> Result<Option<Traefik>, NotReady> {
    let now = containers.containers().borrow().clone();
    match now.iter().find(|container| container.is_traefik()) {
        Some(container) if container.state == State::Ended => {
            let how = container.exit.as_deref().unwrap_or("its container stopped");
            let name = container.replica(Naming::Compose).name;
            Err(laggard(docker, containers, &name, format!("ended before it answered: {how}")).await)
        }
        _ => Ok(Traefik::among(&now)),
    }
}

/// Who is late, and how.
async fn late(
    docker: &Docker,
    containers: &Containers,
    awaited: &Awaited<'_>,
    behind: Option<&Replica>,
    wanted: &[&Replica],
) -> NotReady {
    match behind {
        Some(replica) if replica.state == State::Ready => {
            laggard(docker, containers, &replica.name, "is healthy, but Traefik does not route to it".to_owned()).await
        }
        Some(replica) => {
            let what = format!("is still {} after {} s", replica.state, awaited.patience.as_secs_f64());
            let behind = laggard(docker, containers, &replica.name, what).await;
            let hint = match behind.log.is_empty() {
                true => "its log is empty; `lbctl up --wait SECONDS` waits longer",
                false => "the end of its log stands above; `lbctl up --wait SECONDS` waits longer",
            };
            NotReady { hint: Some(hint), ..behind }
        }
        None => {
            let missing = awaited.counts.iter().find(|(service, count)| {
                wanted.iter().filter(|replica| *replica.service == ***service).count() < **count as usize
            });
            let (name, what) = match missing {
                Some((service, _)) => (service.as_str(), "has fewer containers than asked for"),
                None => ("Traefik", "does not answer for every service"),
            };
            NotReady { name: name.to_owned(), what: what.to_owned(), log: Vec::new(), hint: None }
        }
    }
}

/// Whether Traefik, which has no API to ask, answers for every service that its root path belongs to.
async fn answers(replicas: &[Replica], traefik: &Traefik, exposed_by_default: ExposedByDefault) -> bool {
    let (Some(address), Ok(client)) = (traefik.address, client()) else { return true };
    for (service, host) in view::hosts(replicas, exposed_by_default) {
        if view::route(replicas, exposed_by_default, &host, "/").as_deref() != Some(&*service) {
            continue;
        }
        let answer = client.get(format!("http://{address}/")).header("host", host).send().await;
        // as long as it has no router, it says so; a service may say so too, and then it has one
        match answer {
            Ok(answer) if answer.status() == 404 => {
                if answer.text().await.is_ok_and(|text| text == NO_ROUTER) {
                    return false;
                }
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    true
}

/// A client that opens a connection for every request.
fn client() -> reqwest::Result<reqwest::Client> {
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT);
    client.pool_max_idle_per_host(0).user_agent(AGENT).redirect(reqwest::redirect::Policy::none()).build()
}

async fn laggard(docker: &Docker, containers: &Containers, name: &str, what: String) -> NotReady {
    let is_it = |container: &&Container| *container.replica(Naming::Compose).name == *name;
    let id = containers.containers().borrow().iter().find(is_it).map(|container| container.id.clone());
    let log = match id {
        // a log that cannot be read is no reason to hide what happened
        Some(id) => docker.tail(&id, LAST_LINES).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let hint = if log.is_empty() { "its log is empty" } else { "the end of its log stands above" };
    NotReady { name: name.to_owned(), what, log, hint: Some(hint) }
}

/// Traefik's API.
struct TraefikApi {
    http: reqwest::Client,
    address: SocketAddr,
    asked: Instant,
    heard: bool,
}

/// To whom Traefik gives requests.
enum Offered {
    /// It has not said so yet.
    Unknown,
    /// Nobody says: its API cannot be reached from here.
    Nobody,
    /// To these.
    To(HashSet<SocketAddr>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TraefikService {
    #[serde(default)]
    server_status: BTreeMap<String, String>,
}

impl TraefikApi {
    fn new(address: SocketAddr) -> TraefikApi {
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().unwrap_or_default();
        TraefikApi { http, address, asked: Instant::now(), heard: false }
    }

    /// Every server that it gives requests to.
    async fn offered(&mut self) -> Offered {
        match self.servers().await {
            Some(servers) => {
                self.heard = true;
                Offered::To(servers)
            }
            None if !self.heard && self.asked.elapsed() > SILENCE => Offered::Nobody,
            None => Offered::Unknown,
        }
    }

    async fn servers(&self) -> Option<HashSet<SocketAddr>> {
        let url = format!("http://{}/api/http/services?per_page=10000", self.address);
        let body = self.http.get(url).send().await.ok()?.error_for_status().ok()?.bytes().await.ok()?;
        let services: Vec<TraefikService> = serde_json::from_slice(&body).ok()?;
        let servers = services.into_iter().flat_map(|service| service.server_status);
        let up = servers.filter(|(_, status)| status == "UP");
        Some(up.filter_map(|(url, _)| url.split_once("://")?.1.trim_end_matches('/').parse().ok()).collect())
    }
}

/// Waits until the bundled proxy, which is on this machine and not in the lab's network, gives requests to every healthy
/// replica that it routes to, and sees that it can reach them.
///
/// # Errors
/// A replica that takes no connection from here.
pub async fn reach(replicas: &[Replica], proxy: &Proxy, exposed_by_default: ExposedByDefault) -> Result<(), NotReady> {
    let routed = view::routed(replicas, exposed_by_default);
    let ready = |replica: &&Replica| replica.state == State::Ready && routed.contains(&replica.service);
    let mut names = Vec::new();
    for replica in replicas.iter().filter(ready) {
        let Some(address) = routing::address(replica) else { continue };
        names.push(replica.name.to_string());
        let connected = tokio::time::timeout(ANSWER_LIMIT, tokio::net::TcpStream::connect(address)).await;
        if !matches!(connected, Ok(Ok(_))) {
            return Err(NotReady {
                name: replica.name.to_string(),
                what: format!("cannot be reached at {address} from this machine"),
                log: Vec::new(),
                hint: Some("leave --proxy bundled out: Traefik is inside the containers' network"),
            });
        }
    }
    // one that falls ill meanwhile is no reason to wait for ever
    _ = tokio::time::timeout(ANSWER_LIMIT, proxy.offers(&names)).await;
    Ok(())
}

/// Asks every healthy replica of these services, as far as they are the lab's own apps, through the proxy, by requests
/// that they neither count nor keep. `routes` tells which service gets a request for a host and path.
///
/// # Errors
/// A replica that no request reached in time.
pub async fn ask(
    view: &LabView,
    services: &BTreeMap<String, u32>,
    patience: Duration,
    routes: impl Fn(&str, &str) -> Option<String>,
) -> Result<(), NotReady> {
    let Ok(client) = client() else { return Ok(()) };
    for (name, service) in view.services.iter().filter(|(name, _)| services.contains_key(*name)) {
        let path = match service.app {
            Some(App::Page) => "/health",
            // no such path, and so not counted; but whoever says so is the replica
            Some(App::Api) => "/api/ready",
            None => continue,
        };
        let host = view.hosts.iter().find(|host| routes(host, path).as_ref() == Some(name));
        let Some(host) = host else { continue };
        let ready = || service.replicas.iter().filter(|replica| replica.state == State::Ready);
        let mut silent: BTreeSet<&str> = ready().map(|replica| replica.hostname.as_str()).collect();
        let all = silent.len();
        let one_is_enough = !service.strategy.known().is_some_and(Strategy::reaches_every_replica);
        let started = Instant::now();
        while !silent.is_empty() && started.elapsed() < patience {
            let request = client.get(format!("http://{}{path}", view.proxy_address)).header("host", host);
            let answered = match request.send().await {
                Ok(response) => {
                    let served_by = response.headers().get("x-served-by").and_then(|name| name.to_str().ok());
                    served_by.is_some_and(|name| silent.remove(name))
                }
                Err(_) => false,
            };
            match (answered, one_is_enough) {
                (true, true) => break,
                (true, false) => {}
                (false, _) => tokio::time::sleep(ASK_AGAIN).await,
            }
        }
        let silent = silent.first().filter(|_| !one_is_enough || silent.len() == all);
        if let Some(hostname) = silent {
            let name = service.replicas.iter().find(|replica| replica.hostname == *hostname);
            return Err(NotReady {
                name: name.map_or(*hostname, |replica| &replica.name).to_owned(),
                what: "does not answer through the proxy".to_owned(),
                log: Vec::new(),
                hint: None,
            });
        }
    }
    Ok(())
}
