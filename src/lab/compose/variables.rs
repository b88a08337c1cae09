//! The variables of the lab's compose file: `LBCTL_HTTP_PORT` and others.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use super::ports;

/// The variable for the port of the proxy.
pub const HTTP_PORT: &str = "LBCTL_HTTP_PORT";
/// The variable for the port of Traefik's dashboard.
pub const DASHBOARD_PORT: &str = "LBCTL_TRAEFIK_PORT";
/// The variable for the address of the proxy.
const BIND: &str = "LBCTL_BIND";
const ACCESS_LOG: &str = "LBCTL_ACCESS_LOG";
const CONSTRAINT: &str = "LBCTL_CONSTRAINT";
const SOCKET: &str = "LBCTL_DOCKER_SOCKET";

/// The port of Traefik's dashboard where the environment gives none.
const DEFAULT_DASHBOARD_PORT: u16 = 8080;
/// The socket of a Docker Engine that runs as root, as its containers can mount it.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The address of the proxy in the environment of this process.
pub fn bind_in_environment() -> Option<IpAddr> {
    parse_from_environment(BIND)
}

/// The port of the proxy in the environment of this process.
pub fn http_port_in_environment() -> Option<u16> {
    parse_from_environment(HTTP_PORT)
}

fn parse_from_environment<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// The value of every variable for a project whose proxy listens at `address`. The variable for the host has `bind`,
/// else the IPv4 loopback address. `endpoint` is the address of the Docker Engine.
pub fn all_variables(
    project: &str,
    bind: Option<IpAddr>,
    address: SocketAddr,
    endpoint: &str,
) -> BTreeMap<String, String> {
    let bind = bind.unwrap_or(Ipv4Addr::LOCALHOST.into());
    [
        (HTTP_PORT, address.port().to_string()),
        (DASHBOARD_PORT, dashboard_port(address.port()).to_string()),
        (BIND, host_in_compose_file(bind)),
        (ACCESS_LOG, "json".to_owned()),
        (CONSTRAINT, format!("Label(`com.docker.compose.project`, `{project}`)")),
        (SOCKET, socket_for_traefik(endpoint).to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// A port for Traefik's dashboard, other than that of the proxy.
fn dashboard_port(proxy_port: u16) -> u16 {
    let wanted = parse_from_environment(DASHBOARD_PORT).unwrap_or(DEFAULT_DASHBOARD_PORT);
    if wanted != proxy_port && ports::is_free_loopback_port(wanted) {
        return wanted;
    }
    // where no port is free, Compose reports the error
    ports::free_loopback_port().unwrap_or(wanted)
}

/// The socket that Traefik gets: a rootless engine has one of its own. Every other engine has the default one, even if
/// this process reaches the engine in another way.
fn socket_for_traefik(endpoint: &str) -> &str {
    endpoint.strip_prefix("unix://").filter(|path| path.starts_with("/run/user/")).unwrap_or(DEFAULT_SOCKET)
}

/// The text for an address before the port in a compose file.
fn host_in_compose_file(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}
