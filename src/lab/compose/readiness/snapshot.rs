//! The state of a lab's replicas at one moment, against the goal.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use crate::{
    model::{ExposedByDefault, ProxyKind, Replica, State},
    routing,
};

use super::{super::routes, traefik_api::TraefikServers};

/// The end of a container that has done its work.
const SUCCESS: &str = "exit code 0";

/// The replicas that a lab shall have.
#[derive(Debug)]
pub struct Goal<'a> {
    /// The number of replicas by service.
    pub counts: &'a BTreeMap<String, u32>,
    pub proxy_kind: ProxyKind,
    pub exposed_by_default: ExposedByDefault,
    /// The longest time without progress before the wait fails.
    pub patience: Duration,
}

impl Goal<'_> {
    /// The number of replicas of all services.
    pub fn total(&self) -> usize {
        self.counts.values().sum::<u32>() as usize
    }
}

/// The replicas of the goal's services at one moment.
pub struct Snapshot<'a> {
    goal: &'a Goal<'a>,
    /// The replicas of the whole lab.
    pub all: &'a [Replica],
    /// The replicas of the goal's services.
    pub replicas: Vec<&'a Replica>,
    /// The services that requests can reach.
    reachable_services: BTreeSet<Arc<str>>,
}

impl<'a> Snapshot<'a> {
    pub fn new(all: &'a [Replica], goal: &'a Goal<'a>) -> Snapshot<'a> {
        let of_service = move |service: &'a String| all.iter().filter(move |replica| *replica.service == **service);
        Snapshot {
            goal,
            all,
            replicas: goal.counts.keys().flat_map(of_service).collect(),
            reachable_services: routes::reachable_services(all, goal.exposed_by_default),
        }
    }

    /// Finds a replica that ended before its work was done.
    pub fn failed_replica(&self) -> Option<&'a Replica> {
        self.replicas.iter().copied().find(|replica| replica.state == State::Ended && !self.has_succeeded(replica))
    }

    /// Counts the replicas that are healthy or have done their work.
    pub fn count_healthy(&self) -> usize {
        self.replicas.iter().filter(|replica| self.is_healthy(replica)).count()
    }

    /// Counts the healthy replicas that get their requests.
    pub fn count_ready(&self, servers: &TraefikServers) -> usize {
        self.replicas.iter().filter(|replica| self.is_ready(replica, servers)).count()
    }

    /// Finds the first replica that is not healthy or does not get its requests.
    pub fn first_not_ready(&self, servers: &TraefikServers) -> Option<&'a Replica> {
        self.replicas.iter().copied().find(|replica| !self.is_ready(replica, servers))
    }

    /// Finds a service that has fewer replicas than the goal.
    pub fn incomplete_service(&self) -> Option<&'a str> {
        let count = |service: &str| self.replicas.iter().filter(|replica| *replica.service == *service).count();
        let missing = self.goal.counts.iter().find(|(service, wanted)| count(service) < **wanted as usize);
        missing.map(|(service, _)| service.as_str())
    }

    fn is_ready(&self, replica: &Replica, servers: &TraefikServers) -> bool {
        self.is_healthy(replica) && self.gets_requests(replica, servers)
    }

    fn is_healthy(&self, replica: &Replica) -> bool {
        replica.state == State::Ready || self.has_succeeded(replica)
    }

    /// Checks whether a replica has done its work and ended. One that takes requests shall not end.
    fn has_succeeded(&self, replica: &Replica) -> bool {
        replica.ended.as_deref() == Some(SUCCESS) && !routes::asks_for_requests(replica, self.goal.exposed_by_default)
    }

    /// Checks whether a replica gets the requests that its labels ask for, as far as Traefik lists its servers.
    fn gets_requests(&self, replica: &Replica, servers: &TraefikServers) -> bool {
        match servers {
            TraefikServers::Pending => false,
            TraefikServers::Unavailable => true,
            TraefikServers::Listed(addresses) => {
                !self.reachable_services.contains(&replica.service)
                    || routing::address(replica).is_some_and(|address| addresses.contains(&address))
            }
        }
    }
}
