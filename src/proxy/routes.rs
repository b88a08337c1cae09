//! Routes: the replicas and their labels, turned into a table of routers and balancers.
//!
//! A table is immutable; each change of the replicas makes a new one. What must outlive a table (cursors, connections,
//! counts) is kept by the [`Registry`] that builds them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use crate::replica::{Labels, Replica, State};

use super::{
    defaults::{Plan, plan},
    labels::{HostHeader, ServiceWish},
    rule::{Rule, Subject},
    sticky::Cookie,
    strategy::{Cursor, Strategy},
    upstream::Upstream,
};

/// Whether a container is routed to that does not say `traefik.enable`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmarked {
    /// It is (Traefik's default).
    Routed,
    /// It is not (`exposedByDefault=false`).
    Ignored,
}

/// Routers and balancers at one moment.
#[derive(Debug, Default)]
pub struct Table {
    /// The highest priority first.
    routers: Vec<Router>,
    /// Everything that could not be used, a sentence each.
    pub problems: Vec<String>,
    upstreams: HashMap<Arc<str>, Arc<Upstream>>,
}

/// A rule and where it leads.
#[derive(Debug)]
pub struct Router {
    /// As Traefik's log names it: `web-static@docker`.
    pub name: Arc<str>,
    /// What it leads to.
    pub balancer: Arc<Balancer>,
    rule: Rule,
    priority: i64,
}

/// A service with the replicas that may be picked.
#[derive(Debug)]
pub struct Balancer {
    /// The lab's service.
    pub service: Arc<str>,
    /// How the next replica is picked.
    pub strategy: Strategy,
    /// What was picked before; shared by the tables that follow one another.
    pub cursor: Arc<Mutex<Cursor>>,
    /// The replicas that take requests, by number.
    pub available: Vec<Arc<Upstream>>,
    /// What replicas get as `Host`.
    pub host: HostHeader,
    /// The sticky cookie and its name.
    pub sticky: Option<(String, Cookie)>,
}

impl Table {
    /// The first router whose rule matches.
    pub fn route(&self, subject: Subject<'_>) -> Option<&Router> {
        self.routers.iter().find(|router| router.rule.matches(subject))
    }

    /// The replica called `name`, draining or not.
    pub fn upstream(&self, name: &str) -> Option<&Arc<Upstream>> {
        self.upstreams.get(name)
    }

    /// Whether new requests may be given to `name`.
    pub fn offers(&self, name: &str) -> bool {
        let mut available = self.routers.iter().flat_map(|router| &router.balancer.available);
        available.any(|upstream| &*upstream.name == name)
    }
}

/// What replicas with these labels would make together, found out without serving anything.
pub fn preview(replicas: &[Replica], unmarked: Unmarked) -> Preview {
    let table = Registry::new(unmarked, 0).table(replicas);
    let offered = replicas.iter().filter(|replica| table.offers(&replica.name));
    Preview { offered: offered.map(|replica| replica.service.clone()).collect(), problems: table.problems.clone() }
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
    unmarked: Unmarked,
    workers: usize,
    /// Services in the order they were first seen, so that replicas of two of them behind one balancer keep theirs.
    ranks: Vec<Arc<str>>,
    cursors: HashMap<String, Arc<Mutex<Cursor>>>,
    upstreams: HashMap<(Arc<str>, SocketAddr), Arc<Upstream>>,
}

impl Registry {
    /// An empty registry for tables that `workers` workers read.
    pub fn new(unmarked: Unmarked, workers: usize) -> Self {
        let (ranks, cursors, upstreams) = Default::default();
        Registry { unmarked, workers, ranks, cursors, upstreams }
    }

    /// The table for these replicas.
    pub fn table(&mut self, replicas: &[Replica]) -> Table {
        let upstreams = self.refresh_upstreams(replicas);
        let mut table = Table::default();
        let mut services: BTreeMap<String, Merged> = BTreeMap::new();
        let mut routers: BTreeMap<String, Plan> = BTreeMap::new();

        for (service, base, labels) in by_service(replicas) {
            let plan = match plan(base, labels, self.unmarked) {
                Ok(Some(plan)) => plan,
                Ok(None) => continue,
                Err(problem) => {
                    table.problems.push(format!("service {service}: {problem}"));
                    continue;
                }
            };
            let available = replicas
                .iter()
                .filter(|replica| &*replica.service == service && replica.state == State::Ready)
                .filter_map(|replica| upstreams.get(&replica.name).cloned());
            let available: Vec<_> = available.collect();
            for (name, wish) in plan.services {
                let entry = services.entry(name.clone());
                let merged = entry.or_insert_with(|| Merged {
                    wish: wish.clone(),
                    service: Arc::from(service),
                    available: Vec::new(),
                });
                match merged.wish == wish {
                    true => merged.available.extend(available.iter().cloned()),
                    false => table.problems.push(format!("service {name} is defined in two ways")),
                }
            }
            for (name, router) in plan.routers {
                table.problems.extend(router.problem.clone().map(|problem| format!("router {name}: {problem}")));
                match routers.get(&name) {
                    Some(known) if *known != router => {
                        table.problems.push(format!("router {name} is defined in two ways"));
                    }
                    _ => _ = routers.insert(name, router),
                }
            }
        }

        let balancers: HashMap<String, Arc<Balancer>> = services
            .into_iter()
            .map(|(name, Merged { wish, service, available })| {
                let cursor = self.cursors.entry(name.clone()).or_default().clone();
                let sticky = wish.sticky.map(|cookie| (cookie.name_for(&name), cookie));
                let ServiceWish { strategy, host, .. } = wish;
                (name, Arc::new(Balancer { service, strategy, cursor, available, host, sticky }))
            })
            .collect();
        for (name, Plan { rule, priority, service, .. }) in routers {
            let Some(rule) = rule else { continue };
            match balancers.get(&service) {
                Some(balancer) => table.routers.push(Router {
                    name: format!("{name}@docker").into(),
                    balancer: balancer.clone(),
                    rule,
                    priority,
                }),
                None => table.problems.push(format!("router {name}: there is no service {service}")),
            }
        }
        // ties go to the name, so that nothing is random
        table.routers.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
        table.upstreams = upstreams;
        table
    }

    /// Upstreams for the replicas that have an address: known ones as they are, draining ones marked, gone ones dropped.
    fn refresh_upstreams(&mut self, replicas: &[Replica]) -> HashMap<Arc<str>, Arc<Upstream>> {
        let mut kept = HashMap::new();
        let mut by_name = HashMap::new();
        for replica in replicas {
            let Some(address) = replica.address else { continue };
            let key = (replica.name.clone(), address);
            let ordinal = self.rank(&replica.service) << 32 | u64::from(replica.number);
            let upstream = self.upstreams.remove(&key).unwrap_or_else(|| {
                Arc::new(Upstream::new(replica.name.clone(), replica.service.clone(), ordinal, address, self.workers))
            });
            if replica.state == State::Draining {
                upstream.start_draining();
            }
            by_name.insert(upstream.name.clone(), upstream.clone());
            kept.insert(key, upstream);
        }
        self.upstreams = kept;
        by_name
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

/// A service in the making: one definition, and the replicas of every container that gives it.
struct Merged {
    wish: ServiceWish,
    service: Arc<str>,
    available: Vec<Arc<Upstream>>,
}

/// Each service once, with the labels of its first replica.
fn by_service(replicas: &[Replica]) -> Vec<(&str, &str, &Labels)> {
    let mut services: Vec<(&str, &str, &Labels)> = Vec::new();
    for replica in replicas {
        if !services.iter().any(|(name, ..)| *name == &*replica.service) {
            services.push((&replica.service, &replica.base, &replica.labels));
        }
    }
    services
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::replica::Port;

    fn replica(service: &str, number: u32, state: State, labels: &[(&str, &str)]) -> Replica {
        Replica {
            name: crate::replica::name(service, number).into(),
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

    fn registry() -> Registry {
        Registry::new(Unmarked::Routed, 1)
    }

    fn names(table: &Table, host: &str, path: &str) -> Vec<String> {
        let router = table.route(Subject { host, path });
        router.into_iter().flat_map(|r| &r.balancer.available).map(|u| u.name.to_string()).collect()
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
        assert!(table.upstream("web-2").is_some());
    }

    #[test]
    fn without_labels_the_rule_is_made_of_service_and_project() {
        let table = registry().table(&[replica("web_static", 1, State::Ready, &[])]);
        assert_eq!(names(&table, "web-static-lab", "/"), ["web_static-1"]);
    }

    #[test]
    fn what_is_not_enabled_is_not_routed() {
        let off = [("traefik.enable", "false")];
        let table = registry().table(&[replica("web", 1, State::Ready, &off)]);
        assert_eq!(names(&table, "web-lab", "/"), [""; 0]);
        let mut registry = Registry::new(Unmarked::Ignored, 1);
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
        assert!(Arc::ptr_eq(&one.available[0], &two.available[0]));
    }
}
