//! The order in which servers are asked, which is where the two proxies differ on purpose.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    stage::{Kind, Server, Stage},
    wire::{ask, get},
};

/// A service that two containers define, at a port of its own each, has both of them.
pub fn containers_of_different_services_share_one(stage: &Stage) {
    for side in &stage.sides {
        let mut ports: Vec<_> =
            (0..4).map(|_| ask(side.address, &get("merged.test", "/")).seen.unwrap()["port"].clone()).collect();
        ports.sort_by_key(serde_json::Value::to_string);
        assert_eq!(ports, [3000, 3000, 3001, 3001], "{:?}", side.kind);
    }
}

/// Both use each of the three servers once in each round. In Traefik the order changes from round to round and repeats
/// after nine requests, from a server that it drew by lot; the bundled proxy's is 1-2-3 from the first request, so that
/// a reader can follow it by eye.
pub fn a_round_asks_each_server_once(stage: &Stage, servers: &[Server]) {
    let names: BTreeMap<&str, &str> =
        servers.iter().map(|server| (&*server.container.hostname, &*server.name)).collect();
    for side in &stage.sides {
        let who = |_| names[ask(side.address, &get("order.test", "/")).hostname()];
        let order: Vec<&str> = (0..18).map(who).collect();
        let rounds: Vec<&[&str]> = order.chunks(3).collect();
        let all = |round: &&[&str]| round.iter().collect::<BTreeSet<_>>().len() == 3;
        assert!(rounds.iter().all(all), "{:?}: {order:?}", side.kind);
        match side.kind {
            Kind::Traefik => {
                assert_eq!(order[..9], order[9..], "it repeats after nine");
                assert!(rounds[0] != rounds[1] && rounds[1] != rounds[2], "another order in each round: {order:?}");
            }
            Kind::Bundled => assert!(rounds.iter().all(|round| *round == ["web-1", "web-2", "web-3"]), "{order:?}"),
        }
    }
}
