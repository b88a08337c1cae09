//! Errors of a plan: reasons why a lab cannot be as the command line asks for.

use crate::{composefile::MAX_REPLICAS, model::Strategy};

/// A lab that cannot be started or scaled as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The lab has no service of this name.
    #[error("no service `{name}` in this lab")]
    UnknownService {
        name: String,
        /// The names of the services that the lab has.
        known: Vec<String>,
    },
    /// The number of replicas is above [`MAX_REPLICAS`].
    #[error("{service}={replicas}: a service has 0 to {MAX_REPLICAS} replicas")]
    OutOfRange { service: String, replicas: u32 },
    /// A label cannot be used; Traefik would drop its container.
    #[error("service {service}: {reason}")]
    Label {
        service: String,
        /// The label, and what is wrong with it.
        reason: String,
    },
    /// The labels of the services do not fit together; Traefik would drop the router.
    #[error("the labels do not fit together: {0}")]
    LabelConflict(String),
    /// Requests are routed to a service that has no built-in app.
    #[error("service {0}: no built-in app stands in for its image")]
    NoApp(String),
    /// Only the bundled proxy has this strategy.
    #[error("Traefik has no strategy `{0}`")]
    NoTraefikStrategy(Strategy),
    /// Traefik shall balance, and the compose file has no service with its image.
    #[error("the lab has no service with Traefik's image")]
    NoTraefik,
    /// The compose file publishes its proxy at a port of its own.
    #[error("--port {port}: the compose file publishes its proxy at port {fixed}")]
    FixedPort {
        /// The port that the command line asks for.
        port: u16,
        /// The port in the compose file.
        fixed: u16,
    },
    /// The compose file has no service that could be balanced.
    #[error("the lab has no service to balance")]
    NoService,
    /// The embedded engine has an app for none of the services.
    #[error("the lab has no service that the embedded engine can run")]
    NoRunnableService,
}

impl PlanError {
    /// The error for labels of `service` that cannot be used, as `error` explains.
    pub fn label(service: &str, error: &impl ToString) -> PlanError {
        PlanError::Label { service: service.to_owned(), reason: error.to_string() }
    }

    /// The advice to the user, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            PlanError::UnknownService { known, .. } => Some(format!("it has {}", known.join(", "))),
            PlanError::OutOfRange { .. } => None,
            PlanError::Label { .. } => Some("Traefik would drop this container, and say so in its log only".to_owned()),
            PlanError::LabelConflict(_) => {
                Some("Traefik would drop this router, and say so in its log only".to_owned())
            }
            PlanError::NoApp(_) => Some("label it `lbctl.app: page` or `lbctl.app: api`".to_owned()),
            PlanError::NoTraefikStrategy(_) | PlanError::NoTraefik => {
                Some("`--proxy bundled` puts lbctl's own in its place".to_owned())
            }
            PlanError::FixedPort { .. } => {
                Some("publish it as \"127.0.0.1:${LBCTL_HTTP_PORT:-80}:80\", and --port chooses".to_owned())
            }
            PlanError::NoService => None,
            PlanError::NoRunnableService => Some("label a service `lbctl.app: page` or `lbctl.app: api`".to_owned()),
        }
    }
}
