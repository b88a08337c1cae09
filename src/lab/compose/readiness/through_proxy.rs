//! Requests through the proxy of a lab, which show whether it is ready.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use reqwest::RequestBuilder;

use crate::model::{App, ExposedByDefault, LabView, Replica, ReplicaView, ServiceView, State, Strategy};

use super::{
    super::{routes, traefik::Traefik},
    client::{ASK_INTERVAL, one_request_client},
    not_ready::NotReady,
};

/// The body of Traefik's answer to a request for which it has no router.
const NO_ROUTER: &str = "404 page not found\n";

/// Checks whether Traefik has a router for every service that gets requests for `/`. The question is for a Traefik
/// without an API, and its answers to requests show it.
pub async fn traefik_has_routes(replicas: &[Replica], traefik: &Traefik, exposed_by_default: ExposedByDefault) -> bool {
    let (Some(address), Ok(client)) = (traefik.address, one_request_client()) else { return true };
    for (service, host) in routes::first_hosts(replicas, exposed_by_default) {
        if routes::service_for(replicas, exposed_by_default, &host, "/").as_deref() != Some(&*service) {
            continue;
        }
        let answer = client.get(format!("http://{address}/")).header("host", host).send().await;
        match answer {
            // a service may answer with 404 too, but not with Traefik's text
            Ok(answer) if answer.status() == 404 => {
                if answer.text().await.is_ok_and(|text| text == NO_ROUTER) {
                    return false;
                }
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    true
}

/// Asks every healthy replica of `services` through the proxy, where the service has a built-in app. The apps neither
/// count these requests nor make sessions of them. `route` gives the service that gets a request for a host and path.
///
/// # Errors
/// A replica that has not answered after `patience`.
pub async fn ask_every_replica(
    view: &LabView,
    services: &BTreeMap<String, u32>,
    patience: Duration,
    route: impl Fn(&str, &str) -> Option<String>,
) -> Result<(), NotReady> {
    let Ok(client) = one_request_client() else { return Ok(()) };
    for (name, service) in view.services.iter().filter(|(name, _)| services.contains_key(*name)) {
        let path = match service.app {
            Some(App::Page) => "/health",
            // the app has no such path, and answers with an error that it does not count
            Some(App::Api) => "/api/ready",
            None => continue,
        };
        let host = view.hosts.iter().find(|host| route(host, path).as_ref() == Some(name));
        let Some(host) = host else { continue };
        let request = || client.get(format!("http://{}{path}", view.proxy_address)).header("host", host);
        ask_service(service, patience, request).await?;
    }
    Ok(())
}

/// Sends requests until every healthy replica of a service has answered. One answer is enough where the strategy may
/// give all requests of this client to one replica.
async fn ask_service(
    service: &ServiceView,
    patience: Duration,
    request: impl Fn() -> RequestBuilder,
) -> Result<(), NotReady> {
    let one_is_enough = !service.strategy.known().is_some_and(Strategy::reaches_every_replica);
    let healthy = service.replicas.iter().filter(|replica| replica.state == State::Ready);
    let mut missing: BTreeSet<&str> = healthy.map(|replica| replica.hostname.as_str()).collect();
    let started = Instant::now();
    while !missing.is_empty() && started.elapsed() < patience {
        let instance = answering_instance(request()).await;
        if !instance.is_some_and(|hostname| missing.remove(hostname.as_str())) {
            tokio::time::sleep(ASK_INTERVAL).await;
        } else if one_is_enough {
            return Ok(());
        }
    }
    match missing.first() {
        Some(hostname) => {
            let is_it = |replica: &&ReplicaView| replica.hostname == *hostname;
            let name = service.replicas.iter().find(is_it).map_or(*hostname, |replica| &replica.name);
            Err(NotReady::new(name, "does not answer through the proxy"))
        }
        None => Ok(()),
    }
}

/// The hostname of the instance that answers a request.
async fn answering_instance(request: RequestBuilder) -> Option<String> {
    let response = request.send().await.ok()?;
    response.headers().get("x-served-by")?.to_str().ok().map(str::to_owned)
}
