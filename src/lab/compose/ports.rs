//! Ports: the addresses at which the proxy of a lab of containers may listen.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
};

use crate::{
    lab::{
        change_error::ChangeError,
        listen::{self, ListenError, ListenRequest, PortChoice, SECOND_PORT},
        plan_error::PlanError,
    },
    model::ProxyKind,
};

/// The number of further free ports to try where any free port will do.
const FURTHER_FREE_PORTS: usize = 3;

/// The addresses at which the proxy of a lab may listen.
pub struct ProxyAddresses {
    /// The best address.
    pub first: SocketAddr,
    /// The addresses to try after the first, the best first. The Docker Engine may fail to bind one.
    pub others: Vec<SocketAddr>,
    /// The bound listeners of the bundled proxy. Traefik has none in this process.
    pub listeners: Vec<TcpListener>,
    /// A sentence on why the first address has another port than the preferred one.
    pub note: Option<String>,
}

impl ProxyAddresses {
    /// Binds an address for the bundled proxy, or finds those that the Docker Engine can bind for Traefik.
    ///
    /// # Errors
    /// When no port of the request is free.
    pub fn new(proxy_kind: ProxyKind, request: ListenRequest) -> Result<ProxyAddresses, ListenError> {
        match proxy_kind {
            ProxyKind::Traefik => {
                let (first, others) = docker_addresses(request)?;
                Ok(ProxyAddresses { first, others, listeners: Vec::new(), note: None })
            }
            ProxyKind::Bundled => {
                let bound = listen::bind(request)?;
                let note = bound.note();
                Ok(ProxyAddresses { first: bound.address, others: Vec::new(), listeners: bound.listeners, note })
            }
        }
    }

    /// Takes the port at which the compose file publishes Traefik, if the file does not follow the variable for the
    /// port.
    ///
    /// # Errors
    /// [`PlanError::FixedPort`] when the request requires another port, and a [`ListenError`] when the port is taken.
    pub fn take_published_port(&mut self, published: Option<u16>, request: ListenRequest) -> Result<(), ChangeError> {
        match (published, request.port) {
            (Some(fixed), PortChoice::Required(port)) if fixed != self.first.port() => {
                return Err(PlanError::FixedPort { port, fixed }.into());
            }
            (Some(fixed), PortChoice::Preferred(_)) if fixed != self.first.port() => {
                let request = ListenRequest { port: PortChoice::Required(fixed), ..request };
                (self.first, self.others) = docker_addresses(request)?;
            }
            (_, PortChoice::Preferred(port)) if port != self.first.port() => {
                self.note = Some(format!("port {port} is taken: it is port {} instead", self.first.port()));
            }
            _ => {}
        }
        Ok(())
    }
}

/// The best address that the Docker Engine can bind, and the others.
fn docker_addresses(request: ListenRequest) -> Result<(SocketAddr, Vec<SocketAddr>), ListenError> {
    let ip = request.bind.unwrap_or(Ipv4Addr::LOCALHOST.into());
    match request.port {
        PortChoice::Required(0) => {
            // another program may take a free port before the engine binds it
            let first = free_address(ip)?;
            Ok((first, (0..FURTHER_FREE_PORTS).filter_map(|_| free_address(ip).ok()).collect()))
        }
        PortChoice::Required(port) => Ok((check_address(ip, port)?, Vec::new())),
        PortChoice::Preferred(port) => {
            let free = free_address(ip)?;
            let mut addresses =
                [port, SECOND_PORT].into_iter().filter_map(|port| check_address(ip, port).ok()).chain([free]);
            let first = addresses.next().unwrap_or(free);
            Ok((first, addresses.collect()))
        }
    }
}

/// Checks that a port is not taken. A port that this user may not bind passes, as the Docker Engine may be allowed to.
fn check_address(ip: IpAddr, port: u16) -> Result<SocketAddr, ListenError> {
    let address = SocketAddr::new(ip, port);
    match TcpListener::bind(address) {
        Err(cause) if cause.kind() != io::ErrorKind::PermissionDenied => Err(ListenError { address, cause }),
        _ => Ok(address),
    }
}

fn free_address(ip: IpAddr) -> Result<SocketAddr, ListenError> {
    let address = SocketAddr::new(ip, 0);
    let bound = TcpListener::bind(address).and_then(|listener| listener.local_addr());
    bound.map_err(|cause| ListenError { address, cause })
}

/// A port of the IPv4 loopback address that no program listens at.
pub fn free_loopback_port() -> Option<u16> {
    free_address(Ipv4Addr::LOCALHOST.into()).ok().map(|address| address.port())
}

/// Checks whether this process can listen at a port of the IPv4 loopback address.
pub fn is_free_loopback_port(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
