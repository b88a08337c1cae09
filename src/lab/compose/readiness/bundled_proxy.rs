//! The wait for the bundled proxy, which runs on this machine and outside the network of the containers.

use tokio::{net::TcpStream, time::timeout};

use crate::{
    model::{ExposedByDefault, Replica, State},
    proxy::Proxy,
    routing,
};

use super::{super::routes::reachable_services, client::ANSWER_TIMEOUT, not_ready::NotReady};

/// Waits until the bundled proxy gives requests to every healthy replica that requests can reach.
///
/// # Errors
/// A replica to which this machine cannot connect.
pub async fn wait_for_bundled_proxy(
    replicas: &[Replica],
    proxy: &Proxy,
    exposed_by_default: ExposedByDefault,
) -> Result<(), NotReady> {
    let services = reachable_services(replicas, exposed_by_default);
    let is_ready = |replica: &&Replica| replica.state == State::Ready && services.contains(&replica.service);
    let mut names = Vec::new();
    for replica in replicas.iter().filter(is_ready) {
        let Some(address) = routing::address(replica) else { continue };
        names.push(replica.name.to_string());
        let connection = timeout(ANSWER_TIMEOUT, TcpStream::connect(address)).await;
        if !matches!(connection, Ok(Ok(_))) {
            let hint = Some("leave --proxy bundled out: Traefik is inside the containers' network");
            let problem = format!("cannot be reached at {address} from this machine");
            return Err(NotReady { hint, ..NotReady::new(&replica.name, problem) });
        }
    }
    // with a limit, as a replica that becomes unhealthy now gets no requests
    _ = timeout(ANSWER_TIMEOUT, proxy.offers(&names)).await;
    Ok(())
}
