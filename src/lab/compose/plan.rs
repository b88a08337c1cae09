//! The plan of a lab of containers: what Compose is to start, and which labels the command line adds.

use indexmap::IndexMap;
use serde_json::json;

use crate::{
    composefile::{Definition, Role},
    lab::embedded::{DEFAULT_REPLICAS, Overrides, PlanError, base, check_range, labels_for},
    model::{Balancer, ExposedByDefault, Labels, ServiceView},
    routing,
};

use super::view;

/// What every service of a lab that was started here says of itself.
const LAB_LABEL: &str = "lbctl.lab";

/// A lab of containers that can be started.
#[derive(Debug, Clone)]
pub struct ComposePlan {
    /// The project's name.
    pub project: String,
    /// What balances.
    pub balancer: Balancer,
    /// Whether a service without `traefik.enable` is routed to.
    pub exposed_by_default: ExposedByDefault,
    /// The services that are started; Traefik's own is none of them.
    pub services: IndexMap<String, ComposeService>,
    /// The hosts that its rules name.
    pub hosts: Vec<String>,
    /// Traefik's own service, where there is one.
    pub traefik: Option<String>,
    /// A sentence for each thing worth knowing.
    pub notes: Vec<String>,
}

/// A service that is to be started.
#[derive(Debug, Clone)]
pub struct ComposeService {
    /// How many of it.
    pub replicas: u32,
    /// Labels that the compose file does not have.
    pub added: Labels,
    /// How it is shown while it has no container.
    pub view: ServiceView,
}

impl ComposePlan {
    /// Brings a definition, as Compose resolved it, and overrides together.
    ///
    /// # Errors
    /// When a wish names what is not there, or asks for what the balancer cannot do.
    pub fn new(
        project: &str,
        definition: &Definition,
        overrides: &Overrides,
        balancer: Balancer,
    ) -> Result<ComposePlan, PlanError> {
        let exposed_by_default = definition.exposed_by_default;
        if let (Balancer::Traefik, Some(strategy)) = (balancer, overrides.strategy)
            && strategy.traefik_name().is_none()
        {
            return Err(PlanError::NotTraefiks(strategy));
        }
        let (mut services, mut traefik, mut notes) = (IndexMap::new(), None, Vec::new());
        let mut hosts = Vec::new();
        for service in &definition.services {
            let default = match service.role {
                Role::Proxy => {
                    traefik = Some(service.name.clone());
                    continue;
                }
                Role::App(_) => DEFAULT_REPLICAS,
                // as Compose would
                Role::Other => 1,
            };
            let labels = labels_for(service, project, overrides);
            let checked = routing::check(&base(&service.name, project), &labels, exposed_by_default);
            match (checked, balancer) {
                (Ok(routing), Balancer::Bundled) => {
                    notes.extend(routing.notes.iter().map(|note| format!("service {}: {note}", service.name)));
                }
                (Err(error), Balancer::Bundled) => {
                    return Err(PlanError::Label { service: service.name.clone(), reason: error.to_string() });
                }
                // Traefik is the judge of its labels, and says so in its log only
                (Err(error), Balancer::Traefik) => {
                    notes.push(format!("service {}: {error}; Traefik may pass it over", service.name));
                }
                (Ok(_), Balancer::Traefik) => {}
            }
            let (view, routed) = view::service(&base(&service.name, project), &labels, exposed_by_default);
            hosts.extend(routed);
            let asked = overrides.scale.get(&service.name).copied();
            let mut added = labels;
            added.retain(|label, value| service.labels.get(label) != Some(value));
            let replicas = asked.or(service.replicas).unwrap_or(default);
            services.insert(service.name.clone(), ComposeService { replicas, added, view });
        }
        // what a visitor sees first comes first; before 2.0 Compose sorts them by name
        services.sort_by_cached_key(|_, planned: &ComposeService| planned.view.app.map_or(2, |app| app as u8));
        let plan =
            ComposePlan { project: project.to_owned(), balancer, exposed_by_default, services, hosts, traefik, notes };
        for name in overrides.scale.keys().chain(&overrides.sticky) {
            plan.known(name)?;
        }
        for (service, &replicas) in &overrides.scale {
            check_range(service, replicas)?;
        }
        match (plan.services.is_empty(), balancer, &plan.traefik) {
            (true, ..) => Err(PlanError::NoService),
            (_, Balancer::Traefik, None) => Err(PlanError::NoTraefik),
            _ => Ok(plan),
        }
    }

    /// That the lab has a service of this name.
    ///
    /// # Errors
    /// [`PlanError::UnknownService`]
    pub fn known(&self, name: &str) -> Result<(), PlanError> {
        match self.services.contains_key(name) {
            true => Ok(()),
            false => {
                Err(PlanError::UnknownService { name: name.to_owned(), known: self.services.keys().cloned().collect() })
            }
        }
    }

    /// The services that Compose starts.
    pub fn started(&self) -> Vec<String> {
        let traefik = self.traefik.iter().filter(|_| self.balancer == Balancer::Traefik);
        self.services.keys().chain(traefik).cloned().collect()
    }

    /// A compose file to be read after the lab's own, with what it lacks. Compose before 2.0 wants the `version` of both
    /// to be the same.
    pub fn override_file(&self, version: Option<&str>) -> String {
        let none = Labels::default();
        let added = self.services.iter().map(|(name, service)| (name, &service.added));
        let services: serde_json::Map<_, _> = added
            .chain(self.traefik.iter().map(|name| (name, &none)))
            .map(|(name, added)| {
                let mut labels = added.clone();
                labels.insert(LAB_LABEL.to_owned(), self.project.clone());
                // what Compose would take for a variable
                labels.values_mut().for_each(|value| *value = value.replace('$', "$$"));
                (name.clone(), json!({ "labels": labels }))
            })
            .collect();
        let mut file = json!({ "services": services });
        if let Some(version) = version {
            file["version"] = version.into();
        }
        // JSON is YAML
        file.to_string()
    }
}
