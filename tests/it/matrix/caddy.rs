//! Caddy: its policies. Its least_conn picks among equals at random.

use super::{Case, Expected, LONGER, SLOW, all_hold, case, shows};
use crate::support::balancers;

fn caddy(policy: &'static str, expected: Expected) -> Case {
    case(policy, 3, move |servers| balancers::caddy(servers, policy), expected)
}

#[test]
fn policies() {
    let ring = || shows("round-robin").order("fixed").sticky("none").per("request");
    let random = || shows("random").or_open().sticky("none").per("request");
    all_hold(&[
        caddy("round_robin", ring()),
        caddy("random", random()),
        caddy("random_choose 2", random().by("least-connections")),
        caddy("least_conn", random().by("least-connections")),
        caddy("first", shows("single").by("first-available")),
        caddy("ip_hash", shows("source-hash").sticky("source")),
        caddy("uri_hash", shows("uri-hash")),
        caddy("header X-User", shows("header-hash")).with(&["--vary-header", "X-User"]),
        caddy("cookie lb secret", shows("random").or_open().cookie("lb")),
        caddy("round_robin", ring().candidates(&["round-robin", "weighted-round-robin"])).with(&SLOW),
        caddy("least_conn", shows("least-connections").or("random")).with(&LONGER),
    ]);
}
