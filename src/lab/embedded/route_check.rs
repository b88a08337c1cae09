//! The check of all routes together, before anything is started.
//!
//! Labels that are fine one by one may still lead nowhere: a router may name a service that no label defines, or two
//! services may define one router in two ways. So the check looks at a preview: the routes that one replica of each
//! service would make.

use std::{collections::BTreeSet, net::Ipv4Addr, sync::Arc};

use crate::{
    engine::ServiceSpec,
    lab::plan_error::PlanError,
    model::{Port, Replica, State, replica_name},
    routing::{self, Preview},
};

use super::plan::EmbeddedPlan;

/// Finds the services that requests can reach.
///
/// # Errors
/// [`PlanError::LabelConflict`] when the labels do not fit together.
pub fn reachable_services(plan: &EmbeddedPlan) -> Result<BTreeSet<Arc<str>>, PlanError> {
    let replicas: Vec<Replica> =
        plan.services.values().zip(1..).map(|(service, port)| sample_replica(&service.spec, port)).collect();
    let Preview { offered, problems } = routing::preview(&replicas, plan.exposed_by_default);
    match problems.into_iter().next() {
        Some(problem) => Err(PlanError::LabelConflict(problem)),
        None => Ok(offered),
    }
}

/// A replica that is ready at a port of its own, as no two servers may share an address.
fn sample_replica(spec: &ServiceSpec, port: u16) -> Replica {
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
        assert_eq!(reachable_services(&lab).unwrap(), BTreeSet::from(["api".into()]));
    }

    #[test]
    fn labels_that_do_not_fit_together_are_an_error() {
        let nowhere = plan(&[("web", &[("traefik.http.routers.web.service", "nope")])]);
        let error = reachable_services(&nowhere).unwrap_err();
        assert_eq!(error, PlanError::LabelConflict("router web: there is no service nope".to_owned()));
        let twice = plan(&[
            ("a", &[("traefik.http.routers.x.rule", "Host(`a`)")]),
            ("b", &[("traefik.http.routers.x.rule", "Host(`b`)")]),
        ]);
        assert!(matches!(reachable_services(&twice), Err(PlanError::LabelConflict(_))));
    }
}
