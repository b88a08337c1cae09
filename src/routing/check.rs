//! Checks: the meaning of the labels of one service by themselves, before anything is started.

use crate::model::{ExposedByDefault, Labels, Strategy};

use super::{defaults::complete, label::LabelError};

/// The hosts, the balancing and the stickiness of a service, by its labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    /// The hosts that the rules name.
    pub hosts: Vec<String>,
    /// The number of routers that lead to the service.
    pub routers: usize,
    /// The strategy that picks the next replica.
    pub strategy: Strategy,
    /// The name of the cookie that keeps a client on its replica, if one does.
    pub sticky_cookie: Option<String>,
    /// A sentence for each label that has no effect in the bundled proxy.
    pub notes: Vec<String>,
}

/// The error for labels that the bundled proxy cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// A label cannot be used, so Traefik drops the container.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// A router cannot be used, for the reason in this sentence.
    #[error("{0}")]
    Router(String),
}

/// Reads the labels of a service, which is called `base` where they give it no name.
///
/// # Errors
/// Returns the first mistake in the labels.
pub fn check(base: &str, labels: &Labels, exposed_by_default: ExposedByDefault) -> Result<Routing, CheckError> {
    let Some(config) = complete(base, labels, exposed_by_default)? else { return Ok(Routing::default()) };
    if let Some(problem) = config.problems.into_iter().next() {
        return Err(CheckError::Router(problem));
    }
    let mut routing = Routing { notes: config.notes, routers: config.routers.len(), ..Routing::default() };
    for router in config.routers.values() {
        routing.hosts.extend(router.rule.hosts().into_iter().map(str::to_owned));
    }
    if let Some((name, service)) = config.services.into_iter().next() {
        routing.strategy = service.balancer.strategy;
        routing.sticky_cookie = service.balancer.sticky.map(|cookie| cookie.name_for(&name));
    }
    Ok(routing)
}

/// The names under which Traefik knows the services that these labels define; none if the labels cannot be used.
pub fn balancer_names(base: &str, labels: &Labels) -> Vec<String> {
    let config = complete(base, labels, ExposedByDefault::Yes).ok().flatten();
    config.into_iter().flat_map(|config| config.services.into_keys()).collect()
}
