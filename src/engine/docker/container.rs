//! One container: its description by Docker, and the replica that it is.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bollard::models::{
    ContainerConfig, ContainerInspectResponse, ContainerState, ContainerStateStatusEnum as Status, EndpointSettings,
    HealthStatusEnum as Health, NetworkSettings, PortMap,
};
use jiff::Timestamp;

use crate::{
    engine::text::one_line,
    model::{Labels, Port, Replica, State, replica_name},
};

/// The label that names the compose project of a container.
pub(super) const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const NUMBER: &str = "com.docker.compose.container-number";
const ONE_OFF: &str = "com.docker.compose.oneoff";
/// The label that names the network in which Traefik, and so the bundled proxy, reaches a container.
const NETWORK: &str = "traefik.docker.network";

/// The state of a container at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// Docker's id, in full.
    pub id: String,
    /// Docker's name: `lab-web_static-3`, or `lab_web_static_3` of an older Compose.
    pub name: String,
    pub project: Option<String>,
    pub service: Option<String>,
    /// The container's number within its service; 1 where it has none.
    pub number: u32,
    /// The name that the machine inside the container has.
    pub hostname: String,
    /// The image, as it was written: `traefik:v3.7`.
    pub image: String,
    /// The whole command line.
    pub args: Vec<String>,
    /// The container's address, which this machine reaches if Docker runs here.
    pub ip: Option<IpAddr>,
    /// The TCP ports that the image declares, in order.
    pub exposed: Vec<u16>,
    /// The TCP ports that the engine's machine forwards, in order.
    pub published: Vec<PublishedPort>,
    pub state: State,
    /// The way in which the container ended, or the reason why it does not run: `exit code 137`.
    pub exit: Option<String>,
    /// The number of times that Docker started the container again.
    pub restarts: u32,
    pub labels: Arc<Labels>,
    /// The time at which the container was started last.
    pub started: Option<Timestamp>,
}

/// A port of a container that the engine's machine forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublishedPort {
    /// The port inside the container.
    pub inside: u16,
    /// The address at which the machine listens; `0.0.0.0` and `::` stand for all its addresses.
    pub at: SocketAddr,
}

/// The way in which replicas are named after containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// `SERVICE-NUMBER`, as the lab is one project.
    Compose,
    /// Docker's own names, which differ between projects. A service is called `PROJECT/SERVICE`.
    Docker,
}

impl Container {
    /// Reads the engine's answer. Every field of it may be missing.
    pub(super) fn from_api(inspected: ContainerInspectResponse) -> Container {
        let config = inspected.config.unwrap_or_default();
        let state = inspected.state.unwrap_or_default();
        let settings = inspected.network_settings.unwrap_or_default();
        let mode = inspected.host_config.and_then(|host| host.network_mode).unwrap_or_default();
        let labels: Labels = config.labels.clone().unwrap_or_default().into_iter().collect();
        let compose_label = |label: &str| labels.get(label).filter(|value| !value.is_empty()).cloned();
        Container {
            id: inspected.id.unwrap_or_default(),
            name: inspected.name.unwrap_or_default().trim_start_matches('/').to_owned(),
            project: compose_label(PROJECT),
            service: compose_label(SERVICE),
            number: labels.get(NUMBER).and_then(|number| number.parse().ok()).unwrap_or(1),
            hostname: config.hostname.clone().unwrap_or_default(),
            image: config.image.clone().or(inspected.image).unwrap_or_default(),
            args: inspected.path.into_iter().chain(inspected.args.unwrap_or_default()).collect(),
            ip: ip(&mode, &settings, labels.get(NETWORK)),
            exposed: exposed(&config, &settings),
            published: published(settings.ports.as_ref()),
            state: state_of(&state),
            exit: exit(&state),
            restarts: inspected.restart_count.and_then(|count| count.try_into().ok()).unwrap_or(0),
            started: started(&state),
            labels: Arc::new(labels),
        }
    }

    pub fn is_traefik(&self) -> bool {
        let last = self.image.rsplit('/').next().unwrap_or_default();
        last.split(['@', ':']).next() == Some("traefik")
    }

    /// Returns whether `docker compose run` made the container, which is then no replica of its service.
    pub(super) fn is_one_off(&self) -> bool {
        self.labels.get(ONE_OFF).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub fn replica(&self, naming: Naming) -> Replica {
        let compose_names = self.project.as_deref().zip(self.service.as_deref());
        let (name, service) = match (compose_names, naming) {
            (Some((_, service)), Naming::Compose) => (replica_name(service, self.number), service.to_owned()),
            (Some((project, service)), Naming::Docker) => (self.name.clone(), format!("{project}/{service}")),
            (None, _) => (self.name.clone(), self.name.clone()),
        };
        let base = compose_names.map_or_else(|| self.name.clone(), |(project, service)| format!("{service}-{project}"));
        let port = self.exposed.first().copied().unwrap_or(0);
        Replica {
            name: name.into(),
            service: service.into(),
            base: base.into(),
            number: self.number,
            hostname: self.hostname.clone(),
            address: self.ip.map(|ip| SocketAddr::new(ip, port)),
            port: Port::Labelled,
            state: self.state,
            restarts: self.restarts,
            ended: self.exit.as_deref().map(Into::into),
            labels: self.labels.clone(),
        }
    }

    /// The sort key of lists: containers by service, and within a service by number.
    pub(super) fn sort_key(&self) -> impl Ord + '_ {
        (&self.project, &self.service, self.number, &self.name)
    }
}

fn state_of(state: &ContainerState) -> State {
    let health = state.health.as_ref().and_then(|health| health.status);
    match (state.status, health) {
        (Some(Status::RUNNING), Some(Health::STARTING)) => State::Starting,
        (Some(Status::RUNNING), Some(Health::UNHEALTHY)) => State::Unhealthy,
        (Some(Status::RUNNING), _) => State::Ready,
        (Some(Status::CREATED), _) => State::Starting,
        (Some(Status::RESTARTING), _) => State::Restarting,
        _ => State::Ended,
    }
}

/// The way in which a container ended, or the reason why it does not run.
fn exit(state: &ContainerState) -> Option<String> {
    let error = state.error.as_deref().map(one_line).filter(|error| !error.is_empty());
    match state.status? {
        Status::EXITED | Status::DEAD | Status::RESTARTING => {
            let code = format!("exit code {}", state.exit_code.unwrap_or_default());
            Some(match (state.oom_killed, error) {
                (Some(true), _) => format!("{code}, out of memory"),
                (_, Some(error)) => format!("{code}, {error}"),
                _ => code,
            })
        }
        Status::CREATED => error,
        Status::PAUSED => Some("paused".to_owned()),
        _ => None,
    }
}

/// The time at which a container was started. Docker gives the year 1 for a container that never ran.
fn started(state: &ContainerState) -> Option<Timestamp> {
    let started: Timestamp = state.started_at.as_deref()?.parse().ok()?;
    (started > Timestamp::UNIX_EPOCH).then_some(started)
}

/// The container's address in the network that its label names, else in the first network by name.
fn ip(mode: &str, settings: &NetworkSettings, wanted: Option<&String>) -> Option<IpAddr> {
    if mode == "host" {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let networks: BTreeMap<_, _> = settings.networks.iter().flatten().collect();
    let address = |network: &EndpointSettings| {
        let addresses = [&network.ip_address, &network.global_ipv6_address];
        addresses.into_iter().flatten().find_map(|address| address.parse().ok())
    };
    let named = wanted.and_then(|name| networks.get(name)).and_then(|network| address(network));
    named.or_else(|| networks.values().find_map(|network| address(network)))
}

fn exposed(config: &ContainerConfig, settings: &NetworkSettings) -> Vec<u16> {
    let declared = config.exposed_ports.iter().flatten().map(String::as_str);
    let mapped = settings.ports.iter().flat_map(HashMap::keys).map(String::as_str);
    declared.chain(mapped).filter_map(tcp_port).collect::<BTreeSet<_>>().into_iter().collect()
}

fn published(ports: Option<&PortMap>) -> Vec<PublishedPort> {
    let bindings =
        ports.into_iter().flatten().filter_map(|(port, bindings)| Some((tcp_port(port)?, bindings.as_ref()?)));
    let each = bindings.flat_map(|(inside, bindings)| bindings.iter().map(move |binding| (inside, binding)));
    let read = each.filter_map(|(inside, binding)| {
        let ip = match binding.host_ip.as_deref() {
            None | Some("") => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Some(ip) => ip.parse().ok()?,
        };
        let port = binding.host_port.as_deref()?.parse().ok()?;
        Some(PublishedPort { inside, at: SocketAddr::new(ip, port) })
    });
    read.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The number of a TCP port: 80 for `80/tcp` and for `80`, `None` for `80/udp`.
fn tcp_port(port: &str) -> Option<u16> {
    let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    number.parse().ok().filter(|_| protocol == "tcp")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    fn inspected() -> Value {
        json!({
            "Id": "abc", "Name": "/lab-web_static-3", "Path": "docker-php-entrypoint", "Args": ["apache2-foreground"],
            "RestartCount": 2, "HostConfig": {"NetworkMode": "lab_default"},
            "State": {"Status": "running", "Running": true, "ExitCode": 0, "StartedAt": "2026-11-22T12:00:00.5Z"},
            "Config": {
                "Hostname": "f00", "Image": "lab-web_static", "ExposedPorts": {"8443/tcp": {}, "80/tcp": {}, "53/udp": {}},
                "Labels": {
                    "com.docker.compose.project": "lab", "com.docker.compose.service": "web_static",
                    "com.docker.compose.container-number": "3", "com.docker.compose.oneoff": "False",
                },
            },
            "NetworkSettings": {
                "Ports": {
                    "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}, {"HostIp": "", "HostPort": "81"}],
                    "8443/tcp": null,
                },
                "Networks": {
                    "lab_default": {"IPAddress": "172.20.0.4"},
                    "a_first": {"IPAddress": "", "GlobalIPv6Address": "fd00::4"},
                },
            },
        })
    }

    fn read(change: impl FnOnce(&mut Value)) -> Container {
        let mut value = inspected();
        change(&mut value);
        Container::from_api(serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_container_of_compose_is_a_replica_of_its_service() {
        let container = read(|_| {});
        assert_eq!(container.args, ["docker-php-entrypoint", "apache2-foreground"]);
        assert_eq!(container.exposed, [80, 8443]);
        let at = |at: &str, inside| PublishedPort { inside, at: at.parse().unwrap() };
        assert_eq!(container.published, [at("0.0.0.0:81", 80), at("127.0.0.1:8080", 80)]);
        assert_eq!(container.started, Some("2026-11-22T12:00:00.5Z".parse().unwrap()));
        let replica = container.replica(Naming::Compose);
        let expected = ("web_static-3", "web_static", "web_static-lab", 3, "f00", 2);
        let Replica { name, service, base, number, hostname, restarts, .. } = &replica;
        assert_eq!((&**name, &**service, &**base, *number, &**hostname, *restarts), expected);
        assert_eq!(replica.address, Some("[fd00::4]:80".parse().unwrap()), "the first network by name");
        assert_eq!((replica.port, replica.state, replica.ended), (Port::Labelled, State::Ready, None));
        let replica = container.replica(Naming::Docker);
        assert_eq!(
            (&*replica.name, &*replica.service, &*replica.base),
            ("lab-web_static-3", "lab/web_static", "web_static-lab")
        );
    }

    #[test]
    fn a_container_without_compose_is_called_as_docker_calls_it() {
        let container = read(|value| value["Config"]["Labels"] = json!({}));
        for naming in [Naming::Compose, Naming::Docker] {
            let replica = container.replica(naming);
            let names = [&replica.name, &replica.service, &replica.base];
            assert!(names.iter().all(|name| ***name == *"lab-web_static-3"), "{replica:?}");
            assert_eq!(replica.number, 1);
        }
    }

    #[test]
    fn a_label_names_the_network_in_which_a_container_is_reached() {
        let container = read(|value| value["Config"]["Labels"]["traefik.docker.network"] = json!("lab_default"));
        assert_eq!(container.ip, Some("172.20.0.4".parse().unwrap()));
        let host = read(|value| value["HostConfig"]["NetworkMode"] = json!("host"));
        assert_eq!(host.ip, Some("127.0.0.1".parse().unwrap()));
        let nowhere = read(|value| value["NetworkSettings"] = json!({}));
        assert_eq!((nowhere.ip, nowhere.replica(Naming::Docker).address), (None, None));
        let silent = read(|value| {
            value["Config"]["ExposedPorts"] = Value::Null;
            value["NetworkSettings"]["Ports"] = json!({});
        });
        assert_eq!(silent.replica(Naming::Docker).address, Some("[fd00::4]:0".parse().unwrap()));
    }

    #[test]
    fn the_state_comes_from_docker_and_the_health_check() {
        let state = |state: Value| {
            let container = read(|value| value["State"] = state);
            (container.state, container.exit)
        };
        let health = |health: &str| state(json!({"Status": "running", "Health": {"Status": health}})).0;
        assert_eq!(health("healthy"), State::Ready);
        assert_eq!(health("none"), State::Ready);
        assert_eq!(health("starting"), State::Starting);
        assert_eq!(health("unhealthy"), State::Unhealthy);
        assert_eq!(state(json!({"Status": "created", "ExitCode": 0, "Error": ""})), (State::Starting, None));
        let ended = |exit: &str| (State::Ended, Some(exit.to_owned()));
        assert_eq!(state(json!({"Status": "exited", "ExitCode": 137})), ended("exit code 137"));
        assert_eq!(
            state(json!({"Status": "exited", "ExitCode": 137, "OOMKilled": true})),
            ended("exit code 137, out of memory")
        );
        assert_eq!(state(json!({"Status": "dead", "ExitCode": 1})), ended("exit code 1"));
        assert_eq!(state(json!({"Status": "paused", "Running": true})), ended("paused"));
        let restarting = (State::Restarting, Some("exit code 1".to_owned()));
        assert_eq!(state(json!({"Status": "restarting", "ExitCode": 1})), restarting);
    }

    #[test]
    fn traefik_is_recognised_by_its_image() {
        for (image, is) in [
            ("traefik", true),
            ("traefik:v3.7", true),
            ("docker.io/library/traefik:v3.7@sha256:00", true),
            ("registry:5000/traefik", true),
            ("traefik/whoami", false),
            ("my-traefik:1", false),
        ] {
            assert_eq!(read(|value| value["Config"]["Image"] = json!(image)).is_traefik(), is, "{image}");
        }
    }
}
