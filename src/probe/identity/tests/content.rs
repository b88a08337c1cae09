//! Content that a single server shows at random is no instance, and overrules none.

use super::*;

/// A page of one server: a picture and a greeting that it draws for each request.
fn drawn(greeting: Option<&str>, rng: &mut StdRng) -> String {
    let hero = rng.random_range(1..4);
    let greeting = greeting.unwrap_or("Dear guest");
    format!(
        "<!DOCTYPE html><html><body><h1>{greeting}</h1><p>welcome to the shop</p><div class=\"box c{hero}\">\
         <img src=\"/img/hero-{hero}.jpg\" alt=\"hero-{hero}\"></div></body></html>"
    )
}

fn greeting(rng: &mut StdRng) -> &'static str {
    ["Aloha", "Servus", "Cheers"][rng.random_range(0..3)]
}

#[test]
fn rotating_content_is_no_instance() {
    tells_nothing("something else", |_, rng| TestReply::body(drawn(None, rng)));
    tells_nothing("something else", |n, rng| TestReply::body(drawn(None, rng)).and("x-request-id", format!("{n}")));
    // one after the other just as well, and with a digest that says no more than the body
    tells_nothing("may as well be shown at random", |n, _| {
        let word = ["Aloha", "Servus", "Cheers"][n % 3];
        TestReply::body(format!("<h1>{word}</h1><p>welcome to the shop</p>"))
            .and("etag", format!("W/\"c-Lve95gjOVATpfV8E{word}\""))
    });
    tells_nothing("(regex:<h1>([\\w.:@-]+))", |_, rng| {
        TestReply::body(format!("<h1>{}</h1><p>the shop</p>", greeting(rng)))
    });
    // a page that says that it was changed just now is made anew
    tells_nothing("may as well", |_, rng| {
        TestReply::body(format!("<h1>{}</h1><p>the shop</p>", greeting(rng)))
            .and("last-modified", "Sun, 22 Nov 2026 19:43:54 GMT")
    });
    tells_nothing("may as well", |_, rng| TestReply::body(format!(r#"{{"motto":"{}","n":1}}"#, greeting(rng))));
    tells_nothing("", |_, rng| {
        TestReply::body(format!("<p>see <a href=/server/web-{}>this</a>", rng.random_range(1..4)))
    });
    tells_nothing("", |_, rng| {
        TestReply::body(format!("<script>bg = 'theme-{}.css'</script>", rng.random_range(1..4)))
    });
}

#[test]
fn a_word_with_support_is_a_name() {
    // a header that divides the replies alike
    tells("the header x-flavour", 3, |pick, _, _| {
        TestReply::body(format!("<h1>{}</h1> in the shop", ["ape", "bee", "cat"][pick]))
            .and("x-flavour", ["p", "q", "r"][pick])
    });
    // hosts by their look, or by an attribute's name
    tells("the word", 3, |pick, _, _| TestReply::body(format!("<html><p><b>web-{pick}</b></p> and more</html>")));
    tells("the word", 3, |pick, _, _| {
        TestReply::body(format!("<html><p data-host=\"x{pick}\">what is there to see</p></html>"))
    });
    tells("", 3, |pick, _, _| TestReply::body(["I am one", "I am two", "I am three"][pick]));
}

#[test]
fn what_is_shown_at_random_overrules_no_name() {
    // one server that says who it is
    for BalancedPicks { mut rng, picks } in balanced(1, 48) {
        let seen = series(picks.iter().map(|_| TestReply::body(drawn(None, &mut rng)).and("x-served-by", "web-1")));
        assert_eq!((seen.by.as_deref(), seen.names[0].as_deref()), (Some("the header x-served-by"), Some("web-1")));
    }
    // a header of the instances, in turn
    tells("the header x-flavour", 3, |pick, _, rng| {
        TestReply::body(drawn(None, rng)).and("x-flavour", ["sweet", "sour", "salty"][pick])
    });
    let undecided = |replies: Vec<TestReply>, named: [&str; 2]| {
        let seen = series(replies);
        assert_eq!(seen.by, None);
        let why = seen.why_not.unwrap();
        assert!(named.iter().all(|named| why.contains(named)), "{why}");
    };
    let mut rng = StdRng::seed_from_u64(1);
    let flavours = (0..48).map(|n| {
        let word = greeting(&mut rng);
        TestReply::body(drawn(Some(word), &mut rng)).and("x-flavour", ["sweet", "sour", "salty"][n % 3])
    });
    undecided(flavours.collect(), ["the header x-flavour (3 values)", "in the body"]);
    // which may be a cache's name
    let cached =
        (0..48).map(|n| TestReply::body(page(&format!("web-{}", n % 3), n, &mut rng)).and("x-served-by", "cache-1"));
    undecided(cached.collect(), ["the header x-served-by is always the same", "the word after \"by <b>\""]);
}

#[test]
fn a_known_name_that_never_comes_back_is_none() {
    let uuid = |rng: &mut StdRng| {
        let id = hex(rng) + &hex(rng);
        format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..])
    };
    tells_nothing("the header x-server-id: new in every answer", |_, rng| TestReply::header("x-server-id", uuid(rng)));
    tells_nothing("new in every answer", |_, rng| TestReply::body(format!(r#"{{"hostname":"{}"}}"#, hex(rng))));
    // a time lasts for some answers
    tells_nothing("something else", |n, _| TestReply::body(format!(r#"{{"server":"21:14:{:02}"}}"#, n / 5)));
    tells_nothing("something else", |n, _| TestReply::header("x-instance", format!("2026-11-22T21:14:{:02}Z", n / 5)));
    // many that answer rarely are names, and so are ids of which each answers again
    for name in [|n: usize| format!("web-{n}"), |n: usize| format!("{:012x}", 0x3f0c_9a51_b2de_u64 + n as u64 * 7919)] {
        let seen = series((0..48).map(|n| TestReply::header("x-served-by", name(n))));
        assert_eq!(seen.names.iter().flatten().collect::<BTreeSet<_>>().len(), 48);
    }
    let mut rng = StdRng::seed_from_u64(7);
    let ids: Vec<String> = (0..3).map(|_| uuid(&mut rng)).collect();
    tells("the header x-instance-id", 3, |pick, _, _| TestReply::header("x-instance-id", ids[pick].clone()));
    let few = series((0..12).map(|_| TestReply::header("x-server-id", uuid(&mut rng))));
    assert_eq!(few.names.iter().flatten().count(), 12, "names as long as little is known");
}
