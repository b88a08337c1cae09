//! Who gets the next request.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::ends::{Proxy, Server, nobody, until, who};
use crate::support::client;

const NAMES: [&str; 5] = ["s1", "s2", "s3", "s4", "s5"];

async fn five() -> (Vec<Server>, Vec<std::net::SocketAddr>) {
    let mut servers = Vec::new();
    for name in NAMES {
        servers.push(Server::echo(name).await);
    }
    let addresses = servers.iter().map(|server| server.address).collect();
    (servers, addresses)
}

fn tally(seen: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    seen.into_iter().fold(BTreeMap::new(), |mut tally, name| {
        *tally.entry(name).or_default() += 1;
        tally
    })
}

#[tokio::test]
async fn replicas_take_turns_strictly_in_order() {
    let (_servers, addresses) = five().await;
    let proxy = Proxy::start(&addresses, &[]);
    let kept = reqwest::Client::builder().no_proxy().build().unwrap();
    for round in 0..20 {
        // neither a new connection nor a kept one changes the order
        let client = if round % 2 == 0 { client() } else { kept.clone() };
        for name in NAMES {
            assert_eq!(who(&client, &proxy).await, name, "round {round}");
        }
    }
}

#[tokio::test]
async fn under_concurrency_each_replica_gets_exactly_its_share() {
    let (_servers, addresses) = five().await;
    let proxy = Arc::new(Proxy::start(&addresses, &["--threads", "2"]));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let proxy = proxy.clone();
        tasks.spawn(async move {
            let client = client();
            let mut seen = Vec::new();
            for _ in 0..40 {
                seen.push(who(&client, &proxy).await);
            }
            seen
        });
    }
    let seen = tasks.join_all().await;
    assert_eq!(tally(seen.into_iter().flatten()), NAMES.map(|name| (name.to_owned(), 80)).into());
}

#[tokio::test]
async fn a_replica_that_refuses_is_passed_over_and_named() {
    let (one, three) = (Server::echo("s1").await, Server::echo("s3").await);
    let proxy = Proxy::start(&[one.address, nobody().await, three.address], &[]);
    let client = client();
    for name in ["s1", "s3", "s1", "s3"] {
        // the body is kept for the one that takes it
        let response = client.post(proxy.url("/")).body("hello").send().await.unwrap();
        assert_eq!(response.headers()["x-served-by"], name);
        assert!(response.text().await.unwrap().ends_with("\n\nhello"));
    }
    let log = proxy.log(4).await;
    assert!(!log[0].contains("refused"), "{log:#?}");
    assert!(log[1].contains("s3") && log[1].ends_with("(s2 refused)"), "{log:#?}");
}

#[tokio::test]
async fn random_uses_every_replica() {
    let (_servers, addresses) = five().await;
    let proxy = Proxy::start(&addresses, &["--strategy", "random"]);
    let client = client();
    let mut seen = Vec::new();
    for _ in 0..200 {
        seen.push(who(&client, &proxy).await);
    }
    let repeated = seen.windows(2).filter(|pair| pair[0] == pair[1]).count();
    // a round robin never repeats; at random, 40 of 199 are expected, and fewer than 10 happen once in 10⁹ runs
    assert!(repeated >= 10, "{repeated} of {seen:?}");
    let tally = tally(seen);
    // 40 expected, with a standard deviation of 5.7
    assert!(NAMES.iter().all(|&name| tally.get(name).is_some_and(|hits| (6..75).contains(hits))), "{tally:?}");
}

/// Says its name, but never answers `/hold`: it waits until the connection is closed, and counts that.
async fn holding(name: &'static str, released: Arc<AtomicUsize>) -> Server {
    Server::wires(move |mut wire| {
        let released = released.clone();
        async move {
            while let Some(head) = wire.head().await {
                if head.starts_with("GET /hold") {
                    wire.closed().await;
                    released.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                wire.send(format!("HTTP/1.1 200 OK\r\nx-served-by: {name}\r\nContent-Length: 0\r\n\r\n")).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn power_of_two_avoids_the_busy_replica_until_its_client_has_gone() {
    let released = Arc::new(AtomicUsize::new(0));
    let servers = [holding("s1", released.clone()).await, holding("s2", released.clone()).await];
    let proxy = Proxy::start(&servers.each_ref().map(|server| server.address), &["--strategy", "p2c"]);
    let client = client();
    let mut held = proxy.connect().await;
    held.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let busy = until("a replica to be busy", || servers.iter().position(|server| server.accepted() == 1)).await;
    let (busy, idle) = [("s1", "s2"), ("s2", "s1")][busy];
    for _ in 0..20 {
        assert_eq!(who(&client, &proxy).await, idle);
    }
    // its client goes away: the replica sees it, and is as good as any other again
    drop(held);
    until("the replica to be let go", || (released.load(Ordering::SeqCst) == 1).then_some(())).await;
    let mut tries = 0;
    while who(&client, &proxy).await != busy {
        tries += 1;
        assert!(tries < 100, "{busy} still counts as busy");
    }
    assert!(proxy.log(1).await.iter().any(|line| line.contains(" 499 ") && line.contains("/hold")));
}

#[tokio::test]
async fn highest_random_weight_keeps_each_client_on_its_replica() {
    let (_servers, addresses) = five().await;
    let proxy = Proxy::start(&addresses, &["--strategy", "hrw"]);
    let mut homes = Vec::new();
    for host in 1..=20 {
        let source: IpAddr = [127, 0, 0, host].into();
        let client = reqwest::Client::builder().no_proxy().local_address(source).pool_max_idle_per_host(0);
        let client = client.build().unwrap();
        let home = who(&client, &proxy).await;
        for _ in 0..5 {
            assert_eq!(who(&client, &proxy).await, home, "{source}");
        }
        homes.push(home);
    }
    assert!(tally(homes.clone()).len() > 1, "20 clients share one replica: {homes:?}");
}
