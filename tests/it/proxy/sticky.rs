//! The cookie that keeps a client on its replica.

use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::ends::{Proxy, Server, nobody, served_by};
use crate::support::client;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Traefik's name of the cookie, for the service that `lbctl proxy` makes.
fn name() -> String {
    format!("_{}", &hex(&Sha1::digest("_TRAEFIK_BACKEND_proxy@docker"))[..5])
}

/// Traefik's value for a server.
fn value(address: std::net::SocketAddr) -> String {
    hex(&Sha256::digest(format!("http://{address}")))[..16].to_owned()
}

fn cookie(response: &reqwest::Response) -> Option<&str> {
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert!(cookies.len() < 2, "{cookies:?}");
    cookies.first().map(|cookie| cookie.to_str().unwrap())
}

#[tokio::test]
async fn a_client_without_cookie_gets_one_and_stays_where_it_says() {
    let servers = [Server::echo("s1").await, Server::echo("s2").await, Server::echo("s3").await];
    let proxy = Proxy::start(&servers.each_ref().map(|server| server.address), &["--sticky"]);
    let client = client();
    let get = |cookie: &str| client.get(proxy.url("/")).header("cookie", cookie.to_owned()).send();
    for (server, name_of_server) in servers.iter().zip(["s1", "s2", "s3"]) {
        let first = client.get(proxy.url("/")).send().await.unwrap();
        assert_eq!(served_by(&first), name_of_server);
        let expected = format!("{}={}", name(), value(server.address));
        assert_eq!(cookie(&first), Some(&*format!("{expected}; Path=/")));
        for sent in [expected.clone(), format!("other=1; {expected}; more=2")] {
            let again = get(&sent).await.unwrap();
            assert_eq!((served_by(&again), cookie(&again)), (name_of_server, None), "{sent}");
        }
    }
    // requests that a cookie placed took no turn; one with a cookie that names nobody does, and gets a new cookie
    let unknown = get(&format!("{}=0123456789abcdef", name())).await.unwrap();
    assert_eq!((served_by(&unknown), cookie(&unknown).is_some()), ("s1", true));
    let other = get("PHPSESSID=abc").await.unwrap();
    assert_eq!((served_by(&other), cookie(&other).is_some()), ("s2", true));
}

#[tokio::test]
async fn a_cookie_is_replaced_when_its_server_is_gone() {
    let (gone, there) = (nobody().await, Server::echo("s2").await);
    let proxy = Proxy::start(&[gone, there.address], &["--sticky"]);
    let stale = format!("{}={}", name(), value(gone));
    let response = client().get(proxy.url("/")).header("cookie", stale).send().await.unwrap();
    assert_eq!(served_by(&response), "s2");
    assert_eq!(cookie(&response), Some(&*format!("{}={}; Path=/", name(), value(there.address))));
}

#[tokio::test]
async fn even_a_502_sets_the_cookie_of_its_pick() {
    let server = Server::wires(|mut wire| async move { _ = wire.head().await });
    let server = server.await;
    let proxy = Proxy::start(&[server.address], &["--sticky"]);
    let response = client().get(proxy.url("/")).send().await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(cookie(&response), Some(&*format!("{}={}; Path=/", name(), value(server.address))));
}

#[tokio::test]
async fn the_servers_own_cookies_stay() {
    let server = Server::scripted("HTTP/1.1 200 OK\r\nSet-Cookie: own=1\r\nContent-Length: 0\r\n\r\n").await;
    let proxy = Proxy::start(&[server.address], &["--sticky"]);
    let response = client().get(proxy.url("/")).send().await.unwrap();
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    assert_eq!(cookies, ["own=1", &format!("{}={}; Path=/", name(), value(server.address))]);
}
