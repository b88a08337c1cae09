//! Defaults: what Traefik fills in where labels are silent, and what a service's labels mean by themselves.

use std::collections::BTreeMap;

use crate::replica::Labels;

use super::{
    labels::{self, ServiceWish, Wishes},
    routes::Unmarked,
    rule::Rule,
    strategy::Strategy,
};

/// Reads the labels of a service, which is called `base` where they give it no name, before anything is started.
///
/// # Errors
/// What is wrong with them, in one line.
pub fn check(base: &str, labels: &Labels, unmarked: Unmarked) -> Result<Routing, String> {
    let Some(plan) = plan(base, labels, unmarked)? else { return Ok(Routing::default()) };
    let mut routing = Routing { notes: plan.notes, ..Routing::default() };
    for (name, router) in plan.routers {
        if let Some(problem) = router.problem {
            return Err(format!("router {name}: {problem}"));
        }
        routing.hosts.extend(router.rule.iter().flat_map(|rule| rule.hosts()).map(str::to_owned));
        routing.routers += usize::from(router.rule.is_some());
    }
    let wish = plan.services.into_iter().next();
    if let Some((name, wish)) = wish {
        routing.strategy = wish.strategy;
        routing.sticky_cookie = wish.sticky.map(|cookie| cookie.name_for(&name));
    }
    Ok(routing)
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
    pub notes: Vec<String>,
}

/// A router with what it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub rule: Option<Rule>,
    pub priority: i64,
    pub service: String,
    /// Why the router is off.
    pub problem: Option<String>,
}

/// A container's wishes, completed; `None` when it is not to be routed to.
pub fn plan(base: &str, labels: &Labels, unmarked: Unmarked) -> Result<Option<Plans>, String> {
    let Wishes { enable, mut routers, mut services, strategy, notes } =
        labels::read(labels).map_err(|error| error.to_string())?;
    if !enable.unwrap_or(unmarked == Unmarked::Routed) {
        return Ok(None);
    }
    let default_name = base.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    if services.is_empty() {
        services.insert(default_name.clone(), ServiceWish::default());
    }
    if let Some(strategy) = strategy {
        services.values_mut().for_each(|wish| wish.strategy = strategy);
    }
    if routers.is_empty() {
        routers.insert(default_name.clone(), Default::default());
    }
    let routers = routers.into_iter().map(|(name, wish)| {
        let (rule, text) = match wish.rule {
            Some((rule, text)) => (rule, text),
            None => {
                let text = format!("Host(`{default_name}`)");
                let Ok(rule) = Rule::parse(&text) else {
                    return Err(format!("the default rule {text} cannot be used"));
                };
                (rule, text)
            }
        };
        let (service, problem) = match (wish.service, services.len()) {
            // a provider's name is Traefik's way to say whose service it is
            (Some(service), _) => (service.strip_suffix("@docker").unwrap_or(&service).to_owned(), None),
            (None, 1) => (services.keys().next().cloned().unwrap_or_default(), None),
            (None, _) => (String::new(), Some("there are several services and it names none".to_owned())),
        };
        let priority = if wish.priority == 0 { text.len() as i64 } else { wish.priority };
        let rule = problem.is_none().then_some(rule);
        Ok((name, Plan { rule, priority, service, problem }))
    });
    Ok(Some(Plans { routers: routers.collect::<Result<_, _>>()?, services, notes }))
}
