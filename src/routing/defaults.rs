//! Defaults: Traefik's values for the fields that the labels of a container leave out.

use std::collections::BTreeMap;

use crate::model::{ExposedByDefault, Labels};

use super::{
    config::{DynamicConfig, RouterConfig, ServiceConfig},
    label::{Fields, LabelError},
    labels::{read_enable, read_labels},
    middleware::MiddlewareConfig,
    rule::Rule,
};

/// The configuration of one container with Traefik's defaults filled in.
#[derive(Debug)]
pub struct CompleteConfig {
    pub routers: BTreeMap<String, RouterDefinition>,
    pub services: BTreeMap<String, ServiceConfig>,
    pub middlewares: BTreeMap<String, MiddlewareConfig>,
    /// A sentence for each router that is left out.
    pub problems: Vec<String>,
    /// A sentence for each label that has no effect in the bundled proxy.
    pub notes: Vec<String>,
}

/// A router with all its fields: two definitions of one router must not differ in any of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouterDefinition {
    pub rule: Rule,
    text: String,
    priority: i64,
    service: String,
    middlewares: Vec<String>,
    other: Fields,
}

impl RouterDefinition {
    /// The priority, by default the length of the rule.
    pub fn priority(&self) -> i64 {
        if self.priority == 0 { self.text.len() as i64 } else { self.priority }
    }

    /// The service that gets the requests.
    pub fn service(&self) -> &str {
        without_provider(&self.service)
    }

    /// The middlewares that the requests pass, in this order.
    pub fn middlewares(&self) -> impl Iterator<Item = &str> {
        self.middlewares.iter().map(|name| without_provider(name))
    }
}

/// A name without `@docker`, which is Traefik's mark for a name that a container defines.
fn without_provider(name: &str) -> &str {
    name.strip_suffix("@docker").unwrap_or(name)
}

/// The complete configuration of a container; `None` if it is not to be routed to. Where its labels give no name, its
/// routers and services are called by `base`.
pub fn complete(
    base: &str,
    labels: &Labels,
    exposed_by_default: ExposedByDefault,
) -> Result<Option<CompleteConfig>, LabelError> {
    if !read_enable(labels)?.unwrap_or(exposed_by_default == ExposedByDefault::Yes) {
        return Ok(None);
    }
    let DynamicConfig { mut routers, mut services, middlewares, strategy, notes } = read_labels(labels)?;
    let default_name = default_name(base);
    if services.is_empty() {
        services.insert(default_name.clone(), ServiceConfig::default());
    }
    if routers.is_empty() {
        routers.insert(default_name.clone(), RouterConfig::default());
    }
    if let Some(strategy) = strategy {
        services.values_mut().for_each(|service| service.balancer.strategy = strategy);
    }
    let mut config = CompleteConfig { routers: BTreeMap::new(), services, middlewares, problems: Vec::new(), notes };
    for (name, router) in routers {
        match define(&name, router, &default_name, &config.services) {
            Ok(definition) => _ = config.routers.insert(name, definition),
            Err(problem) => config.problems.push(problem),
        }
    }
    Ok(Some(config))
}

/// The name that Traefik gives to a router or service whose labels give it none.
pub fn default_name(base: &str) -> String {
    base.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

/// A router with its rule and its service; else the reason why it is left out.
fn define(
    name: &str,
    router: RouterConfig,
    default_name: &str,
    services: &BTreeMap<String, ServiceConfig>,
) -> Result<RouterDefinition, String> {
    let RouterConfig { rule, service, middlewares, priority, other } = router;
    let (source, text) = match rule {
        Some(text) => (format!("label traefik.http.routers.{name}.rule"), text),
        None => (format!("the default rule of router {name}"), format!("Host(`{default_name}`)")),
    };
    let rule = Rule::parse(&text).map_err(|error| format!("{source}: {error} of `{text}`"))?;
    let only_service = || services.keys().next().filter(|_| services.len() == 1).cloned();
    let service = service
        .or_else(only_service)
        .ok_or_else(|| format!("router {name}: there are several services and it names none"))?;
    Ok(RouterDefinition { rule, text, priority, service, middlewares, other })
}
