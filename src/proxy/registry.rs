//! The registry: builds the table of routes for the replicas of the moment, and keeps what outlives one.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use crate::model::{ExposedByDefault, Port, Replica, State};

use super::{
    balance::{Balance, Candidate, Cursor},
    containers::{Group, address_for, groups},
    defaults::Plan,
    labels::BalancerWish,
    merge::Definitions,
    middleware::{Middleware, MiddlewareWish},
    routes::{Balancer, Router, Table},
    rule::Subject,
    upstream::{Server, Upstream},
};

/// What replicas with these labels would make together, found out without serving anything.
pub fn preview(replicas: &[Replica], exposed_by_default: ExposedByDefault) -> Preview {
    let table = Registry::new(exposed_by_default, 0).table(replicas);
    let offered = replicas.iter().filter(|replica| table.offers(&replica.name));
    Preview { offered: offered.map(|replica| replica.service.clone()).collect(), problems: table.problems.clone() }
}

/// The service that a request would be given to, among these replicas.
pub fn route(replicas: &[Replica], exposed_by_default: ExposedByDefault, subject: Subject<'_>) -> Option<String> {
    let table = Registry::new(exposed_by_default, 0).table(replicas);
    table.route(subject).map(|router| router.balancer.service.to_string())
}

/// See [`preview`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The services that requests would reach.
    pub offered: BTreeSet<Arc<str>>,
    /// Everything that could not be used, a sentence each.
    pub problems: Vec<String>,
}

/// Builds tables, and keeps what outlives them.
#[derive(Debug)]
pub struct Registry {
    exposed_by_default: ExposedByDefault,
    workers: usize,
    /// Services in the order they were first seen, so that replicas of two of them behind one balancer keep theirs.
    ranks: Vec<Arc<str>>,
    cursors: HashMap<String, Arc<Mutex<Cursor>>>,
    upstreams: HashMap<Key, Arc<Upstream>>,
}

/// A replica by its name, at one of its addresses.
type Key = (Arc<str>, SocketAddr);

/// The replicas behind one balancer.
struct Servers {
    service: Arc<str>,
    available: Vec<Server>,
}

impl Registry {
    /// An empty registry for tables that `workers` workers read.
    pub fn new(exposed_by_default: ExposedByDefault, workers: usize) -> Self {
        let (ranks, cursors, upstreams) = Default::default();
        Registry { exposed_by_default, workers, ranks, cursors, upstreams }
    }

    /// The table for these replicas.
    pub fn table(&mut self, replicas: &[Replica]) -> Table {
        let mut problems = Vec::new();
        let mut routers = Definitions::of("router");
        let mut services = Definitions::of("service");
        let mut middlewares = Definitions::of("middleware");
        let mut servers: BTreeMap<String, Servers> = BTreeMap::new();
        let mut in_use: HashSet<Key> = HashSet::new();
        for Group { members, plans } in groups(replicas, self.exposed_by_default, &mut problems) {
            problems.extend(plans.problems);
            for (name, wish) in plans.services {
                let servers = servers
                    .entry(name.clone())
                    .or_insert_with(|| Servers { service: members[0].service.clone(), available: Vec::new() });
                for replica in &members {
                    let Some(address) = address_for(replica, &wish.server) else { continue };
                    in_use.insert((replica.name.clone(), address));
                    let upstream = self.upstream(replica, address);
                    if replica.state == State::Ready {
                        let weight = wish.server.weight.unwrap_or(1);
                        servers.available.push(Server { upstream, weight });
                    }
                }
                services.add(name, wish.balancer);
            }
            plans.routers.into_iter().for_each(|(name, router)| routers.add(name, router));
            plans.middlewares.into_iter().for_each(|(name, middleware)| middlewares.add(name, middleware));
        }
        self.forget(replicas, &in_use);

        let (services, contradictions) = services.settle();
        problems.extend(contradictions);
        let (middlewares, contradictions) = middlewares.settle();
        problems.extend(contradictions);
        let (routers, contradictions) = routers.settle();
        problems.extend(contradictions);
        let balancers: HashMap<String, Arc<Balancer>> = services
            .into_iter()
            .filter_map(|(name, wish)| {
                let servers = servers.remove(&name)?;
                let balancer = self.balancer(&name, wish, servers);
                Some((name, Arc::new(balancer)))
            })
            .collect();
        let mut usable = Vec::new();
        for (name, plan) in routers {
            match router(&name, plan, &balancers, &middlewares) {
                Ok(router) => usable.push(router),
                Err(problem) => problems.push(format!("router {name}: {problem}")),
            }
        }
        Table::new(usable, self.upstreams.values().cloned(), each_once(problems))
    }

    fn balancer(&mut self, name: &str, wish: BalancerWish, servers: Servers) -> Balancer {
        let BalancerWish { strategy, host, sticky, .. } = wish;
        let Servers { service, mut available } = servers;
        // one service's replicas may have come in several groups
        available.sort_by_key(Candidate::ordinal);
        let (balance, available) = Balance::over(strategy, available);
        let cursor = self.cursors.entry(name.to_owned()).or_default().clone();
        let sticky = sticky.map(|cookie| (cookie.name_for(name), cookie));
        Balancer { service, balance, cursor, available, host, sticky }
    }

    /// The upstream for a replica at one of its addresses: the known one, unless that drains and the replica is ready
    /// again.
    fn upstream(&mut self, replica: &Replica, address: SocketAddr) -> Arc<Upstream> {
        let key = (replica.name.clone(), address);
        match self.upstreams.get(&key) {
            Some(known) if replica.state != State::Ready || !known.is_draining() => known.clone(),
            _ => {
                let ordinal = self.rank(&replica.service) << 32 | u64::from(replica.number);
                let (name, service) = (replica.name.clone(), replica.service.clone());
                let upstream = Arc::new(Upstream::new(name, service, ordinal, address, self.workers));
                self.upstreams.insert(key, upstream.clone());
                upstream
            }
        }
    }

    /// Drops the upstreams of replicas that are gone, and marks those that drain. A container that has no say at the
    /// moment may still work on what it was given.
    fn forget(&mut self, replicas: &[Replica], in_use: &HashSet<Key>) {
        let silent: HashMap<&str, &Replica> = replicas
            .iter()
            .filter(|replica| replica.port == Port::Labelled && replica.state != State::Ready)
            .map(|replica| (&*replica.name, replica))
            .collect();
        self.upstreams.retain(|key, upstream| {
            let there = silent.get(&*key.0).and_then(|replica| replica.address);
            let kept = in_use.contains(key) || there.is_some_and(|address| address.ip() == key.1.ip());
            if !kept {
                upstream.leave();
            }
            kept
        });
        let draining: HashSet<&str> =
            replicas.iter().filter(|replica| replica.state == State::Draining).map(|replica| &*replica.name).collect();
        self.upstreams
            .values()
            .filter(|upstream| draining.contains(&*upstream.name))
            .for_each(|it| it.start_draining());
    }

    fn rank(&mut self, service: &Arc<str>) -> u64 {
        let known = self.ranks.iter().position(|name| name == service);
        let rank = known.unwrap_or_else(|| {
            self.ranks.push(service.clone());
            self.ranks.len() - 1
        });
        rank as u64
    }
}

/// A router with everything that it names; else what it lacks.
fn router(
    name: &str,
    plan: Plan,
    balancers: &HashMap<String, Arc<Balancer>>,
    middlewares: &BTreeMap<String, MiddlewareWish>,
) -> Result<Router, String> {
    let service = plan.service();
    let balancer = balancers.get(service).ok_or_else(|| format!("there is no service {service}"))?.clone();
    let mut all: Vec<Middleware> = Vec::new();
    for name in plan.middlewares() {
        let wish = middlewares.get(name).ok_or_else(|| format!("there is no middleware {name}"))?;
        all.extend(wish.middleware().map_err(|problem| format!("middleware {name} {problem}"))?);
    }
    let (name, priority) = (format!("{name}@docker").into(), plan.priority());
    Ok(Router { name, balancer, middlewares: all.into(), rule: plan.rule, priority })
}

/// What several replicas have in common is said once.
fn each_once(problems: Vec<String>) -> Vec<String> {
    let mut said = HashSet::new();
    problems.into_iter().filter(|problem| said.insert(problem.clone())).collect()
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::rule::Subject, *};
    use crate::model::Port;

    pub fn replica(service: &str, number: u32, state: State, labels: &[(&str, &str)]) -> Replica {
        Replica {
            name: crate::model::replica_name(service, number).into(),
            service: service.into(),
            base: format!("{service}-lab").into(),
            number,
            hostname: format!("{service}-{number}"),
            address: Some(([127, 0, 0, 1], 1000 + number as u16).into()),
            port: Port::Bound,
            state,
            restarts: 0,
            ended: None,
            labels: Arc::new(labels.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()),
        }
    }

    pub fn registry() -> Registry {
        Registry::new(ExposedByDefault::Yes, 1)
    }

    pub fn names(table: &Table, host: &str, path: &str) -> Vec<String> {
        let router = table.route(Subject { host, path });
        router.into_iter().flat_map(|r| &r.balancer.available).map(|s| s.upstream.name.to_string()).collect()
    }

    #[test]
    fn the_longer_rule_has_priority_and_a_number_beats_length() {
        let web = [("traefik.http.routers.web.rule", "Host(`a`)")];
        let api = [("traefik.http.routers.api.rule", "Host(`a`) && PathPrefix(`/api/`)")];
        let table = registry().table(&[replica("web", 1, State::Ready, &web), replica("api", 1, State::Ready, &api)]);
        assert_eq!(names(&table, "a", "/"), ["web-1"]);
        assert_eq!(names(&table, "a", "/api/"), ["api-1"]);
        assert_eq!(names(&table, "b", "/"), [""; 0]);

        let web = [web[0], ("traefik.http.routers.web.priority", "1000")];
        let table = registry().table(&[replica("web", 1, State::Ready, &web), replica("api", 1, State::Ready, &api)]);
        assert_eq!(names(&table, "a", "/api/"), ["web-1"]);
    }

    #[test]
    fn only_ready_replicas_are_offered() {
        let states = [State::Ready, State::Draining, State::Restarting, State::Starting, State::Ready];
        let replicas: Vec<_> = (1..).zip(states).map(|(n, state)| replica("web", n, state, &[])).collect();
        let table = registry().table(&replicas);
        assert_eq!(names(&table, "web-lab", "/"), ["web-1", "web-5"]);
        assert!(table.offers("web-1") && !table.offers("web-2"));
        assert_eq!(table.upstreams("web-2").len(), 1);
    }

    #[test]
    fn without_labels_the_rule_is_made_of_service_and_project() {
        let table = registry().table(&[replica("web_static", 1, State::Ready, &[])]);
        assert_eq!(names(&table, "web-static-lab", "/"), ["web_static-1"]);
    }

    #[test]
    fn what_is_not_enabled_is_not_routed() {
        // whatever else it says
        let off = [("Traefik.Enable", "false"), ("traefik.http.oops", "1")];
        let table = registry().table(&[replica("web", 1, State::Ready, &off)]);
        assert_eq!((names(&table, "web-lab", "/"), table.problems), (vec![], vec![]));
        let mut registry = Registry::new(ExposedByDefault::No, 1);
        let table = registry.table(&[replica("web", 1, State::Ready, &[])]);
        assert_eq!(names(&table, "web-lab", "/"), [""; 0]);
    }

    #[test]
    fn a_bad_label_drops_its_container_and_nothing_else() {
        let bad = [("traefik.http.routers.web.rule", "Host(`a`)"), ("traefik.http.routers.web.oops", "1")];
        let table = registry().table(&[replica("web", 1, State::Ready, &bad), replica("api", 1, State::Ready, &[])]);
        assert_eq!(names(&table, "a", "/"), [""; 0]);
        assert_eq!(names(&table, "api-lab", "/"), ["api-1"]);
        assert_eq!(table.problems.len(), 1);
    }

    #[test]
    fn a_router_must_find_its_service() {
        let unknown = [("traefik.http.routers.web.service", "nowhere")];
        let table = registry().table(&[replica("web", 1, State::Ready, &unknown)]);
        assert_eq!(table.problems, ["router web: there is no service nowhere"]);
        let two = [
            ("traefik.http.routers.web.rule", "Host(`a`)"),
            ("traefik.http.services.x.loadbalancer.server.port", "1"),
            ("traefik.http.services.y.loadbalancer.server.port", "2"),
        ];
        let table = registry().table(&[replica("web", 1, State::Ready, &two)]);
        assert_eq!(table.problems, ["router web: there are several services and it names none"]);
    }

    #[test]
    fn cursors_and_upstreams_outlive_a_table() {
        let mut registry = registry();
        let one = registry.table(&[replica("web", 1, State::Ready, &[])]);
        let two = registry.table(&[replica("web", 1, State::Ready, &[]), replica("web", 2, State::Ready, &[])]);
        let subject = Subject { host: "web-lab", path: "/" };
        let (one, two) = (&one.route(subject).unwrap().balancer, &two.route(subject).unwrap().balancer);
        assert!(Arc::ptr_eq(&one.cursor, &two.cursor));
        assert!(Arc::ptr_eq(&one.available[0].upstream, &two.available[0].upstream));
    }

    #[test]
    fn a_router_finds_its_middlewares_wherever_they_are_defined() {
        let list = "traefik.http.routers.web.middlewares";
        let strip = |prefix| ("traefik.http.middlewares.strip.stripprefix.prefixes", prefix);
        let offered = |web: &[(&str, &str)], api: &[(&str, &str)]| {
            let rule = [("traefik.http.routers.web.rule", "Host(`a`)")];
            let (web, api) =
                (replica("web", 1, State::Ready, &[&rule, web].concat()), replica("api", 1, State::Ready, api));
            let table = registry().table(&[web, api]);
            let count = table.route(Subject { host: "a", path: "/" }).map(|router| router.middlewares.len());
            (count, table.problems)
        };
        assert_eq!(offered(&[(list, "strip@docker, strip")], &[strip("/a")]), (Some(2), vec![]));
        assert_eq!(offered(&[(list, "")], &[]), (Some(0), vec![]));
        let retry = ("traefik.http.middlewares.again.retry.attempts", "2");
        assert_eq!(offered(&[(list, "again"), retry], &[]), (Some(0), vec![]));
        let off = |problems: &[&str]| (None, problems.iter().map(|&problem| problem.to_owned()).collect::<Vec<_>>());
        for name in ["strip@file", "x"] {
            let problem = format!("router web: there is no middleware {name}");
            assert_eq!(offered(&[(list, name), strip("/a")], &[]), off(&[&problem]));
        }
        assert_eq!(
            offered(&[(list, "strip"), strip("/a")], &[strip("/b")]),
            off(&["middleware strip is defined in two ways", "router web: there is no middleware strip"])
        );
        let both = ("traefik.http.middlewares.strip.headers.customrequestheaders.a", "1");
        assert_eq!(
            offered(&[(list, "strip"), strip("/a"), both], &[]),
            off(&["router web: middleware strip is of several kinds, headers and stripprefix"])
        );
    }
}
