//! What a probe says of keys: hashes, and what looks like one or hides one.

use std::collections::HashMap;

use lbctl::{
    analysis::{ALPHA, Algorithm, Case, Session, SessionCause, Stickiness, StickyBy, Verdict, judge_session},
    experiment::{CampaignPlan, ExperimentName, LoginPlan, NoProgress, Sender, play_login},
    probe::Script,
    report::sentences,
};

use futures_util::FutureExt;
use rand::{SeedableRng, rngs::StdRng};

use super::{
    balancers::{self, hash},
    plan, probe,
    target::{Asked, Balancer, Placed, SimulatedTarget},
};
use crate::simulation::balancers::{Balancer as Picks, Chance, Smooth, cycle, draws, shared};

/// What remembers the instance of each key, in front of a balancer that never looks at it.
fn remembering(key: fn(&Asked) -> String, mut picks: impl Picks + 'static) -> Balancer {
    let mut known: HashMap<String, usize> = HashMap::new();
    Box::new(move |asked| (*known.entry(key(asked)).or_insert_with(|| picks.pick())).into())
}

fn address(asked: &Asked) -> String {
    format!("{:?}", asked.source)
}

fn path(asked: &Asked) -> String {
    asked.path.to_owned()
}

fn path_without_query(asked: &Asked) -> String {
    asked.path.split('?').next().unwrap_or_default().to_owned()
}

pub fn words(target: &SimulatedTarget, verdict: &Verdict) -> String {
    sentences(target.trace(), &verdict.evidence).join("\n")
}

/// A cache, or a table of addresses: what is behind it may go round.
#[test]
fn what_is_remembered_may_have_been_given_in_turn() {
    let ring = |k: usize| cycle((0..k).collect(), 0);
    let with_others = |seed| shared(Box::new(cycle((0..4).collect(), 0)), 0.4, Chance(seed));
    for seed in 0..6 {
        for (what, truth, balancer) in [
            ("a cache before 40", Algorithm::RoundRobin, remembering(path, ring(40))),
            ("a table before 40", Algorithm::RoundRobin, remembering(address, ring(40))),
            ("a cache and others", Algorithm::RoundRobin, remembering(path, with_others(seed))),
            ("a table and others", Algorithm::RoundRobin, remembering(address, with_others(seed))),
            ("a cache before weights", Algorithm::WeightedRoundRobin, remembering(path, Smooth::new(&[5, 3, 1, 1]))),
            ("a table before weights", Algorithm::WeightedRoundRobin, remembering(address, Smooth::new(&[9, 4, 2]))),
            ("a cache before draws", Algorithm::Random, remembering(path, draws(vec![1; 4], Chance(seed)))),
        ] {
            let (target, verdict) = probe(&plan(), balancer);
            assert!(verdict.candidates.contains(&truth), "{what}: {:?}", words(&target, &verdict));
            assert!(verdict.ruled_out.iter().all(|out| out.algorithm != truth), "{what}: {:?}", verdict.ruled_out);
        }
    }
}

#[test]
fn a_hash_is_one_more_candidate_where_another_key_is_placed_in_turn() {
    // addresses are given out in turn, but one path has a place of its own
    let mut table = remembering(address, cycle(vec![0, 1, 2], 0));
    let by_address_then_path: Balancer = Box::new(move |asked: &Asked| {
        let first = table(asked).instance;
        let further = if path(asked) == "/" { 0 } else { hash(&path(asked), 3) };
        ((first + further) % 3).into()
    });
    let (target, verdict) = probe(&plan(), by_address_then_path);
    assert_eq!(verdict.algorithm, Algorithm::RoundRobin, "{}", words(&target, &verdict));
    assert!(verdict.candidates.contains(&Algorithm::UriHash), "{:?}", verdict.candidates);
    assert!(verdict.ruled_out.iter().all(|out| out.algorithm != Algorithm::UriHash), "{:?}", verdict.ruled_out);
}

/// A hash of few values may send all of them to the largest of its instances.
#[test]
fn a_hash_with_unequal_shares_stays_a_candidate() {
    for parts in [50, 61, 200] {
        let canary: Balancer = Box::new(move |asked: &Asked| usize::from(hash(&path(asked), parts) == 7).into());
        let (target, verdict) = probe(&plan(), canary);
        assert!(verdict.candidates.contains(&Algorithm::UriHash), "{parts}: {}", words(&target, &verdict));
        assert!(verdict.ruled_out.iter().all(|out| out.algorithm != Algorithm::UriHash), "{:?}", verdict.ruled_out);
    }
    let (target, verdict) = probe(&plan(), balancers::single());
    let said = words(&target, &verdict);
    assert!(said.contains("a hash of them that sends more than 43 % elsewhere would have shown others"), "{said}");
}

#[test]
fn a_kept_session_may_hide_a_small_instance() {
    let plan = LoginPlan { path: "/".to_owned(), script: Script::lab_login(), reloads: None, settings: None };
    let mut target = SimulatedTarget::new(balancers::single());
    play_login(&plan, &mut target, &mut StdRng::seed_from_u64(1), &mut NoProgress).now_or_never().unwrap().unwrap();
    let verdict = judge_session(&Case::new(target.trace(), ALPHA), None);
    let SessionCause::OneInstanceOrAddress { hidden_share } = verdict.cause else { panic!("{:?}", verdict.cause) };
    let answers = target.sent() as f64 - 1.0;
    assert!((hidden_share - (1.0 - ALPHA.powf(1.0 / (answers - 1.0)))).abs() < 1e-9, "{hidden_share}");
    assert_eq!((verdict.session, verdict.kept_by), (Session::Kept, None));
}

#[test]
fn a_hash_of_address_and_path_together_keeps_no_client() {
    for (what, key) in [
        ("the query, too", (|asked| format!("{:?} {}", asked.source, asked.path)) as fn(&Asked) -> String),
        ("the path alone", |asked| format!("{:?} {}", asked.source, path_without_query(asked))),
    ] {
        let (target, verdict) = probe(&plan(), balancers::hashing(3, key));
        let said = words(&target, &verdict);
        assert_eq!(
            (verdict.algorithm, verdict.stickiness),
            (Algorithm::Undetermined, Stickiness::Undetermined),
            "{said}"
        );
        assert_eq!(verdict.candidates[..2], [Algorithm::SourceHash, Algorithm::UriHash], "{what}");
        assert!(said.contains("decide together") && !said.contains("as long as its address does"), "{said}");
    }
}

#[test]
fn a_hash_of_the_address_keeps_a_client_on_the_paths_that_were_tried() {
    let by_address = || balancers::hashing(3, address);
    let (target, verdict) = probe(&plan(), by_address());
    assert_eq!(verdict.stickiness, Stickiness::Source);
    let said = words(&target, &verdict);
    assert!(said.contains("so a client stays on its instance as long as its address does"), "{said}");
    let sources = CampaignPlan { picked: vec![ExperimentName::Sources], ..plan() };
    let (target, verdict) = probe(&sources, by_address());
    let said = words(&target, &verdict);
    assert!(said.contains("so on this path a client stays on its instance as long as its address does"), "{said}");
}

#[test]
fn a_pair_of_instances_for_each_address_shows() {
    let mut chance = Chance(5);
    let paired: Balancer = Box::new(move |asked: &Asked| (hash(&address(asked), 2) * 2 + chance.below(2)).into());
    let sources = CampaignPlan { picked: vec![ExperimentName::Sources, ExperimentName::Jar], ..plan() };
    let (target, verdict) = probe(&sources, paired);
    let said = words(&target, &verdict);
    assert!(said.contains("each of these to 2 at most"), "{said}");
    assert_ne!(verdict.stickiness, Stickiness::None, "{said}");
}

/// One instance leaves for a while: its values go elsewhere, and come back.
#[test]
fn a_hash_with_a_failover_is_not_denied() {
    let mut n = 0;
    let failing: Balancer = Box::new(move |asked: &Asked| {
        n += usize::from(asked.path.contains('?'));
        let home = hash(&path(asked), 3);
        let is_away = home == 2 && (36..60).contains(&n);
        (if is_away { hash(&path(asked), 2) } else { home }).into()
    });
    let (target, verdict) = probe(&plan(), failing);
    let said = words(&target, &verdict);
    assert!(said.contains("stayed with its instance but for"), "{said}");
    assert!(!said.contains("the same one led to different instances"), "{said}");
    assert!(verdict.candidates.contains(&Algorithm::UriHash), "{:?}\n{said}", verdict.candidates);
}

#[test]
fn values_that_play_no_part_are_shown_to_move() {
    let all = CampaignPlan { picked: vec![ExperimentName::Sources, ExperimentName::Paths], ..plan() };
    for (what, balancer) in [
        ("a ring", balancers::round_robin(3)),
        ("draws of two", balancers::random(2, 4)),
        ("draws", balancers::random(5, 2)),
    ] {
        let (target, verdict) = probe(&all, balancer);
        let said = words(&target, &verdict);
        assert_eq!(said.matches("the same one led to different instances").count(), 3, "{what}: {said}");
    }
}

/// How a value of the cookie leads to an instance; `None` for a value that is new.
type Follow = fn(&str, &HashMap<String, usize>) -> Option<usize>;

/// A round robin of four for clients without a cookie. It gives each a session, and follows its value.
fn with_sessions(follow: Follow) -> Balancer {
    let mut turn = cycle((0..4).collect(), 0);
    let (mut sessions, mut table) = (0, HashMap::new());
    Box::new(move |asked: &Asked| {
        let value = asked.cookie("id");
        let instance = value.and_then(|value| follow(value, &table)).unwrap_or_else(|| turn.pick());
        let set = value.is_none().then(|| {
            sessions += 1;
            let session = format!("session {sessions}");
            table.insert(session.clone(), instance);
            ("id".to_owned(), session)
        });
        Placed { instance, set: set.into_iter().collect() }
    })
}

/// A cipher, a table of what instances set, a hash of what is new to either: each may look like another.
#[test]
fn how_a_cookie_keeps_a_client_is_left_open_where_it_may_be_another_way() {
    let known: Follow = |value, table| table.get(value).copied();
    let known_or_hashed: Follow = |value, table| table.get(value).copied().or_else(|| Some(hash(value, 4)));
    for (what, follow) in [("known", known), ("known, else hashed", known_or_hashed)] {
        let (target, verdict) = probe(&plan(), with_sessions(follow));
        assert_eq!(verdict.stickiness, Stickiness::Cookie, "{what}");
        assert_eq!(verdict.sticky_cookie.as_ref().and_then(|cookie| cookie.by), None, "{}", words(&target, &verdict));
    }
    let hashed: Follow = |value, _| Some(hash(value, 4));
    let (target, verdict) = probe(&plan(), with_sessions(hashed));
    let by = verdict.sticky_cookie.as_ref().and_then(|cookie| cookie.by);
    assert_eq!(by, Some(StickyBy::Hash), "{}", words(&target, &verdict));
}

/// Clients without the cookie all meet one instance, others whom their value was given to.
#[test]
fn a_table_of_cookies_that_places_new_ones_at_random_is_not_called_a_hash() {
    let mut table =
        remembering(|asked| asked.cookie("id").unwrap_or_default().to_owned(), draws(vec![1; 3], Chance(2)));
    let with_a_cookie: Balancer = Box::new(move |asked: &Asked| Placed {
        set: vec![("id".to_owned(), "same".to_owned())],
        ..if asked.cookie("id").is_none_or(|value| value == "same") { 0.into() } else { table(asked) }
    });
    let (target, verdict) = probe(&plan(), with_a_cookie);
    assert_eq!(verdict.stickiness, Stickiness::Cookie, "{}", words(&target, &verdict));
    assert_eq!(verdict.sticky_cookie.and_then(|cookie| cookie.by), None);
}
