//! The lab's address, as users see it.

use std::net::SocketAddr;

/// The page's address: a `.localhost` name, which browsers resolve by themselves, before others.
pub fn url(hosts: &[String], address: SocketAddr) -> String {
    let local = hosts.iter().find(|host| host.ends_with(".localhost"));
    let host = match local.or(hosts.first()) {
        Some(host) => host.clone(),
        None => address.ip().to_string(),
    };
    match address.port() {
        80 => format!("http://{host}/"),
        port => format!("http://{host}:{port}/"),
    }
}
