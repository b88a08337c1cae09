//! The campaign of a probe against simulated balancers, without a network: what is sent, in which order, and what comes of
//! it.

mod balancers;
mod keys;
mod study;
mod target;

use std::time::Duration;

use futures_util::FutureExt;
use lbctl::{
    analysis::{
        ALPHA, Algorithm, BalancesPer, Case, Claim, Order, ServiceSettings, Session, Stickiness, StickyBy, Verdict,
        find_contradictions, judge,
    },
    experiment::{
        CampaignError, CampaignPlan, ExperimentName, LabService, LoginPlan, NoProgress, Progress, Sender, play_login,
        run_campaign,
    },
    model::{
        App, Engine, ProxyKind, ReplicaView, ServiceStrategy, ServiceView, State, Strategy,
        trace::{Connection, SeriesName},
    },
    probe::Script,
};
use rand::{SeedableRng, rngs::StdRng};

use balancers::Keeps;
use target::{Balancer, OtherClient, Placed, SimulatedTarget};

use crate::simulation::balancers::Balancer as Picks;

/// The default campaign against a target of which nothing is known.
fn plan() -> CampaignPlan {
    CampaignPlan {
        url: "http://demo/".parse().unwrap(),
        alpha: ALPHA,
        requests: None,
        concurrency: 1,
        connection: None,
        script: None,
        timeout: Duration::from_secs(10),
        picked: Vec::new(),
        sources: Vec::new(),
        paths: Vec::new(),
        header: None,
        slow_path: None,
        lab: None,
    }
}

/// A lab's service with `k` replicas of the page, which has a path that takes its time.
fn lab(k: usize) -> LabService {
    let replica = |n| ReplicaView {
        name: format!("web-{n}"),
        hostname: format!("web-{n}"),
        address: None,
        state: State::Ready,
        restarts: 0,
    };
    let view = ServiceView {
        app: Some(App::Page),
        strategy: ServiceStrategy::Known(Strategy::RoundRobin),
        sticky_cookie: None,
        replicas: (1..=k).map(replica).collect(),
    };
    LabService { name: "web".to_owned(), engine: Engine::Embedded, proxy: ProxyKind::Bundled, view, logs_in: true }
}

/// Makes the campaign; the sender never waits.
fn campaign(plan: &CampaignPlan, balancer: Balancer) -> Result<SimulatedTarget, CampaignError> {
    let mut target = SimulatedTarget::new(balancer);
    let made = run_campaign(plan, None, &mut target, &mut StdRng::seed_from_u64(1), &mut NoProgress).now_or_never();
    made.unwrap().map(|()| target)
}

fn probe(plan: &CampaignPlan, balancer: Balancer) -> (SimulatedTarget, Verdict) {
    let target = campaign(plan, balancer).unwrap();
    let verdict = judge(&Case::new(target.trace(), ALPHA));
    assert_eq!(find_contradictions(&verdict), [], "{verdict:?}");
    (target, verdict)
}

/// Independent draws for clients without a cookie are no draws for those with one: what is ruled out for these alone is not
/// ruled out.
#[test]
fn nothing_is_ruled_out_that_is_still_a_candidate() {
    let mut draws = balancers::random(4, 5);
    let sticky: Balancer = Box::new(move |asked| match asked.cookie("id") {
        Some(value) => value.parse::<usize>().unwrap_or(0).into(),
        None => {
            let instance = draws(asked).instance;
            Placed { instance, set: vec![("id".to_owned(), instance.to_string())] }
        }
    });
    let (_, verdict) = probe(&plan(), sticky);
    assert_eq!((verdict.algorithm, verdict.stickiness), (Algorithm::Random, Stickiness::Cookie), "{verdict:?}");
    assert!(verdict.ruled_out.iter().all(|out| out.algorithm != Algorithm::Random), "{verdict:?}");
}

/// The names of the series, those with a value by what stands before it, each once in a row.
fn names(target: &SimulatedTarget) -> Vec<String> {
    let names = target.trace().series.iter().map(|series| series.name.to_string());
    let mut names: Vec<String> = names.map(|name| name.split(':').next().unwrap().to_owned()).collect();
    names.dedup();
    names
}

#[test]
fn each_balancer_is_named() {
    let with_lab = CampaignPlan { lab: Some(lab(4)), ..plan() };
    for (what, balancer, algorithm) in [
        ("a ring", balancers::round_robin(4), Algorithm::RoundRobin),
        ("shuffled rounds", balancers::shuffled_rounds(4), Algorithm::RoundRobin),
        (
            "weights",
            balancers::blind(crate::simulation::balancers::cycle(vec![0, 0, 1, 0, 2], 0)),
            Algorithm::WeightedRoundRobin,
        ),
        ("draws", balancers::random(4, 3), Algorithm::Random),
        ("the fewest connections", balancers::least_connections(4), Algorithm::LeastConnections),
        ("one alone", balancers::single(), Algorithm::Single),
    ] {
        let (_, verdict) = probe(&with_lab, balancer);
        assert_eq!(verdict.algorithm, algorithm, "{what}: {:?}", verdict.evidence);
        assert!(verdict.chance <= ALPHA);
    }
    // nothing calls for load where one instance answers all
    let slow = CampaignPlan { slow_path: Some("/slow".to_owned()), ..plan() };
    let (_, verdict) = probe(&slow, balancers::first_available(4, 2));
    assert_eq!(verdict.algorithm, Algorithm::FirstAvailable, "{:?}", verdict.evidence);
    let (_, ring) = probe(&with_lab, balancers::round_robin(4));
    assert_eq!(
        (ring.order, ring.candidates),
        (Some(Order::Fixed), vec![Algorithm::RoundRobin, Algorithm::WeightedRoundRobin])
    );
}

/// Another client in step with the probe always takes the same turns: every second one, every third.
#[test]
fn a_client_in_step_is_no_reason_for_a_false_word() {
    let mut right = 0;
    for k in 2..=6 {
        for period in [1000, 1900, 500, 333] {
            let mut target = SimulatedTarget::new(balancers::round_robin(k));
            target.other = Some(OtherClient { period, next: 450 });
            let plan = plan();
            let made =
                run_campaign(&plan, None, &mut target, &mut StdRng::seed_from_u64(1), &mut NoProgress).now_or_never();
            assert_eq!(made, Some(Ok(())));
            let verdict = judge(&Case::new(target.trace(), ALPHA));
            let said = format!("{k} instances, every {period} µs: {verdict:?}");
            let named = [Algorithm::RoundRobin, Algorithm::Undetermined];
            assert!(
                named.contains(&verdict.algorithm) && verdict.candidates.contains(&Algorithm::RoundRobin),
                "{said}"
            );
            assert!(verdict.ruled_out.iter().all(|out| out.algorithm != Algorithm::RoundRobin), "{said}");
            assert!(verdict.cycle.is_empty() || verdict.cycle.len() == k, "{said}");
            assert_eq!(verdict.stickiness, Stickiness::None, "{said}");
            assert_ne!(verdict.balances_per, BalancesPer::Connection, "{said}");
            // two that are met at random may be drawn, or be the less busy of the two
            right += usize::from(k > 2 && verdict.algorithm == Algorithm::RoundRobin);
        }
    }
    assert!(right > 8, "a round robin was named {right} times of 16");
}

/// A second request for each, such as a mirror, takes a turn whatever the pauses.
#[test]
fn turns_that_each_request_takes_besides_leave_a_round_robin_open() {
    for (k, turns) in [(2, 2), (4, 2), (6, 2), (6, 3), (3, 2), (5, 3)] {
        let mut ring = crate::simulation::balancers::cycle((0..k).collect(), 0);
        let several = balancers::blind(move || (0..turns).map(|_| Picks::pick(&mut ring)).last().unwrap());
        let (_, verdict) = probe(&plan(), several);
        let said = format!("{turns} turns of {k}: {verdict:?}");
        assert!(verdict.candidates.contains(&Algorithm::RoundRobin), "{said}");
        assert!(verdict.ruled_out.iter().all(|out| out.algorithm != Algorithm::RoundRobin), "{said}");
        let turn = verdict.assumes.iter().find(|one| one.claim == Claim::OneTurnPerRequest);
        assert!(turn.is_some_and(|turn| turn.test.is_none()), "{said}");
    }
}

/// A server that is drained before the client with cookies comes is no reason to call these sticky.
#[test]
fn a_change_between_two_series_is_no_effect_of_what_they_compare() {
    for drained_after in [40, 46, 50, 58, 62, 70, 75] {
        let mut n = 0;
        let drained: Balancer = Box::new(move |asked| {
            n += 1;
            let instance = if n > drained_after { 0 } else { n % 2 };
            let set = if asked.cookies.is_empty() { vec![("sid".to_owned(), format!("s{n}"))] } else { Vec::new() };
            Placed { instance, set }
        });
        let (_, verdict) = probe(&plan(), drained);
        let said = format!("after {drained_after}: {verdict:?}");
        assert_ne!(verdict.stickiness, Stickiness::Cookie, "{said}");
        assert_ne!(verdict.balances_per, BalancesPer::Connection, "{said}");
    }
}

/// One answer from another server while the first is busy proves nothing: a canary may have sent it.
#[test]
fn a_stray_answer_is_no_spill() {
    let slow = CampaignPlan { slow_path: Some("/slow".to_owned()), ..plan() };
    // some of these requests are sent while the first instance is busy
    for stray in 24..60 {
        let mut n = 0;
        let canary = balancers::blind(move || {
            n += 1;
            usize::from(n == stray)
        });
        let (target, verdict) = probe(&slow, canary);
        let names = names(&target);
        assert!(names.contains(&"slow".to_owned()), "{names:?}");
        assert_ne!(verdict.algorithm, Algorithm::FirstAvailable, "{stray}: {:?}", verdict.evidence);
    }
}

#[test]
fn each_hash_is_told_from_a_single_instance() {
    let plan = CampaignPlan { header: Some("X-User".to_owned()), ..plan() };
    for (what, balancer, algorithm, by) in [
        (
            "the address",
            balancers::hashing(3, |asked| format!("{:?}", asked.source)),
            Algorithm::SourceHash,
            Stickiness::Source,
        ),
        ("the query", balancers::hashing(3, |asked| asked.path.to_owned()), Algorithm::UriHash, Stickiness::None),
        (
            "the path",
            balancers::hashing(3, |asked| asked.path.split('?').next().unwrap().to_owned()),
            Algorithm::UriHash,
            Stickiness::None,
        ),
        (
            "a header",
            balancers::hashing(3, |asked| asked.header.unwrap_or_default().to_owned()),
            Algorithm::HeaderHash,
            Stickiness::None,
        ),
    ] {
        let (_, verdict) = probe(&plan, balancer);
        assert_eq!((verdict.algorithm, verdict.stickiness), (algorithm, by), "{what}: {:?}", verdict.evidence);
        assert_eq!(verdict.instances.len(), 3, "{what}");
    }
}

#[test]
fn how_a_cookie_keeps_a_client_is_found_out() {
    for (keeps, by) in
        [(Keeps::Inserted, StickyBy::Inserted), (Keeps::Hashed, StickyBy::Hash), (Keeps::Learned, StickyBy::Learned)]
    {
        let (target, verdict) = probe(&plan(), balancers::sticky(4, keeps));
        let cookie = verdict.sticky_cookie.as_ref().unwrap();
        assert_eq!((cookie.name.as_str(), cookie.by), ("id", Some(by)), "{:?}", verdict.evidence);
        assert_eq!((verdict.algorithm, verdict.stickiness), (Algorithm::RoundRobin, Stickiness::Cookie));
        assert!(names(&target).contains(&"cookie-made-up".to_owned()));
    }
}

#[test]
fn several_cookies_are_each_sent_alone() {
    let mut inner = balancers::sticky(4, Keeps::Inserted);
    let with_a_session = Box::new(move |asked: &target::Asked| {
        let mut placed = inner(asked);
        if asked.cookie("lang").is_none() {
            placed.set.push(("lang".to_owned(), "en".to_owned()));
        }
        placed
    });
    let (target, verdict) = probe(&plan(), with_a_session);
    assert_eq!(verdict.sticky_cookie.unwrap().name, "id");
    let alone = |name: &str| target.trace().series(&SeriesName::CookieAlone(name.to_owned())).is_some();
    assert!(alone("id") && alone("lang"));
}

#[test]
fn picks_per_connection_are_seen_over_one_connection() {
    let (_, verdict) = probe(&plan(), balancers::per_connection(4));
    assert_eq!(verdict.balances_per, BalancesPer::Connection);
    let (_, verdict) = probe(&plan(), balancers::round_robin(4));
    assert_eq!(verdict.balances_per, BalancesPer::Request);
}

#[test]
fn the_experiments_are_made_in_their_order_and_where_they_are_called_for() {
    let of = |plan: &CampaignPlan, balancer| names(&probe(plan, balancer).0);
    let with_lab = CampaignPlan { lab: Some(lab(4)), ..plan() };
    // load alone may decide besides
    assert_eq!(of(&plan(), balancers::round_robin(4)), ["without-jar", "with-jar", "one-connection"]);
    assert_eq!(
        of(&with_lab, balancers::round_robin(4)),
        ["without-jar", "with-jar", "one-connection", "slow", "meanwhile"]
    );
    assert_eq!(
        of(&plan(), balancers::sticky(4, Keeps::Hashed)),
        ["without-jar", "with-jar", "one-connection", "jar-by-lot", "control", "cookie-made-up", "cookie-issued"]
    );
    // one instance alone: whatever a hash may be taken of is varied, until something decides
    assert_eq!(of(&plan(), balancers::single()), ["without-jar", "with-jar", "one-connection", "source", "path"]);
    let by_address = balancers::hashing(3, |asked| format!("{:?}", asked.source));
    // a hash may be taken of the address and the path together
    assert_eq!(of(&plan(), by_address), ["without-jar", "with-jar", "one-connection", "source", "path"]);
    let by_query = balancers::hashing(3, |asked| asked.path.to_owned());
    let target = probe(&plan(), by_query).0;
    let paths = target.trace().series.iter().filter(|series| series.name.to_string().starts_with("path:"));
    assert!(paths.clone().count() > 20 && paths.map(|series| &series.conditions.path).all(|path| path.contains('?')));
}

#[test]
fn a_flag_turns_an_experiment_on_or_off() {
    let picked = |picked: &[ExperimentName]| CampaignPlan { picked: picked.to_vec(), ..plan() };
    let of = |plan: &CampaignPlan| names(&campaign(plan, balancers::round_robin(3)).unwrap());
    assert_eq!(of(&picked(&[ExperimentName::Order])), ["without-jar"]);
    assert_eq!(of(&picked(&[ExperimentName::Jar])), ["without-jar", "with-jar"]);
    assert_eq!(of(&picked(&[ExperimentName::Connection])), ["without-jar", "one-connection"]);
    assert_eq!(of(&picked(&[ExperimentName::Paths, ExperimentName::Sources])), ["without-jar", "source", "path"]);
    let per_connection = campaign(&picked(&[ExperimentName::Connection]), balancers::per_connection(3)).unwrap();
    assert_eq!(names(&per_connection)[..2], ["without-jar", "one-connection"]);
    let mut by_lot = names(&per_connection)[2..].to_vec();
    by_lot.sort();
    assert_eq!(by_lot, ["connection-by-lot", "control"]);
    let kept = CampaignPlan { connection: Some(Connection::Reused), ..plan() };
    assert_eq!(of(&kept), ["without-jar", "with-jar"], "they show what one connection would");
    let named = CampaignPlan { slow_path: Some("/slow".to_owned()), ..plan() };
    assert_eq!(of(&named), ["without-jar", "with-jar", "one-connection", "slow", "meanwhile"]);
    let header = CampaignPlan { header: Some("X-User".to_owned()), ..plan() };
    assert_eq!(of(&header), ["without-jar", "with-jar", "one-connection", "header"]);

    let error = |plan: CampaignPlan| campaign(&plan, balancers::round_robin(3)).err();
    assert_eq!(error(picked(&[ExperimentName::Slow])), Some(CampaignError::NoSlowPath));
    assert_eq!(error(picked(&[ExperimentName::Header])), Some(CampaignError::NoHeader));
    let foreign = "192.0.2.1".parse().unwrap();
    assert_eq!(error(CampaignPlan { sources: vec![foreign], ..plan() }), Some(CampaignError::ForeignSource(foreign)));
}

#[test]
fn the_number_that_was_asked_for_is_sent() {
    let count = |plan: CampaignPlan| {
        let target = campaign(&plan, balancers::round_robin(3)).unwrap();
        target.trace().series.iter().map(|series| series.requests.len()).collect::<Vec<_>>()
    };
    assert_eq!(count(CampaignPlan { requests: Some(7), ..plan() })[..2], [7, 7]);
    // those that overlap are asked for, and nothing follows them as long
    let overlapping = count(CampaignPlan { requests: Some(1000), concurrency: 8, ..plan() });
    assert!(overlapping[0] == 1000 && overlapping[1] <= 150, "{overlapping:?}");
    assert_eq!(count(CampaignPlan { concurrency: 8, ..plan() })[0], 500);
}

#[test]
fn a_campaign_stays_below_four_hundred_requests() {
    for k in 2..=10 {
        let plan = CampaignPlan { lab: Some(lab(k)), ..plan() };
        for (what, balancer) in [
            ("a ring", balancers::round_robin(k)),
            ("shuffled rounds", balancers::shuffled_rounds(k)),
            ("the fewest connections", balancers::least_connections(k)),
            ("the first that can", balancers::first_available(k, 2)),
            ("one alone", balancers::single()),
            ("once a connection", balancers::per_connection(k)),
            ("the address", balancers::hashing(k, |asked| format!("{:?}", asked.source))),
            ("the path", balancers::hashing(k, |asked| asked.path.to_owned())),
            ("inserted", balancers::sticky(k, Keeps::Inserted)),
            ("hashed", balancers::sticky(k, Keeps::Hashed)),
            ("learned", balancers::sticky(k, Keeps::Learned)),
        ] {
            let sent = campaign(&plan, balancer).unwrap().sent();
            assert!(sent <= 400, "{what} of {k}: {sent}");
        }
    }
}

#[test]
fn what_was_seen_before_an_interruption_stays() {
    let mut target = SimulatedTarget::new(balancers::round_robin(3));
    target.answers = 40;
    let plan = plan();
    let cut = run_campaign(&plan, None, &mut target, &mut StdRng::seed_from_u64(1), &mut NoProgress).now_or_never();
    assert!(cut.is_none());
    assert_eq!((target.sent(), names(&target)), (40, vec!["without-jar".to_owned(), "with-jar".to_owned()]));
    assert_eq!(judge(&Case::new(target.trace(), ALPHA)).algorithm, Algorithm::RoundRobin);
}

/// Writes down what it is shown.
#[derive(Default)]
struct Recorded {
    titles: Vec<String>,
    sent: u64,
    running: bool,
}

impl Progress for Recorded {
    fn start(&mut self, title: &str, _: Option<u32>) {
        assert!(!std::mem::replace(&mut self.running, true), "one experiment at a time");
        self.titles.push(title.to_owned());
    }

    fn advance(&mut self, n: u64) {
        self.sent = n;
    }

    fn retitle(&mut self, title: &str) {
        title.clone_into(self.titles.last_mut().unwrap());
    }

    fn finish(&mut self) {
        self.running = false;
    }

    fn note(&mut self, line: &str) {
        self.titles.push(line.to_owned());
    }
}

#[test]
fn progress_names_each_experiment_that_sends_something() {
    let mut target = SimulatedTarget::new(balancers::sticky(4, Keeps::Inserted));
    let mut progress = Recorded::default();
    let plan = CampaignPlan { lab: Some(lab(4)), ..plan() };
    let made = run_campaign(&plan, None, &mut target, &mut StdRng::seed_from_u64(1), &mut progress).now_or_never();
    assert_eq!(made, Some(Ok(())));
    assert_eq!(
        progress.titles,
        [
            "without-jar (4 instances take 30 or more)",
            "with-jar",
            "one-connection",
            "is a cookie or the connection the reason",
            "how does id keep a client",
            "are busy instances avoided"
        ]
    );
    assert!(!progress.running);
    let load = target.trace().series.iter().filter(|series| ["slow", "meanwhile"].contains(&&*series.name.to_string()));
    assert_eq!(progress.sent, load.map(|series| series.requests.len() as u64).sum::<u64>());
}

#[test]
fn addresses_behind_a_published_port_are_left_out() {
    let lab = LabService { engine: Engine::Compose, proxy: ProxyKind::Traefik, ..lab(3) };
    let plan = CampaignPlan { lab: Some(lab), picked: vec![ExperimentName::Sources], ..plan() };
    let mut target = SimulatedTarget::new(balancers::round_robin(3));
    let mut progress = Recorded::default();
    let made = run_campaign(&plan, None, &mut target, &mut StdRng::seed_from_u64(1), &mut progress).now_or_never();
    assert_eq!((made, names(&target)), (Some(Ok(())), vec!["without-jar".to_owned()]));
    assert!(progress.titles.last().unwrap().starts_with("sources: left out"), "{:?}", progress.titles);
}

#[test]
fn a_login_is_played_until_it_is_sure_what_became_of_it() {
    let played = |balancer, reloads, facts| {
        let plan = LoginPlan { path: "/".to_owned(), script: Script::lab_login(), reloads, settings: facts };
        let mut target = SimulatedTarget::new(balancer);
        let made = play_login(&plan, &mut target, &mut StdRng::seed_from_u64(1), &mut NoProgress).now_or_never();
        assert_eq!(made, Some(Ok(())));
        let verdict = lbctl::analysis::judge_session(&Case::new(target.trace(), ALPHA), facts);
        let counts = target.trace().series.iter().map(|series| series.requests.len()).collect::<Vec<_>>();
        (verdict.session, counts)
    };
    assert_eq!(played(balancers::round_robin(3), None, None), (Session::Lost, vec![12, 10]));
    assert_eq!(played(balancers::round_robin(3), Some(4), None), (Session::Lost, vec![6, 4]));
    let (session, counts) = played(balancers::sticky(3, Keeps::Inserted), None, None);
    // and as many of both by lot
    assert!(session == Session::Kept && counts[..2] == [12, 10] && counts[2] == counts[3], "{counts:?}");
    let one = ServiceSettings { replicas: 1, source_hash: false, sticky: false };
    assert_eq!(played(balancers::single(), None, Some(one)).0, Session::Kept);
}
