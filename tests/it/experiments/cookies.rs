//! Which cookie keeps a client on its instance, how it does, whose it is and what is wrong with it.

use std::{collections::HashMap, io::Write, sync::Mutex};

use serde_json::{Value, json};

use super::{haproxy, nginx, probe, series, stage, verdict};
use crate::support::{Place, server};

const TABLE: &str = "balance roundrobin\n  stick-table type string len 64 size 10k expire 10m\n  ";

#[test]
fn how_a_cookie_keeps_a_client_is_told() {
    let lab = stage("3");
    let by_answers = format!("{TABLE}stick store-response res.cook(PHPSESSID)\n  stick match req.cook(PHPSESSID)");
    for (backend, name, by) in [
        ("balance roundrobin\n  cookie SRV insert indirect nocache", "SRV", Some("inserted")),
        ("balance random\n  cookie SRV insert indirect nocache", "SRV", Some("inserted")),
        ("balance roundrobin\n  cookie PHPSESSID prefix nocache", "PHPSESSID", Some("inserted")),
        ("balance hash req.cook(PHPSESSID)", "PHPSESSID", Some("hash")),
        (&format!("{TABLE}stick on req.cook(PHPSESSID)"), "PHPSESSID", Some("learned")),
        // its values may as well name the instance in cipher
        (&by_answers, "PHPSESSID", None),
    ] {
        let Some(balancer) = haproxy(&lab, backend) else { return };
        let verdict = verdict(&lab, &balancer, &[]);
        // of random draws one series in fourteen stays open
        let expected = if backend.contains("random") { &["random", "undetermined"][..] } else { &["round-robin"] };
        let algorithm = verdict["algorithm"].as_str().unwrap();
        assert!(expected.contains(&algorithm), "clients without cookies: {backend}: {verdict}");
        assert_eq!((&verdict["stickiness"], &verdict["sticky_cookie"]), (&"cookie".into(), &name.into()), "{backend}");
        assert_eq!(verdict["sticky_by"].as_str(), by, "{backend}: {verdict}");
        assert!(verdict["chance"].as_f64().unwrap() < 1e-6);
    }
}

#[test]
fn a_hash_of_a_cookie_is_found_where_clients_without_one_see_one_instance() {
    let lab = stage("3");
    let Some(balancer) = nginx(&lab, "hash user$cookie_PHPSESSID;") else { return };
    let verdict = verdict(&lab, &balancer, &[]);
    assert_eq!(verdict["algorithm"], "header-hash", "{verdict}");
    // a table that places new values at random would look like the hash
    assert_eq!((&verdict["stickiness"], &verdict["sticky_by"]), (&"cookie".into(), &Value::Null));
    assert_eq!(verdict["sticky_cookie"], "PHPSESSID");
    assert_eq!(verdict["instances"].as_array().unwrap().len(), 3, "{verdict}");
}

#[test]
fn a_session_of_the_app_that_pins_nothing_is_not_sticky() {
    let lab = stage("3");
    let Some(balancer) = haproxy(&lab, "balance roundrobin") else { return };
    let probe = probe(&lab, &balancer, &[]);
    assert_eq!(probe["verdict"]["stickiness"], "none");
    assert_eq!(probe["verdict"]["sticky_by"], Value::Null);
    assert!(series(&probe, "cookie-").is_empty(), "nothing is to be told apart");
}

#[test]
fn a_cookie_that_a_browser_holds_back_is_said_to_keep_nobody_and_why() {
    let lab = stage("3");
    for (attribute, why) in [
        ("secure", "is Secure, and is not sent back over http"),
        ("domain .example.org", "example.org"),
        ("attr SameSite=None", "browsers refuse the cookie SRV: it says SameSite=None and is not Secure"),
    ] {
        let backend = format!("balance roundrobin\n  cookie SRV insert indirect nocache {attribute}");
        let Some(balancer) = haproxy(&lab, &backend) else { return };
        let verdict = verdict(&lab, &balancer, &[]);
        assert_eq!((&verdict["stickiness"], &verdict["sticky_cookie"]), (&"none".into(), &Value::Null), "{verdict}");
        let said = verdict["evidence"].to_string();
        assert!(said.contains("the cookie SRV would keep a client on its instance") && said.contains(why), "{said}");
    }
}

#[test]
fn attributes_are_shown_and_what_is_wrong_with_them() {
    let lab = stage("3");
    let backend = "balance roundrobin\n  cookie SRV insert indirect nocache maxlife 1h attr SameSite=Lax";
    let Some(balancer) = haproxy(&lab, backend) else { return };
    let careless = verdict(&lab, &balancer, &[]);
    assert_eq!(careless["sticky_cookie_attributes"]["same_site"], "Lax", "{careless}");
    assert_eq!(careless["sticky_cookie_attributes"]["http_only"], false);
    let flaws = careless["sticky_cookie_flaws"].to_string();
    assert!(flaws.contains("not HttpOnly"), "{flaws}");

    let Some(balancer) = haproxy(&lab, "balance roundrobin\n  cookie SRV insert indirect nocache httponly") else {
        return;
    };
    let careful = verdict(&lab, &balancer, &[]);
    assert_eq!(careful["sticky_cookie_flaws"], json!([]), "{careful}");
    assert_eq!(careful["sticky_cookie_attributes"]["path"], "/");
}

#[test]
fn the_labs_sticky_cookie_has_traefiks_form() {
    let lab = crate::support::Lab::up(&["--web-static", "3", "--web-dynamic", "0", "--sticky", "web_static"]);
    let verdict = lab.lbctl(&["probe", "--format", "json"]).json()["verdict"].clone();
    assert_eq!((&verdict["sticky_by"], &verdict["sticky_cookie_maker"]), (&"inserted".into(), &"Traefik".into()));
    let shown = lab.lbctl(&["probe"]);
    let said = format!("by the cookie {}, which the balancer inserts", verdict["sticky_cookie"].as_str().unwrap());
    assert!(shown.ok().stdout.contains(&said), "{}", shown.stdout);
}

/// Tickets from here on are instances.
const BY_NODE: usize = 1_000_000_000;

/// A round robin of four that keeps clients by what `choose` makes of the cookies of a request; it sets `cookies` anew
/// with every answer, `%` being its instance and `#` a number of its own.
fn balancer(cookies: &'static [&'static str], choose: fn(&str) -> Option<usize>) -> std::net::SocketAddr {
    let state = Mutex::new((0, HashMap::<usize, usize>::new()));
    server::raw(move |head, stream| {
        let mut state = state.lock().unwrap();
        let sent = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("cookie: ").map(str::to_owned));
        let kept = sent.as_deref().and_then(choose).and_then(|ticket| match ticket {
            BY_NODE.. => Some(ticket - BY_NODE).filter(|node| *node < 4),
            _ => state.1.get(&ticket).copied(),
        });
        let node = kept.unwrap_or_else(|| {
            state.0 += 1;
            state.0 % 4
        });
        let ticket = state.1.len() + 100_000;
        state.1.insert(ticket, node);
        let set: String = cookies
            .iter()
            .map(|cookie| {
                format!("Set-Cookie: {}\r\n", cookie.replace('%', &node.to_string()).replace('#', &ticket.to_string()))
            })
            .collect();
        _ = stream.write_all(server::http("200 OK", &format!("X-Served-By: node-{node}\r\n{set}"), "").as_bytes());
    })
}

fn ticket(cookies: &str, name: &str) -> Option<usize> {
    cookies.split("; ").find_map(|pair| pair.strip_prefix(name)?.parse().ok())
}

fn verdict_of(address: std::net::SocketAddr) -> Value {
    Place::new().lbctl(["probe", &address.to_string(), "--format", "json"]).json()["verdict"].clone()
}

#[test]
fn a_value_under_two_names_is_one_cookie() {
    let twins = balancer(&["AWSALB=#; Path=/; HttpOnly", "AWSALBCORS=#; Path=/; HttpOnly"], |cookies| {
        ticket(cookies, "awsalb=").or_else(|| ticket(cookies, "awsalbcors="))
    });
    let verdict = verdict_of(twins);
    assert_eq!((&verdict["stickiness"], &verdict["sticky_cookie"]), (&"cookie".into(), &"AWSALB".into()), "{verdict}");
    // what its name lets one think is said, and decides nothing
    assert_eq!(verdict["sticky_by"], Value::Null);
    assert!(verdict["evidence"].to_string().contains("the cookies AWSALB and AWSALBCORS keep"), "{verdict}");
    assert!(verdict["sticky_cookie_maker"].as_str().unwrap().contains("AWS"));
}

#[test]
fn a_route_in_a_session_is_what_leads_only_if_it_does() {
    // the tail names the instance to both; one balancer reads it, the other remembers the session
    let reads = balancer(&["JSESSIONID=#.node%; Path=/"], |cookies| {
        let route = cookies.split("jsessionid=").nth(1)?.split(".node").nth(1)?.parse::<usize>().ok()?;
        Some(BY_NODE + route)
    });
    let verdict = verdict_of(reads);
    assert_eq!(
        (&verdict["sticky_cookie"], &verdict["sticky_by"]),
        (&"JSESSIONID".into(), &"inserted".into()),
        "{verdict}"
    );
    let remembers = balancer(&["JSESSIONID=#.node%; Path=/"], |cookies| {
        cookies.split("jsessionid=").nth(1)?.split('.').next()?.parse().ok()
    });
    let verdict = verdict_of(remembers);
    assert_eq!((&verdict["sticky_cookie"], &verdict["sticky_by"]), (&"JSESSIONID".into(), &Value::Null), "{verdict}");
    let said = verdict["evidence"].to_string();
    assert!(said.contains("names the instance, but does not lead there"), "{said}");
}

#[test]
fn a_path_that_does_not_cover_the_target_is_what_is_wrong() {
    let verdict = verdict_of(balancer(&["lane=#; Path=/app/"], |cookies| ticket(cookies, "lane=")));
    assert_eq!(verdict["stickiness"], "none", "{verdict}");
    let said = verdict["evidence"].to_string();
    assert!(said.contains("the cookie lane would keep a client") && said.contains("for the path /app/ only"), "{said}");
}

#[test]
fn ever_new_cookies_cost_no_series_each() {
    let flood = balancer(&["lane=#; Path=/", "state_#=x; Path=/"], |cookies| ticket(cookies, "lane="));
    let place = Place::new();
    let probe = place.lbctl(["probe", &flood.to_string(), "--format", "json"]).json();
    assert!(series(&probe, "cookie-alone").len() <= 8, "{}", probe["series"].as_array().unwrap().len());
    assert_eq!(probe["verdict"]["sticky_cookie"], "lane", "{}", probe["verdict"]);
}

#[test]
fn a_cookie_in_cipher_is_left_open() {
    let verdict = verdict_of(balancer(&["lane=#; Path=/", "seen=%; Path=/"], |cookies| ticket(cookies, "lane=")));
    assert_eq!((&verdict["stickiness"], &verdict["sticky_cookie"]), (&"cookie".into(), &"lane".into()), "{verdict}");
    assert_eq!(verdict["sticky_by"], Value::Null);
    assert!(verdict["evidence"].to_string().contains("in cipher"), "{verdict}");
}

#[test]
fn a_trace_holds_no_cookies_value() {
    let place = Place::new();
    let target = balancer(&["lane=private#; Path=/; HttpOnly"], |cookies| ticket(cookies, "lane=private"));
    let target = target.to_string();
    let kept = place.lbctl(["probe", &target, "--save", "-"]);
    assert!(kept.ok().stdout.contains("\"form\": \"w13\""), "{}", kept.stdout);
    assert!(!kept.stdout.contains("private"), "{}", kept.stdout);
}
