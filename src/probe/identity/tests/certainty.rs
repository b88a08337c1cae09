//! What varies like the names of instances may be something else; the certainty says which is which.

use super::*;

/// Asserts that replies of three instances, in turn and at random, are named with this certainty.
#[track_caller]
fn names_with(certainty: NameCertainty, send: impl Fn(usize) -> TestReply) {
    for BalancedPicks { picks, .. } in balanced(3, 48) {
        let seen = series(picks.iter().map(|pick| send(*pick)));
        assert_eq!(seen.certainty, Some(certainty), "{:?} {:?}", seen.by, seen.why_not);
    }
}

const WORDS: [&str; 3] = ["sweet", "sour", "salty"];

#[test]
fn a_name_that_means_an_instance_is_known() {
    for name in ["x-served-by", "x-backend", "x-web-server", "x-amz-instance", "x-pod", "x-hosted-on"] {
        names_with(NameCertainty::Known, |pick| TestReply::header(name, WORDS[pick]));
    }
    names_with(NameCertainty::Known, |pick| TestReply::header("set-cookie", format!("SRV=s{pick}; path=/")));
    names_with(NameCertainty::Known, |pick| TestReply::header("set-cookie", format!("route={}a; path=/", WORDS[pick])));
    names_with(NameCertainty::Known, |pick| {
        TestReply::header("set-cookie", format!("JSESSIONID=0c9a5ff1b2d1.n{pick}; path=/"))
    });
    names_with(NameCertainty::Known, |pick| TestReply::body(format!(r#"{{"node":{{"name":"{}"}}}}"#, WORDS[pick])));
    names_with(NameCertainty::Known, |pick| TestReply::body(format!(r#"{{"machine":{{"label":"m{pick}"}}}}"#)));
}

#[test]
fn a_server_that_introduces_itself_is_known() {
    for body in
        ["hello from web-NR", "Hi! I am web-NR", "<h1>Hello from <b>app-NR</b></h1>", "running on 10.0.0.NR", "web-NR"]
    {
        names_with(NameCertainty::Known, |pick| TestReply::body(body.replace("NR", &(pick + 1).to_string())));
    }
    names_with(NameCertainty::Known, |pick| {
        TestReply::body(["3f0c9a51b2de\n", "aa0c9a51b2d1\n", "0c9a5ff1b2d1\n"][pick])
    });
    // a header that varies alike is then known, too
    names_with(NameCertainty::Known, |pick| {
        TestReply::body(format!("hello from web-{pick}")).and("x-origin", format!("web-{pick}"))
    });
}

#[test]
fn what_only_varies_as_instances_do_is_a_guess() {
    for name in [
        "x-flavour",
        "x-db-replica",
        "x-replica",
        "x-shard",
        "x-db-host",
        "x-mysql-server",
        "x-redis",
        "x-route",
        "x-id",
        "etag",
    ] {
        names_with(NameCertainty::Guessed, |pick| TestReply::header(name, WORDS[pick]));
    }
    names_with(NameCertainty::Guessed, |pick| TestReply::header("x-redis", format!("10.0.0.{pick}")));
    names_with(NameCertainty::Guessed, |pick| TestReply::header("x-cart", format!("app-{pick}")));
    names_with(NameCertainty::Guessed, |pick| TestReply::header("set-cookie", format!("cart=12.a{pick}; path=/")));
    names_with(NameCertainty::Guessed, |pick| TestReply::body(format!(r#"{{"id":{pick},"motto":"none"}}"#)));
    names_with(NameCertainty::Guessed, |pick| TestReply::body(format!("loaded from 10.0.0.{pick}")));
    names_with(NameCertainty::Guessed, |pick| TestReply::body(WORDS[pick]));
}

#[test]
fn parts_of_the_data_name_instances_only_where_nothing_else_does() {
    for data in ["x-db-replica", "x-shard", "x-slot", "x-replica"] {
        // across the only other header that varies
        let seen = series(
            (0..48).map(|n| TestReply::header("x-flavour", WORDS[n % 3]).and(data, ["a", "b", "c", "d"][(n / 3) % 4])),
        );
        assert_eq!(seen.by.as_deref(), Some("the header x-flavour"), "{data}");
        // beside a well-known name that stays
        let seen = series((0..48).map(|n| TestReply::header(data, format!("s{}", n % 3)).and("x-served-by", "web-a")));
        assert_eq!((seen.by.as_deref(), seen.certainty), (Some("the header x-served-by"), Some(NameCertainty::Known)));
    }
    let two = series((0..48).map(|n| TestReply::header("x-shard", WORDS[n % 3]).and("x-slot", WORDS[(n / 3) % 3])));
    let why = two.why_not.unwrap();
    assert!(why.contains("the header x-shard (3 values)") && why.contains("the header x-slot (3 values)"), "{why}");
}

#[test]
fn a_guess_does_not_overrule_a_well_known_name_that_stays() {
    let replies = (0..48).map(|n| TestReply::body(format!(r#"{{"id":{}}}"#, n % 4)).and("x-served-by", "web-a"));
    let seen = series(replies);
    assert_eq!((seen.by.as_deref(), seen.certainty), (Some("the header x-served-by"), Some(NameCertainty::Known)));
}
