//! Plans: a definition and what was asked for on the command line, checked and brought together before anything starts.

use std::{collections::BTreeMap, sync::Arc};

use indexmap::IndexMap;

use crate::{
    composefile::{Definition, Role, Service},
    engine::ServiceSpec,
    model::{App, ExposedByDefault, Labels, Strategy},
    routing::{self, OWN_STRATEGY, Routing, strategy_label},
};

/// Replicas of a service when neither the command line nor the compose file says how many.
pub const DEFAULT_REPLICAS: u32 = 5;
/// Replicas of a service at most.
pub const MOST_REPLICAS: u32 = 1000;

/// What was asked for beside the compose file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Replicas by service.
    pub scale: BTreeMap<String, u32>,
    /// Services that shall be sticky.
    pub sticky: Vec<String>,
    /// How the next replica is picked, in every service.
    pub strategy: Option<Strategy>,
}

/// A lab that can be started.
#[derive(Debug, Clone)]
pub struct EmbeddedPlan {
    /// The project's name.
    pub project: String,
    /// Whether a service without `traefik.enable` is routed to.
    pub exposed_by_default: ExposedByDefault,
    /// The services, in the order of the compose file.
    pub services: IndexMap<String, EmbeddedService>,
    /// A sentence for each thing that has no effect.
    pub notes: Vec<String>,
}

/// A service that can be started.
#[derive(Debug, Clone)]
pub struct EmbeddedService {
    /// What the engine runs.
    pub spec: ServiceSpec,
    /// How many of it.
    pub replicas: u32,
    /// How it is reached and balanced.
    pub routing: Routing,
}

/// Why a lab cannot be started as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A service was named that the lab does not have.
    #[error("no service `{name}` in this lab")]
    UnknownService {
        /// The name as given.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A number of replicas is out of range.
    #[error("{service}={replicas}: a service has 0 to {MOST_REPLICAS} replicas")]
    OutOfRange {
        /// The service.
        service: String,
        /// The number as given.
        replicas: u32,
    },
    /// A label cannot be used; Traefik would drop its container.
    #[error("service {service}: {reason}")]
    Label {
        /// The service.
        service: String,
        /// The label and what is wrong with it.
        reason: String,
    },
    /// The labels of the services do not fit together; Traefik would drop the router.
    #[error("the labels do not fit together: {0}")]
    Routes(String),
    /// A service that is routed to has no built-in app.
    #[error("service {0}: no built-in app stands in for its image")]
    NoApp(String),
    /// Traefik was asked for what only the bundled proxy has.
    #[error("Traefik has no strategy `{0}`")]
    NotTraefiks(Strategy),
    /// Traefik was asked for and the file has none.
    #[error("the lab has no service with Traefik's image")]
    NoTraefik,
    /// The file publishes its proxy at a port of its own.
    #[error("--port {port}: the compose file publishes its proxy at port {fixed}")]
    FixedPort {
        /// The port that was asked for.
        port: u16,
        /// The port in the file.
        fixed: u16,
    },
    /// The file has no service that could be balanced.
    #[error("the lab has no service to balance")]
    NoService,
    /// Nothing in the file can be run.
    #[error("the lab has no service that the embedded engine can run")]
    Nothing,
}

impl PlanError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            PlanError::UnknownService { known, .. } => Some(format!("it has {}", known.join(", "))),
            PlanError::OutOfRange { .. } => None,
            PlanError::Label { .. } => Some("Traefik would drop this container, and say so in its log only".to_owned()),
            PlanError::Routes(_) => Some("Traefik would drop this router, and say so in its log only".to_owned()),
            PlanError::NoApp(_) => Some("label it `lbctl.app: page` or `lbctl.app: api`".to_owned()),
            PlanError::NotTraefiks(_) | PlanError::NoTraefik => {
                Some("`--proxy bundled` puts lbctl's own in its place".to_owned())
            }
            PlanError::FixedPort { .. } => {
                Some("publish it as \"127.0.0.1:${LBCTL_HTTP_PORT:-80}:80\", and --port chooses".to_owned())
            }
            PlanError::NoService => None,
            PlanError::Nothing => Some("label a service `lbctl.app: page` or `lbctl.app: api`".to_owned()),
        }
    }
}

impl EmbeddedPlan {
    /// Brings a definition and overrides together.
    ///
    /// # Errors
    /// When a wish names what is not there, or a label cannot be used.
    pub fn new(project: &str, definition: &Definition, overrides: &Overrides) -> Result<EmbeddedPlan, PlanError> {
        let exposed_by_default = definition.exposed_by_default;
        let mut plan = EmbeddedPlan {
            project: project.to_owned(),
            exposed_by_default,
            services: IndexMap::new(),
            notes: definition.notes.clone(),
        };
        for service in &definition.services {
            match service.role {
                Role::Proxy => {}
                Role::App(app) => {
                    let planned = plan.service(service, app, overrides)?;
                    plan.services.insert(service.name.clone(), planned);
                }
                Role::Other => {
                    let routing = plan.routing(service, &service.labels)?;
                    let asked_for = service.labels.keys().any(|label| label.starts_with("traefik."));
                    if asked_for && routing.routers > 0 {
                        return Err(PlanError::NoApp(service.name.clone()));
                    }
                    plan.notes.push(format!("service {}: not run by the embedded engine", service.name));
                }
            }
        }
        if plan.services.is_empty() {
            return Err(PlanError::Nothing);
        }
        let named = overrides.scale.keys().chain(&overrides.sticky);
        for name in named {
            plan.known(name)?;
        }
        for (service, &replicas) in &overrides.scale {
            check_range(service, replicas)?;
        }
        Ok(plan)
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

    /// The hosts that the lab's rules name, each once.
    pub fn hosts(&self) -> Vec<String> {
        let mut hosts: Vec<String> = Vec::new();
        for host in self.services.values().flat_map(|service| &service.routing.hosts) {
            if !hosts.contains(host) {
                hosts.push(host.clone());
            }
        }
        hosts
    }

    fn service(&mut self, service: &Service, app: App, overrides: &Overrides) -> Result<EmbeddedService, PlanError> {
        let labels = labels_for(service, &self.project, overrides);
        let routing = self.routing(service, &labels)?;
        self.notes.extend(routing.notes.iter().map(|note| format!("service {}: {note}", service.name)));
        let asked = overrides.scale.get(&service.name).copied();
        let replicas = asked.or(service.replicas).unwrap_or(DEFAULT_REPLICAS);
        let (name, base) = (service.name.as_str().into(), base(&service.name, &self.project).into());
        let spec = ServiceSpec { service: name, base, app, labels: Arc::new(labels) };
        Ok(EmbeddedService { spec, replicas, routing })
    }

    fn routing(&self, service: &Service, labels: &Labels) -> Result<Routing, PlanError> {
        routing::check(&base(&service.name, &self.project), labels, self.exposed_by_default)
            .map_err(|error| PlanError::Label { service: service.name.clone(), reason: error.to_string() })
    }
}

/// That a service may have this many replicas.
///
/// # Errors
/// [`PlanError::OutOfRange`]
pub fn check_range(service: &str, replicas: u32) -> Result<(), PlanError> {
    match replicas <= MOST_REPLICAS {
        true => Ok(()),
        false => Err(PlanError::OutOfRange { service: service.to_owned(), replicas }),
    }
}

/// The labels of a service with what the command line adds.
pub fn labels_for(service: &Service, project: &str, overrides: &Overrides) -> Labels {
    let mut labels = service.labels.clone();
    let balancer = balancer_name(service, project);
    if overrides.sticky.contains(&service.name) {
        labels.insert(format!("traefik.http.services.{balancer}.loadbalancer.sticky.cookie"), "true".to_owned());
    }
    if let Some(strategy) = overrides.strategy {
        // what the file says of it gives way
        labels.remove(OWN_STRATEGY);
        labels.extend([strategy_label(strategy, &balancer)]);
    }
    labels
}

/// What Traefik calls a service whose labels give it no name.
pub fn base(service: &str, project: &str) -> String {
    format!("{service}-{project}")
}

/// The name under which a service's labels define its balancer, or would by default.
fn balancer_name(service: &Service, project: &str) -> String {
    let defined = service.labels.keys().find_map(|label| {
        let mut parts = label.split('.');
        let prefix: Vec<_> = parts.by_ref().take(3).map(str::to_ascii_lowercase).collect();
        (prefix == ["traefik", "http", "services"]).then(|| parts.next())?
    });
    defined
        .map_or_else(|| base(&service.name, project).replace(|c: char| !c.is_ascii_alphanumeric(), "-"), str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::composefile::Origin;

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
        assert_eq!(EmbeddedPlan::new("lab", &none, &Overrides::default()).unwrap_err(), PlanError::Nothing);
    }
}
