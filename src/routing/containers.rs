//! Containers: those whose labels count, their configuration, and the address of each of their services.

use std::{net::SocketAddr, sync::Arc};

use crate::model::{ExposedByDefault, Labels, Port, Replica, State};

use super::{
    config::ServerConfig,
    defaults::{CompleteConfig, complete},
    labels::read_labels,
};

/// Replicas with the same labels, and the configuration that these ask for.
#[derive(Debug)]
pub struct Group<'a> {
    /// The replicas, in the order of all replicas; never empty.
    pub members: Vec<&'a Replica>,
    pub config: CompleteConfig,
}

/// The groups in the order of their first replicas; a sentence for each thing that cannot be used is added to
/// `problems`.
pub fn groups<'a>(
    replicas: &'a [Replica],
    exposed_by_default: ExposedByDefault,
    problems: &mut Vec<String>,
) -> Vec<Group<'a>> {
    let mut groups = Vec::new();
    for mut members in group_by_labels(replicas) {
        let Replica { service, base, labels, .. } = members[0];
        let config = match complete(base, labels, exposed_by_default) {
            Ok(Some(config)) => config,
            Ok(None) => continue,
            Err(error) => {
                problems.push(format!("service {service}: {error}"));
                continue;
            }
        };
        members.retain(|replica| match missing_address(replica, &config) {
            Some(problem) => {
                problems.push(problem);
                false
            }
            None => true,
        });
        if !members.is_empty() {
            groups.push(Group { members, config });
        }
    }
    groups
}

/// The reason why a container is dropped that has no address for one of its services. A replica that has bound a port
/// itself is not dropped: it just does not answer yet.
fn missing_address(replica: &Replica, config: &CompleteConfig) -> Option<String> {
    if replica.port == Port::Bound {
        return None;
    }
    let (name, _) = config.services.iter().find(|(_, service)| address_for(replica, &service.server).is_none())?;
    let what = if replica.address.is_some() { "port" } else { "address" };
    Some(format!("service {}: {what} is missing for {name}", replica.service))
}

/// The address at which a replica answers: by its labels, if they decide that. A replica with several services has
/// several addresses; this is that of the first.
pub fn address(replica: &Replica) -> Option<SocketAddr> {
    match replica.port {
        Port::Bound => replica.address,
        Port::Labelled => {
            let services = read_labels(&replica.labels).ok()?.services;
            address_for(replica, &services.into_values().next().unwrap_or_default().server)
        }
    }
}

/// The address at which a replica answers for a service.
pub fn address_for(replica: &Replica, server: &ServerConfig) -> Option<SocketAddr> {
    let mut address = replica.address?;
    if replica.port == Port::Labelled {
        address.set_port(server.port.unwrap_or(address.port()));
    }
    (address.port() != 0).then_some(address)
}

/// The replicas whose labels count, in groups with equal labels.
fn group_by_labels(replicas: &[Replica]) -> Vec<Vec<&Replica>> {
    let mut groups: Vec<Vec<&Replica>> = Vec::new();
    for replica in replicas.iter().filter(|replica| is_routable(replica)) {
        let group = groups
            .iter_mut()
            .find(|group| group[0].base == replica.base && are_equal(&group[0].labels, &replica.labels));
        match group {
            Some(group) => group.push(replica),
            None => groups.push(vec![replica]),
        }
    }
    groups
}

fn are_equal(a: &Arc<Labels>, b: &Arc<Labels>) -> bool {
    // replicas of one service often share their labels
    Arc::ptr_eq(a, b) || a == b
}

/// Returns whether the labels of a replica count. Traefik does not even look at a container that is not healthy, so the
/// last healthy one takes its routes with it. The routes of a replica that has bound its own port stay while it is
/// there, and answer 503 until it is ready.
fn is_routable(replica: &Replica) -> bool {
    replica.port == Port::Bound || replica.state == State::Ready
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{
        super::{
            fixtures::{container, replica},
            routes::Routes,
            rule::Subject,
        },
        *,
    };

    fn addresses(routes: &Routes, host: &str, path: &str) -> Vec<String> {
        let Some(router) = routes.route(Subject { host, path }) else { return Vec::new() };
        let servers = routes.servers.iter();
        let offered = servers.filter(|server| server.service == router.service && routes.gives_requests_to(server));
        offered.map(|server| server.address.to_string()).collect()
    }

    fn routes(replicas: &[Replica]) -> Routes<'_> {
        Routes::new(replicas, ExposedByDefault::Yes)
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
        let routes = routes(&containers);
        // ports may differ within one service
        assert_eq!(addresses(&routes, "a", "/"), ["10.0.0.1:80", "10.0.0.2:9000", "10.0.0.3:81"]);
        assert!(routes.problems.is_empty(), "{:?}", routes.problems);
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
        let all = routes(&containers);
        assert_eq!(addresses(&all, "b", "/"), ["10.0.0.3:80"]);
        let problems = ["port", "address"].map(|what| format!("service web: {what} is missing for web-lab"));
        assert_eq!(all.problems, problems);
        assert_eq!(address(&containers[0]), None);
        assert_eq!(addresses(&routes(&containers[..2]), "b", "/"), [""; 0]);
    }
}
