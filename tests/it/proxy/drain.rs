//! Scaling: replicas come and go while requests flow. This is the proxy as a part, because `lbctl proxy` has a fixed
//! list of upstreams.

use std::{net::TcpListener, sync::Arc, time::Duration};

use lbctl::{
    model::{ExposedByDefault, Replica, Replicas, State},
    proxy::{Proxy, Settings},
};
use tokio::sync::watch;

use super::ends::{Server, served_by, within};
use crate::support::client;

/// A proxy whose replicas are what the test says.
pub struct Lab {
    pub proxy: Proxy,
    replicas: watch::Sender<Replicas>,
    url: String,
}

impl Lab {
    pub fn start(replicas: Vec<Replica>) -> Lab {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (sender, receiver) = watch::channel(replicas.into());
        let settings = Settings { exposed_by_default: ExposedByDefault::Yes, workers: 1 };
        Lab { proxy: Proxy::start(vec![listener], receiver, &settings).unwrap(), replicas: sender, url }
    }

    pub fn become_(&self, replicas: Vec<Replica>) {
        self.replicas.send(replicas.into()).unwrap();
    }

    pub async fn get(&self) -> reqwest::Response {
        within(client().get(&self.url).send()).await.unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url.trim_end_matches('/'))
    }

    pub async fn who(&self) -> String {
        served_by(&self.get().await).to_owned()
    }
}

fn replica(number: u32, server: &Server, state: State) -> Replica {
    let labels = [("traefik.http.routers.web.rule".to_owned(), "PathPrefix(`/`)".to_owned())];
    Replica {
        name: format!("web-{number}").into(),
        service: "web".into(),
        base: "web-lab".into(),
        number,
        hostname: format!("web-{number}"),
        address: Some(server.address),
        port: lbctl::model::Port::Bound,
        state,
        restarts: 0,
        ended: None,
        labels: Arc::new(labels.into()),
    }
}

#[tokio::test]
async fn with_no_replica_ready_it_is_503() {
    let server = Server::echo("web-1").await;
    let lab = Lab::start(vec![replica(1, &server, State::Starting)]);
    let response = lab.get().await;
    assert_eq!((response.status().as_u16(), &*response.text().await.unwrap()), (503, "no available server\n"));
    lab.become_(vec![replica(1, &server, State::Ready)]);
    within(lab.proxy.offers(&["web-1".to_owned()])).await;
    assert_eq!(lab.who().await, "web-1");
    lab.become_(vec![]);
    within(lab.proxy.drained("web-1")).await;
    assert_eq!(lab.get().await.status(), 404, "no replica, no labels, no router");
}

#[tokio::test]
async fn a_draining_replica_finishes_what_it_has_and_gets_no_more() {
    let (release, released) = watch::channel(false);
    let slow = Server::wires(move |mut wire| {
        let mut released = released.clone();
        async move {
            wire.head().await;
            wire.send("HTTP/1.1 200 OK\r\nx-served-by: web-1\r\nContent-Length: 8\r\n\r\nhalf").await;
            released.wait_for(|&released| released).await.unwrap();
            wire.send("done").await;
            wire.closed().await;
        }
    });
    let (slow, other) = (slow.await, Server::echo("web-2").await);
    let lab = Lab::start(vec![replica(1, &slow, State::Ready), replica(2, &other, State::Ready)]);
    let under_way = lab.get().await;
    assert_eq!(served_by(&under_way), "web-1");

    lab.become_(vec![replica(1, &slow, State::Draining), replica(2, &other, State::Ready)]);
    let drained = lab.proxy.drained("web-1");
    tokio::pin!(drained);
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut drained).await.is_err(), "it has a request");
    for _ in 0..5 {
        assert_eq!(lab.who().await, "web-2");
    }
    release.send(true).unwrap();
    within(drained).await;
    assert_eq!(under_way.text().await.unwrap(), "halfdone");
    within(lab.proxy.stop(Duration::from_secs(5))).await;
}

#[tokio::test]
async fn scaling_keeps_the_place_in_the_round() {
    let servers = [Server::echo("web-1").await, Server::echo("web-2").await, Server::echo("web-3").await];
    let ready = |numbers: &[u32]| -> Vec<Replica> {
        numbers.iter().map(|&n| replica(n, &servers[n as usize - 1], State::Ready)).collect()
    };
    let lab = Lab::start(ready(&[1, 2]));
    assert_eq!([lab.who().await, lab.who().await, lab.who().await], ["web-1", "web-2", "web-1"]);
    lab.become_(ready(&[1, 2, 3]));
    within(lab.proxy.offers(&["web-3".to_owned()])).await;
    assert_eq!([lab.who().await, lab.who().await, lab.who().await], ["web-2", "web-3", "web-1"]);
    lab.become_(ready(&[1, 3]));
    within(lab.proxy.drained("web-2")).await;
    assert_eq!([lab.who().await, lab.who().await], ["web-3", "web-1"]);
}

#[tokio::test]
async fn no_request_is_lost_while_replicas_come_and_go() {
    let servers = [Server::echo("web-1").await, Server::echo("web-2").await, Server::echo("web-3").await];
    let lab = Arc::new(Lab::start(vec![replica(1, &servers[0], State::Ready)]));
    let requests = {
        let lab = lab.clone();
        tokio::spawn(async move {
            for _ in 0..300 {
                assert_eq!(lab.get().await.status(), 200);
            }
        })
    };
    while !requests.is_finished() {
        for count in [3, 1, 2] {
            let state = |n| if n <= count { State::Ready } else { State::Draining };
            lab.become_((1..=3).map(|n| replica(n, &servers[n as usize - 1], state(n))).collect());
            for gone in count + 1..=3 {
                within(lab.proxy.drained(&format!("web-{gone}"))).await;
            }
            lab.become_((1..=count).map(|n| replica(n, &servers[n as usize - 1], State::Ready)).collect());
            tokio::task::yield_now().await;
        }
    }
    requests.await.unwrap();
}
