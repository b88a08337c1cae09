//! Overrides: the wishes of the command line that change what a compose file says of its services.

use std::collections::BTreeMap;

use crate::{
    composefile::{MAX_REPLICAS, Service},
    model::{Labels, Strategy},
    routing::{OWN_STRATEGY, strategy_label},
};

use super::plan_error::PlanError;

/// The number of replicas of a service with an app when neither the command line nor the compose file gives one.
pub const DEFAULT_REPLICAS: u32 = 5;

/// The wishes of the command line.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The number of replicas by service.
    pub scale: BTreeMap<String, u32>,
    /// The services that shall have sticky sessions.
    pub sticky: Vec<String>,
    /// The strategy of every service.
    pub strategy: Option<Strategy>,
}

impl Overrides {
    /// Checks the overrides against the names of the lab's services.
    ///
    /// # Errors
    /// [`PlanError::UnknownService`] for a name that is none of them, and [`PlanError::OutOfRange`].
    pub fn check<'a>(&self, services: impl Iterator<Item = &'a String> + Clone) -> Result<(), PlanError> {
        for name in self.scale.keys().chain(&self.sticky) {
            check_service(name, services.clone())?;
        }
        for (service, &replicas) in &self.scale {
            check_replicas(service, replicas)?;
        }
        Ok(())
    }

    /// The number of replicas that a service starts with. `default` counts where nothing else gives a number.
    pub fn replicas(&self, service: &Service, default: u32) -> u32 {
        self.scale.get(&service.name).copied().or(service.replicas).unwrap_or(default)
    }

    /// The labels of a service, with those that the command line adds.
    pub fn labels(&self, service: &Service, project: &str) -> Labels {
        let mut labels = service.labels.clone();
        let balancer = balancer_name(service, project);
        if self.sticky.contains(&service.name) {
            labels.insert(format!("traefik.http.services.{balancer}.loadbalancer.sticky.cookie"), "true".to_owned());
        }
        if let Some(strategy) = self.strategy {
            // the command line replaces the strategy of the file
            labels.remove(OWN_STRATEGY);
            labels.extend([strategy_label(strategy, &balancer)]);
        }
        labels
    }
}

/// Checks new numbers of replicas against the names of the lab's services.
///
/// # Errors
/// [`PlanError::UnknownService`] or [`PlanError::OutOfRange`], for the first service in the order of the names.
pub fn check_targets<'a>(
    targets: &BTreeMap<String, u32>,
    services: impl Iterator<Item = &'a String> + Clone,
) -> Result<(), PlanError> {
    for (service, &replicas) in targets {
        check_service(service, services.clone())?;
        check_replicas(service, replicas)?;
    }
    Ok(())
}

fn check_service<'a>(name: &str, mut services: impl Iterator<Item = &'a String> + Clone) -> Result<(), PlanError> {
    let known = services.clone();
    if services.any(|service| service == name) {
        return Ok(());
    }
    Err(PlanError::UnknownService { name: name.to_owned(), known: known.cloned().collect() })
}

fn check_replicas(service: &str, replicas: u32) -> Result<(), PlanError> {
    if replicas <= MAX_REPLICAS {
        return Ok(());
    }
    Err(PlanError::OutOfRange { service: service.to_owned(), replicas })
}

/// The name that Traefik gives a service of a compose project where its labels give it none.
pub fn base_name(service: &str, project: &str) -> String {
    format!("{service}-{project}")
}

/// The name under which the labels of a service define its balancer, or that which they would give it by default.
fn balancer_name(service: &Service, project: &str) -> String {
    let defined = service.labels.keys().find_map(|label| {
        let mut parts = label.split('.');
        let prefix: Vec<_> = parts.by_ref().take(3).map(str::to_ascii_lowercase).collect();
        (prefix == ["traefik", "http", "services"]).then(|| parts.next())?
    });
    let default = || base_name(&service.name, project).replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    defined.map_or_else(default, str::to_owned)
}
