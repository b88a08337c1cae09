//! lbctl's own proxy.

use std::process::Command;

use super::{Case, Expected, SLOW, all_hold, case, shows};
use crate::support::server;

fn own(name: &'static str, arguments: &'static [&'static str], expected: Expected) -> Case {
    let start = move |upstreams: &[String]| {
        server::start(|_, address| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_lbctl"));
            command.args(["proxy", "--quiet", "--port", &address.port().to_string()]).args(arguments);
            upstreams.iter().for_each(|server| _ = command.args(["-u", server]));
            command
        })
    };
    case(name, 3, start, expected)
}

#[test]
fn strategies() {
    let ring = || shows("round-robin").order("fixed");
    let random = || shows("random").or_open();
    all_hold(&[
        own("round-robin", &[], ring().sticky("none").per("request")),
        own("random", &["--strategy", "random"], random().sticky("none")),
        own("p2c", &["--strategy", "p2c"], random().by("least-connections").sticky("none")),
        own("hrw", &["--strategy", "hrw"], shows("source-hash").sticky("source")),
        own("sticky", &["--sticky"], ring().sticky("cookie")),
        own("sticky random", &["--sticky", "--strategy", "random"], random().sticky("cookie")),
        own("round-robin under load", &[], ring().candidates(&["round-robin", "weighted-round-robin"])).with(&SLOW),
    ]);
}
