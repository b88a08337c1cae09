//! One contract, three implementations: what the lab's apps answer, asked of the built-in apps, of Apache with PHP and
//! of Node in their containers.
//!
//! A check is a function of the servers it asks; a test runs all of them against one implementation. What the design's
//! table says stands in the checks; in what it leaves open, the containers are held to the built-in apps' answers.
//!
//! Left open on purpose is what no program of the lab sees: a request that is no HTTP, or TRACE, is refused by hyper,
//! Apache and Node in words of their own.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use lbctl::{
    app::serve,
    model::{App, Sessions},
};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header::HeaderValue};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::support::{
    client,
    docker::{Container, base, image, traefik},
    eventually,
};

const FORM: &str = "application/x-www-form-urlencoded";

/// A server of one of the apps, and a client without a cookie jar: a check says which cookie it sends.
pub struct Server {
    pub address: String,
    pub hostname: String,
    client: Client,
}

/// A replica in this process.
pub struct BuiltIn {
    pub server: Server,
    stop: oneshot::Sender<()>,
    end: JoinHandle<std::io::Result<Sessions>>,
}

impl BuiltIn {
    pub async fn start(app: App, hostname: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel();
        let end = tokio::spawn(serve(app, hostname.to_owned(), listener, async {
            let _ = stopped.await;
        }));
        Self { server: Server { address, hostname: hostname.to_owned(), client: client() }, stop, end }
    }

    pub async fn stop(self) -> Sessions {
        self.stop.send(()).unwrap();
        self.end.await.unwrap().unwrap()
    }
}

impl Server {
    /// The program in a container, once it answers.
    async fn of(container: &Container) -> Self {
        let server =
            Self { address: container.address.clone(), hostname: container.hostname.clone(), client: client() };
        let start = Instant::now();
        while !matches!(server.request(Method::GET, "/health").send().await, Ok(answer) if answer.status() == 200) {
            assert!(start.elapsed() < crate::support::DEADLINE, "{} does not answer", server.address);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// The session `id` as this server has it.
    pub async fn session(&self, id: &str) -> Value {
        json_of(self.request(Method::GET, "/session").header("cookie", format!("PHPSESSID={id}")).send().await.unwrap())
            .await["session"]
            .take()
    }

    pub fn login(&self, id: &str, form: &str) -> RequestBuilder {
        self.request(Method::POST, "/login")
            .header("cookie", format!("PHPSESSID={id}"))
            .header("content-type", FORM)
            .body(form.to_owned())
    }

    fn logout(&self, id: &str) -> RequestBuilder {
        self.request(Method::POST, "/logout").header("cookie", format!("PHPSESSID={id}"))
    }
}

pub fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

pub async fn json_of(response: Response) -> Value {
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

/// A session's id that no other check has.
fn id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("check-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

#[tokio::test]
async fn the_built_in_apps_keep_the_contract() {
    let pages = [BuiltIn::start(App::Page, "web_static-3").await, BuiltIn::start(App::Page, "web_static-4").await];
    let api = BuiltIn::start(App::Api, "web_dynamic-2").await;
    check_page(&pages[0].server, &pages[1].server).await;
    check_api(&api.server).await;
}

#[tokio::test]
async fn the_php_page_keeps_the_contract() {
    let Some(image) = image("web_static") else { return };
    let containers = [Container::start(&image, 80), Container::start(&image, 80)];
    let (one, other) = (Server::of(&containers[0]).await, Server::of(&containers[1]).await);
    check_page(&one, &other).await;
    let built_in = BuiltIn::start(App::Page, &one.hostname).await;
    page_answers_alike(&built_in.server, &one).await;
    check_container(&containers[0], "www-data", r#""GET /session HTTP/1.1" 200 "#);
    waits_for_requests_in_flight(&containers[0], &one, "/session?delay=2000").await;
    waits_for_nobody(&containers[1], &other, "/session?delay=10000").await;
}

#[tokio::test]
async fn the_node_service_keeps_the_contract() {
    let Some(image) = image("web_dynamic") else { return };
    let containers = [Container::start(&image, 3000), Container::start(&image, 3000)];
    let (one, other) = (Server::of(&containers[0]).await, Server::of(&containers[1]).await);
    check_api(&one).await;
    let built_in = BuiltIn::start(App::Api, &one.hostname).await;
    api_answers_alike(&built_in.server, &one).await;
    check_container(&containers[0], "node", r#""GET /api/ HTTP/1.1" 200 "#);
    waits_for_requests_in_flight(&containers[0], &one, "/api/?delay=2000").await;
    waits_for_nobody(&containers[1], &other, "/api/?delay=10000").await;
}

#[test]
fn the_stand_ins_have_the_names_that_the_lab_asks_for() {
    let script = include_str!("../images/make");
    for (name, image) in [("php", base("web_static")), ("node", base("web_dynamic"))] {
        assert!(script.contains(&format!("\n{name}={image}\n")), "{image}");
    }
    assert!(script.contains(&format!("\ntraefik={}\n", traefik())), "{}", traefik());
}

async fn check_page(page: &Server, other: &Server) {
    every_response_of_the_page_names_its_server(page).await;
    the_page_shows_its_server_and_opens_the_session(page).await;
    the_session_is_told_in_json_with_its_fields_in_order(page).await;
    an_unknown_id_is_adopted_and_no_cookie_sent(page).await;
    an_id_that_php_refuses_is_replaced(page).await;
    a_login_in_a_browser_leads_back_to_the_page(page).await;
    a_program_reads_what_login_and_logout_did(page).await;
    a_login_without_a_session_opens_one(page).await;
    only_the_server_that_took_the_login_knows_of_it(page, other).await;
    a_name_is_shown_as_text(page).await;
    a_login_of_nobody_changes_nothing(page).await;
    a_body_that_no_form_has_is_too_large(page).await;
    the_health_check_opens_no_session(page).await;
    a_delay_is_waited_for(page, "/session").await;
    a_delay_holds_nobody_else_up(page).await;
    a_delay_that_makes_no_sense_is_refused_in_json(page, "/session").await;
    for (method, path, allowed) in [
        (Method::POST, "/", "GET,HEAD"),
        (Method::POST, "/session", "GET,HEAD"),
        (Method::GET, "/login", "POST"),
        (Method::GET, "/logout", "POST"),
        (Method::POST, "/health", "GET,HEAD"),
    ] {
        a_wrong_method_is_told_which_is_right(page, method, path, allowed).await;
    }
    an_error_of_the_page_is_json_for_programs_and_text_for_people(page).await;
    head_of_the_page_is_get_without_the_body(page).await;
}

async fn check_api(api: &Server) {
    every_response_of_the_api_names_its_server(api).await;
    the_health_check_opens_no_session(api).await;
    the_api_counts_its_answers(api).await;
    a_delay_is_waited_for(api, "/api/").await;
    a_delay_that_makes_no_sense_is_refused_in_json(api, "/api/").await;
    a_wrong_method_is_told_which_is_right(api, Method::PUT, "/api/", "GET,HEAD").await;
    head_of_the_api_is_get_without_the_body(api).await;
}

async fn every_response_of_the_page_names_its_server(page: &Server) {
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
        (Method::GET, "/index.php", 404),
        (Method::GET, "/page.css", 404),
        (Method::DELETE, "/", 405),
    ] {
        names_its_server(page, method, path, status).await;
    }
}

async fn every_response_of_the_api_names_its_server(api: &Server) {
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
        let response = names_its_server(api, method, path, status).await;
        assert_eq!(header(&response, "set-cookie"), None, "{path}");
    }
}

async fn names_its_server(server: &Server, method: Method, path: &str, status: u16) -> Response {
    let response = server.request(method.clone(), path).send().await.unwrap();
    assert_eq!(response.status(), status, "{method} {path}");
    for (name, value) in [("x-served-by", server.hostname.as_str()), ("cache-control", "no-store")] {
        let values: Vec<_> = response.headers().get_all(name).iter().collect();
        assert_eq!(values, [value], "{method} {path}");
    }
    response
}

async fn the_page_shows_its_server_and_opens_the_session(server: &Server) {
    let response = server.get("/").await;
    assert_eq!(header(&response, "content-type"), Some("text/html; charset=utf-8"));
    let policy = header(&response, "content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let id = new_id(&response).unwrap();
    let page = response.text().await.unwrap();
    assert!(page.contains(&format!(r#"<h1 id="hostname">{}</h1>"#, server.hostname)));
    assert!(page.contains("not logged in"));
    assert!(page.contains(&format!(r#"title="{id}""#)));
    for part in ["login", "logout", "auto-reload", "fetch-dynamic", "dynamic-list", "history", "clear-history"] {
        assert!(page.contains(&format!(r#"id="{part}""#)), "{part}");
    }
    assert_eq!(server.session(&id).await["visits"], 2);
}

async fn the_session_is_told_in_json_with_its_fields_in_order(server: &Server) {
    let id = id();
    let cookie = format!("PHPSESSID={id}");
    let response = server.request(Method::GET, "/session").header("cookie", cookie).send().await.unwrap();
    let session = format!(r#"{{"id":"{id}","logged_in":false,"user":null,"visits":1}}"#);
    assert_eq!(
        response.text().await.unwrap(),
        format!(r#"{{"hostname":"{}","service":"web_static","session":{session}}}"#, server.hostname)
    );
}

async fn an_unknown_id_is_adopted_and_no_cookie_sent(server: &Server) {
    for path in ["/", "/session"] {
        let request = server.request(Method::GET, path).header("cookie", "a=b; PHPSESSID=from,elsewhere-1");
        assert_eq!(new_id(&request.send().await.unwrap()), None, "{path}");
    }
    assert_eq!(server.session("from,elsewhere-1").await["visits"], 3);
}

async fn an_id_that_php_refuses_is_replaced(server: &Server) {
    let long = "a".repeat(257);
    for bad in ["", "a!b", "a b", "../../etc/passwd", "<b>", &long] {
        let request = server.request(Method::GET, "/session").header("cookie", format!("PHPSESSID={bad}"));
        let response = request.send().await.unwrap();
        let id = new_id(&response).expect(bad);
        assert_eq!(json_of(response).await["session"]["id"], id.as_str(), "{bad}");
        assert_eq!(server.session(&id).await["visits"], 2, "{bad}");
    }
}

async fn a_login_in_a_browser_leads_back_to_the_page(server: &Server) {
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

async fn a_program_reads_what_login_and_logout_did(server: &Server) {
    let id = id();
    let asked = server.login(&id, "user=alice").header("accept", "application/json").send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::OK);
    assert_eq!(
        json_of(asked).await,
        json!({"hostname": server.hostname, "service": "web_static",
            "session": {"id": id, "logged_in": true, "user": "alice", "visits": 1}})
    );
    let asked = server.logout(&id).header("accept", "application/json").send().await.unwrap();
    assert_eq!(json_of(asked).await["session"], json!({"id": id, "logged_in": false, "user": null, "visits": 2}));
}

async fn a_login_without_a_session_opens_one(server: &Server) {
    let request = server.request(Method::POST, "/login").header("content-type", FORM).body("user=alice");
    let id = new_id(&request.send().await.unwrap()).unwrap();
    assert_eq!(server.session(&id).await, json!({"id": id, "logged_in": true, "user": "alice", "visits": 2}));
}

async fn only_the_server_that_took_the_login_knows_of_it(one: &Server, other: &Server) {
    let id = id();
    one.login(&id, "user=alice").send().await.unwrap();
    assert_eq!(one.session(&id).await["user"], "alice");
    assert_eq!(other.session(&id).await, json!({"id": id, "logged_in": false, "user": null, "visits": 1}));
    assert_eq!(one.session(&id).await["user"], "alice", "the login flickers, it is not destroyed");
}

async fn a_name_is_shown_as_text(server: &Server) {
    let id = id();
    server.login(&id, "user=%3Cimg+src%3Dx+onerror%3D%22alert('1')%22%3E").send().await.unwrap();
    let page = server.request(Method::GET, "/").header("cookie", format!("PHPSESSID={id}")).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("logged in as &lt;img src=x onerror=&quot;alert(&#039;1&#039;)&quot;&gt;"));
    assert!(!page.contains("<img"));
}

async fn a_login_of_nobody_changes_nothing(server: &Server) {
    let id = id();
    let long = format!("user={}", "x".repeat(65));
    for form in ["", "user=", "user=%07", &long] {
        let response = server.login(&id, form).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{form}");
        assert_eq!(header(&response, "content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(new_id(&response), None);
    }
    let response = server.login(&id, "").header("accept", "application/json").send().await.unwrap();
    assert!(json_of(response).await["error"].is_string());
    assert_eq!(server.session(&id).await["visits"], 1, "refused requests are not part of the session");
}

async fn a_body_that_no_form_has_is_too_large(server: &Server) {
    let id = id();
    let flood = format!("user={}", "x".repeat(1 << 20));
    for request in [server.login(&id, &flood), server.logout(&id).body(flood.clone())] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(header(&response, "x-served-by"), Some(server.hostname.as_str()));
        assert_eq!(header(&response, "cache-control"), Some("no-store"));
    }
}

async fn the_health_check_opens_no_session(server: &Server) {
    let response = server.get("/health").await;
    assert_eq!((response.status(), header(&response, "set-cookie")), (StatusCode::OK, None));
    assert_eq!(response.text().await.unwrap(), "ok");
}

async fn the_api_counts_its_answers(server: &Server) {
    let before = json_of(server.get("/api/").await).await["request"].as_u64().unwrap();
    server.get("/health").await;
    server.get("/api/?delay=soon").await;
    for n in before + 1..=before + 3 {
        let answer = server.get("/api/").await.text().await.unwrap();
        let start = format!(r#"{{"hostname":"{}","service":"web_dynamic","request":{n},"time":""#, server.hostname);
        let time = answer.strip_prefix(&start).and_then(|rest| rest.strip_suffix(r#""}"#)).expect(&answer);
        assert!(time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    }
}

async fn a_delay_is_waited_for(server: &Server, path: &str) {
    let start = Instant::now();
    assert_eq!(server.get(&format!("{path}?delay=60")).await.status(), StatusCode::OK);
    assert!(start.elapsed().as_millis() >= 60, "{path}");
}

async fn a_delay_holds_nobody_else_up(server: &Server) {
    let id = id();
    let slow = server.request(Method::GET, "/session?delay=10000").header("cookie", format!("PHPSESSID={id}"));
    let slow = tokio::spawn(slow.send());
    // it counts before it waits: once the session has seen more than was asked here, the slow request is under way
    for asked in 1.. {
        if server.session(&id).await["visits"].as_u64() > Some(asked) {
            break;
        }
    }
    assert!(!slow.is_finished(), "nobody else waits for it");
    slow.abort();
}

async fn a_delay_that_makes_no_sense_is_refused_in_json(server: &Server, path: &str) {
    for delay in ["10001", "-1", "1.5", "soon", ""] {
        let response = server.get(&format!("{path}?delay={delay}")).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path} {delay}");
        assert_eq!(new_id(&response), None);
        assert_eq!(
            json_of(response).await,
            json!({"error": "delay must be a whole number of milliseconds up to 10000"})
        );
    }
}

async fn a_wrong_method_is_told_which_is_right(server: &Server, method: Method, path: &str, allowed: &str) {
    let response = server.request(method.clone(), path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
    assert_eq!(header(&response, "allow"), Some(allowed), "{method} {path}");
}

async fn an_error_of_the_page_is_json_for_programs_and_text_for_people(page: &Server) {
    assert_eq!(page.get("/nowhere").await.text().await.unwrap(), "nothing at /nowhere\n");
    let asked = page.request(Method::GET, "/nowhere").header("accept", "application/json").send().await.unwrap();
    assert_eq!(json_of(asked).await, json!({"error": "nothing at /nowhere"}));
    let wrong = page.request(Method::PUT, "/session").send().await.unwrap();
    assert_eq!(json_of(wrong).await, json!({"error": "PUT is not allowed at /session"}));
}

async fn head_of_the_page_is_get_without_the_body(page: &Server) {
    let response = page.request(Method::HEAD, "/").send().await.unwrap();
    let id = new_id(&response).unwrap();
    assert!(header(&response, "content-length").unwrap().parse::<usize>().unwrap() > 1000);
    assert_eq!(response.text().await.unwrap(), "");
    assert_eq!(page.session(&id).await["visits"], 2);
    assert_eq!(page.request(Method::HEAD, "/nowhere").send().await.unwrap().text().await.unwrap(), "");
}

async fn head_of_the_api_is_get_without_the_body(api: &Server) {
    let before = json_of(api.get("/api/").await).await["request"].as_u64().unwrap();
    let response = api.request(Method::HEAD, "/api/").send().await.unwrap();
    assert!(header(&response, "content-length").unwrap().parse::<usize>().unwrap() > 50);
    assert_eq!(json_of(api.get("/api/").await).await["request"], before + 2);
}

/// Asks both the same, requests that a browser never sends among them.
async fn page_answers_alike(built_in: &Server, page: &Server) {
    let cases = [
        (Method::GET, "/"),
        (Method::HEAD, "/"),
        (Method::GET, "/session?delay=1&delay=0"),
        (Method::GET, "/session?delay=5&delay="),
        (Method::GET, "/session?delay=007"),
        (Method::GET, "/session?delay=%31"),
        (Method::GET, "/session?delay=+1"),
        (Method::GET, "/session?delay[]=x"),
        (Method::GET, "/session?%64elay=x"),
        (Method::GET, "/session?delay=99999999999999999999"),
        (Method::HEAD, "/session"),
        (Method::GET, "/session/"),
        (Method::GET, "/sess%69on"),
        (Method::GET, "/a%2fb"),
        (Method::GET, "//session"),
        (Method::GET, "/api/"),
        (Method::GET, "/health?x"),
        (Method::HEAD, "/health"),
        (Method::GET, "/login?user=alice"),
        (Method::PATCH, "/login"),
        (Method::OPTIONS, "/"),
        (Method::POST, "/logout"),
        (Method::DELETE, "/nowhere"),
    ];
    for (method, path) in cases {
        for accept in ["*/*", "text/html, Application/JSON;q=0.9"] {
            let ask = |server: &Server| server.request(method.clone(), path).header("accept", accept);
            alike(built_in, page, &format!("{method} {path}, {accept}"), ask).await;
        }
    }
    // how long an id may be is for the file system to say: here and there it keeps some bytes of a name for itself
    let (long, longer) = ("a".repeat(240), "a".repeat(251));
    let longest = "é".repeat(64);
    for cookies in [
        "theme=dark",
        "PHPSESSID",
        "PHPSESSID=-",
        "PHPSESSID=a%2Cb",
        "PHPSESSID=a%41b",
        "PHPSESSID=a%00b",
        "theme=dark;PHPSESSID=close",
        "theme=dark;;; \tPHPSESSID=far",
        "=x; PHPSESSID=nameless",
        "PHPSESSID.=1; phpsessid=2; PHPSESSID=exact",
        "PHPSESSID=first; PHPSESSID=se cond",
        "PHPSESSID=; PHPSESSID=second",
        "PHPSESSID=fir!st; PHPSESSID=second",
        "PHPSESSID= a",
        "PHPSESSID=a%20b",
        "PHPSESSID=a+b",
        "PHPSESSID=a%2Fb",
        "PHPSESSID=a%zz",
        "PHPSESSID=a%4",
        "PHPSESSID=%00b",
        "PHPSESSID=a=b",
        "PHPSESSID=\"quoted\"",
        "PHPSESSID=é",
        "PHPSESSID =a",
        "PHP%53ESSID=a",
        "theme=dark, PHPSESSID=a",
        "PHPSESSID[a]=b; PHPSESSID=c",
        "PHPSESSID=c; PHPSESSID[a]=b",
        "PHPSESSID[=b",
        &format!("PHPSESSID={long}"),
        &format!("PHPSESSID={longer}"),
    ] {
        let value = HeaderValue::from_bytes(cookies.as_bytes()).unwrap();
        let ask = |server: &Server| server.request(Method::GET, "/session").header("cookie", value.clone());
        alike(built_in, page, cookies, ask).await;
    }
    let id = id();
    for form in [
        "user=alice",
        "user=alice&user=bob",
        "x=1&user=a+b%20%C3%A9%26&y",
        "user=+alice+",
        &format!("user={longest}"),
        &format!("user={longest}a"),
        "user[]=alice",
        "user=alice&user[]=bob",
        "us%65r=alice",
        "%20user=alice",
        "user=a%0Ab",
        "user=a%FFb",
        "user=%EF%BF%BD",
        "user=%7F",
        "user=%C2%85",
        "user=%00",
        "user=0",
        "user=a%zzb",
        "user=%E2%80%A8%2F%22%5C",
        "user={{session_id}}",
        "user='<&>\"",
    ] {
        alike(built_in, page, form, |server| server.login(&id, form).header("accept", "application/json")).await;
        let ask = |server: &Server| server.request(Method::GET, "/").header("cookie", format!("PHPSESSID={id}"));
        alike(built_in, page, &format!("the page after {form}"), ask).await;
    }
    for kind in ["Application/X-WWW-Form-URLEncoded; charset=utf-8", "text/plain", "multipart/form-data; boundary=x"] {
        let ask = |server: &Server| server.request(Method::POST, "/login").header("content-type", kind).body("user=a");
        alike(built_in, page, kind, ask).await;
    }
    for length in [16 * 1024, 16 * 1024 + 1] {
        let form = format!("user=alice&{}", "x".repeat(length - "user=alice&".len()));
        alike(built_in, page, &format!("{length} bytes"), |server| server.login(&id, &form)).await;
    }
}

async fn api_answers_alike(built_in: &Server, api: &Server) {
    for (method, path) in [
        (Method::GET, "/api/?delay=1&delay=0"),
        (Method::GET, "/api/?delay=5&delay="),
        (Method::GET, "/api/?delay=%31"),
        (Method::GET, "/api/?delay=+1"),
        (Method::GET, "/api/?%64elay=x"),
        (Method::GET, "/api/?delay=99999999999999999999"),
        (Method::GET, "/api/?delay=0?delay=x"),
        (Method::GET, "/api"),
        (Method::GET, "/api//"),
        (Method::GET, "/%61pi/"),
        (Method::GET, "/nowhere?x"),
        (Method::GET, "/health?x"),
        (Method::HEAD, "/health"),
        (Method::POST, "/health"),
        (Method::OPTIONS, "/api/"),
        (Method::DELETE, "/nowhere"),
    ] {
        for accept in ["*/*", "text/html, Application/JSON;q=0.9"] {
            let ask = |server: &Server| server.request(method.clone(), path).header("accept", accept);
            alike(built_in, api, &format!("{method} {path}, {accept}"), ask).await;
        }
    }
}

/// That two servers of one hostname answer the same, but for ids, numbers and times that are new with each answer.
async fn alike(one: &Server, other: &Server, what: &str, ask: impl Fn(&Server) -> RequestBuilder) {
    assert_eq!(essence(ask(one)).await, essence(ask(other)).await, "{what}");
}

async fn essence(request: RequestBuilder) -> (u16, Vec<(&'static str, String)>, String) {
    let response = request.send().await.unwrap();
    let id = new_id(&response);
    let same = |text: &str| match &id {
        Some(id) => text.replace(id, "NEW").replace(&id[..8], "NEW"),
        None => text.to_owned(),
    };
    let names = [
        "allow",
        "cache-control",
        "content-length",
        "content-security-policy",
        "content-type",
        "location",
        "set-cookie",
        "x-served-by",
    ];
    let of = |name| response.headers().get_all(name).iter().map(move |value| (name, same(value.to_str().unwrap())));
    let mut headers: Vec<_> = names.into_iter().flat_map(of).collect();
    let status = response.status().as_u16();
    let mut body = response.text().await.unwrap();
    if let Some(number) = body.find(r#","request":"#) {
        body.truncate(number);
        headers.retain(|(name, _)| *name != "content-length");
    }
    (status, headers, same(&body))
}

/// What the engine says of a container that has answered all that, and what its log shows.
fn check_container(container: &Container, user: &str, line: &str) {
    assert_eq!(container.user(), user);
    eventually("a healthy container", || (container.health() == "healthy").then_some(()));
    let log = container.log();
    assert!(log.contains(line), "{log}");
    assert!(!log.contains("GET /health HTTP"), "{log}");
}

async fn waits_for_requests_in_flight(container: &Container, server: &Server, path: &str) {
    let slow = tokio::spawn(server.request(Method::GET, path).send());
    // nobody sees when it has arrived, but it has much time to
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut stop = container.stop();
    assert_eq!(slow.await.unwrap().unwrap().status(), StatusCode::OK);
    assert!(stop.wait().unwrap().success());
    assert_eq!(container.exit_code(), "0");
}

async fn waits_for_nobody(container: &Container, server: &Server, path: &str) {
    let gone = server.request(Method::GET, path).timeout(Duration::from_millis(500)).send().await;
    assert!(gone.unwrap_err().is_timeout());
    let (start, mut stop) = (Instant::now(), container.stop());
    // on another thread, for the client's connection is closed on this one
    assert!(tokio::task::spawn_blocking(move || stop.wait()).await.unwrap().unwrap().success());
    assert!(start.elapsed() < Duration::from_secs(8), "it waited {:?} for a client that is gone", start.elapsed());
    assert_eq!(container.exit_code(), "0");
}
