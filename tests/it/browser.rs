//! The lab's page in a real browser.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::Deref;

use fantoccini::{Locator, key::Key};
use reqwest::Method;
use serde_json::json;

use crate::support::{
    Lab,
    browser::{Browser, eventually},
    client,
};

/// A browser that has opened the page of a lab.
struct Visit {
    browser: Browser,
    lab: Lab,
}

impl Deref for Visit {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}

impl Visit {
    /// Of a lab that is started with these arguments; `None` where there is no browser.
    async fn of_lab(arguments: &[&str]) -> Option<Visit> {
        let browser = Browser::start().await?;
        let visit = Visit { browser, lab: Lab::up(arguments) };
        visit.browser.client.goto(visit.lab.view["url"].as_str().unwrap()).await.unwrap();
        Some(visit)
    }

    /// The same, with auto-reload switched off.
    async fn at_rest(arguments: &[&str]) -> Option<Visit> {
        let visit = Visit::of_lab(arguments).await?;
        visit.switch_auto_reload(false).await;
        Some(visit)
    }

    /// Time enough for an auto-reload, by the lab's clock: so long it takes to answer a request of the test's own.
    async fn time_passes(&self) {
        let slow = client().get(self.lab.url("/session?delay=3000")).header("host", "demo.localhost");
        assert_eq!(slow.send().await.unwrap().status(), 200);
    }

    /// The browser's requests in the lab's log: `GET /`, and who answered.
    fn log(&self) -> Vec<(String, String)> {
        let log = self.lab.lbctl(&["logs", "--format", "json"]);
        let entries = log.ok().stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        entries
            .filter(|entry| entry["user_agent"].as_str().is_some_and(|agent| agent.contains("Chrome")))
            .map(|entry| {
                let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
                (format!("{} {}", text("method"), text("path")), text("replica"))
            })
            .collect()
    }

    /// Who answered the loads of the page, by the lab's log.
    fn loads(&self) -> Vec<String> {
        self.log().into_iter().filter(|(request, _)| request == "GET /").map(|(_, replica)| replica).collect()
    }

    /// Whatever a test did: what the browser asked for is what the lab answered, request by request, nobody else was
    /// asked, and the console stayed empty.
    async fn ends_well(&self) {
        self.switch_auto_reload(false).await;
        let here = self.lab.view["url"].as_str().unwrap();
        let mut asked = Vec::new();
        eventually("the lab's log to have what the browser asked for", async || {
            self.look().await?;
            for (method, url) in self.browser.requests().await {
                match url.as_str().strip_prefix(here) {
                    Some(path) => asked.push(format!("{method} /{path}")),
                    None => assert_eq!((url.scheme(), &method), ("data", &Method::GET), "{url} was asked for"),
                }
            }
            let answered: Vec<String> = self.log().into_iter().map(|(request, _)| request).collect();
            assert!(answered.len() <= asked.len(), "{answered:?} for {asked:?}");
            (answered.len() == asked.len()).then(|| assert_eq!(answered, asked))
        })
        .await;
        assert!(asked.len() > 1, "{asked:?}");
        assert_eq!(self.browser.console().await, Vec::<serde_json::Value>::new());
    }
}

/// `web_static-1`, and so on.
fn web_static(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|number| format!("web_static-{number}")).collect()
}

#[tokio::test]
async fn the_page_reloads_by_itself_and_the_hostname_changes() {
    let Some(visit) = Visit::of_lab(&[]).await else { return };
    let shown = visit.shown_when("six loads", |shown| shown.history.len() >= 6).await;
    assert_eq!(shown.history[..6], web_static(&[1, 2, 3, 4, 5, 1]));
    assert_eq!(Some(&shown.hostname), shown.history.last());
    assert_eq!(shown.auto_reload_state, "every 2 s");
    visit.ends_well().await;

    // one load is one balanced request: the page has counted its loads, and the lab its requests
    let shown = visit.shown().await;
    assert_eq!(shown.history, visit.loads());
    assert_eq!(shown.counts.iter().map(|(_, loads)| loads).sum::<usize>(), visit.log().len());
}

#[tokio::test]
async fn the_switch_stops_the_reload_until_it_is_switched_on_again() {
    let Some(visit) = Visit::at_rest(&[]).await else { return };
    let stopped = visit.shown().await;
    assert_eq!(stopped.auto_reload_state, "stopped");
    visit.time_passes().await;
    assert_eq!(visit.shown().await.load, stopped.load);
    assert_eq!(visit.loads(), stopped.history);

    let reloaded = visit.reload().await;
    assert!(!reloaded.auto_reload);
    visit.time_passes().await;
    assert_eq!(visit.shown().await.load, reloaded.load);
    assert_eq!(visit.loads(), reloaded.history);

    visit.switch_auto_reload(true).await;
    visit.shown_when("a reload", |shown| shown.load != reloaded.load).await;
    visit.ends_well().await;
}

#[tokio::test]
async fn a_login_flickers_over_five_servers() {
    let Some(visit) = Visit::at_rest(&[]).await else { return };
    let opened = visit.shown().await;
    assert!(!opened.logged_in_as("alice"));
    let after_login = visit.press("login").await;
    let (_, took_login) = visit.log().into_iter().find(|(request, _)| request == "POST /login").unwrap();
    assert_ne!(after_login.hostname, took_login);
    assert!(!after_login.logged_in_as("alice"));

    // one server in five knows of it, and the session is lost on none: it is the same id everywhere
    let round = visit.reload_five_times().await;
    let mut servers: Vec<&str> = round.iter().map(|shown| shown.hostname.as_str()).collect();
    servers.sort_unstable();
    assert_eq!(servers, web_static(&[1, 2, 3, 4, 5]));
    for shown in &round {
        assert_eq!(shown.logged_in_as("alice"), shown.hostname == took_login, "{shown:?}");
        assert_eq!(shown.session, opened.session);
    }

    // a logout elsewhere changes nothing
    visit.press("logout").await;
    let round = visit.reload_five_times().await;
    assert_eq!(round.iter().filter(|shown| shown.logged_in_as("alice")).count(), 1);

    // until it comes to the server that took the login
    eventually("a logout there", async || {
        visit.press("logout").await;
        let (_, took_logout) = visit.log().into_iter().rfind(|(request, _)| request == "POST /logout")?;
        (took_logout == took_login).then_some(())
    })
    .await;
    assert!(!visit.reload_five_times().await.iter().any(|shown| shown.logged_in_as("alice")));
    visit.ends_well().await;
}

#[tokio::test]
async fn a_login_stays_with_sticky_sessions() {
    let Some(visit) = Visit::at_rest(&["--sticky", "web_static"]).await else { return };
    let opened = visit.shown().await;
    assert!(visit.press("login").await.logged_in_as("alice"));
    for shown in visit.reload_five_times().await {
        assert!(shown.logged_in_as("alice"));
        assert_eq!(shown.hostname, opened.hostname);
        assert_eq!(shown.session, opened.session);
    }
    assert!(!visit.press("logout").await.logged_in_as("alice"));
    let last = visit.reload().await;
    assert!(!last.logged_in_as("alice"));
    // this one server saw everything: each load, the login and the logout
    assert_eq!(last.visits, visit.log().len() as u64);
    visit.ends_well().await;
}

#[tokio::test]
async fn ten_fetches_show_every_server_of_web_dynamic_twice() {
    let Some(visit) = Visit::at_rest(&[]).await else { return };
    let opened = visit.shown().await;
    for clicks in 1..=10 {
        visit.browser.click("fetch-dynamic").await.unwrap();
        visit.shown_when("the answer", |shown| shown.answers.len() == clicks).await;
    }
    let newest_last = [1, 2, 3, 4, 5].map(|number| format!("web_dynamic-{number}"));
    let rounds = ["request 1", "request 2"].map(|round| newest_last.clone().map(|name| (name, round.to_owned())));
    let mut answers = visit.shown().await.answers;
    answers.reverse();
    assert_eq!(answers, rounds.concat());

    // they took no turn of the page's, and outlive it until they are cleared
    let reloaded = visit.reload().await;
    assert_eq!((opened.hostname.as_str(), reloaded.hostname.as_str()), ("web_static-1", "web_static-2"));
    assert_eq!(reloaded.answers.len(), 10);
    visit.browser.click("clear-dynamic").await.unwrap();
    visit.shown_when("no answers", |shown| shown.answers.is_empty()).await;
    visit.ends_well().await;
}

#[tokio::test]
async fn the_history_outlives_reloads_and_can_be_cleared() {
    let Some(visit) = Visit::at_rest(&["--web-static", "3"]).await else { return };
    let last = visit.reload_five_times().await.pop().unwrap();
    assert_eq!(last.history, visit.loads());
    assert_eq!(last.counts.iter().map(|(_, loads)| loads).sum::<usize>(), visit.loads().len());

    visit.browser.click("clear-history").await.unwrap();
    let cleared = visit.shown_when("no history", |shown| shown.history.is_empty()).await;
    assert_eq!((cleared.counts, cleared.load), (vec![], last.load));
    let reloaded = visit.reload().await;
    assert_eq!(reloaded.history, [reloaded.hostname.as_str()]);
    assert_eq!(reloaded.counts, [(reloaded.hostname, 1)]);
    visit.ends_well().await;

    // what no test shall find in the console would be there: the page may not ask another host, this one least of all
    let elsewhere = json!(visit.lab.url("/"));
    visit.browser.client.execute("fetch(arguments[0]).catch(() => {})", vec![elsewhere]).await.unwrap();
    let complaint = eventually("a complaint", async || visit.browser.console().await.pop()).await;
    assert_eq!(complaint["level"], "SEVERE");
    assert!(complaint["message"].as_str().unwrap().contains("Content Security Policy"), "{complaint}");
}

#[tokio::test]
async fn a_name_is_typed_in_peace_and_shown_as_text() {
    let Some(visit) = Visit::of_lab(&["--sticky", "web_static"]).await else { return };
    let name = "<b>x</b>";
    eventually("the name", async || {
        // a reload may come before the first key, but not after it
        let field = visit.browser.client.find(Locator::Id("user")).await.ok()?;
        field.clear().await.ok()?;
        field.send_keys(name).await.ok()?;
        visit.look().await.filter(|shown| shown.user == name)
    })
    .await;
    let typed = visit.shown().await;
    assert_eq!((typed.auto_reload, typed.auto_reload_state.as_str()), (true, "waits for the name"));
    visit.time_passes().await;
    let typed_still = visit.shown().await;
    assert_eq!((typed_still.load, typed_still.user.as_str()), (typed.load, name));

    let enter = String::from(char::from(Key::Enter));
    let field = visit.browser.client.find(Locator::Id("user")).await.unwrap();
    field.send_keys(&enter).await.unwrap();
    let shown = visit.shown_when("the login", |shown| shown.load != typed.load).await;
    assert!(shown.logged_in_as(name));
    assert_eq!(shown.markup, 0);
    visit.ends_well().await;
}
