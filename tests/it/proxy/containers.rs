//! Replicas whose labels say where they answer, as those of containers do. The servers are the test's own, on loopback.

use std::{sync::Arc, time::Duration};

use lbctl::model::{Port, Replica, State};

use super::{
    drain::Lab,
    ends::{Server, served_by, within},
};
use crate::support::client;

/// One whose labels must say its port.
pub fn container(number: u32, state: State, labels: &[(&str, &str)]) -> Replica {
    Replica {
        name: format!("web-{number}").into(),
        service: "web".into(),
        base: "web-lab".into(),
        number,
        hostname: format!("web-{number}"),
        address: Some(([127, 0, 0, 1], 0).into()),
        port: Port::Labelled,
        state,
        restarts: 0,
        ended: None,
        labels: Arc::new(labels.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()),
    }
}

/// A container that is a site on one port and its administration on another.
fn two_services(state: State, site: &Server, admin: &Server) -> Replica {
    let service = |name: &str| format!("traefik.http.services.{name}.loadbalancer.server.port");
    container(
        1,
        state,
        &[
            ("traefik.http.routers.site.rule", "PathPrefix(`/`)"),
            ("traefik.http.routers.site.service", "site"),
            ("traefik.http.routers.admin.rule", "PathPrefix(`/admin`)"),
            ("traefik.http.routers.admin.service", "admin@docker"),
            (&service("site"), &site.address.port().to_string()),
            (&service("admin"), &admin.address.port().to_string()),
        ],
    )
}

#[tokio::test]
async fn each_service_of_a_container_answers_at_its_own_port() {
    let (site, admin) = (Server::echo("site").await, Server::echo("admin").await);
    let lab = Lab::start(vec![two_services(State::Ready, &site, &admin)]);
    for (path, name) in [("/", "site"), ("/admin/x", "admin"), ("/a", "site")] {
        let response = within(client().get(lab.url(path)).send()).await.unwrap();
        assert_eq!(served_by(&response), name, "{path}");
    }
}

#[tokio::test]
async fn a_draining_container_finishes_the_requests_of_all_its_services() {
    let (release, released) = tokio::sync::watch::channel(false);
    let slow = Server::wires(move |mut wire| {
        let mut released = released.clone();
        async move {
            wire.head().await;
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf").await;
            released.wait_for(|&released| released).await.unwrap();
            wire.send("done").await;
        }
    });
    let (site, admin) = (Server::echo("site").await, slow.await);
    let lab = Lab::start(vec![two_services(State::Ready, &site, &admin)]);
    let under_way = within(client().get(lab.url("/admin")).send()).await.unwrap();
    lab.become_(vec![two_services(State::Draining, &site, &admin)]);
    let drained = lab.proxy.drained("web-1");
    tokio::pin!(drained);
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut drained).await.is_err(), "it has a request");
    release.send(true).unwrap();
    within(drained).await;
    assert_eq!(under_way.text().await.unwrap(), "halfdone");
}

#[tokio::test]
async fn the_last_container_takes_its_routes_with_it() {
    let server = Server::echo("web-1").await;
    let port = server.address.port().to_string();
    let web = |state| container(1, state, &[("traefik.http.services.web.loadbalancer.server.port", &port)]);
    let lab = Lab::start(vec![web(State::Ready)]);
    let get = || client().get(lab.url("/")).header("host", "web-lab").send();
    assert_eq!(within(get()).await.unwrap().status(), 200);
    for state in [State::Unhealthy, State::Starting, State::Draining] {
        lab.become_(vec![web(state)]);
        within(lab.proxy.drained("web-1")).await;
        let response = within(get()).await.unwrap();
        let answer = (response.status().as_u16(), &*within(response.text()).await.unwrap());
        // with child processes it is 503: their lab knows that they are to come back
        assert_eq!(answer, (404, "404 page not found\n"), "{state}");
    }
    lab.become_(vec![web(State::Ready)]);
    within(lab.proxy.offers(&["web-1".to_owned()])).await;
    assert_eq!(within(get()).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_containers_weight_is_its_share() {
    let servers = [Server::echo("web-1").await, Server::echo("web-2").await, Server::echo("web-3").await];
    let web = |weights: [&str; 3]| -> Vec<Replica> {
        let replicas = (1..).zip(&servers).zip(weights).map(|((number, server), weight)| {
            let server_field = |field: &str| format!("traefik.http.services.web.loadbalancer.server.{field}");
            container(
                number,
                State::Ready,
                &[
                    ("traefik.http.routers.web.rule", "PathPrefix(`/`)"),
                    (&server_field("port"), &server.address.port().to_string()),
                    (&server_field("weight"), weight),
                ],
            )
        });
        replicas.collect()
    };
    let lab = Lab::start(web(["3", "1", "0"]));
    for round in 0..3 {
        for name in ["web-1", "web-1", "web-2", "web-1"] {
            assert_eq!(lab.who().await, name, "round {round}");
        }
    }
    assert!(lab.proxy.problems().is_empty());
    lab.become_(web(["2", "2", "2"]));
    within(lab.proxy.offers(&["web-3".to_owned()])).await;
    assert_eq!([lab.who().await, lab.who().await, lab.who().await], ["web-2", "web-3", "web-1"]);
    lab.become_(web(["0", "0", "0"]));
    within(lab.proxy.drained("web-1")).await;
    assert_eq!(lab.get().await.status(), 503, "the router is there, and no server");
}
