//! Routes: the meaning of the labels of all containers together.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    net::SocketAddr,
    sync::Arc,
};

use crate::model::{ExposedByDefault, Replica, State};

use super::{
    config::BalancerConfig,
    containers::{Group, address_for, groups},
    defaults::RouterDefinition,
    merge::Definitions,
    middleware::{Middleware, MiddlewareConfig},
    rule::{Rule, Subject},
};

/// Routers, services and servers at one moment.
#[derive(Debug)]
pub struct Routes<'a> {
    /// The routers that can be used, the highest priority first.
    pub routers: Vec<Router>,
    /// The services by the names under which Traefik knows them.
    pub services: BTreeMap<String, BalancedService>,
    /// Every replica with an address, once for each of its services.
    pub servers: Vec<Server<'a>>,
    /// A sentence for each thing that cannot be used.
    pub problems: Vec<String>,
}

/// A rule, and the service to which it leads.
#[derive(Debug)]
pub struct Router {
    /// The name as in Traefik's log: `web-static@docker`.
    pub name: Arc<str>,
    pub rule: Rule,
    /// Of the routers whose rules match a request, the one with the highest priority gets it.
    pub priority: i64,
    /// The service that gets the requests: one of [`Routes::services`].
    pub service: String,
    /// The middlewares that requests and their answers pass.
    pub middlewares: Arc<[Middleware]>,
}

/// A service as Traefik sees it.
#[derive(Debug)]
pub struct BalancedService {
    /// The lab's service to which its replicas belong; the first one, if there are several.
    pub lab_service: Arc<str>,
    pub balancer: BalancerConfig,
}

/// A replica as one of its services sees it.
#[derive(Debug)]
pub struct Server<'a> {
    pub service: String,
    pub replica: &'a Replica,
    /// The address at which the replica answers for this service.
    pub address: SocketAddr,
    /// The replica's share of the requests, in proportion to the other weights.
    pub weight: i64,
}

/// The effect that replicas would have together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The services of the lab that requests would reach.
    pub offered: BTreeSet<Arc<str>>,
    /// A sentence for each thing that cannot be used.
    pub problems: Vec<String>,
}

impl<'a> Routes<'a> {
    pub fn new(replicas: &'a [Replica], exposed_by_default: ExposedByDefault) -> Self {
        let mut problems = Vec::new();
        let mut routers = Definitions::new("router");
        let mut balancers = Definitions::new("service");
        let mut middlewares = Definitions::new("middleware");
        let mut lab_services: BTreeMap<String, Arc<str>> = BTreeMap::new();
        let mut servers = Vec::new();
        for Group { members, config } in groups(replicas, exposed_by_default, &mut problems) {
            problems.extend(config.problems);
            for (name, service) in config.services {
                lab_services.entry(name.clone()).or_insert_with(|| members[0].service.clone());
                for &replica in &members {
                    let Some(address) = address_for(replica, &service.server) else { continue };
                    let weight = service.server.weight.unwrap_or(1);
                    servers.push(Server { service: name.clone(), replica, address, weight });
                }
                balancers.add(name, service.balancer);
            }
            config.routers.into_iter().for_each(|(name, router)| routers.add(name, router));
            config.middlewares.into_iter().for_each(|(name, middleware)| middlewares.add(name, middleware));
        }
        let balancers = merge(balancers, &mut problems);
        let middlewares = merge(middlewares, &mut problems);
        let routers = merge(routers, &mut problems);
        let services = balancers
            .into_iter()
            .filter_map(|(name, balancer)| {
                let lab_service = lab_services.remove(&name)?;
                Some((name, BalancedService { lab_service, balancer }))
            })
            .collect();
        let routers = usable_routers(routers, &services, &middlewares, &mut problems);
        Routes { routers, services, servers, problems: remove_repetitions(problems) }
    }

    /// The first router whose rule matches a request.
    pub fn route(&self, subject: Subject<'_>) -> Option<&Router> {
        self.routers.iter().find(|router| router.rule.matches(subject))
    }

    /// Returns whether the service of a server gives it requests.
    pub fn gives_requests_to(&self, server: &Server<'_>) -> bool {
        let serves = |service: &BalancedService| service.balancer.strategy.serves_weight(server.weight);
        server.replica.state == State::Ready && self.services.get(&server.service).is_some_and(serves)
    }

    /// Returns whether requests may come to a server.
    fn offers(&self, server: &Server<'_>) -> bool {
        self.routers.iter().any(|router| router.service == server.service) && self.gives_requests_to(server)
    }
}

/// The definitions that count; those that contradict each other become problems.
fn merge<T: PartialEq>(definitions: Definitions<T>, problems: &mut Vec<String>) -> BTreeMap<String, T> {
    let (merged, contradictions) = definitions.merge();
    problems.extend(contradictions);
    merged
}

/// The routers that find everything they name, the highest priority first; the others become problems.
fn usable_routers(
    definitions: BTreeMap<String, RouterDefinition>,
    services: &BTreeMap<String, BalancedService>,
    middlewares: &BTreeMap<String, MiddlewareConfig>,
    problems: &mut Vec<String>,
) -> Vec<Router> {
    let mut routers = Vec::new();
    for (name, definition) in definitions {
        match router(&name, definition, services, middlewares) {
            Ok(router) => routers.push(router),
            Err(problem) => problems.push(format!("router {name}: {problem}")),
        }
    }
    // ties go to the name, so that nothing is random
    routers.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
    routers
}

/// A router with everything that it names; else a sentence about the thing that it lacks.
fn router(
    name: &str,
    definition: RouterDefinition,
    services: &BTreeMap<String, BalancedService>,
    middlewares: &BTreeMap<String, MiddlewareConfig>,
) -> Result<Router, String> {
    let service = definition.service().to_owned();
    if !services.contains_key(&service) {
        return Err(format!("there is no service {service}"));
    }
    let mut all: Vec<Middleware> = Vec::new();
    for name in definition.middlewares() {
        let config = middlewares.get(name).ok_or_else(|| format!("there is no middleware {name}"))?;
        all.extend(config.middleware().map_err(|problem| format!("middleware {name} {problem}"))?);
    }
    let (name, priority) = (format!("{name}@docker").into(), definition.priority());
    Ok(Router { name, rule: definition.rule, priority, service, middlewares: all.into() })
}

/// The problems, each once: several replicas often have the same problem.
fn remove_repetitions(problems: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    problems.into_iter().filter(|problem| seen.insert(problem.clone())).collect()
}

/// The effect that these replicas would have together, found without serving anything.
pub fn preview(replicas: &[Replica], exposed_by_default: ExposedByDefault) -> Preview {
    let routes = Routes::new(replicas, exposed_by_default);
    let servers = routes.servers.iter().filter(|server| routes.offers(server));
    let offered = servers.map(|server| server.replica.service.clone()).collect();
    Preview { offered, problems: routes.problems }
}

/// The service of the lab that would get a request, among these replicas.
pub fn route(replicas: &[Replica], exposed_by_default: ExposedByDefault, subject: Subject<'_>) -> Option<String> {
    let routes = Routes::new(replicas, exposed_by_default);
    let router = routes.route(subject)?;
    routes.services.get(&router.service).map(|service| service.lab_service.to_string())
}
