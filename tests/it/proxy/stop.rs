//! How it ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::ends::{Proxy, Server, until, within};
use crate::support::{Place, client};

/// A server that answers `/slow` once it is told to.
struct Slow {
    server: Server,
    arrived: Arc<AtomicBool>,
    release: watch::Sender<bool>,
}

async fn slow() -> Slow {
    let (release, released) = watch::channel(false);
    let arrived = Arc::new(AtomicBool::new(false));
    let arriving = arrived.clone();
    let server = Server::http(move |request| {
        let (mut released, arriving) = (released.clone(), arriving.clone());
        async move {
            if request.uri().path() == "/slow" {
                arriving.store(true, Ordering::SeqCst);
                released.wait_for(|&released| released).await.unwrap();
            }
            hyper::Response::new("done".into())
        }
    });
    Slow { server: server.await, arrived, release }
}

#[tokio::test]
async fn an_interrupt_lets_a_request_under_way_finish() {
    let slow = slow().await;
    let mut proxy = Proxy::start(&[slow.server.address], &[]);
    // a connection without request is no reason to wait
    let mut idle = proxy.connect().await;
    idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    idle.through("done").await.unwrap();
    let mut busy = proxy.connect().await;
    busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    until("the request to arrive", || slow.arrived.load(Ordering::SeqCst).then_some(())).await;
    proxy.interrupt();
    assert_eq!(idle.rest().await, "");
    until("the proxy to stop listening", || std::net::TcpStream::connect(proxy.address).err()).await;
    assert!(proxy.ended().is_none());
    slow.release.send(true).unwrap();
    let answer = busy.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
    let ended = until("the proxy to end", || proxy.ended()).await;
    assert_eq!(ended.code(), Some(130));
    assert!(proxy.log(2).await[1].contains("/slow"));
}

#[tokio::test]
async fn a_second_interrupt_ends_at_once() {
    let slow = slow().await;
    let mut proxy = Proxy::start(&[slow.server.address], &[]);
    let mut busy = proxy.connect().await;
    busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    until("the request to arrive", || slow.arrived.load(Ordering::SeqCst).then_some(())).await;
    proxy.interrupt();
    until("the proxy to stop listening", || std::net::TcpStream::connect(proxy.address).err()).await;
    assert!(proxy.ended().is_none());
    let start = Instant::now();
    proxy.interrupt();
    assert_eq!(until("the proxy to end", || proxy.ended()).await.code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn neither_silence_nor_half_a_request_delays_the_end() {
    let server = Server::echo("s1").await;
    let mut proxy = Proxy::start(&[server.address], &[]);
    let _silent = proxy.connect().await;
    let mut half = proxy.connect().await;
    half.send("GET / HTTP/1.1\r\nHost: a\r\nX-Slow").await;
    within(client().get(proxy.url("/")).send()).await.unwrap();
    let start = Instant::now();
    proxy.interrupt();
    until("the proxy to end", || proxy.ended()).await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn when_nobody_reads_the_log_any_more_it_ends() {
    use std::{io::BufRead, process::Stdio};
    let server = Server::echo("s1").await;
    let upstream = server.address.to_string();
    let place = Place::new();
    let mut command = place.command(["proxy", "--port", "0", "-u", &upstream]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    std::io::BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
    let url = said.split(' ').find(|word| word.starts_with("http://")).unwrap().to_owned();
    within(client().get(&url).send()).await.unwrap();
    let ended = until("the proxy to end", || child.try_wait().unwrap()).await;
    assert_ne!(ended.code(), Some(101), "no panic");
}

#[test]
fn what_cannot_be_used_is_said() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let proxy = |more: &[&str]| place.lbctl([&["proxy", "-u", "127.0.0.1:9"], more].concat());
    proxy(&["--port", &port]).fails(3, "the port is taken");
    proxy(&["--port", "0", "--rule", "Host('a')"]).fails(2, "not in single quotes");
    proxy(&["--port", "0", "-u", "a=127.0.0.1:1", "-u", "a=127.0.0.1:2"]).fails(2, "a");
    place.lbctl(["proxy", "--port", "0", "-u", "localhost:80"]).fails(2, "is not ADDR:PORT");
}
