//! The view of a lab of containers, by the labels that Compose and the compose file give them. It does not matter which
//! program started the lab.

use std::net::SocketAddr;

use indexmap::{IndexMap, IndexSet};

use crate::{
    composefile::APP_LABEL,
    lab::address::url,
    model::{
        App, Engine, ExposedByDefault, LAB_SCHEMA, LabView, Labels, ProxyKind, Replica, ReplicaView, ServiceStrategy,
        ServiceView, Strategy,
    },
    routing,
};

/// The facts from which the view of a lab is made.
#[derive(Debug)]
pub struct LabFacts<'a> {
    /// The name of the project.
    pub project: &'a str,
    /// The replicas of every service but Traefik's own.
    pub replicas: &'a [Replica],
    pub proxy_kind: ProxyKind,
    /// The address at which the balancer takes requests.
    pub address: SocketAddr,
    pub exposed_by_default: ExposedByDefault,
    /// The services of the plan, where there is one; some may have no container.
    pub services: IndexMap<String, ServiceView>,
    /// The hosts that the rules of these services name.
    pub hosts: Vec<String>,
}

/// Makes the view of a lab.
pub fn lab_view(facts: LabFacts<'_>) -> LabView {
    let LabFacts { project, replicas, proxy_kind, address, exposed_by_default, mut services, hosts } = facts;
    let mut hosts: IndexSet<String> = hosts.into_iter().collect();
    // a visitor sees the page first
    let mut replicas: Vec<&Replica> = replicas.iter().collect();
    replicas.sort_by_key(|replica| match app(&replica.labels) {
        Some(App::Page) => 0,
        Some(App::Api) => 1,
        None => 2,
    });
    for replica in replicas {
        let service = services.entry(replica.service.to_string()).or_insert_with(|| {
            let (service, more_hosts) = service_view(&replica.base, &replica.labels, exposed_by_default);
            hosts.extend(more_hosts);
            service
        });
        // a replica that gets no requests may have no port
        let address = routing::address(replica).filter(|address| address.port() != 0);
        service.replicas.push(ReplicaView { address, ..ReplicaView::from(replica) });
    }
    let hosts: Vec<String> = hosts.into_iter().collect();
    LabView {
        schema: LAB_SCHEMA.to_owned(),
        project: project.to_owned(),
        engine: Engine::Compose,
        proxy: proxy_kind,
        url: url(&hosts, address),
        proxy_address: address,
        dashboard_url: None,
        hosts,
        services,
    }
}

/// Makes the view of a service without replicas, and lists the hosts that its rules name.
pub fn service_view(base: &str, labels: &Labels, exposed_by_default: ExposedByDefault) -> (ServiceView, Vec<String>) {
    // the labels as the bundled proxy understands them; Traefik knows more labels
    let routing = routing::check(base, labels, exposed_by_default).ok();
    let (strategy, sticky_cookie, hosts) = match routing {
        Some(routing) if routing.routers > 0 => {
            let labelled = labelled_strategy(labels).filter(|_| routing.strategy == Strategy::default());
            let strategy = labelled.unwrap_or(routing.strategy);
            (ServiceStrategy::Known(strategy), routing.sticky_cookie, routing.hosts)
        }
        Some(_) => (ServiceStrategy::None, None, Vec::new()),
        None => (ServiceStrategy::Unknown, None, Vec::new()),
    };
    (ServiceView { app: app(labels), strategy, sticky_cookie, replicas: Vec::new() }, hosts)
}

/// The built-in app that the image of a service implements.
fn app(labels: &Labels) -> Option<App> {
    labels.get(APP_LABEL)?.parse().ok()
}

/// The strategy of the first label that names one, for any balancer of the service.
fn labelled_strategy(labels: &Labels) -> Option<Strategy> {
    let (_, value) = labels.iter().find(|(label, _)| {
        let label = label.to_ascii_lowercase();
        label.starts_with("traefik.http.services.") && label.ends_with(".loadbalancer.strategy")
    })?;
    Strategy::from_traefik_name(value)
}
