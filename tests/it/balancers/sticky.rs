//! The cookie that keeps a client on its server.

use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::{
    stage::{Server, Side, Stage},
    wire::{Answer, ask, request},
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The name that a service's cookie has by default.
fn name(service: &str) -> String {
    format!("_{}", &hex(&Sha1::digest(format!("_TRAEFIK_BACKEND_{service}@docker")))[..5])
}

/// The value that stands for a server.
pub fn value(ip: &str, port: u16) -> String {
    hex(&Sha256::digest(format!("http://{ip}:{port}")))[..16].to_owned()
}

pub fn get(side: &Side, host: &str, cookies: &[&str]) -> Answer {
    let lines: Vec<String> = cookies.iter().map(|cookie| format!("Cookie: {cookie}")).collect();
    let answer = ask(side.address, &request("GET", host, "/", &lines.iter().map(String::as_str).collect::<Vec<_>>()));
    assert!(answer.header("set-cookie").len() < 2, "{:?}: {answer:?}", side.kind);
    answer
}

/// The value is made of the server's address: so a cookie of one proxy leads to the same server behind the other.
pub fn a_cookie_names_the_same_server_to_both(stage: &Stage, servers: &[Server]) {
    let name = name("sticky");
    let servers: Vec<&Server> = servers.iter().filter(|server| server.name.starts_with("web-")).collect();
    for side in &stage.sides {
        for _ in 0..3 {
            let first = get(side, "sticky.test", &["other=1"]);
            let server = servers.iter().find(|server| server.container.hostname == first.hostname()).unwrap();
            let cookie = format!("{name}={}", value(&server.ip, 3000));
            assert_eq!(first.header("set-cookie"), [format!("{cookie}; Path=/")], "{:?}", side.kind);
        }
        for server in &servers {
            let cookie = format!("{name}={}", value(&server.ip, 3000));
            for sent in [&[&*cookie] as &[&str], &[&format!("a=1; {cookie}; b=2")], &["a=1", &cookie]] {
                for _ in 0..2 {
                    let again = get(side, "sticky.test", sent);
                    assert_eq!(again.hostname(), server.container.hostname, "{:?}: {sent:?}", side.kind);
                    assert!(again.header("set-cookie").is_empty(), "{:?}: {sent:?}", side.kind);
                    // the server sees it too
                    assert_eq!(again.saw("cookie"), sent, "{:?}", side.kind);
                }
            }
        }
        // what names nobody is replaced
        for value in ["0123456789abcdef", "", "http://127.0.0.1"] {
            let anew = get(side, "sticky.test", &[&format!("{name}={value}")]);
            assert_eq!((anew.status, anew.header("set-cookie").len()), (200, 1), "{:?}: {value}", side.kind);
        }
    }
}

pub fn attributes_come_from_labels(stage: &Stage, servers: &[Server]) {
    let ip = &servers.iter().find(|server| server.name == "many-1").unwrap().ip;
    let full =
        format!("srv={}; Path=/x; Domain=full.test; Max-Age=60; HttpOnly; Secure; SameSite=Strict", value(ip, 3000));
    // even a 502 says which server it was
    let lost = format!("{}={}; Path=/", name("lost"), value(ip, 3999));
    let expected: [(&str, u16, &[&str]); 4] =
        [("full.test", 200, &[&full]), ("lost.test", 502, &[&lost]), ("trap.test", 200, &[]), ("many.test", 200, &[])];
    for side in &stage.sides {
        for (host, status, cookies) in expected {
            let answer = get(side, host, &[]);
            assert_eq!((answer.status, answer.header("set-cookie")), (status, cookies.to_vec()), "{:?}", side.kind);
        }
    }
}
