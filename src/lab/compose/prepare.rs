//! What must be known before a lab of containers is started: who starts it, where, from which file, and at which port.

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::{Mutex, atomic::AtomicU32},
    time::Duration,
};

use tokio::sync::SetOnce;

use crate::{
    composefile::{self, Cause},
    engine::{Compose, Containers, Docker, Naming, Scope, Tool},
    lab::{
        ChangeError, ListenError, ListenRequest, Overrides, PlanError, PortChoice, Rendezvous, RendezvousError,
        bind as listen,
    },
    model::Balancer,
};

use super::{
    lab_directory::{self, Directory},
    plan::ComposePlan,
    runner::ComposeLab,
};

/// The port of the lab.
const LAB_PORT: u16 = 80;
/// The port of Traefik's dashboard.
const DASHBOARD_PORT: u16 = 8080;
/// The variables of the lab's compose file.
pub(super) const HTTP_PORT: &str = "LBCTL_HTTP_PORT";
pub(super) const TRAEFIK_PORT: &str = "LBCTL_TRAEFIK_PORT";
const BIND: &str = "LBCTL_BIND";
const ACCESS_LOG: &str = "LBCTL_ACCESS_LOG";
const CONSTRAINT: &str = "LBCTL_CONSTRAINT";
const SOCKET: &str = "LBCTL_DOCKER_SOCKET";
/// Where the engine's socket is, as its containers may mount it.
const USUAL_SOCKET: &str = "/var/run/docker.sock";

/// What is asked for.
#[derive(Debug)]
pub struct ComposeOptions<'a> {
    /// The project's name.
    pub project: &'a str,
    /// A compose file; else the built-in lab.
    pub file: Option<&'a Path>,
    /// What balances.
    pub balancer: Balancer,
    /// What else the command line says.
    pub overrides: &'a Overrides,
    /// An address other than loopback.
    pub bind: Option<IpAddr>,
    /// A port that is taken at its word.
    pub port: Option<u16>,
    /// How long the lab may make no progress before its laggard is named.
    pub patience: Duration,
}

/// A lab that can be started, and what is worth knowing before.
#[derive(Debug)]
pub struct PreparedLab {
    /// The lab.
    pub runner: ComposeLab,
    /// A sentence each.
    pub notes: Vec<String>,
}

/// Finds out all that can be known before anything is started, and writes the lab's files.
///
/// # Errors
/// When there is no engine or no Compose, the file is no lab, or the port cannot be had.
pub async fn prepare(asked: &ComposeOptions<'_>, rendezvous: &Rendezvous) -> Result<PreparedLab, ChangeError> {
    let (docker, tool) = tokio::join!(Docker::connect(), Tool::detect());
    let (docker, tool) = (docker?, tool?);
    let project = asked.project;
    match docker.projects().await?.into_iter().find(|found| found.name == project) {
        // what belongs to somebody else must not go when this lab does
        Some(found) if !found.lab => return Err(ChangeError::Foreign(project.to_owned())),
        Some(found) if found.running > 0 => return Err(RendezvousError::Running(project.to_owned()).into()),
        _ => {}
    }
    if let Some(host) = docker.host() {
        return Err(ChangeError::Remote { endpoint: docker.endpoint().to_owned(), host: host.to_owned() });
    }
    let mut notes = vec![format!("containers are started by {tool}")];

    let directory = Directory::new(rendezvous.files(project))?;
    let (file, version) = match asked.file {
        Some(file) => {
            match composefile::load(file) {
                Err(error) if error.cause() == Cause::Unreadable => return Err(error.into()),
                // what a file may say is Compose's to judge
                _ => {}
            }
            (file.to_owned(), fs::read_to_string(file).ok().and_then(|text| lab_directory::version(&text)))
        }
        None => (directory.built_in()?, None),
    };
    let variable = std::env::var(BIND).ok().and_then(|address| address.parse().ok());
    let bind = asked.bind.or(variable);
    let ip = bind.unwrap_or(Ipv4Addr::LOCALHOST.into());
    let rather = std::env::var(HTTP_PORT).ok().and_then(|port| port.parse().ok()).unwrap_or(LAB_PORT);
    let port = asked.port.map_or(PortChoice::Preferred(rather), PortChoice::Required);
    let (addresses, listeners) = match asked.balancer {
        Balancer::Traefik => (docker_ports(ip, port, &docker)?, Vec::new()),
        Balancer::Bundled => {
            let bound = listen(ListenRequest { bind, port })?;
            if let Some(error) = bound.instead_of {
                notes.push(format!("{error}: it is port {} instead", bound.address.port()));
            }
            (vec![bound.address], bound.listeners)
        }
    };
    let first = addresses[0];
    let variables: BTreeMap<String, String> = [
        (HTTP_PORT, first.port().to_string()),
        (TRAEFIK_PORT, dashboard_port(&addresses[..1]).to_string()),
        (BIND, bind_variable(ip)),
        (ACCESS_LOG, "json".to_owned()),
        (CONSTRAINT, format!("Label(`com.docker.compose.project`, `{project}`)")),
        (SOCKET, socket(docker.endpoint()).to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let mut compose = Compose::new(tool, project, vec![file], None, variables);
    let definition = composefile::resolved(&compose.config().await?)?;
    let plan = ComposePlan::new(project, &definition, asked.overrides, asked.balancer)?;
    let addresses = match (asked.balancer, definition.port) {
        (Balancer::Traefik, Some(fixed)) if fixed != first.port() => match asked.port {
            Some(port) => return Err(PlanError::FixedPort { port, fixed }.into()),
            None => docker_ports(ip, PortChoice::Required(fixed), &docker)?,
        },
        _ => addresses,
    };
    if let (Balancer::Traefik, PortChoice::Preferred(rather)) = (asked.balancer, port)
        && addresses[0] == first
        && first.port() != rather
    {
        notes.push(format!("port {rather} is taken: it is port {} instead", first.port()));
    }
    let more = directory.write("lbctl.override.yml", &plan.override_file(version.as_deref()))?;
    compose.files.push(more);
    notes.extend(plan.notes.iter().cloned());
    let containers = Containers::watch(docker.clone(), Scope::Project(project.to_owned()), Naming::Compose).await?;
    let runner = ComposeLab {
        docker,
        compose,
        plan,
        files: directory.keep(),
        containers,
        address: Mutex::new(addresses[0]),
        addresses,
        listeners: Mutex::new(listeners),
        proxy: SetOnce::new(),
        bind,
        intended: AtomicU32::new(1),
        patience: asked.patience,
    };
    Ok(PreparedLab { runner, notes })
}

/// Where the Docker Engine may listen, the best first. What is taken is passed over; what this user may not bind, the
/// engine perhaps may.
fn docker_ports(ip: IpAddr, port: PortChoice, docker: &Docker) -> Result<Vec<SocketAddr>, ListenError> {
    let free = || -> Result<SocketAddr, ListenError> {
        let address = SocketAddr::new(ip, 0);
        let bound = TcpListener::bind(address).and_then(|listener| listener.local_addr());
        bound.map_err(|cause| ListenError { address, cause })
    };
    let is_free = |port: u16| {
        let address = SocketAddr::new(ip, port);
        // another machine's ports are its own affair
        if docker.host().is_some() {
            return Ok(address);
        }
        match TcpListener::bind(address) {
            Err(cause) if cause.kind() != std::io::ErrorKind::PermissionDenied => Err(ListenError { address, cause }),
            _ => Ok(address),
        }
    };
    match port {
        PortChoice::Required(0) => Ok(vec![free()?]),
        PortChoice::Required(port) => Ok(vec![is_free(port)?]),
        PortChoice::Preferred(port) => {
            let mut addresses: Vec<SocketAddr> =
                [port, 8080].into_iter().filter_map(|port| is_free(port).ok()).collect();
            addresses.push(free()?);
            Ok(addresses)
        }
    }
}

/// A port for Traefik's dashboard that the lab itself will not take.
fn dashboard_port(taken: &[SocketAddr]) -> u16 {
    let wanted = std::env::var(TRAEFIK_PORT).ok().and_then(|port| port.parse().ok()).unwrap_or(DASHBOARD_PORT);
    let clashes = taken.iter().any(|address| address.port() == wanted);
    let free = !clashes && TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).is_ok();
    // without any that is free, Compose says what is wrong
    if free { wanted } else { free_port().unwrap_or(wanted) }
}

/// A port of loopback that nobody listens on at the moment.
pub(super) fn free_port() -> Option<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    Some(listener.local_addr().ok()?.port())
}

/// The socket that Traefik is given: a rootless engine has its own, and any other the usual one, by whatever way it is
/// reached from here.
fn socket(endpoint: &str) -> &str {
    endpoint.strip_prefix("unix://").filter(|path| path.starts_with("/run/user/")).unwrap_or(USUAL_SOCKET)
}

/// An address as it stands before the port in a compose file.
fn bind_variable(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}
