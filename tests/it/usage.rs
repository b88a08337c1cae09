//! Everything that can be asked for wrongly: one clear line, a hint where there is one, the right exit code, and nothing
//! that stays behind.

use std::fs;

use crate::support::{
    Lab, Place,
    http::{get, get_with, numbers},
};

/// A compose file of one service; `label` stands on line 6.
fn one_service(label: &str) -> String {
    format!("services:\n  web:\n    image: x\n    labels:\n      lbctl.app: page\n      {label}\n")
}

#[test]
fn numbers_and_names_that_cannot_be() {
    let place = Place::new();
    let in_up = [
        (&["--web-static", "1001"][..], "web_static=1001: a service has 0 to 1000 replicas"),
        (&["--web-static", "-1"], "unexpected argument '-1'"),
        (&["--web-static=-1"], "invalid value '-1' for '--web-static <N>'"),
        (&["--web-static", "five"], "invalid value 'five' for '--web-static <N>'"),
        (&["--web-static", "1.5"], "invalid value '1.5' for '--web-static <N>'"),
        (&["--web-static", "99999999999"], "invalid value '99999999999' for '--web-static <N>'"),
        (&["--web-static"], "a value is required for '--web-static <N>'"),
        (&["--scale", "web_static"], "invalid value 'web_static' for '--scale <SERVICE=N>': expected SERVICE=N"),
        (&["--scale", "web_static=x"], "`x` is not a number of replicas"),
        (&["--scale", "web_static=1001"], "web_static=1001: a service has 0 to 1000 replicas"),
        (&["--scale", "web=1"], "no service `web` in this lab"),
        (&["--scale", "reverse-proxy=1"], "no service `reverse-proxy` in this lab"),
        (&["--scale", "web_static=1", "--web-static", "2"], "web_static cannot have both 2 and 1 replicas"),
        (&["--sticky", "web"], "no service `web` in this lab"),
        (&["--strategy", "fastest"], "invalid value 'fastest' for '--strategy <S>'"),
        (&["--port", "65536"], "invalid value '65536' for '--port <PORT>'"),
        (&["--bind", "localhost"], "invalid value 'localhost' for '--bind <ADDR>'"),
        (&["-p", "My Lab"], "`My Lab` cannot be a project's name"),
        (&["-p", ""], "`` cannot be a project's name"),
        (&["-p", "-x"], "unexpected argument"),
        (&["-p", "../lab"], "`../lab` cannot be a project's name"),
        (&["-p", "a\u{1b}[2J"], "`a\\u{1b}[2J` cannot be a project's name"),
        (&["--nope"], "unexpected argument '--nope'"),
        (&["more"], "unexpected argument 'more'"),
    ];
    for (arguments, words) in in_up {
        // in the background too: there the message comes from another process
        for detach in [&["-d"][..], &[]] {
            let ended = place.lbctl(["up"].iter().chain(detach).chain(arguments));
            ended.fails(2, words);
            assert_eq!(ended.stdout, "", "{ended:?}");
        }
    }
    let elsewhere = [
        (&["scale"][..], 2, "nothing to scale"),
        (&["scale", "web_static"], 2, "expected SERVICE=N"),
        (&["scale", "web_static=1", "web_static=2"], 2, "web_static cannot have both 1 and 2 replicas"),
        (&["scale", "web_static=1"], 3, "no running lab called `lab`"),
        (&["ps", "-p", "Lab"], 2, "`Lab` cannot be a project's name"),
        (&["session-test", "--sticky", "-p", "lab"], 2, "the argument '--sticky' cannot be used with"),
        (&["probe", "--vary-header", "a b"], 2, "it is not the name of a header"),
        (&["ps", "--format", "xml"], 2, "invalid value 'xml' for '--format <FORMAT>'"),
        (&["ps"], 3, "no running lab called `lab`"),
        (&["logs"], 3, "no running lab called `lab`"),
        (&["down"], 3, "no running lab called `lab`"),
        (&["completions", "cmd"], 2, "invalid value 'cmd' for '<SHELL>'"),
        (&["upp"], 2, "unrecognized subcommand 'upp'"),
    ];
    for (arguments, code, words) in elsewhere {
        place.lbctl(arguments).fails(code, words);
    }
    let bare = place.lbctl([""; 0]);
    assert_eq!(bare.code, Some(2), "{bare:?}");
    place.is_left_clean();
}

#[test]
fn a_wrong_number_changes_nothing_in_a_running_lab() {
    let lab = Lab::up(&["--web-static", "2", "--web-dynamic", "1"]);
    let unknown = lab.lbctl(&["scale", "web_static=3", "web=1"]);
    unknown.fails(2, "no service `web` in this lab");
    assert!(unknown.stderr.contains("\nhint: it has web_static, web_dynamic"), "{unknown:?}");
    lab.lbctl(&["scale", "web_dynamic=3", "web_static=1001"]).fails(2, "a service has 0 to 1000 replicas");
    assert_eq!(lab.ps(), lab.view);
}

#[test]
fn compose_files_that_cannot_be_used() {
    let place = Place::new();
    let file = place.path().join("lab.yml");
    let shown = file.display();
    let rule = "traefik.http.routers.web";
    for (text, code, words) in [
        ("services:\n  web: {image: x\n".to_owned(), 2, format!("{shown}:2:8: unclosed bracket")),
        (String::new(), 2, format!("{shown}: the file is empty")),
        ("services:\n  web:\n    image: x\n    lables: {}\n".to_owned(), 2, format!("{shown}:4: services.web: unknown")),
        (one_service(&format!("{rule}.rule: Hots(`a`)")), 2, format!("service web: label {rule}.rule: ")),
        (one_service(&format!("{rule}.rool: Host(`a`)")), 2, format!("service web: label {rule}.rool: ")),
        (one_service("traefik.enable: sure"), 2, "service web: label traefik.enable: ".to_owned()),
        (
            one_service(&format!("{rule}.service: nope")),
            2,
            "the labels do not fit together: router web: there is no service nope".to_owned(),
        ),
        (one_service("lbctl.app: page"), 2, format!("{shown}:6:7: `lbctl.app` stands here twice")),
        (one_service("a: ${WHAT:?say what}"), 2, format!("{shown}:6:10: variable WHAT is required: say what")),
        (
            "services:\n  web:\n    image: x\n    labels: ['traefik.http.routers.w.rule=Host(`a`)']\n  api:\n    image: x\n    labels: [lbctl.app=api]".to_owned(),
            2,
            "service web: no built-in app stands in for its image".to_owned(),
        ),
        ("services:\n  db:\n    image: x\n".to_owned(), 2, "the lab has no service that the embedded engine".to_owned()),
    ] {
        fs::write(&file, &text).expect("a file");
        for detach in [&["-d"][..], &[]] {
            let ended = place.lbctl(["up", "--port", "0", "-f", file.to_str().expect("text")].iter().chain(detach));
            ended.fails(code, &words);
            let hints = ended.stderr.lines().filter(|line| line.starts_with("hint: ")).count();
            assert_eq!(hints, 1, "{text}: {ended:?}");
            assert_eq!(ended.stdout, "", "{text}");
        }
    }
    fs::write(&file, [0xff, 0xfe, 0x00]).expect("a file");
    let path = file.to_str().expect("text");
    place.lbctl(["up", "-d", "-f", path]).fails(2, path);
    place.lbctl(["up", "-d", "-f", "/nowhere/lab.yml"]).fails(3, "/nowhere/lab.yml: ");
    place.lbctl(["up", "-d", "-f", place.path().to_str().expect("text")]).fails(3, &place.path().display().to_string());
    // flags that fit the built-in lab only
    fs::write(&file, one_service("a: b")).expect("a file");
    place.lbctl(["up", "-d", "-f", path, "--web-static", "1"]).fails(2, "no service `web_static` in this lab");
    place.is_left_clean();
}

#[test]
fn a_compose_file_with_other_labels_makes_another_lab() {
    let place = Place::new();
    let file = place.path().join("docker-compose.yml");
    let text = "
services:
  shop:
    image: shop:${TAG}
    deploy: {replicas: 2}
    labels:
      lbctl.app: page
      traefik.http.routers.shop.rule: Host(`${SHOP_HOST:-shop.example}`)
      traefik.http.services.shop.loadbalancer.sticky.cookie.name: basket
  stock:
    image: stock
    scale: 3
    labels:
      - lbctl.app=api
      - traefik.http.routers.stock.rule=Host(`shop.test`) && PathPrefix(`/api/`)
  db:
    image: postgres
";
    fs::write(&file, text).expect("a file");
    fs::write(place.path().join(".env"), "SHOP_HOST=shop.test\nTAG=1\n").expect("a file");
    let path = file.to_str().expect("text").to_owned();
    let lab = Lab::up_in(place, &["-f", &path, "--scale", "stock=1"]);
    assert_eq!(lab.view["hosts"], serde_json::json!(["shop.test"]));
    assert!(lab.view["url"].as_str().expect("a URL").starts_with("http://shop.test:"));
    assert_eq!(lab.view["services"]["shop"]["sticky_cookie"], "basket");
    let names = |service: &str| lab.view["services"][service]["replicas"].as_array().expect("replicas").len();
    assert_eq!((names("shop"), names("stock")), (2, 1));
    assert_eq!(lab.view["services"].as_object().expect("services").len(), 2);
    // a request for the host of the built-in lab finds nothing here
    assert_eq!(get(&lab.address(), "/").status, 404);
    let shop = |path: &str| get_with(&lab.address(), path, &["X-Forwarded-Host: shop.test"]).status;
    assert_eq!(shop("/"), 404);
    let mut client = crate::support::http::Connection::open(&lab.address()).expect("a connection");
    let answer = client.request("GET", "http://shop.test/api/", &[], "").expect("an answer");
    assert_eq!((answer.status, answer.served_by()), (200, "stock-1"));
    let answer = client.request("GET", "http://shop.test/", &[], "").expect("an answer");
    assert!(answer.header("set-cookie").is_some_and(|cookie| cookie.contains('=')), "{answer:?}");
    assert_eq!(answer.served_by(), "shop-1");
    lab.lbctl(&["scale", "shop=3"]).ok();
    lab.lbctl(&["scale", "web_static=3"]).fails(2, "no service `web_static` in this lab");

    // the environment has precedence over the file
    let mut up = lab.place.command(["up", "-d", "--port", "0", "-f", &path, "-p", "other", "--format", "json"]);
    let other = crate::support::Ended::from(up.env("SHOP_HOST", "shop.localhost").output().expect("lbctl runs"));
    assert_eq!(other.json()["hosts"], serde_json::json!(["shop.localhost", "shop.test"]));
    assert!(other.stderr.contains("note: service db: not run by the embedded engine"), "{other:?}");
}

#[test]
fn a_router_may_lead_to_the_other_service() {
    let place = Place::new();
    let file = place.path().join("lab.yml");
    let text = "
services:
  web:
    image: x
    labels:
      lbctl.app: page
      traefik.http.routers.web.rule: Host(`demo.localhost`)
      traefik.http.routers.web.service: api
  api:
    image: x
    labels:
      lbctl.app: api
      traefik.http.services.api.loadbalancer.server.port: '80'
";
    fs::write(&file, text).expect("a file");
    let path = file.to_str().expect("text").to_owned();
    let lab = Lab::up_in(place, &["-f", &path, "--scale", "web=2", "--scale", "api=3"]);
    assert_eq!(numbers(&lab.address(), "/api/", 4), [1, 2, 3, 1]);
    lab.lbctl(&["scale", "web=4", "api=1"]).ok();
    assert_eq!(get(&lab.address(), "/api/").served_by(), "api-1");
}
