//! The built-in apps over HTTP: every line of the design's table of what the lab's apps answer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;

use lbctl::{
    app::{Served, serve},
    replica::App,
};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect::Policy};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

const FORM: &str = "application/x-www-form-urlencoded";

/// A replica in this process, and a client without a cookie jar: a test says which cookie it sends.
struct Server {
    address: SocketAddr,
    client: Client,
    stop: oneshot::Sender<()>,
    end: JoinHandle<std::io::Result<Served>>,
}

impl Server {
    async fn start(app: App, hostname: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let end = tokio::spawn(serve(app, hostname.to_owned(), listener, async {
            let _ = stopped.await;
        }));
        Self { address, client: client(), stop, end }
    }

    async fn page() -> Self {
        Self::start(App::Page, "web_static-3").await
    }

    async fn api() -> Self {
        Self::start(App::Api, "web_dynamic-2").await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// The session `id` as this server has it.
    async fn session(&self, id: &str) -> Value {
        json_of(self.request(Method::GET, "/session").header("cookie", format!("PHPSESSID={id}")).send().await.unwrap())
            .await["session"]
            .take()
    }

    fn login(&self, id: &str, form: &str) -> RequestBuilder {
        self.request(Method::POST, "/login")
            .header("cookie", format!("PHPSESSID={id}"))
            .header("content-type", FORM)
            .body(form.to_owned())
    }

    fn logout(&self, id: &str) -> RequestBuilder {
        self.request(Method::POST, "/logout").header("cookie", format!("PHPSESSID={id}"))
    }

    async fn stop(self) -> Served {
        self.stop.send(()).unwrap();
        self.end.await.unwrap().unwrap()
    }
}

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

async fn json_of(response: Response) -> Value {
    assert_eq!(header(&response, "content-type"), Some("application/json"));
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

/// The id that a response hands out, exactly as PHP writes the cookie.
fn new_id(response: &Response) -> Option<String> {
    let cookie = header(response, "set-cookie")?;
    let id = cookie.strip_prefix("PHPSESSID=").and_then(|rest| rest.strip_suffix("; path=/")).expect(cookie);
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    Some(id.to_owned())
}

#[tokio::test]
async fn every_response_names_its_server_and_is_not_stored() {
    let page = Server::page().await;
    for (method, path, status) in [
        (Method::GET, "/", 200),
        (Method::HEAD, "/", 200),
        (Method::GET, "/?from=mail", 200),
        (Method::GET, "/session", 200),
        (Method::GET, "/session?delay=x", 400),
        (Method::POST, "/login", 400),
        (Method::POST, "/logout", 303),
        (Method::GET, "/health", 200),
        (Method::GET, "/nowhere", 404),
        (Method::GET, "/favicon.ico", 404),
        (Method::DELETE, "/", 405),
    ] {
        let response = page.request(method.clone(), path).send().await.unwrap();
        assert_eq!(response.status(), status, "{method} {path}");
        assert_eq!(header(&response, "x-served-by"), Some("web_static-3"), "{method} {path}");
        assert_eq!(header(&response, "cache-control"), Some("no-store"), "{method} {path}");
    }
    let api = Server::api().await;
    for (method, path, status) in [
        (Method::GET, "/api/", 200),
        (Method::GET, "/api/?x=1", 200),
        (Method::HEAD, "/api/", 200),
        (Method::GET, "/api/?delay=10001", 400),
        (Method::GET, "/health", 200),
        (Method::GET, "/api", 404),
        (Method::GET, "/api/more", 404),
        (Method::GET, "/", 404),
        (Method::POST, "/api/", 405),
    ] {
        let response = api.request(method.clone(), path).send().await.unwrap();
        assert_eq!(response.status(), status, "{method} {path}");
        assert_eq!(header(&response, "x-served-by"), Some("web_dynamic-2"), "{method} {path}");
        assert_eq!(header(&response, "cache-control"), Some("no-store"), "{method} {path}");
        assert_eq!(header(&response, "set-cookie"), None, "{method} {path}");
    }
}

#[tokio::test]
async fn the_page_shows_its_server_and_opens_the_session() {
    let server = Server::page().await;
    let response = server.get("/").await;
    assert_eq!(header(&response, "content-type"), Some("text/html; charset=utf-8"));
    let policy = header(&response, "content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let id = new_id(&response).unwrap();
    let page = response.text().await.unwrap();
    assert!(page.contains(r#"<h1 id="hostname">web_static-3</h1>"#));
    assert!(page.contains("not logged in"));
    assert!(page.contains(&format!(r#"title="{id}""#)));
    for part in ["login", "logout", "auto-reload", "fetch-dynamic", "dynamic-list", "history", "clear-history"] {
        assert!(page.contains(&format!(r#"id="{part}""#)), "{part}");
    }
    assert_eq!(server.session(&id).await["visits"], 2);
}

#[tokio::test]
async fn the_session_is_told_in_json_with_its_fields_in_order() {
    let server = Server::page().await;
    let cookie = "PHPSESSID=adopted";
    let response = server.request(Method::GET, "/session").header("cookie", cookie).send().await.unwrap();
    assert_eq!(
        response.text().await.unwrap(),
        r#"{"hostname":"web_static-3","service":"web_static","session":{"id":"adopted","logged_in":false,"user":null,"visits":1}}"#
    );
}

#[tokio::test]
async fn an_unknown_id_is_adopted_and_no_cookie_sent() {
    let server = Server::page().await;
    for path in ["/", "/session"] {
        let request = server.request(Method::GET, path).header("cookie", "a=b; PHPSESSID=from,elsewhere-1");
        assert_eq!(new_id(&request.send().await.unwrap()), None, "{path}");
    }
    assert_eq!(server.session("from,elsewhere-1").await["visits"], 3);
}

#[tokio::test]
async fn an_id_that_php_refuses_is_replaced() {
    let server = Server::page().await;
    let long = "a".repeat(257);
    for bad in ["", "a!b", "a b", "../../etc/passwd", "<b>", &long] {
        let request = server.request(Method::GET, "/session").header("cookie", format!("PHPSESSID={bad}"));
        let response = request.send().await.unwrap();
        let id = new_id(&response).expect(bad);
        assert_eq!(json_of(response).await["session"]["id"], id.as_str(), "{bad}");
    }
}

#[tokio::test]
async fn a_login_in_a_browser_leads_back_to_the_page() {
    let server = Server::page().await;
    let id = new_id(&server.get("/").await).unwrap();
    let response = server.login(&id, "user=alice").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(header(&response, "location"), Some("/"));
    assert_eq!(new_id(&response), None, "the id is not regenerated");
    assert_eq!(server.session(&id).await, json!({"id": id, "logged_in": true, "user": "alice", "visits": 3}));
    let response = server.logout(&id).send().await.unwrap();
    assert_eq!((response.status(), header(&response, "location")), (StatusCode::SEE_OTHER, Some("/")));
    assert_eq!(server.session(&id).await, json!({"id": id, "logged_in": false, "user": null, "visits": 5}));
}

#[tokio::test]
async fn a_program_reads_what_login_and_logout_did() {
    let server = Server::page().await;
    let asked = server.login("s", "user=alice").header("accept", "application/json").send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::OK);
    assert_eq!(
        json_of(asked).await,
        json!({"hostname": "web_static-3", "service": "web_static",
            "session": {"id": "s", "logged_in": true, "user": "alice", "visits": 1}})
    );
    let asked = server.logout("s").header("accept", "application/json").send().await.unwrap();
    assert_eq!(json_of(asked).await["session"], json!({"id": "s", "logged_in": false, "user": null, "visits": 2}));
}

#[tokio::test]
async fn a_login_without_a_session_opens_one() {
    let server = Server::page().await;
    let request = server.request(Method::POST, "/login").header("content-type", FORM).body("user=alice");
    let id = new_id(&request.send().await.unwrap()).unwrap();
    assert_eq!(server.session(&id).await, json!({"id": id, "logged_in": true, "user": "alice", "visits": 2}));
}

#[tokio::test]
async fn only_the_server_that_took_the_login_knows_of_it() {
    let (one, other) = (Server::page().await, Server::start(App::Page, "web_static-4").await);
    one.login("shared", "user=alice").send().await.unwrap();
    assert_eq!(one.session("shared").await["user"], "alice");
    assert_eq!(other.session("shared").await, json!({"id": "shared", "logged_in": false, "user": null, "visits": 1}));
    assert_eq!(one.session("shared").await["user"], "alice", "the login flickers, it is not destroyed");
}

#[tokio::test]
async fn a_name_is_shown_as_text() {
    let server = Server::page().await;
    server.login("s", "user=%3Cimg+src%3Dx+onerror%3D%22alert('1')%22%3E").send().await.unwrap();
    let page = server.request(Method::GET, "/").header("cookie", "PHPSESSID=s").send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("logged in as &lt;img src=x onerror=&quot;alert(&#039;1&#039;)&quot;&gt;"));
    assert!(!page.contains("<img"));
}

#[tokio::test]
async fn a_login_of_nobody_changes_nothing() {
    let server = Server::page().await;
    let long = format!("user={}", "x".repeat(65));
    for form in ["", "user=", "user=%07", &long] {
        let response = server.login("s", form).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{form}");
        assert_eq!(header(&response, "content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(new_id(&response), None);
    }
    let response = server.login("s", "").header("accept", "application/json").send().await.unwrap();
    assert!(json_of(response).await["error"].is_string());
    assert_eq!(server.session("s").await["visits"], 1, "refused requests are not part of the session");
}

#[tokio::test]
async fn a_body_that_no_form_has_is_too_large() {
    let server = Server::page().await;
    let flood = format!("user={}", "x".repeat(1 << 20));
    for request in [server.login("s", &flood), server.logout("s").body(flood.clone())] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(header(&response, "x-served-by"), Some("web_static-3"));
    }
}

#[tokio::test]
async fn the_health_check_is_not_counted_and_opens_no_session() {
    for server in [Server::page().await, Server::api().await] {
        let response = server.get("/health").await;
        assert_eq!((response.status(), header(&response, "set-cookie")), (StatusCode::OK, None));
        assert_eq!(response.text().await.unwrap(), "ok");
        assert_eq!(server.stop().await, Served { sessions: 0, logged_in: 0 });
    }
}

#[tokio::test]
async fn the_api_counts_its_answers() {
    let server = Server::api().await;
    server.get("/health").await;
    server.get("/api/?delay=soon").await;
    for n in 1..=3 {
        let answer = server.get("/api/").await.text().await.unwrap();
        let start = format!(r#"{{"hostname":"web_dynamic-2","service":"web_dynamic","request":{n},"time":""#);
        let time = answer.strip_prefix(&start).and_then(|rest| rest.strip_suffix(r#""}"#)).expect(&answer);
        assert!(time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    }
}

#[tokio::test]
async fn a_delay_is_waited_for() {
    let (page, api) = (Server::page().await, Server::api().await);
    for (server, path) in [(&page, "/session?delay=60"), (&api, "/api/?delay=60")] {
        let start = std::time::Instant::now();
        assert_eq!(server.get(path).await.status(), StatusCode::OK);
        assert!(start.elapsed().as_millis() >= 60, "{path}");
    }
}

#[tokio::test]
async fn a_delay_that_makes_no_sense_is_refused_in_json() {
    let (page, api) = (Server::page().await, Server::api().await);
    for delay in ["10001", "-1", "1.5", "soon", ""] {
        for (server, path) in [(&page, "/session"), (&api, "/api/")] {
            let response = server.get(&format!("{path}?delay={delay}")).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path} {delay}");
            assert_eq!(new_id(&response), None);
            assert_eq!(
                json_of(response).await,
                json!({"error": "delay must be a whole number of milliseconds up to 10000"})
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_which_is_right() {
    let (page, api) = (Server::page().await, Server::api().await);
    for (server, method, path, allowed) in [
        (&page, Method::POST, "/", "GET,HEAD"),
        (&page, Method::POST, "/session", "GET,HEAD"),
        (&page, Method::GET, "/login", "POST"),
        (&page, Method::GET, "/logout", "POST"),
        (&page, Method::POST, "/health", "GET,HEAD"),
        (&api, Method::PUT, "/api/", "GET,HEAD"),
    ] {
        let response = server.request(method.clone(), path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(header(&response, "allow"), Some(allowed), "{method} {path}");
    }
}

#[tokio::test]
async fn an_error_is_json_for_programs_and_text_for_people() {
    let (page, api) = (Server::page().await, Server::api().await);
    assert_eq!(page.get("/nowhere").await.text().await.unwrap(), "nothing at /nowhere\n");
    let asked = page.request(Method::GET, "/nowhere").header("accept", "application/json").send().await.unwrap();
    assert_eq!(json_of(asked).await, json!({"error": "nothing at /nowhere"}));
    let wrong = page.request(Method::PUT, "/session").send().await.unwrap();
    assert_eq!(json_of(wrong).await, json!({"error": "PUT is not allowed at /session"}));
    assert_eq!(json_of(api.get("/api/more").await).await, json!({"error": "nothing at /api/more"}));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let (page, api) = (Server::page().await, Server::api().await);
    let response = page.request(Method::HEAD, "/").send().await.unwrap();
    let id = new_id(&response).unwrap();
    assert!(header(&response, "content-length").unwrap().parse::<usize>().unwrap() > 1000);
    assert_eq!(response.text().await.unwrap(), "");
    assert_eq!(page.session(&id).await["visits"], 2);
    assert_eq!(page.request(Method::HEAD, "/nowhere").send().await.unwrap().text().await.unwrap(), "");
    api.request(Method::HEAD, "/api/").send().await.unwrap();
    assert_eq!(json_of(api.get("/api/").await).await["request"], 2);
}

#[tokio::test]
async fn a_server_that_stops_answers_what_it_has_begun_and_says_what_is_lost() {
    let server = Server::page().await;
    server.login("one", "user=alice").send().await.unwrap();
    server.get("/").await;
    // an idle connection that never sends anything must not hold the server up
    let _silent = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let slow = server.request(Method::GET, "/session?delay=1000").header("cookie", "PHPSESSID=slow");
    let slow = tokio::spawn(slow.send());
    // it counts before it waits: once the session has seen more than was asked here, the slow request is under way
    for asked in 1.. {
        if server.session("slow").await["visits"].as_u64() > Some(asked) {
            break;
        }
    }
    assert!(!slow.is_finished(), "nobody else waits for it");
    let address = server.address;
    assert_eq!(server.stop().await, Served { sessions: 3, logged_in: 1 });
    let answer = slow.await.unwrap().unwrap();
    assert_eq!(json_of(answer).await["session"]["id"], "slow");
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_hostname_that_fits_no_header_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = serve(App::Api, "two\nlines".into(), listener, std::future::pending()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
