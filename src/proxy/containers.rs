//! Containers: which replicas have a say in the routes, what their labels ask for, and where each of their services
//! answers.

use std::{net::SocketAddr, sync::Arc};

use crate::model::{ExposedByDefault, Labels, Port, Replica, State};

use super::{
    defaults::{Plans, plan},
    labels::{self, ServerWish},
};

/// Replicas that say the same of themselves, and what they ask for.
#[derive(Debug)]
pub struct Group<'a> {
    /// In the order of all replicas; never empty.
    pub members: Vec<&'a Replica>,
    /// What they ask for.
    pub plans: Plans,
}

/// The groups in the order of their first replicas; what cannot be used is added to `problems`.
pub fn groups<'a>(
    replicas: &'a [Replica],
    exposed_by_default: ExposedByDefault,
    problems: &mut Vec<String>,
) -> Vec<Group<'a>> {
    let mut groups = Vec::new();
    for mut members in alike(replicas) {
        let Replica { service, base, labels, .. } = members[0];
        let plans = match plan(base, labels, exposed_by_default) {
            Ok(Some(plans)) => plans,
            Ok(None) => continue,
            Err(problem) => {
                problems.push(format!("service {service}: {problem}"));
                continue;
            }
        };
        members.retain(|replica| {
            let missing = plans.services.iter().find(|(_, wish)| {
                // one that has bound a port itself just does not answer yet
                replica.port == Port::Labelled && address_for(replica, &wish.server).is_none()
            });
            if let Some((name, _)) = missing {
                let what = if replica.address.is_some() { "port" } else { "address" };
                problems.push(format!("service {service}: {what} is missing for {name}"));
            }
            missing.is_none()
        });
        if !members.is_empty() {
            groups.push(Group { members, plans });
        }
    }
    groups
}

/// Where a replica answers, in the words of its labels where these decide; that of its first service if it has several.
pub fn address(replica: &Replica) -> Option<SocketAddr> {
    match replica.port {
        Port::Bound => replica.address,
        Port::Labelled => {
            let services = labels::read(&replica.labels).ok()?.services;
            address_for(replica, &services.into_values().next().unwrap_or_default().server)
        }
    }
}

/// Where a replica answers for a service that says this of it.
pub fn address_for(replica: &Replica, server: &ServerWish) -> Option<SocketAddr> {
    let mut address = replica.address?;
    if replica.port == Port::Labelled {
        address.set_port(server.port.unwrap_or(address.port()));
    }
    (address.port() != 0).then_some(address)
}

/// The replicas that have a say, put together by what they say.
fn alike(replicas: &[Replica]) -> Vec<Vec<&Replica>> {
    let same = |a: &Arc<Labels>, b: &Arc<Labels>| Arc::ptr_eq(a, b) || a == b;
    let mut groups: Vec<Vec<&Replica>> = Vec::new();
    for replica in replicas.iter().filter(|replica| has_a_say(replica)) {
        let group =
            groups.iter_mut().find(|group| group[0].base == replica.base && same(&group[0].labels, &replica.labels));
        match group {
            Some(group) => group.push(replica),
            None => groups.push(vec![replica]),
        }
    }
    groups
}

/// Traefik does not even look at a container that is not healthy, so the last one takes its routes with it. What has
/// bound its own port is a lab's own: its routes stay while it is there, and answer 503 until it is ready.
fn has_a_say(replica: &Replica) -> bool {
    replica.port == Port::Bound || replica.state == State::Ready
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashSet;

    use super::{
        super::{
            registry::tests::{names, registry, replica},
            routes::Table,
            rule::Subject,
        },
        *,
    };

    /// A container, whose labels say at which port it answers.
    fn container(service: &str, number: u32, state: State, exposed: u16, labels: &[(&str, &str)]) -> Replica {
        let address = Some(([10, 0, 0, number as u8], exposed).into());
        Replica { address, port: Port::Labelled, ..replica(service, number, state, labels) }
    }

    fn addresses(table: &Table, host: &str, path: &str) -> Vec<String> {
        let router = table.route(Subject { host, path });
        router.into_iter().flat_map(|r| &r.balancer.available).map(|s| s.upstream.address.to_string()).collect()
    }

    const RULE: (&str, &str) = ("traefik.http.routers.web.rule", "Host(`a`)");
    const PORT: &str = "traefik.http.services.web.loadbalancer.server.port";

    #[test]
    fn a_containers_port_is_its_labels_or_the_one_it_exposes() {
        let containers = [
            container("web", 1, State::Ready, 9000, &[RULE, (PORT, "80")]),
            container(
                "web",
                2,
                State::Ready,
                9000,
                &[RULE, ("traefik.http.services.web.loadbalancer.passhostheader", "1")],
            ),
            container("web", 3, State::Ready, 0, &[RULE, (PORT, "81")]),
        ];
        let table = registry().table(&containers);
        // ports may differ within one service
        assert_eq!(addresses(&table, "a", "/"), ["10.0.0.1:80", "10.0.0.2:9000", "10.0.0.3:81"]);
        assert!(table.problems.is_empty(), "{:?}", table.problems);
        let asked: Vec<_> = containers.iter().map(|c| address(c).unwrap().port()).collect();
        assert_eq!(asked, [80, 9000, 81]);
        let bound = replica("web", 1, State::Ready, &[RULE, (PORT, "80")]);
        assert_eq!(address(&bound), bound.address);
    }

    #[test]
    fn a_container_without_a_port_is_dropped() {
        let other = ("traefik.http.routers.other.rule", "Host(`b`)");
        let containers = [
            container("web", 1, State::Ready, 0, &[other]),
            container("web", 2, State::Ready, 0, &[other]),
            container("web", 3, State::Ready, 80, &[other]),
            Replica { address: None, ..container("web", 4, State::Ready, 0, &[other]) },
        ];
        let table = registry().table(&containers);
        assert_eq!(addresses(&table, "b", "/"), ["10.0.0.3:80"]);
        let problems = ["port", "address"].map(|what| format!("service web: {what} is missing for web-lab"));
        assert_eq!(table.problems, problems);
        assert_eq!(address(&containers[0]), None);
        assert_eq!(addresses(&registry().table(&containers[..2]), "b", "/"), [""; 0]);
    }

    #[test]
    fn one_container_may_be_two_services() {
        let labels = [
            RULE,
            ("traefik.http.routers.web.service", "site"),
            ("traefik.http.routers.admin.rule", "Host(`a`) && PathPrefix(`/admin`)"),
            ("traefik.http.routers.admin.service", "admin@docker"),
            ("traefik.http.services.site.loadbalancer.server.port", "80"),
            ("traefik.http.services.admin.loadbalancer.server.port", "81"),
        ];
        let mut registry = registry();
        let table = registry.table(&[container("web", 1, State::Ready, 0, &labels)]);
        assert_eq!(addresses(&table, "a", "/"), ["10.0.0.1:80"]);
        assert_eq!(addresses(&table, "a", "/admin"), ["10.0.0.1:81"]);
        assert_eq!(table.upstreams("web-1").len(), 2);
        let cookies: HashSet<_> = table.upstreams("web-1").iter().map(|upstream| &upstream.cookie_value).collect();
        assert_eq!(cookies.len(), 2);
        let draining = registry.table(&[container("web", 1, State::Draining, 0, &labels)]);
        assert!(!draining.offers("web-1"));
        assert_eq!(draining.upstreams("web-1").iter().filter(|upstream| upstream.is_draining()).count(), 2);
        // the same container again, before anybody saw that it was gone
        let again = registry.table(&[container("web", 1, State::Ready, 0, &labels)]);
        assert!(again.offers("web-1") && !again.upstreams("web-1").iter().any(|upstream| upstream.is_draining()));
        assert!(registry.table(&[]).upstreams("web-1").is_empty());
    }

    #[test]
    fn definitions_that_differ_delete_each_other() {
        let rule = |rule| ("traefik.http.routers.web.rule", rule);
        let differing = |a: &[(&str, &str)], b: &[(&str, &str)]| {
            let (a, b) = ([&[rule("Host(`a`)")], a].concat(), [&[rule("Host(`a`)")], b].concat());
            let containers = [
                container("web", 1, State::Ready, 80, &a),
                container("web", 2, State::Ready, 80, &b),
                container("api", 3, State::Ready, 80, &[]),
                container("web", 4, State::Ready, 80, &a),
            ];
            let table = registry().table(&containers);
            assert_eq!(names(&table, "api-lab", "/"), ["api-3"], "the rest goes on");
            (names(&table, "a", "/"), table.problems)
        };
        let all = ["web-1", "web-2", "web-4"].map(str::to_owned).to_vec();
        for (label, value) in [
            (PORT, "81"),
            ("traefik.http.services.web-lab.loadbalancer.passhostheader", "true"),
            ("traefik.http.routers.web.priority", "0"),
            ("traefik.http.services.web-lab.loadbalancer.server.weight", "3"),
            ("com.example.any", "thing"),
        ] {
            let name = if label == PORT { "traefik.http.services.web-lab.loadbalancer.server.port" } else { label };
            assert_eq!(differing(&[], &[(name, value)]), (all.clone(), vec![]), "{label}");
        }
        for (label, value) in [
            ("traefik.http.routers.web.rule", "Host( `a` )"),
            ("traefik.http.routers.web.priority", "9"),
            ("traefik.http.routers.web.entrypoints", "web"),
            ("traefik.http.routers.web.service", "web-lab@docker"),
        ] {
            let (offered, problems) = differing(&[], &[(label, value)]);
            assert_eq!((offered, problems), (vec![], vec!["router web is defined in two ways".to_owned()]), "{label}");
        }
        for (label, value) in [
            ("traefik.http.services.web-lab.loadbalancer.passhostheader", "false"),
            ("traefik.http.services.web-lab.loadbalancer.sticky.cookie", "true"),
            ("traefik.http.services.web-lab.loadbalancer.healthcheck.path", "/"),
        ] {
            let (offered, problems) = differing(&[(label, value)], &[]);
            let expected = ["service web-lab is defined in two ways", "router web: there is no service web-lab"];
            assert_eq!((offered, problems), (vec![], expected.map(str::to_owned).to_vec()), "{label}");
        }
    }

    #[test]
    fn containers_of_one_balancer_keep_their_order_whatever_their_labels() {
        let labels = |more| [RULE, (PORT, "80"), ("com.example.generation", more)];
        let generations = ["old", "new", "old", "new"];
        let containers: Vec<_> =
            (1..).zip(generations).map(|(n, more)| container("web", n, State::Ready, 0, &labels(more))).collect();
        let table = registry().table(&containers);
        assert_eq!(names(&table, "a", "/"), ["web-1", "web-2", "web-3", "web-4"]);
        // another service that defines the same
        let other = container("blue", 1, State::Ready, 0, &labels("old"));
        let table = registry().table(&[&containers[..2], &[other]].concat());
        assert_eq!(names(&table, "a", "/"), ["web-1", "web-2", "blue-1"]);
    }

    #[test]
    fn a_container_that_takes_no_requests_has_no_say() {
        let mut registry = registry();
        let ready = container("web", 1, State::Ready, 80, &[RULE]);
        let table = registry.table(std::slice::from_ref(&ready));
        let first = table.upstreams("web-1")[0].clone();
        let changed = [("traefik.http.routers.web.rule", "Host(`b`)"), ("traefik.http.routers.web.oops", "1")];
        for state in [State::Starting, State::Unhealthy, State::Restarting, State::Ended, State::Draining] {
            let silent = container("web", 2, state, 80, &changed);
            let table = registry.table(&[ready.clone(), silent]);
            assert_eq!((names(&table, "a", "/"), &table.problems), (vec!["web-1".to_owned()], &vec![]));
            let alone = registry.table(&[Replica { state, ..ready.clone() }]);
            assert!(alone.route(Subject { host: "a", path: "/" }).is_none(), "{state}: no route is left");
            assert!(Arc::ptr_eq(&alone.upstreams("web-1")[0], &first), "{state}");
        }
    }
}
