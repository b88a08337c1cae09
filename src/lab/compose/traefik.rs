//! Traefik, as its container shows it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::{
    composefile::{AccessLog, TraefikFlags, traefik_flags},
    engine::Container,
    model::{ExposedByDefault, State},
};

/// The port of Traefik's entry point where its flags give none.
const DEFAULT_ENTRY_PORT: u16 = 80;

/// A Traefik whose container runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traefik {
    /// The id of the container.
    pub id: String,
    /// The address that takes requests.
    pub address: Option<SocketAddr>,
    /// The address of the API, if the API is open.
    pub api: Option<SocketAddr>,
    /// The place to which Traefik writes the requests.
    pub log: AccessLog,
    pub exposed_by_default: ExposedByDefault,
}

impl Traefik {
    /// Finds the Traefik that runs among containers.
    pub fn find_running(containers: &[Container]) -> Option<Traefik> {
        let container =
            containers.iter().find(|container| container.is_traefik() && container.state == State::Ready)?;
        let TraefikFlags { exposed_by_default, entry, api, log } = traefik_flags(&container.args);
        Some(Traefik {
            id: container.id.clone(),
            address: reachable_address(container, entry.unwrap_or(DEFAULT_ENTRY_PORT)),
            api: api.and_then(|port| reachable_address(container, port)),
            log,
            exposed_by_default,
        })
    }
}

/// The address by which this machine reaches a port inside a container: the published one, else the container's own.
fn reachable_address(container: &Container, inside: u16) -> Option<SocketAddr> {
    let published = container.published.iter().filter(|published| published.inside == inside).map(|published| {
        let mut address = published.at;
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        address
    });
    // a browser would take the first, but Docker publishes the IPv4 address in every case
    published.min_by_key(SocketAddr::is_ipv6).or_else(|| Some(SocketAddr::new(container.ip?, inside)))
}
