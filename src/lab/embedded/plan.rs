//! The plan of an embedded lab: a definition and the overrides, checked and brought together before anything starts.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use crate::{
    composefile::{Definition, Role, Service},
    engine::ServiceSpec,
    lab::{
        overrides::{DEFAULT_REPLICAS, Overrides, base_name},
        plan_error::PlanError,
    },
    model::{App, ExposedByDefault, Labels},
    routing::{self, Routing},
};

/// A lab that the embedded engine can start.
#[derive(Debug, Clone)]
pub struct EmbeddedPlan {
    /// The name of the project.
    pub project: String,
    pub exposed_by_default: ExposedByDefault,
    /// The services, in the order of the compose file.
    pub services: IndexMap<String, EmbeddedService>,
    /// A sentence for each part of the compose file that has no effect.
    pub notes: Vec<String>,
}

/// A service that the embedded engine can start.
#[derive(Debug, Clone)]
pub struct EmbeddedService {
    pub spec: ServiceSpec,
    /// The number of replicas at the start.
    pub replicas: u32,
    pub routing: Routing,
}

impl EmbeddedPlan {
    /// Brings a definition and overrides together.
    ///
    /// # Errors
    /// When an override names a service that does not exist, or a label cannot be used.
    pub fn new(project: &str, definition: &Definition, overrides: &Overrides) -> Result<EmbeddedPlan, PlanError> {
        let mut plan = EmbeddedPlan {
            project: project.to_owned(),
            exposed_by_default: definition.exposed_by_default,
            services: IndexMap::new(),
            notes: definition.notes.clone(),
        };
        for service in &definition.services {
            match service.role {
                Role::Proxy => {}
                Role::App(app) => plan.add(service, app, overrides)?,
                Role::Other => plan.leave_out(service)?,
            }
        }
        if plan.services.is_empty() {
            return Err(PlanError::NoRunnableService);
        }
        overrides.check(plan.services.keys())?;
        Ok(plan)
    }

    /// The hosts that the rules of the lab name, each once.
    pub fn hosts(&self) -> Vec<String> {
        let hosts = self.services.values().flat_map(|service| service.routing.hosts.iter().cloned());
        hosts.collect::<IndexSet<_>>().into_iter().collect()
    }

    fn add(&mut self, service: &Service, app: App, overrides: &Overrides) -> Result<(), PlanError> {
        let labels = overrides.labels(service, &self.project);
        let routing = self.check_labels(service, &labels)?;
        self.notes.extend(routing.notes.iter().map(|note| format!("service {}: {note}", service.name)));
        let (name, base) = (service.name.as_str().into(), base_name(&service.name, &self.project).into());
        let spec = ServiceSpec { service: name, base, app, labels: Arc::new(labels) };
        let replicas = overrides.replicas(service, DEFAULT_REPLICAS);
        self.services.insert(service.name.clone(), EmbeddedService { spec, replicas, routing });
        Ok(())
    }

    /// Leaves out a service that has no app, unless its labels ask for requests.
    fn leave_out(&mut self, service: &Service) -> Result<(), PlanError> {
        let routing = self.check_labels(service, &service.labels)?;
        let has_traefik_labels = service.labels.keys().any(|label| label.starts_with("traefik."));
        if has_traefik_labels && routing.routers > 0 {
            return Err(PlanError::NoApp(service.name.clone()));
        }
        self.notes.push(format!("service {}: not run by the embedded engine", service.name));
        Ok(())
    }

    fn check_labels(&self, service: &Service, labels: &Labels) -> Result<Routing, PlanError> {
        routing::check(&base_name(&service.name, &self.project), labels, self.exposed_by_default)
            .map_err(|error| PlanError::label(&service.name, &error))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{composefile::Origin, model::Strategy};

    fn service(name: &str, role: Role, labels: &[(&str, &str)]) -> Service {
        let labels: Labels = labels.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        Service { name: name.to_owned(), role, labels, replicas: None }
    }

    fn definition(services: Vec<Service>) -> Definition {
        Definition {
            origin: Origin::BuiltIn,
            services,
            port: None,
            exposed_by_default: ExposedByDefault::Yes,
            notes: Vec::new(),
        }
    }

    const WEB: Role = Role::App(App::Page);

    #[test]
    fn sticky_and_strategy_are_labels() {
        let port = ("traefik.http.services.site.loadbalancer.server.port", "80");
        let definition = definition(vec![service("web", WEB, &[port]), service("api", Role::App(App::Api), &[])]);
        let overrides =
            Overrides { sticky: vec!["web".into()], strategy: Some(Strategy::PowerOfTwo), ..Overrides::default() };
        let plan = EmbeddedPlan::new("lab", &definition, &overrides).unwrap();
        assert!(plan.services["web"].spec.labels.contains_key("traefik.http.services.site.loadbalancer.sticky.cookie"));
        assert!(plan.services["web"].routing.sticky_cookie.is_some());
        assert_eq!(plan.services["api"].routing.sticky_cookie, None);
        assert_eq!(plan.services["api"].routing.strategy, Strategy::PowerOfTwo);
        let random = Overrides { strategy: Some(Strategy::Random), ..Overrides::default() };
        assert_eq!(
            EmbeddedPlan::new("lab", &definition, &random).unwrap().services["web"].routing.strategy,
            Strategy::Random
        );
    }

    #[test]
    fn what_is_not_there_cannot_be_asked_for() {
        let definition = definition(vec![service("web", WEB, &[])]);
        let scale = |name: &str, n| Overrides { scale: [(name.to_owned(), n)].into(), ..Overrides::default() };
        let error = EmbeddedPlan::new("lab", &definition, &scale("wep", 2)).unwrap_err();
        assert!(matches!(error, PlanError::UnknownService { .. }));
        let error = EmbeddedPlan::new("lab", &definition, &scale("web", 1001)).unwrap_err();
        assert!(matches!(error, PlanError::OutOfRange { .. }));
        assert_eq!(EmbeddedPlan::new("lab", &definition, &scale("web", 0)).unwrap().services["web"].replicas, 0);
    }

    #[test]
    fn a_service_without_an_app_is_an_error_only_where_it_is_routed_to() {
        let db = definition(vec![service("web", WEB, &[]), service("db", Role::Other, &[])]);
        assert_eq!(EmbeddedPlan::new("lab", &db, &Overrides::default()).unwrap().notes.len(), 1);
        let rule = ("traefik.http.routers.x.rule", "Host(`x`)");
        let routed = definition(vec![service("web", WEB, &[]), service("x", Role::Other, &[rule])]);
        assert_eq!(EmbeddedPlan::new("lab", &routed, &Overrides::default()).unwrap_err(), PlanError::NoApp("x".into()));
        let none = definition(vec![service("db", Role::Other, &[])]);
        assert_eq!(EmbeddedPlan::new("lab", &none, &Overrides::default()).unwrap_err(), PlanError::NoRunnableService);
    }
}
