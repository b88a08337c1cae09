//! The lab's procedure, step by step, as it stands in `lab/docker-compose.yml`: with Docker alone.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Method, Response};
use serde_json::Value;

use crate::support::{Place, browser::Browser, client, compose::ByHand};

use super::by_hand;

/// Somebody who has `demo.api.ch` in the hosts file.
pub struct Visitor {
    port: u16,
    cookie: Option<String>,
}

impl Visitor {
    pub fn of(lab: &ByHand) -> Visitor {
        Visitor { port: lab.http, cookie: None }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, "").await
    }

    async fn send(&self, method: Method, path: &str, form: &'static str) -> Response {
        let mut request = client()
            .request(method, format!("http://127.0.0.1:{}{path}", self.port))
            .header("host", format!("demo.api.ch:{}", self.port))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        request.send().await.expect("an answer")
    }

    /// The hostname of the server that answers.
    pub async fn hostname(&self, path: &str) -> String {
        served_by(&self.get(path).await)
    }

    /// Who answers, and whether that server takes this visitor for logged in.
    async fn session(&self) -> (String, bool) {
        let session = self.get("/session").await.text().await.expect("text");
        let session: Value = serde_json::from_str(&session).expect("JSON");
        let hostname = session["hostname"].as_str().expect("a hostname").to_owned();
        (hostname, session["session"]["logged_in"].as_bool().expect("whether"))
    }
}

fn served_by(response: &Response) -> String {
    assert!(response.status().is_success() || response.status().is_redirection(), "{response:?}");
    response.headers()["x-served-by"].to_str().expect("text").to_owned()
}

/// Who the services' servers are: hostname to `web_static-3`.
pub fn names(lab: &ByHand) -> BTreeMap<String, String> {
    let containers = lab.project.containers();
    containers.into_iter().map(|one| (one.hostname, format!("{}-{}", one.service, one.number))).collect()
}

#[tokio::test]
async fn the_procedure_step_by_step() {
    let browser = Browser::start().await;
    let Some(mut lab) = ByHand::up(&["--scale", "web_static=5", "--scale", "web_dynamic=5", "--build"]) else {
        return;
    };
    step_1_five_of_each_run(&mut lab);
    step_2_the_page_answers_at_demo_api_ch(&lab).await;
    step_3_the_hostname_changes_at_each_reload(&lab).await;
    step_4_login_and_logout_are_incoherent(&lab).await;
    step_5_the_log_in_the_console_shows_the_order(&mut lab).await;
    if let Some(browser) = &browser {
        step_6_the_automatic_reload_can_be_stopped(&lab, browser).await;
        step_7_ten_fetches_are_spread_over_all_five(&lab, browser).await;
    }
    step_7_by_requests(&lab).await;

    // and what lbctl finds out about a lab that it has not started
    let place = Place::with_docker();
    by_hand::ps_shows_it(&lab, &place);
    by_hand::probe_tells_how_traefik_balances(&lab, &place);
    by_hand::the_session_is_lost(&lab, &place);
    by_hand::the_log_has_its_requests(&lab, &place).await;
    let follower = by_hand::the_log_can_be_followed(&lab, &place).await;
    by_hand::it_can_be_scaled(&lab, &place);

    step_8_control_c_stops_all(&mut lab);
    by_hand::the_log_ends_with_the_lab(follower);
    place.is_left_clean();
}

fn step_1_five_of_each_run(lab: &mut ByHand) {
    lab.eventually("five of each, and Traefik", |lab| {
        let counts = ["reverse-proxy", "web_static", "web_dynamic"].map(|service| lab.project.running(service));
        (counts == [1, 5, 5]).then_some(())
    });
    // it comes up piece by piece, and Traefik begins anew with each: from here on it goes on as it is
    lab.eventually("Traefik to give requests to all", |lab| (lab.servers() == (5, 5)).then_some(()));
}

async fn step_2_the_page_answers_at_demo_api_ch(lab: &ByHand) {
    let response = Visitor::of(lab).get("/").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    let hostname = served_by(&response);
    let page = response.text().await.expect("a page");
    assert!(page.contains(&format!(r#"<h1 id="hostname">{hostname}</h1>"#)), "{page}");
    let name = names(lab).remove(&hostname).expect("one of the containers");
    assert!(name.starts_with("web_static-"), "{name}");
}

async fn step_3_the_hostname_changes_at_each_reload(lab: &ByHand) {
    let visitor = Visitor::of(lab);
    let mut hostnames = Vec::new();
    for _ in 0..30 {
        hostnames.push(visitor.hostname("/").await);
    }
    changes_each_time(&hostnames);
    assert_eq!(hostnames.iter().collect::<BTreeSet<_>>().len(), 5, "{hostnames:?}");
}

#[track_caller]
fn changes_each_time(hostnames: &[String]) {
    assert!(hostnames.windows(2).all(|two| two[0] != two[1]), "{hostnames:?}");
}

async fn step_4_login_and_logout_are_incoherent(lab: &ByHand) {
    let mut visitor = Visitor::of(lab);
    let page = visitor.get("/").await;
    let cookie = page.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie").to_owned();
    assert!(cookie.starts_with("PHPSESSID="), "{cookie}");
    visitor.cookie = Some(cookie);
    let took_login = served_by(&visitor.send(Method::POST, "/login", "user=alice").await);
    // seen where it was made, and nowhere else
    assert_eq!(logged_in(&visitor).await, BTreeSet::from([took_login.clone()]));
    // a logout is seen where it is made, and does not reach the login elsewhere
    let took_logout = served_by(&visitor.send(Method::POST, "/logout", "").await);
    let left = logged_in(&visitor).await;
    assert_eq!(left.contains(&took_login), took_logout != took_login, "{left:?}");
}

/// The servers that take this visitor for logged in, by ten reloads, which come to each server.
async fn logged_in(visitor: &Visitor) -> BTreeSet<String> {
    let (mut asked, mut logged_in) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..10 {
        let (hostname, sees_it) = visitor.session().await;
        if sees_it {
            logged_in.insert(hostname.clone());
        }
        asked.insert(hostname);
    }
    assert_eq!(asked.len(), 5, "{asked:?}");
    logged_in
}

async fn step_5_the_log_in_the_console_shows_the_order(lab: &mut ByHand) {
    let visitor = Visitor::of(lab);
    let mut seen = Vec::new();
    for turn in 1..=20 {
        let path = if turn % 2 == 1 { "/" } else { "/api/" };
        seen.push(visitor.hostname(&format!("{path}?turn={turn}")).await);
        // Docker passes the lines of different containers on at different speeds: one request after the other
        let mark = format!("?turn={turn} ");
        lab.eventually("both lines of a request", |lab| {
            let lines = lab.written().into_iter().filter(|(_, line)| line.contains(&mark)).count();
            (lines >= 2).then_some(())
        });
    }
    let (containers, names) = (lab.project.containers(), names(lab));
    let lines: Vec<_> = lab.written().into_iter().filter(|(_, line)| line.contains("?turn=")).collect();
    assert_eq!(lines.len(), 40, "a line of Traefik's and one of the app's for each: {lines:#?}");
    for (turn, (pair, hostname)) in lines.chunks(2).zip(&seen).enumerate() {
        let mark = format!("?turn={} ", turn + 1);
        assert!(pair.iter().all(|(_, line)| line.contains(&mark)), "{pair:#?}");
        let (traefiks, apps): (Vec<_>, Vec<_>) = pair.iter().partition(|(name, _)| name == "reverse-proxy-1");
        let ([(_, traefiks)], [(app, _)]) = (&traefiks[..], &apps[..]) else { panic!("one of each: {pair:#?}") };
        let server = traefiks.split('"').find_map(|part| part.strip_prefix("http://")).expect("a server");
        let ip = server.split(':').next().expect("an address");
        let logged = containers.iter().find(|one| one.ip == ip).expect("one of the containers");
        assert_eq!((&logged.hostname, app), (hostname, &names[hostname]));
    }
}

async fn step_6_the_automatic_reload_can_be_stopped(lab: &ByHand, browser: &Browser) {
    browser.client.goto(&format!("http://demo.api.ch:{}/", lab.http)).await.expect("the page");
    let reloaded = browser.shown_when("three loads", |shown| shown.history.len() >= 3).await;
    changes_each_time(&reloaded.history);
    browser.switch_auto_reload(false).await;
    let stopped = browser.shown().await;
    // time enough for a reload, by the lab's clock
    assert_eq!(Visitor::of(lab).get("/session?delay=3000").await.status(), 200);
    let later = browser.shown().await;
    assert_eq!((later.load, later.history), (stopped.load, stopped.history));
}

async fn step_7_ten_fetches_are_spread_over_all_five(lab: &ByHand, browser: &Browser) {
    for clicks in 1..=10 {
        browser.click("fetch-dynamic").await.expect("the button");
        browser.shown_when("the answer", |shown| shown.answers.len() == clicks).await;
    }
    let answers = browser.shown().await.answers;
    are_all_of_web_dynamic(lab, answers.into_iter().map(|(hostname, _)| hostname));
    assert_eq!(browser.console().await, Vec::<Value>::new());
}

async fn step_7_by_requests(lab: &ByHand) {
    let visitor = Visitor::of(lab);
    let mut hostnames = Vec::new();
    for _ in 0..10 {
        hostnames.push(visitor.hostname("/api/").await);
    }
    are_all_of_web_dynamic(lab, hostnames);
}

#[track_caller]
fn are_all_of_web_dynamic(lab: &ByHand, hostnames: impl IntoIterator<Item = String>) {
    let mut names = names(lab);
    let seen: BTreeSet<String> = hostnames.into_iter().filter_map(|hostname| names.remove(&hostname)).collect();
    assert_eq!(seen, [1, 2, 3, 4, 5].map(|number| format!("web_dynamic-{number}")).into());
}

fn step_8_control_c_stops_all(lab: &mut ByHand) {
    lab.interrupt();
    lab.end();
    let containers = lab.project.containers();
    assert_eq!(containers.len(), 11);
    for container in containers {
        // each by itself, none by force
        assert_eq!((container.state.as_str(), container.exit_code), ("exited", 0), "{container:?}");
    }
}
