//! The plan of a lab of containers: the services that Compose starts, and the labels that the command line adds.

use indexmap::IndexMap;
use serde_json::json;

use crate::{
    composefile::{Definition, Role, Service},
    lab::{
        overrides::{DEFAULT_REPLICAS, Overrides, base_name},
        plan_error::PlanError,
    },
    model::{ExposedByDefault, Labels, ProxyKind, ServiceView},
    routing,
};

use super::view::service_view;

/// The label by which this program recognises the containers of its labs. Its value is the project.
const LAB_LABEL: &str = "lbctl.lab";

/// A lab of containers that can be started.
#[derive(Debug, Clone)]
pub struct ComposePlan {
    /// The name of the project.
    pub project: String,
    pub proxy_kind: ProxyKind,
    pub exposed_by_default: ExposedByDefault,
    /// The services without Traefik's own: those with the page first, then those with the API, then the others.
    pub services: IndexMap<String, ComposeService>,
    /// The hosts that the rules of the lab name.
    pub hosts: Vec<String>,
    /// The name of Traefik's own service, where there is one.
    pub traefik: Option<String>,
    /// A sentence for each thing that the user should know before the start.
    pub notes: Vec<String>,
}

/// A service that Compose can start.
#[derive(Debug, Clone)]
pub struct ComposeService {
    /// The number of replicas at the start.
    pub replicas: u32,
    /// The labels that the compose file does not have.
    pub extra_labels: Labels,
    /// The service while it has no container.
    pub view: ServiceView,
}

impl ComposePlan {
    /// Brings a definition, as Compose resolved it, and overrides together.
    ///
    /// # Errors
    /// When an override names a service that does not exist, or asks the balancer for a strategy that it does not have.
    pub fn new(
        project: &str,
        definition: &Definition,
        overrides: &Overrides,
        proxy_kind: ProxyKind,
    ) -> Result<ComposePlan, PlanError> {
        if let (ProxyKind::Traefik, Some(strategy)) = (proxy_kind, overrides.strategy)
            && strategy.traefik_name().is_none()
        {
            return Err(PlanError::NoTraefikStrategy(strategy));
        }
        let mut plan = ComposePlan {
            project: project.to_owned(),
            proxy_kind,
            exposed_by_default: definition.exposed_by_default,
            services: IndexMap::new(),
            hosts: Vec::new(),
            traefik: None,
            notes: Vec::new(),
        };
        for service in &definition.services {
            match service.role {
                Role::Proxy => plan.traefik = Some(service.name.clone()),
                Role::App(_) => plan.add(service, DEFAULT_REPLICAS, overrides)?,
                // the default of Compose
                Role::Other => plan.add(service, 1, overrides)?,
            }
        }
        // a visitor sees the page first; Compose before 2.0 sorts services by name
        plan.services.sort_by_cached_key(|_, service| service.view.app.map_or(2, |app| app as u8));
        overrides.check(plan.services.keys())?;
        if plan.services.is_empty() {
            return Err(PlanError::NoService);
        }
        if proxy_kind == ProxyKind::Traefik && plan.traefik.is_none() {
            return Err(PlanError::NoTraefik);
        }
        Ok(plan)
    }

    fn add(&mut self, service: &Service, default_replicas: u32, overrides: &Overrides) -> Result<(), PlanError> {
        let base = base_name(&service.name, &self.project);
        let labels = overrides.labels(service, &self.project);
        self.check_labels(&service.name, &base, &labels)?;
        let (view, hosts) = service_view(&base, &labels, self.exposed_by_default);
        self.hosts.extend(hosts);
        let mut extra_labels = labels;
        extra_labels.retain(|label, value| service.labels.get(label) != Some(value));
        let replicas = overrides.replicas(service, default_replicas);
        self.services.insert(service.name.clone(), ComposeService { replicas, extra_labels, view });
        Ok(())
    }

    /// Checks the labels of a service as far as its balancer is the bundled proxy. Traefik may know more labels, and
    /// reports a wrong one in its log only, so a note is enough there.
    fn check_labels(&mut self, service: &str, base: &str, labels: &Labels) -> Result<(), PlanError> {
        match (routing::check(base, labels, self.exposed_by_default), self.proxy_kind) {
            (Ok(routing), ProxyKind::Bundled) => {
                self.notes.extend(routing.notes.iter().map(|note| format!("service {service}: {note}")));
            }
            (Err(error), ProxyKind::Bundled) => return Err(PlanError::label(service, &error)),
            (Err(error), ProxyKind::Traefik) => {
                self.notes.push(format!("service {service}: {error}; Traefik may pass it over"));
            }
            (Ok(_), ProxyKind::Traefik) => {}
        }
        Ok(())
    }

    /// The names of the services that Compose starts.
    pub fn services_to_start(&self) -> Vec<String> {
        let traefik = self.traefik.iter().filter(|_| self.proxy_kind == ProxyKind::Traefik);
        self.services.keys().chain(traefik).cloned().collect()
    }

    /// The text of a second compose file, which adds labels to the lab's own. Compose before 2.0 wants both files to
    /// declare the same `version`.
    pub fn override_file(&self, version: Option<&str>) -> String {
        let none = Labels::default();
        let extra_labels = self.services.iter().map(|(name, service)| (name, &service.extra_labels));
        let services: serde_json::Map<_, _> = extra_labels
            .chain(self.traefik.iter().map(|name| (name, &none)))
            .map(|(name, extra_labels)| {
                let mut labels = extra_labels.clone();
                labels.insert(LAB_LABEL.to_owned(), self.project.clone());
                // Compose takes a single $ for a variable
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
