//! Routes: the services that requests reach, by the labels of the replicas.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    model::{ExposedByDefault, Replica},
    routing::{self, Preview, Subject, bare_host},
};

/// Returns the service that gets a request for this host and path.
pub fn service_for(
    replicas: &[Replica],
    exposed_by_default: ExposedByDefault,
    host: &str,
    path: &str,
) -> Option<String> {
    routing::route(replicas, exposed_by_default, Subject { host: bare_host(host), path })
}

/// The first host that the rules of each service name.
pub fn first_hosts(replicas: &[Replica], exposed_by_default: ExposedByDefault) -> BTreeMap<Arc<str>, String> {
    let routing = |replica: &Replica| routing::check(&replica.base, &replica.labels, exposed_by_default).ok();
    let host = |replica: &Replica| Some((replica.service.clone(), routing(replica)?.hosts.into_iter().next()?));
    replicas.iter().filter_map(host).collect()
}

/// Checks whether the labels of a replica ask for requests.
pub fn asks_for_requests(replica: &Replica, exposed_by_default: ExposedByDefault) -> bool {
    routing::check(&replica.base, &replica.labels, exposed_by_default).is_ok_and(|routing| routing.routers > 0)
}

/// The services that requests can reach.
pub fn reachable_services(replicas: &[Replica], exposed_by_default: ExposedByDefault) -> BTreeSet<Arc<str>> {
    let Preview { offered, .. } = routing::preview(replicas, exposed_by_default);
    offered
}
