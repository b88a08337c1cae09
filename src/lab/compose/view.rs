//! A lab of containers as Docker shows it: whoever started it, by the labels that Compose and the lab's file give them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use indexmap::IndexMap;

use crate::{
    composefile::{AccessLog, TraefikFlags, traefik_flags},
    engine::Container,
    lab::address::url,
    model::{
        App, Balancer, Engine, ExposedByDefault, LAB_SCHEMA, LabView, Labels, Replica, ReplicaView, ServiceStrategy,
        ServiceView, State, Strategy,
    },
    routing::{self, Preview, Subject, bare_host},
};

/// The label that says which built-in app a service's image implements.
const APP_LABEL: &str = "lbctl.app";
/// Where Traefik answers unless told otherwise.
const ENTRY_PORT: u16 = 80;

/// Traefik, as its container shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traefik {
    /// The container's id.
    pub id: String,
    /// Where it takes requests.
    pub address: Option<SocketAddr>,
    /// Where its API answers, if it is open.
    pub api: Option<SocketAddr>,
    /// Whether its container's log has the requests.
    pub log: AccessLog,
    /// Whether a container without `traefik.enable` is routed to.
    pub exposed_by_default: ExposedByDefault,
}

impl Traefik {
    /// The one among these containers that runs.
    pub fn among(containers: &[Container]) -> Option<Traefik> {
        let container =
            containers.iter().find(|container| container.is_traefik() && container.state == State::Ready)?;
        let TraefikFlags { exposed_by_default, entry, api, log } = traefik_flags(&container.args);
        Some(Traefik {
            id: container.id.clone(),
            address: reached(container, entry.unwrap_or(ENTRY_PORT)),
            api: api.and_then(|port| reached(container, port)),
            log,
            exposed_by_default,
        })
    }
}

/// Where a port inside a container is reached from this machine: where it is published, else at the container itself.
fn reached(container: &Container, inside: u16) -> Option<SocketAddr> {
    let published = container.published.iter().filter(|published| published.inside == inside).map(|published| {
        let mut at = published.at;
        if at.ip().is_unspecified() {
            at.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        at
    });
    // a browser would take the first; IPv4 is what Docker publishes without fail
    published.min_by_key(SocketAddr::is_ipv6).or_else(|| Some(SocketAddr::new(container.ip?, inside)))
}

/// What is shown of a lab.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The project's name.
    pub project: &'a str,
    /// Everything but Traefik.
    pub replicas: &'a [Replica],
    /// What balances, and where.
    pub balancer: Balancer,
    /// Where it takes requests.
    pub address: SocketAddr,
    /// Whether a container without `traefik.enable` is routed to.
    pub exposed_by_default: ExposedByDefault,
    /// Its services, where somebody knows more of them than their containers say: one may have none.
    pub services: IndexMap<String, ServiceView>,
    /// The hosts that these are for.
    pub hosts: Vec<String>,
}

/// A lab as people and scripts are shown it.
pub fn view(shown: Shown<'_>) -> LabView {
    let Shown { mut services, mut hosts, .. } = shown;
    // what a visitor sees first comes first
    let place = |replica: &&Replica| match app(&replica.labels) {
        Some(App::Page) => 0,
        Some(App::Api) => 1,
        None => 2,
    };
    let mut replicas: Vec<&Replica> = shown.replicas.iter().collect();
    replicas.sort_by_key(place);
    for replica in replicas {
        let service = services.entry(replica.service.to_string()).or_insert_with(|| {
            let (service, routed) = service(&replica.base, &replica.labels, shown.exposed_by_default);
            hosts.extend(routed);
            service
        });
        // one that no request is meant for has no port of its own
        let address = routing::address(replica).filter(|address| address.port() != 0);
        service.replicas.push(ReplicaView { address, ..ReplicaView::from(replica) });
    }
    let mut seen = BTreeSet::new();
    hosts.retain(|host| seen.insert(host.clone()));
    LabView {
        schema: LAB_SCHEMA.to_owned(),
        project: shown.project.to_owned(),
        engine: Engine::Compose,
        proxy: shown.balancer,
        url: url(&hosts, shown.address),
        proxy_address: shown.address,
        dashboard_url: None,
        hosts,
        services,
    }
}

/// The built-in app that its image implements.
fn app(labels: &Labels) -> Option<App> {
    labels.get(APP_LABEL)?.parse().ok()
}

/// A service without replicas yet, and the hosts whose requests it gets.
pub fn service(base: &str, labels: &Labels, exposed_by_default: ExposedByDefault) -> (ServiceView, Vec<String>) {
    let app = app(labels);
    // what the labels mean to the bundled proxy; Traefik knows more of them
    let routing = routing::check(base, labels, exposed_by_default).ok();
    let (strategy, sticky_cookie, hosts) = match routing {
        Some(routing) if routing.routers > 0 => {
            let written = labelled_strategy(labels).filter(|_| routing.strategy == Strategy::default());
            let strategy = written.unwrap_or(routing.strategy);
            (ServiceStrategy::Known(strategy), routing.sticky_cookie, routing.hosts)
        }
        Some(_) => (ServiceStrategy::None, None, Vec::new()),
        None => (ServiceStrategy::Unknown, None, Vec::new()),
    };
    (ServiceView { app, strategy, sticky_cookie, replicas: Vec::new() }, hosts)
}

/// The strategy of the first label that names one, whichever of the service's balancers it is for.
fn labelled_strategy(labels: &Labels) -> Option<Strategy> {
    let (_, value) = labels.iter().find(|(label, _)| {
        let label = label.to_ascii_lowercase();
        label.starts_with("traefik.http.services.") && label.ends_with(".loadbalancer.strategy")
    })?;
    Strategy::from_traefik_name(value)
}

/// The service that a request for this host and path would be given to.
pub fn route(replicas: &[Replica], exposed_by_default: ExposedByDefault, host: &str, path: &str) -> Option<String> {
    routing::route(replicas, exposed_by_default, Subject { host: bare_host(host), path })
}

/// The first host of each service that its rules name, of those that run.
pub fn hosts(replicas: &[Replica], exposed_by_default: ExposedByDefault) -> BTreeMap<Arc<str>, String> {
    let routing = |replica: &Replica| routing::check(&replica.base, &replica.labels, exposed_by_default).ok();
    let host = |replica: &Replica| Some((replica.service.clone(), routing(replica)?.hosts.into_iter().next()?));
    replicas.iter().filter_map(host).collect()
}

/// Whether the labels of a replica ask for requests.
pub fn is_routed(replica: &Replica, exposed_by_default: ExposedByDefault) -> bool {
    routing::check(&replica.base, &replica.labels, exposed_by_default).is_ok_and(|routing| routing.routers > 0)
}

/// The services that requests can reach.
pub fn routed(replicas: &[Replica], exposed_by_default: ExposedByDefault) -> BTreeSet<Arc<str>> {
    let Preview { offered, .. } = routing::preview(replicas, exposed_by_default);
    offered
}
