//! The registry: builds the table of routes for the replicas of the moment, and owns everything that outlives a table.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use crate::{
    model::{ExposedByDefault, Port, Replica, State},
    routing::{BalancedService, Routes},
};

use super::{
    balance::{Balance, Cursor},
    table::{Route, ServiceBalancer, Table},
    upstream::{Upstream, WeightedUpstream},
};

#[cfg(test)]
mod tests;

/// Builds tables, and owns everything that outlives them.
#[derive(Debug)]
pub struct Registry {
    exposed_by_default: ExposedByDefault,
    workers: usize,
    /// The lab's services in the order in which they were first seen, so that replicas of two of them behind one
    /// balancer keep their order.
    ranks: Vec<Arc<str>>,
    cursors: HashMap<String, Arc<Mutex<Cursor>>>,
    upstreams: HashMap<UpstreamKey, Arc<Upstream>>,
}

/// A replica by its name, at one of its addresses.
type UpstreamKey = (Arc<str>, SocketAddr);

impl Registry {
    /// An empty registry for tables that `workers` workers read.
    pub fn new(exposed_by_default: ExposedByDefault, workers: usize) -> Self {
        Registry { exposed_by_default, workers, ranks: Vec::new(), cursors: HashMap::new(), upstreams: HashMap::new() }
    }

    pub fn table(&mut self, replicas: &[Replica]) -> Table {
        let Routes { routers, services, servers, problems } = Routes::new(replicas, self.exposed_by_default);
        let mut in_use: HashSet<UpstreamKey> = HashSet::new();
        let mut available: HashMap<String, Vec<WeightedUpstream>> = HashMap::new();
        for server in servers {
            in_use.insert((server.replica.name.clone(), server.address));
            let upstream = self.upstream(server.replica, server.address);
            if server.replica.state == State::Ready {
                available.entry(server.service).or_default().push(WeightedUpstream { upstream, weight: server.weight });
            }
        }
        self.retire(replicas, &in_use);

        let balancers: HashMap<String, Arc<ServiceBalancer>> = services
            .into_iter()
            .map(|(name, service)| {
                let balancer = self.balancer(&name, service, available.remove(&name).unwrap_or_default());
                (name, Arc::new(balancer))
            })
            .collect();
        let routes = routers.into_iter().filter_map(|router| {
            let balancer = balancers.get(&router.service)?.clone();
            Some(Route { router, balancer })
        });
        Table::new(routes.collect(), self.upstreams.values().cloned(), problems)
    }

    fn balancer(
        &mut self,
        name: &str,
        service: BalancedService,
        mut available: Vec<WeightedUpstream>,
    ) -> ServiceBalancer {
        let BalancedService { lab_service, balancer } = service;
        // the replicas of one service may have come in several groups
        available.sort_by_key(WeightedUpstream::ordinal);
        let (balance, available) = Balance::over(balancer.strategy, available);
        let cursor = self.cursors.entry(name.to_owned()).or_default().clone();
        let sticky = balancer.sticky.map(|cookie| (cookie.name_for(name), cookie));
        ServiceBalancer { service: lab_service, balance, cursor, available, host: balancer.host, sticky }
    }

    /// The upstream for a replica at one of its addresses: the one that is there already, unless it drains and the
    /// replica is ready again.
    fn upstream(&mut self, replica: &Replica, address: SocketAddr) -> Arc<Upstream> {
        let key = (replica.name.clone(), address);
        match self.upstreams.get(&key) {
            Some(present) if replica.state != State::Ready || !present.is_draining() => present.clone(),
            _ => {
                let ordinal = self.rank(&replica.service) << 32 | u64::from(replica.number);
                let (name, service) = (replica.name.clone(), replica.service.clone());
                let upstream = Arc::new(Upstream::new(name, service, ordinal, address, self.workers));
                self.upstreams.insert(key, upstream.clone());
                upstream
            }
        }
    }

    /// Drops the upstreams of replicas that have ended, and marks those that drain. A container that is not routed to
    /// at the moment may still work on requests that it was given.
    fn retire(&mut self, replicas: &[Replica], in_use: &HashSet<UpstreamKey>) {
        let unrouted: HashMap<&str, &Replica> = replicas
            .iter()
            .filter(|replica| replica.port == Port::Labelled && replica.state != State::Ready)
            .map(|replica| (&*replica.name, replica))
            .collect();
        self.upstreams.retain(|key, upstream| {
            let there = unrouted.get(&*key.0).and_then(|replica| replica.address);
            let stays = in_use.contains(key) || there.is_some_and(|address| address.ip() == key.1.ip());
            if !stays {
                upstream.mark_gone();
            }
            stays
        });
        let draining: HashSet<&str> =
            replicas.iter().filter(|replica| replica.state == State::Draining).map(|replica| &*replica.name).collect();
        self.upstreams
            .values()
            .filter(|upstream| draining.contains(&*upstream.name))
            .for_each(|upstream| upstream.start_draining());
    }

    /// The place of a service of the lab in the order of all.
    fn rank(&mut self, service: &Arc<str>) -> u64 {
        let rank = self.ranks.iter().position(|name| name == service).unwrap_or_else(|| {
            self.ranks.push(service.clone());
            self.ranks.len() - 1
        });
        rank as u64
    }
}
