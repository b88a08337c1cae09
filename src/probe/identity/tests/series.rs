//! Names change as replies come in.

use super::*;

#[test]
fn too_few_answers_say_nothing() {
    let replies = |n| (0..n).map(|n| TestReply::body(format!("served by node-{}", n % 3)));
    assert_eq!(series(replies(5)).by, None);
    assert_eq!(series(replies(9)).names[0].as_deref(), Some("node-0"));
}

#[test]
fn many_instances_show_themselves_before_the_probe_gives_up() {
    let seen = series((0..40).map(|n| TestReply::body(format!("<b>served by</b> node-{}", n % 30))));
    assert_eq!(seen.names.iter().flatten().collect::<BTreeSet<_>>().len(), 30);
    assert!(seen.by.unwrap().starts_with("the word after \"by</b>\""));
}

#[test]
fn an_instance_that_is_drawn_rarely_is_named_when_it_comes() {
    let send =
        |n: usize| TestReply::body(format!("I am the {} one", if n == 300 { "rare" } else { ["red", "blue"][n % 2] }));
    let seen = series((0..310).map(send));
    assert_eq!(seen.names[300].as_deref(), Some("rare"));
    assert_eq!(seen.names[301].as_deref(), Some("blue"));
    let whole = series(
        (0..310)
            .map(|n| TestReply::body(if n == 300 { "<p>x?".to_owned() } else { format!("<p>x{}", ["!", "."][n % 2]) }))
            .map(|sent| sent.and("last-modified", CHANGED)),
    );
    assert_eq!((whole.names[0].as_deref(), whole.names[300].as_deref()), (Some("body-1"), Some("body-3")));
}

#[test]
fn other_pages_make_no_instances() {
    let mut recogniser = Recogniser::new(None);
    let mut names = Vec::new();
    let mut ask = |name: &SeriesName, path: &str, status: u16, body: String| {
        let reply = Reply {
            status: StatusCode::from_u16(status).unwrap(),
            ..TestReply::body(body).and("last-modified", CHANGED).reply()
        };
        read(&mut recogniser, &mut names, name, path, &reply);
        names.last().unwrap().clone()
    };
    let plain = SeriesName::WithoutJar;
    for n in 0..30 {
        ask(&plain, "/", 200, format!("<h1>Shop</h1> {}", ["ape", "bee"][n % 2]));
    }
    assert_eq!(ask(&plain, "/", 502, "<h1>Bad Gateway</h1> nginx".to_owned()), None);
    assert_eq!(ask(&SeriesName::WithJar, "/login", 200, "<h1>Login</h1> alice".to_owned()), None);
    assert_eq!(ask(&SeriesName::WithJar, "/", 200, "<h1>Shop</h1> ape".to_owned()).as_deref(), Some("ape"));
    let path = "/?lbctl=1".to_owned();
    assert_eq!(ask(&SeriesName::Path(path.clone()), &path, 200, format!("<h1>Shop</h1> {path}")), None);
    assert_eq!(ask(&plain, "/", 200, "<h1>Shop</h1> cat".to_owned()).as_deref(), Some("cat"));
    // and the same once it is settled
    for n in 0..250 {
        ask(&plain, "/", 200, format!("<h1>Shop</h1> {}", ["ape", "bee"][n % 2]));
    }
    assert_eq!(ask(&plain, "/", 502, "<h1>Bad Gateway</h1> nginx".to_owned()), None);
    assert_eq!(ask(&SeriesName::WithJar, "/", 200, "<h1>Hello</h1> alice".to_owned()), None);
    assert_eq!(ask(&SeriesName::WithJar, "/", 200, "<h1>Shop</h1> ape".to_owned()).as_deref(), Some("ape"));
}

#[test]
fn ones_own_port_is_nobodys_name() {
    let mut recogniser = Recogniser::new(None);
    let mut names = Vec::new();
    for n in 0..60 {
        // eight reused connections
        let port = 50_000 + n % 8;
        let sent =
            TestReply::body(format!("address: 127.0.0.1:{port} port {port}")).and("x-client-port", port.to_string());
        let reply = Reply { port: Some(port), ..sent.reply() };
        read(&mut recogniser, &mut names, &SeriesName::WithoutJar, "/", &reply);
    }
    assert_eq!(recogniser.identified_by(), None);
}

#[test]
fn errors_of_gateways_name_no_new_instance() {
    let reply = |status: u16, name: String| Reply {
        status: StatusCode::from_u16(status).unwrap(),
        ..TestReply::header("x-served-by", name).reply()
    };
    let explicit = || Some("header:x-served-by".parse::<Identity>().unwrap());
    let plain = SeriesName::WithoutJar;
    for mut recogniser in [Recogniser::new(None), Recogniser::new(explicit())] {
        let mut names = Vec::new();
        for n in 0..60 {
            let (status, name) = match n % 10 {
                4 => ([429, 502, 503, 504][n / 10 % 4], "lb".to_owned()),
                7 => (503, format!("web-{}", n % 2)),
                _ => (200, format!("web-{}", n % 2)),
            };
            read(&mut recogniser, &mut names, &plain, "/", &reply(status, name));
        }
        let expected = |n: usize| (n % 10 != 4).then(|| format!("web-{}", n % 2));
        assert_eq!(names, (0..60).map(expected).collect::<Vec<_>>());
    }
    for mut recogniser in [Recogniser::new(None), Recogniser::new(explicit())] {
        let mut names = Vec::new();
        for n in 0..40 {
            read(&mut recogniser, &mut names, &plain, "/", &reply(503, format!("lb-{}", n % 2)));
        }
        assert_eq!(names.iter().flatten().count(), 0);
        assert!(recogniser.unidentified().unwrap().contains("429, 502, 503 or 504"));
    }
    // an application's own error is an instance's
    let mut names = Vec::new();
    let mut recogniser = Recogniser::new(None);
    for n in 0..20 {
        read(
            &mut recogniser,
            &mut names,
            &plain,
            "/",
            &reply(if n % 2 == 0 { 200 } else { 500 }, format!("web-{}", n % 2)),
        );
    }
    assert_eq!(names.iter().flatten().collect::<BTreeSet<_>>().len(), 2);
}
