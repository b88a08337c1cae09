//! What middlewares do to requests and answers. What is expected here was seen on Traefik 3.7.

use lbctl::model::State;

use super::{
    containers::container,
    drain::Lab,
    ends::{Server, nobody, within},
};
use crate::support::client;

/// A proxy in front of a server, with a router for every path that goes through these middlewares.
fn lab(address: std::net::SocketAddr, list: &str, middlewares: &[(&str, &str)]) -> Lab {
    let port = address.port().to_string();
    let names: Vec<_> =
        middlewares.iter().map(|(name, value)| (format!("traefik.http.middlewares.{name}"), *value)).collect();
    let mut labels: Vec<(&str, &str)> = names.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    labels.extend([
        ("traefik.http.routers.web.rule", "PathPrefix(`/`)"),
        ("traefik.http.routers.web.middlewares", list),
        ("traefik.http.services.web.loadbalancer.server.port", &port),
        ("traefik.http.services.web.loadbalancer.sticky.cookie.name", "srv"),
    ]);
    Lab::start(vec![container(1, State::Ready, &labels)])
}

/// What the server got for a request for this path: its first line, and the other lines.
async fn received(lab: &Lab, path: &str) -> (String, Vec<String>) {
    let response = within(client().get(lab.url(path)).header("x-mine", "1").send()).await.unwrap();
    let text = within(response.text()).await.unwrap();
    let mut lines = text.lines().map(str::to_owned);
    (lines.next().unwrap(), lines.collect())
}

#[tokio::test]
async fn a_stripped_prefix_is_told_of() {
    let server = Server::echo("web-1").await;
    let lab = lab(
        server.address,
        "api@docker, v1",
        &[("api.stripprefix.prefixes", "/api, /ap,/api/v1"), ("v1.stripprefix.prefixes", "/v1")],
    );
    for (path, first, told) in [
        ("/api/v1/x?q=%zz", "GET /x?q=%zz HTTP/1.1", &["/api", "/v1"][..]),
        ("/api", "GET / HTTP/1.1", &["/api"]),
        ("/api/x%2Fy?", "GET /x%2Fy? HTTP/1.1", &["/api"]),
        ("/ap/(x)", "GET /(x) HTTP/1.1", &["/ap"]),
        ("/v1/", "GET / HTTP/1.1", &["/v1"]),
        ("/other", "GET /other HTTP/1.1", &[]),
    ] {
        let (line, headers) = received(&lab, path).await;
        assert_eq!(line, first, "{path}");
        let prefixes: Vec<_> = headers.iter().filter_map(|line| line.strip_prefix("x-forwarded-prefix: ")).collect();
        assert_eq!(prefixes, told, "{path}");
    }
}

#[tokio::test]
async fn headers_are_set_for_the_server_and_for_the_client() {
    let server = Server::echo("web-1").await;
    let lab = lab(
        server.address,
        "all",
        &[
            ("all.headers.customRequestHeaders.X-One", "1"),
            ("all.headers.customrequestheaders.X-Mine", ""),
            ("all.headers.customrequestheaders.X-Forwarded-For", "9.9.9.9"),
            ("all.headers.customrequestheaders.Host", "other.example"),
            ("all.headers.customresponseheaders.X-Two", "2"),
            ("all.headers.customresponseheaders.X-Served-By", ""),
        ],
    );
    let (_, headers) = received(&lab, "/").await;
    for line in ["x-one: 1", "x-forwarded-for: 9.9.9.9, 127.0.0.1", "host: other.example"] {
        assert!(headers.iter().any(|header| header == line), "{line} in {headers:?}");
    }
    let unchanged = format!("x-forwarded-host: {}", lab.url("").strip_prefix("http://").unwrap());
    assert!(headers.contains(&unchanged), "{headers:?}");
    assert!(!headers.iter().any(|header| header.starts_with("x-mine")), "{headers:?}");
    let answer = lab.get().await;
    assert_eq!(answer.headers()["x-two"], "2");
    assert!(!answer.headers().contains_key("x-served-by"));
    assert!(answer.headers()["set-cookie"].to_str().unwrap().starts_with("srv="));
}

#[tokio::test]
async fn the_proxys_own_answers_go_back_the_same_way() {
    let headers = [
        ("h.headers.customresponseheaders.Set-Cookie", "c=3"),
        ("h.headers.customresponseheaders.Content-Type", "text/x"),
        ("s.stripprefix.prefixes", "/ap"),
    ];
    let lab = lab(nobody().await, "h,s", &headers);
    for (path, status, text) in [("/", 502, "Bad Gateway"), ("/ap../x", 400, "Bad Request\n")] {
        let answer = within(client().get(lab.url(path)).send()).await.unwrap();
        assert_eq!(
            (answer.headers()["set-cookie"].as_bytes(), answer.headers()["content-type"].as_bytes()),
            (&b"c=3"[..], &b"text/x"[..])
        );
        assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 1);
        assert_eq!((answer.status().as_u16(), &*within(answer.text()).await.unwrap()), (status, text), "{path}");
    }
}

#[tokio::test]
async fn a_body_keeps_its_length_whatever_a_middleware_sets() {
    let server = Server::echo("web-1").await;
    let headers = [
        ("h.headers.customrequestheaders.Content-Length", "3"),
        ("h.headers.customrequestheaders.Transfer-Encoding", "chunked"),
        ("h.headers.customrequestheaders.Connection", "x-mine"),
        ("h.headers.customresponseheaders.Content-Length", "3"),
    ];
    let lab = lab(server.address, "h", &headers);
    let answer = within(client().post(lab.url("/")).header("x-mine", "1").body("abcdef").send()).await.unwrap();
    let text = within(answer.text()).await.unwrap();
    assert!(text.contains("\ncontent-length: 6\n") && text.ends_with("\n\nabcdef"), "{text}");
    assert!(!text.contains("transfer-encoding") && !text.contains("x-mine"), "{text}");
}
