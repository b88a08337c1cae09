//! The addresses of a target's name. The name is resolved once, so that all requests of a probe go to one address: behind
//! each address may stand another balancer.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use url::{Host, Position, Url};

use crate::model::trace::Failure;

use super::failure::{dns_failure, timeout_failure};

/// The longest time that a trial connection may take.
const MAX_TRIAL: Duration = Duration::from_secs(3);

/// Returns whether requests for an origin (scheme, host and port) go through the proxy that the environment names, which
/// then resolves the name itself.
pub fn is_proxied(origin: &Uri) -> bool {
    Matcher::from_env().intercept(origin).is_some()
}

/// The addresses of a URL's host with the URL's port, in the order in which the system prefers them. None where nothing is
/// resolved here: the host is an address, or a proxy resolves it.
///
/// # Errors
/// Fails when the name does not resolve within `most`.
pub async fn resolve_host(url: &Url, most: Duration) -> Result<Vec<SocketAddr>, Failure> {
    let Some(Host::Domain(name)) = url.host() else { return Ok(Vec::new()) };
    let origin: Result<Uri, _> = url[..Position::BeforePath].parse();
    if origin.is_ok_and(|origin| is_proxied(&origin)) {
        return Ok(Vec::new());
    }
    let port = url.port_or_known_default().unwrap_or(80);
    let found = timeout(most, lookup_host((name, port))).await.map_err(|_| timeout_failure())?;
    let found = without_repeats(found.map_err(|_| dns_failure())?);
    if found.is_empty() { Err(dns_failure()) } else { Ok(found) }
}

fn without_repeats(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut all = Vec::new();
    for address in addresses {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    all
}

/// Chooses the first address that takes a connection, as browsers do; without such a one, the first of all. With a
/// `source`, only addresses of its family count. A single address is not tried.
pub async fn choose_address(addresses: &[SocketAddr], source: Option<IpAddr>, most: Duration) -> Option<SocketAddr> {
    let fits = |address: &&SocketAddr| source.is_none_or(|source| source.is_ipv4() == address.is_ipv4());
    let fitting: Vec<SocketAddr> = addresses.iter().filter(fits).copied().collect();
    if fitting.len() > 1 {
        for address in &fitting {
            if let Ok(Ok(_)) = timeout(most.min(MAX_TRIAL), TcpStream::connect(address)).await {
                return Some(*address);
            }
        }
    }
    fitting.first().or(addresses.first()).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MOST: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_name_is_resolved_once_and_an_address_not_at_all() {
        let resolve = async |url: &str| resolve_host(&url.parse().unwrap(), MOST).await;
        assert_eq!(resolve("http://127.0.0.1:81/").await, Ok(Vec::new()));
        assert_eq!(resolve("http://[::1]/").await, Ok(Vec::new()));
        let local = resolve("http://localhost:81/").await.unwrap();
        assert!(local.contains(&([127, 0, 0, 1], 81).into()), "{local:?}");
        assert_eq!(local, without_repeats(local.iter().copied()));
        assert_eq!(resolve("https://no-such-host.invalid/").await, Err(dns_failure()));
    }

    #[tokio::test]
    async fn the_first_address_that_takes_a_connection_is_chosen() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let closed: SocketAddr = "127.0.0.2:9".parse().unwrap();
        let (four, six): (SocketAddr, SocketAddr) = ("127.0.0.3:9".parse().unwrap(), "[::1]:9".parse().unwrap());
        assert_eq!(choose_address(&[closed, open, four], None, MOST).await, Some(open));
        assert_eq!(choose_address(&[closed, four], None, MOST).await, Some(closed));
        assert_eq!(choose_address(&[six, four], Some([127, 0, 0, 9].into()), MOST).await, Some(four));
        assert_eq!(choose_address(&[], None, MOST).await, None);
    }
}
