//! The trial: what the labels of all services make together, found out before anything is started.
//!
//! Labels that are fine one by one may still lead nowhere: a router that names a service nobody defines, or one that two
//! services define in two ways. So a preview shows what one replica of each would make together.

use std::{collections::BTreeSet, net::Ipv4Addr, sync::Arc};

use crate::{
    model::{Port, Replica, State, replica_name},
    routing::{self, Preview},
};

use super::plan::{EmbeddedPlan, PlanError};

/// The services that requests can reach.
///
/// # Errors
/// [`PlanError::Routes`] when the labels do not fit together.
pub fn routed(plan: &EmbeddedPlan) -> Result<BTreeSet<Arc<str>>, PlanError> {
    let replicas: Vec<Replica> =
        plan.services.values().zip(1..).map(|(service, port)| one(&service.spec, port)).collect();
    let Preview { offered, problems } = routing::preview(&replicas, plan.exposed_by_default);
    match problems.into_iter().next() {
        Some(problem) => Err(PlanError::Routes(problem)),
        None => Ok(offered),
    }
}

fn one(spec: &crate::engine::ServiceSpec, port: u16) -> Replica {
    let name = replica_name(&spec.service, 1);
    Replica {
        name: name.as_str().into(),
        service: spec.service.clone(),
        base: spec.base.clone(),
        number: 1,
        hostname: name,
        address: Some((Ipv4Addr::LOCALHOST, port).into()),
        port: Port::Bound,
        state: State::Ready,
        restarts: 0,
        ended: None,
        labels: Arc::clone(&spec.labels),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{
        composefile::{Definition, Origin, Role, Service},
        lab::Overrides,
        model::{App, ExposedByDefault, Labels},
    };

    fn plan(services: &[(&str, &[(&str, &str)])]) -> EmbeddedPlan {
        let service = |&(name, labels): &(&str, &[(&str, &str)])| {
            let labels: Labels = labels.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
            Service { name: name.to_owned(), role: Role::App(App::Page), labels, replicas: Some(0) }
        };
        let definition = Definition {
            origin: Origin::BuiltIn,
            services: services.iter().map(service).collect(),
            port: None,
            exposed_by_default: ExposedByDefault::Yes,
            notes: Vec::new(),
        };
        EmbeddedPlan::new("lab", &definition, &Overrides::default()).unwrap()
    }

    #[test]
    fn only_what_a_router_leads_to_is_routed() {
        let lab = plan(&[
            ("web", &[("traefik.http.routers.web.rule", "Host(`a`)"), ("traefik.http.routers.web.service", "api")]),
            ("api", &[("traefik.http.services.api.loadbalancer.server.port", "80")]),
            ("off", &[("traefik.enable", "false")]),
        ]);
        assert_eq!(routed(&lab).unwrap(), BTreeSet::from(["api".into()]));
    }

    #[test]
    fn labels_that_do_not_fit_together_are_an_error() {
        let nowhere = plan(&[("web", &[("traefik.http.routers.web.service", "nope")])]);
        let error = routed(&nowhere).unwrap_err();
        assert_eq!(error, PlanError::Routes("router web: there is no service nope".to_owned()));
        let twice = plan(&[
            ("a", &[("traefik.http.routers.x.rule", "Host(`a`)")]),
            ("b", &[("traefik.http.routers.x.rule", "Host(`b`)")]),
        ]);
        assert!(matches!(routed(&twice), Err(PlanError::Routes(_))));
    }
}
