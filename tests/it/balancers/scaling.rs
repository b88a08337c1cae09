//! Containers that come, go, and fall ill, under steady requests.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    stage::{Server, Side, Stage, Wanted},
    sticky,
    wire::{Answer, Wire, ask, get, request},
};
use crate::support::eventually;

/// The flags of the lab's Traefik: no connection is kept, so that none is used that has just ended.
const AS_IN_THE_LAB: [&str; 2] =
    ["--serverstransport.forwardingtimeouts.dialtimeout=250ms", "--serverstransport.maxidleconnsperhost=-1"];

/// The labels of the lab's services: a server that has just gone still gets requests for a moment; they go to another.
const SCALED: &str = "
    traefik.enable=true
    services.scaled.loadbalancer.server.port=3000
    services.scaled.loadbalancer.sticky.cookie.name=srv
    routers.scaled.rule=Host(`scaled.test`)
    routers.scaled.middlewares=scaled-retry
    middlewares.scaled-retry.retry.attempts=50
    middlewares.scaled-retry.retry.status=502
    routers.once.rule=Host(`once.test`)
";

/// A router that leads to the service of other containers.
const NEIGHBOUR: &str = "
    traefik.enable=true
    services.neighbour.loadbalancer.server.port=3000
    routers.neighbour.rule=Host(`neighbour.test`)
    routers.neighbour.service=scaled@docker
    routers.alive.rule=Host(`alive.test`)
    routers.alive.service=neighbour
";

const FRAIL: &str = "
    traefik.enable=true
    services.frail.loadbalancer.server.port=3000
    routers.frail.rule=Host(`frail.test`)
";

/// A container that is ill while it has a file `/tmp/ill`.
const HEALTH: [&str; 3] = ["--health-cmd=test ! -e /tmp/ill", "--health-interval=300ms", "--health-retries=1"];

const fn scaled(number: u32) -> Wanted<'static> {
    Wanted { service: "scaled", number, labels: SCALED, flags: &[] }
}

const fn frail(number: u32) -> Wanted<'static> {
    Wanted { service: "frail", number, labels: FRAIL, flags: &HEALTH }
}

/// Two scaled containers, a neighbour, two frail ones, and the proxies.
pub fn open(stage: &mut Stage) -> Vec<Server> {
    let neighbour = Wanted { service: "neighbour", number: 1, labels: NEIGHBOUR, flags: &[] };
    let servers = stage.start(&[scaled(1), scaled(2), neighbour, frail(1), frail(2)]);
    stage.open(&AS_IN_THE_LAB, "scaled.test");
    servers
}

/// Scaled to three, to two, to others: every request is answered, by a server that is there.
pub fn every_request_is_answered_while_containers_come_and_go(stage: &mut Stage, servers: &[Server]) -> Server {
    let (one, two) = (&servers[0], &servers[1]);
    let loads: Vec<Load> = stage.sides.iter().map(Load::start).collect();
    let all_see = |server: &Server| loads.iter().for_each(|load| load.sees(server));
    all_see(one);
    all_see(two);

    let three = stage.start(&[scaled(3)]).remove(0);
    all_see(&three);

    // what is under way on a server that is stopped is answered
    let cookie = format!("srv={}", sticky::value(&one.ip, 3000));
    let farewell = request("GET", "scaled.test", "/farewell", &[&format!("Cookie: {cookie}")]);
    let under_way: Vec<Wire> = stage.sides.iter().map(|side| side.under_way(&farewell, one)).collect();
    loads.iter().for_each(Load::knows_nobody);
    stop(&[one]);
    for mut wire in under_way {
        while wire.line().unwrap() != "last\n" {}
    }
    // who was kept there is given another one, and its cookie; asked once, because Traefik's retries all go where the
    // cookie says, until it has noticed
    let moved = |answer: &Answer| answer.status == 200 && answer.hostname() != one.container.hostname;
    becomes(stage, "once.test", "the client is moved", |side| {
        let answer = sticky::get(side, "once.test", &[&cookie]);
        moved(&answer) && answer.header("set-cookie").len() == 1
    });

    let four = stage.start(&[scaled(4)]).remove(0);
    all_see(&four);
    stop(&[two, &three]);
    loads.iter().for_each(Load::knows_nobody);
    all_see(&four);
    for (load, side) in loads.into_iter().zip(&stage.sides) {
        let tally = load.finish();
        assert!(
            tally.failed.is_empty(),
            "{:?}: {} of {}: {:#?}",
            side.kind,
            tally.failed.len(),
            tally.sent,
            tally.failed
        );
        assert_eq!(tally.seen, BTreeSet::from([four.container.hostname.clone()]), "{:?}", side.kind);
    }
    four
}

/// Nobody is left: the containers' routers go with them, and so does the service that a neighbour's router names.
pub fn a_service_goes_with_its_last_container(stage: &Stage, last: &Server) {
    stop(&[last]);
    for host in ["once.test", "neighbour.test", "scaled.test"] {
        becomes(stage, host, "it is gone", |side| status(side, host) == 404);
    }
    becomes(stage, "alive.test", "it is there", |side| status(side, "alive.test") == 200);
}

/// A container whose health check fails gets no requests until it is well again; where all fail, there is no router.
pub fn an_ill_container_is_left_alone_until_it_is_well(stage: &Stage, servers: &[Server]) {
    let (one, two) = (&servers[3], &servers[4]);
    let answers = |side: &Side| -> BTreeSet<String> {
        (0..6).map(|_| ask(side.address, &get("frail.test", "/")).hostname().to_owned()).collect()
    };
    let hosts = |servers: &[&Server]| -> BTreeSet<String> {
        servers.iter().map(|server| server.container.hostname.clone()).collect()
    };
    becomes(stage, "frail.test", "both answer", |side| answers(side) == hosts(&[one, two]));
    one.container.exec(&["touch", "/tmp/ill"]);
    becomes(stage, "frail.test", "one is left alone", |side| answers(side) == hosts(&[two]));
    two.container.exec(&["touch", "/tmp/ill"]);
    becomes(stage, "frail.test", "nobody is left", |side| status(side, "frail.test") == 404);
    one.container.exec(&["rm", "/tmp/ill"]);
    becomes(stage, "frail.test", "one is well", |side| answers(side) == hosts(&[one]));
}

#[track_caller]
fn becomes(stage: &Stage, host: &str, what: &str, holds: impl Fn(&Side) -> bool) {
    for side in &stage.sides {
        eventually(&format!("{:?}: {host}: {what}", side.kind), || holds(side).then_some(()));
    }
}

fn status(side: &Side, host: &str) -> u16 {
    ask(side.address, &get(host, "/")).status
}

/// Stops containers as the lab does, all at once.
fn stop(servers: &[&Server]) {
    let stopping: Vec<_> = servers.iter().map(|server| server.container.stop()).collect();
    for mut child in stopping {
        assert!(child.wait().expect("docker runs").success());
    }
}

impl Side {
    /// A request that this server has begun to answer: the first half is there.
    fn under_way(&self, request: &str, server: &Server) -> Wire {
        let mut wire = Wire::open(self.address);
        wire.send(request);
        let mut answer = String::new();
        while !answer.ends_with("first\n") {
            answer += &wire.line().unwrap_or_else(|error| panic!("{:?}: {error} after {answer:?}", self.kind));
        }
        assert!(answer.contains(&server.container.hostname), "{:?}: {answer}", self.kind);
        wire
    }
}

/// Clients that send one request after the other through a proxy: one keeps its connection, the other does not.
struct Load {
    stop: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
    clients: Vec<JoinHandle<()>>,
}

/// What clients saw.
#[derive(Default)]
struct Tally {
    sent: usize,
    failed: Vec<String>,
    /// Who answered.
    seen: BTreeSet<String>,
}

impl Load {
    fn start(side: &Side) -> Load {
        let (stop, tally) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Tally>>::default());
        let clients = [true, false].map(|keep| {
            let (address, stop, tally) = (side.address, stop.clone(), tally.clone());
            thread::spawn(move || send(address, keep, &stop, &tally))
        });
        Load { stop, tally, clients: clients.into() }
    }

    #[track_caller]
    fn sees(&self, server: &Server) {
        let seen = || self.tally.lock().unwrap().seen.contains(&server.container.hostname).then_some(());
        eventually(&format!("{} to answer", server.name), seen);
    }

    /// Forgets who answered.
    fn knows_nobody(&self) {
        self.tally.lock().unwrap().seen.clear();
    }

    fn finish(mut self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            client.join().expect("the client does not panic");
        }
        std::mem::take(&mut self.tally.lock().unwrap())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn send(address: SocketAddr, keep: bool, stop: &AtomicBool, tally: &Mutex<Tally>) {
    let mut kept = None;
    while !stop.load(Ordering::Relaxed) {
        let mut wire = kept.take().unwrap_or_else(|| Wire::open(address));
        let answer = wire.ask(&get("scaled.test", "/wait/2"));
        let mut tally = tally.lock().unwrap();
        tally.sent += 1;
        match answer.status {
            200 if answer.whole => _ = tally.seen.insert(answer.hostname().to_owned()),
            _ => tally.failed.push(format!("{answer:?}")),
        }
        drop(tally);
        kept = (keep && answer.whole).then_some(wire);
        // steady, and not all that the machine can do
        thread::sleep(Duration::from_millis(2));
    }
}
