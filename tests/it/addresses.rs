//! Names with several addresses: which one `lbctl probe` asks, and what it says of the others.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Ended, Place, missing, peer, server};

/// The port of all balancers of a name.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// `lbctl` where the name `many.test` has these addresses: a hosts file that only this process sees.
fn lbctl(place: &Place, addresses: &[&str], arguments: &[&str]) -> Option<Ended> {
    let hosts = place.path().join("hosts");
    let lines: String = addresses.iter().map(|address| format!("{address} many.test\n")).collect();
    std::fs::write(&hosts, format!("127.0.0.1 localhost\n{lines}")).unwrap();
    let script = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
    let mut unshare = Command::new(peer("unshare")?);
    unshare.args(["-rm", "sh", "-c", script]).arg(&hosts);
    let tried = unshare.arg("true").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !tried.is_ok_and(|status| status.success()) {
        missing("a mount namespace, for a hosts file of one's own");
        return None;
    }
    let lbctl = place.command(arguments);
    let mut command = Command::new(peer("unshare")?);
    command.args(["-rm", "sh", "-c", script]).arg(&hosts).arg(lbctl.get_program()).args(lbctl.get_args());
    command.envs(lbctl.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
    for (name, _) in lbctl.get_envs().filter(|(_, value)| value.is_none()) {
        command.env_remove(name);
    }
    Some(command.output().unwrap().into())
}

/// Servers that give these names.
fn backends(names: &[&str]) -> Vec<String> {
    let backend = |name: &&str| {
        let headers = format!("X-Served-By: {name}\r\n");
        server::raw(move |_, stream| {
            _ = std::io::Write::write_all(stream, server::http("200 OK", &headers, "").as_bytes());
        })
        .to_string()
    };
    names.iter().map(backend).collect()
}

/// Balancers on one port of several loopback addresses, each in front of servers with these names: nginx in turn, or at random.
fn balancers(port: u16, each: &[(&str, &[&str], &str)]) -> Option<Vec<server::Balancer>> {
    let balancer = |(address, names, method): &(&str, &[&str], &str)| {
        let also = format!("listen {address}:{port};");
        server::nginx(&backends(names), method, &also)
    };
    each.iter().map(balancer).collect()
}

const NAMES: [&str; 3] = ["web-1", "web-2", "web-3"];

#[test]
fn all_addresses_are_said_and_one_is_asked() {
    let (place, port) = (Place::new(), free_port());
    // nobody listens at the first one
    let Some(_balancers) = balancers(port, &[("127.0.0.12", &NAMES, ""), ("127.0.0.13", &["other"], "")]) else {
        return;
    };
    let url = format!("http://many.test:{port}/");
    let addresses = ["127.0.0.11", "127.0.0.12", "127.0.0.13"];
    let Some(seen) = lbctl(&place, &addresses, &["probe", &url, "--format", "json"]) else { return };
    let seen = seen.json();
    let target = &seen["target"];
    assert_eq!(target["addresses"], serde_json::json!(addresses), "{target}");
    assert_eq!((&target["via"], &target["connected_to"]), (&"dns".into(), &format!("127.0.0.12:{port}").into()));
    assert_eq!(seen["verdict"]["cycle"], serde_json::json!(NAMES), "{}", seen["verdict"]);
    let Some(shown) = lbctl(&place, &addresses, &["probe", &url]) else { return };
    let text = shown.ok().stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = format!(
        "dns: 3 addresses: 127.0.0.11, 127.0.0.12, 127.0.0.13; the verdict is about 127.0.0.12:{port} alone, and other \
         clients may come to the others (--addresses each)"
    );
    assert!(text.contains(&words), "{}", shown.stdout);
    assert!(shown.stdout.lines().all(|line| line.chars().count() <= 80), "{}", shown.stdout);
    let login = ["session-test", &url, "--login", "POST /login user=alice", "--logged-in", "status:200"];
    let Some(tested) = lbctl(&place, &addresses, &login) else { return };
    let text = tested.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&words), "{}", tested.stdout);
    // a name with one address leaves nothing to say
    let Some(one) = lbctl(&place, &["127.0.0.12"], &["probe", &url]) else { return };
    assert!(!one.ok().stdout.contains("dns:"), "{}", one.stdout);
}

#[test]
fn each_address_is_asked_and_the_verdicts_are_compared() {
    let (place, port) = (Place::new(), free_port());
    let url = format!("http://many.test:{port}/");
    let stage = [
        ("127.0.0.11", &NAMES[..], ""),
        ("127.0.0.12", &NAMES, ""),
        ("127.0.0.13", &["web-1"], ""),
        ("127.0.0.15", &NAMES, "random;"),
        ("127.0.0.14", &["app-1", "app-2", "app-3"], ""),
    ];
    let Some(_balancers) = balancers(port, &stage) else { return };
    for (addresses, algorithm, instances, code) in [
        (["127.0.0.11", "127.0.0.12"], "same", "same", 0),
        // others may have stayed behind the one that answered: a second request for each takes every second turn
        (["127.0.0.11", "127.0.0.13"], "undetermined", "undetermined", 4),
        // random picks may be a round robin of which others take turns
        (["127.0.0.11", "127.0.0.15"], "undetermined", "same", 4),
        (["127.0.0.14", "127.0.0.11"], "same", "different", 0),
    ] {
        let arguments = ["probe", &url, "--addresses", "each", "--format", "json", "--expect", "round-robin"];
        let Some(ended) = lbctl(&place, &addresses, &arguments) else { return };
        let seen: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(ended.code, Some(code), "{addresses:?}: {}", seen["agreement"]);
        assert_eq!(seen["schema"], "lbctl.addresses.v1");
        let asked = seen["addresses"].as_array().unwrap().iter().map(|one| one["address"].as_str().unwrap());
        assert!(asked.eq(addresses.map(|address| format!("{address}:{port}"))), "{seen}");
        let agreement = &seen["agreement"];
        assert_eq!((&agreement["algorithm"], &agreement["instances"]), (&algorithm.into(), &instances.into()));
        assert_eq!(seen["passed"].as_bool(), [Some(true), Some(false)].get(code as usize).copied().flatten());
        for one in seen["addresses"].as_array().unwrap() {
            assert_eq!(one["target"]["connected_to"], one["address"]);
            assert!(one["verdict"]["algorithm"].is_string() && one["error"].is_null(), "{one}");
        }
    }
}

#[test]
fn an_address_that_does_not_answer_is_said_beside_the_verdicts_of_the_others() {
    let (place, port) = (Place::new(), free_port());
    let url = format!("http://many.test:{port}/");
    let Some(_balancers) = balancers(port, &[("127.0.0.11", &NAMES, "")]) else { return };
    let arguments = ["probe", &url, "--addresses", "each", "--expect", "round-robin"];
    let Some(ended) = lbctl(&place, &["127.0.0.11", "127.0.0.12"], &arguments) else { return };
    ended.fails(3, "does not answer");
    let text = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&format!("at 127.0.0.11:{port}: round-robin over 3 instances")), "{}", ended.stdout);
    assert!(
        text.contains(&format!("at 127.0.0.12:{port}: http://many.test:{port}/ does not answer")),
        "{}",
        ended.stdout
    );
}

#[test]
fn addresses_that_nothing_resolves_cannot_be_asked_in_turn() {
    let place = Place::new();
    place.lbctl(["probe", "http://127.0.0.1:9/", "--addresses", "each"]).fails(2, "nothing was resolved");
    for other in [&["--connect", "127.0.0.1:9"][..], &["--save", "x"], &["--replay", "x"]] {
        let ended = place.lbctl([&["probe", "--addresses", "each"], other].concat());
        assert_eq!(ended.code, Some(2), "{ended:#?}");
    }
    let proxied = place
        .command(["probe", "http://many.test/", "--addresses", "each"])
        .env("http_proxy", "http://127.0.0.1:9")
        .output()
        .unwrap();
    Ended::from(proxied).fails(2, "nothing was resolved");
}
