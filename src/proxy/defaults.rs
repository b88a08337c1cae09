//! Defaults: what Traefik fills in where labels are silent, and what a service's labels mean by themselves.

use std::collections::BTreeMap;

use crate::model::{ExposedByDefault, Labels, Strategy};

use super::{
    labels::{self, Fields, RouterWish, ServiceWish, Wishes},
    middleware::MiddlewareWish,
    rule::Rule,
};

/// Reads the labels of a service, which is called `base` where they give it no name, before anything is started.
///
/// # Errors
/// What is wrong with them, in one line.
pub fn check(base: &str, labels: &Labels, exposed_by_default: ExposedByDefault) -> Result<Routing, String> {
    let Some(plans) = plan(base, labels, exposed_by_default)? else { return Ok(Routing::default()) };
    if let Some(problem) = plans.problems.into_iter().next() {
        return Err(problem);
    }
    let mut routing = Routing { notes: plans.notes, routers: plans.routers.len(), ..Routing::default() };
    for router in plans.routers.values() {
        routing.hosts.extend(router.rule.hosts().into_iter().map(str::to_owned));
    }
    if let Some((name, wish)) = plans.services.into_iter().next() {
        routing.strategy = wish.balancer.strategy;
        routing.sticky_cookie = wish.balancer.sticky.map(|cookie| cookie.name_for(&name));
    }
    Ok(routing)
}

/// The names under which Traefik knows what these labels define; none where they cannot be used.
pub fn balancers(base: &str, labels: &Labels) -> Vec<String> {
    let plans = plan(base, labels, ExposedByDefault::Yes).ok().flatten();
    plans.into_iter().flat_map(|plans| plans.services.into_keys()).collect()
}

/// How a service is reached and balanced, by its labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    /// The hosts that its rules name.
    pub hosts: Vec<String>,
    /// How many routers lead to it.
    pub routers: usize,
    /// How the next replica is picked.
    pub strategy: Strategy,
    /// The name of the cookie that makes it sticky.
    pub sticky_cookie: Option<String>,
    /// A sentence for each label without effect.
    pub notes: Vec<String>,
}

/// A container's wishes with Traefik's defaults filled in.
#[derive(Debug)]
pub struct Plans {
    pub routers: BTreeMap<String, Plan>,
    pub services: BTreeMap<String, ServiceWish>,
    pub middlewares: BTreeMap<String, MiddlewareWish>,
    /// Why a router is left out, a sentence each.
    pub problems: Vec<String>,
    pub notes: Vec<String>,
}

/// A router with what it leads to, in the words of its labels: two definitions of one router must not differ in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub rule: Rule,
    text: String,
    priority: i64,
    service: String,
    middlewares: Vec<String>,
    other: Fields,
}

impl Plan {
    /// Its priority, by default the length of its rule.
    pub fn priority(&self) -> i64 {
        if self.priority == 0 { self.text.len() as i64 } else { self.priority }
    }

    /// The service it leads to.
    pub fn service(&self) -> &str {
        own(&self.service)
    }

    /// The middlewares that its requests go through, in this order.
    pub fn middlewares(&self) -> impl Iterator<Item = &str> {
        self.middlewares.iter().map(|name| own(name))
    }
}

/// A name without its provider's, which is Traefik's way to say whose it is.
fn own(name: &str) -> &str {
    name.strip_suffix("@docker").unwrap_or(name)
}

/// A container's wishes, completed; `None` when it is not to be routed to.
pub fn plan(base: &str, labels: &Labels, exposed_by_default: ExposedByDefault) -> Result<Option<Plans>, String> {
    if !labels::enable(labels)
        .map_err(|error| error.to_string())?
        .unwrap_or(exposed_by_default == ExposedByDefault::Yes)
    {
        return Ok(None);
    }
    let Wishes { routers, mut services, middlewares, strategy, notes } =
        labels::read(labels).map_err(|error| error.to_string())?;
    let default_name = base.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    if services.is_empty() {
        services.insert(default_name.clone(), ServiceWish::default());
    }
    if let Some(strategy) = strategy {
        services.values_mut().for_each(|wish| wish.balancer.strategy = strategy);
    }
    let mut plans = Plans { routers: BTreeMap::new(), services, middlewares, problems: Vec::new(), notes };
    let routers = if routers.is_empty() { [(default_name.clone(), RouterWish::default())].into() } else { routers };
    for (name, RouterWish { rule, service, middlewares, priority, other }) in routers {
        let label = rule.as_ref().map(|_| format!("label traefik.http.routers.{name}.rule"));
        let text = rule.unwrap_or_else(|| format!("Host(`{default_name}`)"));
        let rule = match Rule::parse(&text) {
            Ok(rule) => rule,
            Err(error) => {
                let label = label.unwrap_or_else(|| format!("the default rule of router {name}"));
                plans.problems.push(format!("{label}: {error} of `{text}`"));
                continue;
            }
        };
        let only_service = || plans.services.keys().next().filter(|_| plans.services.len() == 1).cloned();
        match service.or_else(only_service) {
            Some(service) => _ = plans.routers.insert(name, Plan { rule, text, priority, service, middlewares, other }),
            None => plans.problems.push(format!("router {name}: there are several services and it names none")),
        }
    }
    Ok(Some(plans))
}
