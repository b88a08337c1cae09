//! The reader as a whole: files, `.env`, variables, YAML's own features.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::fs;

use proptest::prelude::*;

use super::*;
use crate::model::{App, ExposedByDefault};

mod mistakes;

fn none(_: &str) -> Option<String> {
    None
}

fn with(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    |wanted| pairs.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned())
}

fn read_with(text: &str, variables: &dyn Fn(&str) -> Option<String>) -> Result<Definition, ComposeError> {
    parse(text, Origin::File("lab.yml".into()), variables)
}

fn read(text: &str) -> Result<Definition, ComposeError> {
    read_with(text, &none)
}

/// A directory with these files.
fn files(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

#[test]
fn the_built_in_lab_is_the_classic_one() {
    let lab = parse(BUILT_IN, Origin::BuiltIn, &none).unwrap();
    assert_eq!(lab.origin, Origin::BuiltIn);
    assert_eq!((lab.port, lab.exposed_by_default), (Some(80), ExposedByDefault::No));
    assert_eq!(lab.notes, Vec::<String>::new());
    let roles: Vec<_> = lab.services.iter().map(|service| (service.name.as_str(), service.role)).collect();
    let expected =
        [("reverse-proxy", Role::Proxy), ("web_static", Role::App(App::Page)), ("web_dynamic", Role::App(App::Api))];
    assert_eq!(roles, expected);
    let labels = &lab.services[1].labels;
    assert_eq!(labels["traefik.http.routers.web-static.rule"], "Host(`demo.api.ch`) || Host(`demo.localhost`)");
    assert_eq!(labels["traefik.http.services.web-static.loadbalancer.server.port"], "80");
    assert_eq!(lab.services[1].replicas, None);

    let moved = parse(BUILT_IN, Origin::BuiltIn, &with(&[("LBCTL_HTTP_PORT", "8888")])).unwrap();
    assert_eq!(moved.port, Some(8888));
    let wrong = parse(BUILT_IN, Origin::BuiltIn, &with(&[("LBCTL_HTTP_PORT", "x")])).unwrap_err().to_string();
    assert!(wrong.starts_with("the built-in lab:") && wrong.contains("services.reverse-proxy.ports"), "{wrong}");
}

#[test]
fn the_file_in_the_checkout_is_the_built_in_lab() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/docker-compose.yml");
    assert_eq!(fs::read_to_string(&path).unwrap(), BUILT_IN);
    let from_file = load_with(&path, &none).unwrap();
    assert_eq!(from_file.services, parse(BUILT_IN, Origin::BuiltIn, &none).unwrap().services);
    assert_eq!(from_file.origin, Origin::File(path));
}

#[test]
fn the_environment_wins_over_the_file_beside_it() {
    let yaml = b"services: {a: {image: x, scale: \"${N:-5}\", labels: [\"l=$L\"]}}";
    let dir = files(&[("lab.yml", yaml), (".env", b"# five is the default\nN=3\nL=${N} of .env\n")]);
    let path = dir.path().join("lab.yml");
    let read = |environment: &dyn Fn(&str) -> Option<String>| {
        let lab = load_with(&path, environment).unwrap();
        assert_eq!(lab.notes, Vec::<String>::new());
        (lab.services[0].replicas, lab.services[0].labels["l"].clone())
    };
    assert_eq!(read(&none), (Some(3), "3 of .env".to_owned()));
    assert_eq!(read(&with(&[("N", "4")])), (Some(4), "4 of .env".to_owned()));
    assert_eq!(read(&with(&[("N", "")])), (Some(5), " of .env".to_owned()));
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let good = b"services: {a: {image: x}}";
    let dir = files(&[("good.yml", good), ("latin.yml", b"a: b\n# caf\xe9\n"), ("none.yml", b"")]);
    fs::write(dir.path().join("big.yml"), vec![b'#'; MAX_BYTES as usize + 1]).unwrap();
    let error = |name: &str| {
        let error = load(&dir.path().join(name)).unwrap_err();
        let text = error.to_string();
        let relative = text.strip_prefix(&format!("{}/", dir.path().display())).unwrap_or(&text).to_owned();
        (relative, error.cause())
    };
    let directory = dir.path().display().to_string();
    for (name, expected, cause) in [
        ("gone.yml", "gone.yml: no such file", Cause::Unreadable),
        ("", ": a directory, not a file", Cause::Unreadable),
        ("latin.yml", "latin.yml:2: not UTF-8 text", Cause::Broken),
        ("none.yml", "none.yml: the file is empty", Cause::Broken),
        ("big.yml", "big.yml: larger than 4 MiB", Cause::Broken),
    ] {
        let (text, found) = error(name);
        let text = text.strip_prefix(&directory).unwrap_or(&text).trim_start_matches('/');
        assert_eq!((text, found), (expected.trim_start_matches('/'), cause));
    }
    // a broken .env breaks the lab that it stands beside; a directory of that name does not
    fs::write(dir.path().join(".env"), "A=1\nwhat is this\n").unwrap();
    assert_eq!(error("good.yml").0, ".env:2: `what is this` is not the name of a variable");
    fs::write(dir.path().join(".env"), b"A=\xff").unwrap();
    assert_eq!(error("good.yml").0, ".env:1: not UTF-8 text");
    fs::remove_file(dir.path().join(".env")).unwrap();
    fs::create_dir(dir.path().join(".env")).unwrap();
    assert!(load(&dir.path().join("good.yml")).is_ok());
}

#[test]
fn anchors_aliases_and_merge_keys_work() {
    let lab = read(concat!(
        "x-labels: &labels\n  traefik.enable: true\n  shared: ${NO:-yes}\n",
        "x-app: &app\n  image: app\n  deploy: &deploy {replicas: 2}\n",
        "services:\n",
        "  a:\n    <<: *app\n    labels:\n      <<: *labels\n      shared: mine\n",
        "  b:\n    <<: [*app, {image: other}]\n    deploy:\n      <<: *deploy\n      replicas: 4\n    labels: *labels\n",
    ))
    .unwrap();
    let shown: Vec<_> = lab
        .services
        .iter()
        .map(|service| (service.name.as_str(), service.replicas, service.labels["shared"].as_str()))
        .collect();
    assert_eq!(shown, [("a", Some(2), "mine"), ("b", Some(4), "yes")]);
    assert_eq!(lab.services[0].labels["traefik.enable"], "true");
}

#[test]
fn values_are_interpolated_and_keys_are_not() {
    let lab = read_with(
        concat!(
            "# ${not a variable}\n",
            "services:\n  a:\n    image: ${IMAGE-traefik}:v3\n    labels:\n",
            "      $key: $$value\n      rule: PathRegexp(`^/a{2}$$`) # ${nor this\n      folded: >-\n        ${A}\n        ${A:+b}\n",
            "    scale: ${N}\n    ports: [\"${P:-8080}:80\"]\n",
        ),
        &with(&[("N", "7"), ("A", "a")]),
    )
    .unwrap();
    let service = &lab.services[0];
    assert_eq!((service.role, service.replicas, lab.port), (Role::Proxy, Some(7), Some(8080)));
    assert_eq!(service.labels["$key"], "$value");
    assert_eq!(service.labels["rule"], "PathRegexp(`^/a{2}$`)");
    assert_eq!(service.labels["folded"], "a b");
}

#[test]
fn each_unset_variable_is_noted_once() {
    let lab = read("services: {a: {image: \"x$B$A\", labels: [\"c=$A\"]}}").unwrap();
    let expected = ["A", "B"].map(|name| format!("variable {name} is not set and has no default: it is empty"));
    assert_eq!(lab.notes, expected);
}

#[test]
fn the_first_proxy_counts() {
    let lab = read(concat!(
        "version: '3'\nname: mine\nvolumes: {}\nx-anything: [1]\n",
        "services:\n",
        "  p: {image: traefik, ports: [\"81:8000\", \"82:80\"], command: --entrypoints.web.address=:8000}\n",
        "  q: {image: traefik, ports: [\"83:80\"]}\n",
    ))
    .unwrap();
    assert_eq!((lab.port, lab.exposed_by_default), (Some(81), ExposedByDefault::Yes));
    assert_eq!(lab.notes, ["service q: there is one proxy, service p"]);
    let without = read("services: {a: {image: x, ports: ['1:80']}}").unwrap();
    assert_eq!((without.port, without.exposed_by_default), (None, ExposedByDefault::Yes));
}

/// Lines that are nearly a compose file.
fn nearly() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("services:"),
        Just("  a:"),
        Just("  b: &b"),
        Just("    <<: *b"),
        Just("    image: traefik:v3"),
        Just("    image: ${X:-y}"),
        Just("    labels:"),
        Just("      - a=b"),
        Just("      a: $A"),
        Just("    command: [--providers.docker.exposedByDefault, --entrypoints.web.address=:80]"),
        Just("    ports: [\"80-81:80\", {target: 80}]"),
        Just("    scale: 3"),
        Just("    deploy: {replicas: ${N:?}}"),
        Just("\t"),
        Just("]"),
        Just("- ?"),
        Just("ä: |"),
    ];
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn never_panics_on_any_text(text in any::<String>()) {
        let _ = read(&text);
    }

    #[test]
    fn never_panics_on_what_is_nearly_right(text in nearly()) {
        match read_with(&text, &|name| (name == "N").then(|| "2".to_owned())) {
            Ok(lab) => prop_assert!(!lab.services.is_empty()),
            Err(error) => prop_assert_eq!(error.to_string().lines().count(), 1),
        }
    }
}
