#![allow(clippy::unwrap_used)]
use super::*;
use crate::routing::{
    Subject,
    fixtures::{container, replica},
};

const RULE: (&str, &str) = ("traefik.http.routers.web.rule", "Host(`a`)");
const PORT: &str = "traefik.http.services.web.loadbalancer.server.port";

fn addresses(table: &Table, host: &str, path: &str) -> Vec<String> {
    let router = table.route(Subject { host, path });
    router.into_iter().flat_map(|r| &r.balancer.available).map(|s| s.upstream.address.to_string()).collect()
}

fn registry() -> Registry {
    Registry::new(ExposedByDefault::Yes, 1)
}

fn names(table: &Table, host: &str, path: &str) -> Vec<String> {
    let router = table.route(Subject { host, path });
    router.into_iter().flat_map(|r| &r.balancer.available).map(|s| s.upstream.name.to_string()).collect()
}

#[test]
fn the_longer_rule_has_priority_and_a_number_beats_length() {
    let web = [("traefik.http.routers.web.rule", "Host(`a`)")];
    let api = [("traefik.http.routers.api.rule", "Host(`a`) && PathPrefix(`/api/`)")];
    let table = registry().table(&[replica("web", 1, State::Ready, &web), replica("api", 1, State::Ready, &api)]);
    assert_eq!(names(&table, "a", "/"), ["web-1"]);
    assert_eq!(names(&table, "a", "/api/"), ["api-1"]);
    assert_eq!(names(&table, "b", "/"), [""; 0]);

    let web = [web[0], ("traefik.http.routers.web.priority", "1000")];
    let table = registry().table(&[replica("web", 1, State::Ready, &web), replica("api", 1, State::Ready, &api)]);
    assert_eq!(names(&table, "a", "/api/"), ["web-1"]);
}

#[test]
fn only_ready_replicas_are_offered() {
    let states = [State::Ready, State::Draining, State::Restarting, State::Starting, State::Ready];
    let replicas: Vec<_> = (1..).zip(states).map(|(n, state)| replica("web", n, state, &[])).collect();
    let table = registry().table(&replicas);
    assert_eq!(names(&table, "web-lab", "/"), ["web-1", "web-5"]);
    assert!(table.offers("web-1") && !table.offers("web-2"));
    assert_eq!(table.upstreams("web-2").len(), 1);
}

#[test]
fn without_labels_the_rule_is_made_of_service_and_project() {
    let table = registry().table(&[replica("web_static", 1, State::Ready, &[])]);
    assert_eq!(names(&table, "web-static-lab", "/"), ["web_static-1"]);
}

#[test]
fn what_is_not_enabled_is_not_routed() {
    // its other labels do not matter
    let off = [("Traefik.Enable", "false"), ("traefik.http.oops", "1")];
    let table = registry().table(&[replica("web", 1, State::Ready, &off)]);
    assert_eq!((names(&table, "web-lab", "/"), table.problems), (vec![], vec![]));
    let mut registry = Registry::new(ExposedByDefault::No, 1);
    let table = registry.table(&[replica("web", 1, State::Ready, &[])]);
    assert_eq!(names(&table, "web-lab", "/"), [""; 0]);
}

#[test]
fn a_bad_label_drops_its_container_and_nothing_else() {
    let bad = [("traefik.http.routers.web.rule", "Host(`a`)"), ("traefik.http.routers.web.oops", "1")];
    let table = registry().table(&[replica("web", 1, State::Ready, &bad), replica("api", 1, State::Ready, &[])]);
    assert_eq!(names(&table, "a", "/"), [""; 0]);
    assert_eq!(names(&table, "api-lab", "/"), ["api-1"]);
    assert_eq!(table.problems.len(), 1);
}

#[test]
fn a_router_must_find_its_service() {
    let unknown = [("traefik.http.routers.web.service", "nowhere")];
    let table = registry().table(&[replica("web", 1, State::Ready, &unknown)]);
    assert_eq!(table.problems, ["router web: there is no service nowhere"]);
    let two = [
        ("traefik.http.routers.web.rule", "Host(`a`)"),
        ("traefik.http.services.x.loadbalancer.server.port", "1"),
        ("traefik.http.services.y.loadbalancer.server.port", "2"),
    ];
    let table = registry().table(&[replica("web", 1, State::Ready, &two)]);
    assert_eq!(table.problems, ["router web: there are several services and it names none"]);
}

#[test]
fn cursors_and_upstreams_outlive_a_table() {
    let mut registry = registry();
    let one = registry.table(&[replica("web", 1, State::Ready, &[])]);
    let two = registry.table(&[replica("web", 1, State::Ready, &[]), replica("web", 2, State::Ready, &[])]);
    let subject = Subject { host: "web-lab", path: "/" };
    let (one, two) = (&one.route(subject).unwrap().balancer, &two.route(subject).unwrap().balancer);
    assert!(Arc::ptr_eq(&one.cursor, &two.cursor));
    assert!(Arc::ptr_eq(&one.available[0].upstream, &two.available[0].upstream));
}

#[test]
fn a_router_finds_its_middlewares_wherever_they_are_defined() {
    let list = "traefik.http.routers.web.middlewares";
    let strip = |prefix| ("traefik.http.middlewares.strip.stripprefix.prefixes", prefix);
    let offered = |web: &[(&str, &str)], api: &[(&str, &str)]| {
        let rule = [("traefik.http.routers.web.rule", "Host(`a`)")];
        let (web, api) =
            (replica("web", 1, State::Ready, &[&rule, web].concat()), replica("api", 1, State::Ready, api));
        let table = registry().table(&[web, api]);
        let count = table.route(Subject { host: "a", path: "/" }).map(|route| route.router.middlewares.len());
        (count, table.problems)
    };
    assert_eq!(offered(&[(list, "strip@docker, strip")], &[strip("/a")]), (Some(2), vec![]));
    assert_eq!(offered(&[(list, "")], &[]), (Some(0), vec![]));
    let retry = ("traefik.http.middlewares.again.retry.attempts", "2");
    assert_eq!(offered(&[(list, "again"), retry], &[]), (Some(0), vec![]));
    let off = |problems: &[&str]| (None, problems.iter().map(|&problem| problem.to_owned()).collect::<Vec<_>>());
    for name in ["strip@file", "x"] {
        let problem = format!("router web: there is no middleware {name}");
        assert_eq!(offered(&[(list, name), strip("/a")], &[]), off(&[&problem]));
    }
    assert_eq!(
        offered(&[(list, "strip"), strip("/a")], &[strip("/b")]),
        off(&["middleware strip is defined in two ways", "router web: there is no middleware strip"])
    );
    let both = ("traefik.http.middlewares.strip.headers.customrequestheaders.a", "1");
    assert_eq!(
        offered(&[(list, "strip"), strip("/a"), both], &[]),
        off(&["router web: middleware strip is of several kinds, headers and stripprefix"])
    );
}

#[test]
fn one_container_may_be_two_services() {
    let labels = [
        RULE,
        ("traefik.http.routers.web.service", "site"),
        ("traefik.http.routers.admin.rule", "Host(`a`) && PathPrefix(`/admin`)"),
        ("traefik.http.routers.admin.service", "admin@docker"),
        ("traefik.http.services.site.loadbalancer.server.port", "80"),
        ("traefik.http.services.admin.loadbalancer.server.port", "81"),
    ];
    let mut registry = registry();
    let table = registry.table(&[container("web", 1, State::Ready, 0, &labels)]);
    assert_eq!(addresses(&table, "a", "/"), ["10.0.0.1:80"]);
    assert_eq!(addresses(&table, "a", "/admin"), ["10.0.0.1:81"]);
    assert_eq!(table.upstreams("web-1").len(), 2);
    let cookies: HashSet<_> = table.upstreams("web-1").iter().map(|upstream| &upstream.cookie_value).collect();
    assert_eq!(cookies.len(), 2);
    let draining = registry.table(&[container("web", 1, State::Draining, 0, &labels)]);
    assert!(!draining.offers("web-1"));
    assert_eq!(draining.upstreams("web-1").iter().filter(|upstream| upstream.is_draining()).count(), 2);
    // the same container again, before its end was noticed
    let again = registry.table(&[container("web", 1, State::Ready, 0, &labels)]);
    assert!(again.offers("web-1") && !again.upstreams("web-1").iter().any(|upstream| upstream.is_draining()));
    assert!(registry.table(&[]).upstreams("web-1").is_empty());
}

#[test]
fn containers_of_one_balancer_keep_their_order_whatever_their_labels() {
    let labels = |more| [RULE, (PORT, "80"), ("com.example.generation", more)];
    let generations = ["old", "new", "old", "new"];
    let containers: Vec<_> =
        (1..).zip(generations).map(|(n, more)| container("web", n, State::Ready, 0, &labels(more))).collect();
    let table = registry().table(&containers);
    assert_eq!(names(&table, "a", "/"), ["web-1", "web-2", "web-3", "web-4"]);
    // another service that defines the same
    let other = container("blue", 1, State::Ready, 0, &labels("old"));
    let table = registry().table(&[&containers[..2], &[other]].concat());
    assert_eq!(names(&table, "a", "/"), ["web-1", "web-2", "blue-1"]);
}

#[test]
fn a_container_that_takes_no_requests_has_no_say() {
    let mut registry = registry();
    let ready = container("web", 1, State::Ready, 80, &[RULE]);
    let table = registry.table(std::slice::from_ref(&ready));
    let first = table.upstreams("web-1")[0].clone();
    let changed = [("traefik.http.routers.web.rule", "Host(`b`)"), ("traefik.http.routers.web.oops", "1")];
    for state in [State::Starting, State::Unhealthy, State::Restarting, State::Ended, State::Draining] {
        let silent = container("web", 2, state, 80, &changed);
        let table = registry.table(&[ready.clone(), silent]);
        assert_eq!((names(&table, "a", "/"), &table.problems), (vec!["web-1".to_owned()], &vec![]));
        let alone = registry.table(&[Replica { state, ..ready.clone() }]);
        assert!(alone.route(Subject { host: "a", path: "/" }).is_none(), "{state}: no route is left");
        assert!(Arc::ptr_eq(&alone.upstreams("web-1")[0], &first), "{state}");
    }
}

#[test]
fn definitions_that_differ_delete_each_other() {
    let rule = |rule| ("traefik.http.routers.web.rule", rule);
    let differing = |a: &[(&str, &str)], b: &[(&str, &str)]| {
        let (a, b) = ([&[rule("Host(`a`)")], a].concat(), [&[rule("Host(`a`)")], b].concat());
        let containers = [
            container("web", 1, State::Ready, 80, &a),
            container("web", 2, State::Ready, 80, &b),
            container("api", 3, State::Ready, 80, &[]),
            container("web", 4, State::Ready, 80, &a),
        ];
        let table = registry().table(&containers);
        assert_eq!(names(&table, "api-lab", "/"), ["api-3"], "the rest goes on");
        (names(&table, "a", "/"), table.problems)
    };
    let all = ["web-1", "web-2", "web-4"].map(str::to_owned).to_vec();
    for (label, value) in [
        (PORT, "81"),
        ("traefik.http.services.web-lab.loadbalancer.passhostheader", "true"),
        ("traefik.http.routers.web.priority", "0"),
        ("traefik.http.services.web-lab.loadbalancer.server.weight", "3"),
        ("com.example.any", "thing"),
    ] {
        let name = if label == PORT { "traefik.http.services.web-lab.loadbalancer.server.port" } else { label };
        assert_eq!(differing(&[], &[(name, value)]), (all.clone(), vec![]), "{label}");
    }
    for (label, value) in [
        ("traefik.http.routers.web.rule", "Host( `a` )"),
        ("traefik.http.routers.web.priority", "9"),
        ("traefik.http.routers.web.entrypoints", "web"),
        ("traefik.http.routers.web.service", "web-lab@docker"),
    ] {
        let (offered, problems) = differing(&[], &[(label, value)]);
        assert_eq!((offered, problems), (vec![], vec!["router web is defined in two ways".to_owned()]), "{label}");
    }
    for (label, value) in [
        ("traefik.http.services.web-lab.loadbalancer.passhostheader", "false"),
        ("traefik.http.services.web-lab.loadbalancer.sticky.cookie", "true"),
        ("traefik.http.services.web-lab.loadbalancer.healthcheck.path", "/"),
    ] {
        let (offered, problems) = differing(&[(label, value)], &[]);
        let expected = ["service web-lab is defined in two ways", "router web: there is no service web-lab"];
        assert_eq!((offered, problems), (vec![], expected.map(str::to_owned).to_vec()), "{label}");
    }
}
