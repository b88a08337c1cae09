//! Discovery on sets of replies, as servers make them.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeSet, HashMap};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use rand::{RngExt, SeedableRng, rngs::StdRng};

mod certainty;
mod content;
mod series;

use super::{super::http::Reply, *};
use crate::model::trace::{Action, NameCertainty, SeriesName};

/// The time at which a file was changed.
const CHANGED: &str = "Fri, 20 Nov 2026 08:00:00 GMT";

/// A reply as a server sends it.
#[derive(Default, Clone)]
struct TestReply {
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl TestReply {
    fn header(name: &'static str, value: impl Into<String>) -> TestReply {
        TestReply { headers: vec![(name, value.into())], body: String::new() }
    }

    fn body(body: impl Into<String>) -> TestReply {
        TestReply { headers: Vec::new(), body: body.into() }
    }

    fn and(mut self, name: &'static str, value: impl Into<String>) -> TestReply {
        self.headers.push((name, value.into()));
        self
    }

    fn reply(&self) -> Reply {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        headers.insert(header::DATE, HeaderValue::from_static("Sun, 22 Nov 2026 19:43:54 GMT"));
        Reply { status: StatusCode::OK, headers, body: self.body.clone().into(), server: None, port: None, cut: None }
    }
}

struct SeriesResult {
    names: Vec<Option<String>>,
    by: Option<String>,
    certainty: Option<NameCertainty>,
    why_not: Option<String>,
}

fn read(recogniser: &mut Recogniser, names: &mut Vec<Option<String>>, series: &SeriesName, path: &str, reply: &Reply) {
    let request = RequestContext { series, path, n: names.len() as u32 + 1, action: Action::Get };
    match recogniser.recognise(request, reply) {
        Recognition::Name(name) => names.push(name),
        Recognition::NewNames(new_names) => *names = new_names.into_iter().map(|new| new.name).collect(),
    }
}

/// A series of replies to the plain request.
fn series(replies: impl IntoIterator<Item = TestReply>) -> SeriesResult {
    let mut recogniser = Recogniser::new(None);
    let mut names = Vec::new();
    for sent in replies {
        read(&mut recogniser, &mut names, &SeriesName::WithoutJar, "/", &sent.reply());
    }
    let feature = recogniser.identified_by();
    SeriesResult {
        names,
        by: feature.map(|feature| feature.words.clone()),
        certainty: feature.map(|feature| feature.certainty),
        why_not: recogniser.unidentified(),
    }
}

/// The instances that a balancer picks, and a source of noise.
struct BalancedPicks {
    rng: StdRng,
    picks: Vec<usize>,
}

/// Two ways to pick, each with seeds: in turn and at random.
fn balanced(instances: usize, requests: usize) -> Vec<BalancedPicks> {
    let mut all = Vec::new();
    for seed in 0..4 {
        let mut rng = StdRng::seed_from_u64(seed);
        let picks = match seed % 2 {
            0 => (0..requests).map(|n| n % instances).collect(),
            _ => (0..requests).map(|_| rng.random_range(0..instances)).collect(),
        };
        all.push(BalancedPicks { rng, picks });
    }
    all
}

/// Asserts that a feature of the replies that `send` makes distinguishes the instances, and that its description begins
/// with `by`.
#[track_caller]
fn tells(by: &str, instances: usize, mut send: impl FnMut(usize, usize, &mut StdRng) -> TestReply) {
    for BalancedPicks { mut rng, picks } in balanced(instances, 48) {
        let seen = series(picks.iter().enumerate().map(|(n, pick)| send(*pick, n, &mut rng)));
        let said = seen.by.clone().unwrap_or_default();
        assert!(said.starts_with(by), "`{said}` does not begin with `{by}`; {:?}", seen.why_not);
        let mut of: HashMap<usize, &str> = HashMap::new();
        for (pick, name) in picks.iter().zip(&seen.names) {
            let name = name.as_deref().unwrap_or_else(|| panic!("no name by {said} among {:?}", seen.names));
            assert_eq!(*of.entry(*pick).or_insert(name), name, "{said}");
        }
        assert_eq!(of.values().collect::<BTreeSet<_>>().len(), of.len(), "{said}");
    }
}

/// Asserts that no feature distinguishes instances.
#[track_caller]
fn tells_nothing(why: &str, mut send: impl FnMut(usize, &mut StdRng) -> TestReply) {
    for BalancedPicks { mut rng, picks } in balanced(1, 48) {
        let seen = series((0..picks.len()).map(|n| send(n, &mut rng)));
        assert_eq!((&seen.by, seen.names.iter().flatten().next()), (&None, None));
        let said = seen.why_not.unwrap_or_default();
        assert!(said.contains(why), "`{why}` in `{said}`");
    }
}

fn hex(rng: &mut StdRng) -> String {
    format!("{:016x}", rng.random::<u64>())
}

/// A page as an application makes it: of another length each time, with a date, a nonce, a timing and counters.
fn page(host: &str, n: usize, rng: &mut StdRng) -> String {
    let news: String = (0..rng.random_range(0..30))
        .map(|_| format!("<li>item {} of the day</li>\n", rng.random_range(1..99)))
        .collect();
    format!(
        "<!DOCTYPE html>\n<html><head><title>Shop</title><script nonce=\"{}\">var t = {n};</script></head>\n\
         <body><p>Sun Nov 22 19:43:{:02} 2026</p>\n<ul>{news}</ul>\n<div><div><table><tr><td>This page was served by \
         <b>{host}</b></td></tr></table></div></div><p>Visit number {n}, request {}</p><p>{} users online</p>\n\
         <footer>generated in {} ms</footer></body></html>",
        hex(rng),
        n % 60,
        hex(rng),
        rng.random_range(1..4),
        rng.random_range(1..6)
    )
}

#[test]
fn known_names_are_found_at_once() {
    for (sent, name, by) in [
        (TestReply::header("x-served-by", "a1"), "a1", "the header x-served-by"),
        (TestReply::body(r#"{"hostname":"b"}"#), "b", "the JSON field /hostname"),
        (TestReply::body("Hostname: c9\nIP: 1.2.3.4\n"), "c9", "the pattern (?im)^hostname:[ \\t]*(\\S+)"),
        (TestReply::body("<h1 class=x id=\"hostname\">\n web-3 </h1>"), "web-3", "the pattern (?i)"),
        (
            TestReply { body: r#"{"hostname":"b"}"#.to_owned(), ..TestReply::header("x-served-by", "a") },
            "a",
            "the header x-served-by",
        ),
    ] {
        let seen = series([sent]);
        assert_eq!(seen.names, [Some(name.to_owned())]);
        assert!(seen.by.unwrap().starts_with(by));
    }
    assert_eq!(series([TestReply::body("hello").and("x-server", "Apache")]).names, [None]);
}

#[test]
fn a_known_name_that_varies_goes_before_others() {
    tells("the header x-backend", 3, |pick, n, rng| {
        TestReply::body(page("same", n, rng)).and("x-backend", format!("b{pick}"))
    });
    tells("the JSON field /hostname", 3, |pick, n, _| {
        TestReply::body(format!(r#"{{"hostname":"n{pick}","request":{n}}}"#)).and("x-served-by", "cache-1")
    });
    tells("the JSON field /hostname", 4, |pick, n, _| {
        TestReply::body(format!(r#"{{"hostname":"n{pick}"}}"#))
            .and("x-instance-id", format!("i-{n}"))
            .and("x-node", "one")
    });
}

#[test]
fn a_constant_server_header_hides_nothing() {
    tells("the word after \"by <b>\" in the body (regex:by\\s+<b>([\\w.:@-]+))", 3, |pick, n, rng| {
        TestReply::body(page(&format!("web-{pick}"), n, rng)).and("x-server", "Apache")
    });
}

#[test]
fn a_hostname_is_found_deep_in_a_page() {
    for names in [
        ["web-1", "web-2", "web-3"],
        ["alpha", "beta", "gamma"],
        ["3f0c9a51b2de", "aa0c9a51b2d1", "0c9a5ff1b2d1"],
        ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
        ["1", "2", "3"],
    ] {
        tells("the word after \"by <b>\" in the body", 3, |pick, n, rng| TestReply::body(page(names[pick], n, rng)));
    }
    tells("the word after \"from\" in the body", 5, |pick, n, rng| {
        TestReply::body(format!("Hello from node-{pick}! ({n}, {})\n", hex(rng)))
    });
}

#[test]
fn static_pages_differ() {
    let pages = [
        "<html><title>A</title><body>First page</body></html>",
        "<html><title>B</title><body>The second, which is longer</body></html>",
        "<html><title>C</title><body>Third page, again</body></html>",
    ];
    tells("the word after \"<title>\" in the body", 3, |pick, _, _| {
        TestReply::body(pages[pick]).and("etag", format!("\"6a-{pick}\""))
    });
    tells("the word after \"server\" in the body (regex:server\\s+", 2, |pick, _, _| {
        TestReply::body(format!("server {}\n", pick + 1))
    });
    // mere numbers, but of a file
    tells("", 3, |pick, _, _| TestReply::body(format!("{pick}")).and("last-modified", CHANGED));
    tells_nothing("a number", |n, _| TestReply::body(format!("{}", n % 3)));
    // bodies of another length that have no word at the same place
    tells("", 2, |pick, _, _| TestReply::body(["red", "this one is blue"][pick]));
    tells("the whole body", 2, |pick, _, _| {
        TestReply::body(["<p>it works!</p>", "<p>it works.</p>"][pick]).and("last-modified", CHANGED)
    });
}

#[test]
fn headers_and_cookies_tell() {
    tells("the header etag", 3, |pick, _, _| TestReply::body("the same").and("etag", format!("\"65f{pick}-2a\"")));
    tells("the header x-flavour", 3, |pick, _, rng| {
        TestReply::header("x-flavour", ["red", "green", "blue"][pick]).and("x-request-id", hex(rng))
    });
    tells("the cookie SRV", 4, |pick, _, rng| {
        TestReply::header("set-cookie", format!("SRV=s{pick}; path=/"))
            .and("set-cookie", format!("id={}; path=/", hex(rng)))
    });
    tells("the end of the cookie JSESSIONID", 3, |pick, _, rng| {
        TestReply::header("set-cookie", format!("JSESSIONID={}.node{pick}; Path=/; HttpOnly", hex(rng)))
    });
    tells("the end of the cookie JSESSIONID", 3, |pick, _, rng| {
        TestReply::header("set-cookie", format!("JSESSIONID={}!{pick}44401; Path=/", hex(rng)))
    });
    tells("the beginning of the cookie LB", 3, |pick, _, rng| {
        TestReply::header("set-cookie", format!("LB=web{pick}~{}", hex(rng)))
    });
    tells("the beginning of the cookie LB", 3, |pick, _, rng| {
        TestReply::header("set-cookie", format!("LB=web{pick}|{}|x", hex(rng)))
    });
    tells("the cookie _lb", 3, |pick, _, _| {
        TestReply::header(
            "set-cookie",
            format!("_lb={:x}; path=/", 0xab54a98ceb1f0ad2_u64.wrapping_mul(pick as u64 + 1)),
        )
    });
}

#[test]
fn json_fields_tell() {
    tells("the JSON field /node/name", 3, |pick, n, rng| {
        TestReply::body(format!(
            r#"{{"n":{n},"node":{{"uptime":{},"name":"x{pick}"}},"took":{},"id":"{}"}}"#,
            n / 3,
            rng.random_range(1..5),
            hex(rng)
        ))
    });
    tells("the JSON field /node/id", 3, |pick, _, rng| {
        TestReply::body(format!(r#"{{"node":{{"id":{pick}}},"load":{}}}"#, rng.random_range(1..5)))
    });
    tells("the word after \"from\" in the body", 3, |pick, n, _| {
        TestReply::body(format!(r#"{{"message":"hello from web-{pick} at 12:00:{n:02}"}}"#))
    });
}

#[test]
fn what_varies_by_itself_is_no_instance() {
    tells_nothing("none differs", |_, _| TestReply::body("hello"));
    tells_nothing("new in every answer", |n, rng| {
        TestReply::header("x-request-id", hex(rng)).and("x-count", n.to_string())
    });
    tells_nothing("", |n, rng| TestReply::body(page("web-1", n, rng)));
    tells_nothing("new in every answer", |_, rng| {
        TestReply::header("set-cookie", format!("PHPSESSID={}; path=/", hex(rng)))
    });
    tells_nothing("new in every answer", |_, rng| TestReply::header("x-unknown", hex(rng)));
    for name in [
        "x-response-time",
        "x-runtime",
        "x-envoy-upstream-service-time",
        "x-ratelimit-remaining",
        "x-pid",
        "x-foo",
        "age",
        "server-timing",
    ] {
        tells_nothing("", |_, rng| TestReply::header(name, rng.random_range(1..5).to_string()));
    }
    tells_nothing("", |_, rng| TestReply::header("x-response-time", format!("{}ms", rng.random_range(1..5))));
    for name in ["x-ab-test", "x-variant", "x-cache", "x-locale", "x-worker-id", "x-version", "x-zone"] {
        tells_nothing("something else", |_, rng| TestReply::header(name, ["red", "blue"][rng.random_range(0..2)]));
    }
    tells_nothing("", |_, rng| TestReply::header("x-cdn", ["HIT", "MISS"][rng.random_range(0..2)]));
    tells_nothing("", |_, rng| {
        TestReply::header("set-cookie", format!("ab={}; path=/", ["A", "B"][rng.random_range(0..2)]))
    });
    tells_nothing("", |_, rng| TestReply::body(format!("<p>Generated in {} ms</p>", rng.random_range(1..4))));
    tells_nothing("", |_, rng| {
        TestReply::body(format!("took 0.00{}s, worker {}", rng.random_range(1..4), rng.random_range(1..4)))
    });
    tells_nothing("", |_, rng| TestReply::body(format!("There are {} users online", rng.random_range(10..14))));
    tells_nothing("", |_, rng| TestReply::body(format!(r#"{{"pid":{},"status":"ok"}}"#, rng.random_range(100..104))));
}

#[test]
fn a_variant_of_the_page_takes_its_words_with_it() {
    tells_nothing("goes with", |_, rng| {
        let (variant, text) = [("a", "Buy now"), ("b", "Order today")][rng.random_range(0..2)];
        TestReply::body(format!("<body><h1>{text}</h1></body>")).and("x-variant", variant)
    });
    tells_nothing("", |_, rng| {
        let (variant, text) = [("a", "Buy now"), ("b", "Order today")][rng.random_range(0..2)];
        TestReply::body(format!("<body class=\"variant-{variant}\"><h1>{text}</h1></body>"))
    });
    // and hides no instance
    tells("the word after \"on\" in the body", 3, |pick, _, rng| {
        let variant = ["a", "b"][rng.random_range(0..2)];
        TestReply::body(format!("<body class=\"variant-{variant}\"> on {}", ["ape", "bee", "cat"][pick]))
            .and("etag", format!("\"{pick}-{variant}\""))
    });
}

#[test]
fn two_that_vary_across_each_other_are_both_named() {
    for seed in 0..10 {
        let mut rng = StdRng::seed_from_u64(seed);
        let any = |rng: &mut StdRng| rng.random_range(0..3);
        let seen = series((0..60).map(|_| {
            TestReply::header("x-fruit", ["apple", "pear", "plum"][any(&mut rng)])
                .and("x-tree", ["oak", "elm", "ash"][any(&mut rng)])
        }));
        assert_eq!(seen.by, None);
        let why = seen.why_not.unwrap();
        assert!(why.contains("the header x-fruit (3 values)") && why.contains("the header x-tree (3 values)"), "{why}");
    }
}

#[test]
fn the_finest_that_goes_with_the_rest_is_taken() {
    tells("the header x-name", 4, |pick, _, _| {
        TestReply::header("x-name", ["ape", "bee", "cat", "dog"][pick]).and("x-house", ["north", "south"][pick / 2])
    });
    tells("the header x-origin", 4, |pick, _, _| {
        TestReply::body(format!("zone {}", ["north", "south"][pick / 2]))
            .and("x-origin", format!("web-{pick}"))
            .and("etag", format!("\"{}\"", pick / 2))
    });
}
