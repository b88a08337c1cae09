//! The study of keys: kinds of balancers that look at addresses, paths, headers and cookies, or seem to, each as many times
//! as it takes. No verdict may be wrong.
//!
//! `SEEDS=100 cargo test --release --test it campaign::study -- --ignored --nocapture` makes it longer;
//! `KIND=cookie` takes the kinds whose name begins so.

use std::collections::{BTreeMap, HashMap};

use futures_util::FutureExt;
use lbctl::{
    analysis::{ALPHA, Algorithm, Case, Stickiness, StickyBy, Verdict, judge},
    experiment::{CampaignPlan, NoProgress, Sender, run_campaign},
};
use rand::{SeedableRng, rngs::StdRng};

use super::{
    balancers::hash,
    keys::words,
    plan,
    target::{Asked, Balancer, Placed, SimulatedTarget},
};
use crate::simulation::balancers::{Balancer as Picks, Chance, Smooth, cycle, draws, shared};

/// What is true of a balancer.
struct Truth {
    /// The algorithms of which one must stay possible.
    algorithms: Vec<Algorithm>,
    stickiness: Vec<Stickiness>,
    sticky_by: Option<StickyBy>,
    /// Sentences that would be false.
    never: Vec<&'static str>,
}

/// One kind of balancer.
struct Kind {
    name: &'static str,
    make: fn(&mut Chance) -> (Truth, Balancer),
}

/// A key of requests.
type KeyOf = fn(&Asked) -> String;

const ADDRESS: KeyOf = |asked| format!("{:?}", asked.source);
const PATH: KeyOf = |asked| asked.path.to_owned();
const USER: KeyOf = |asked| asked.header.unwrap_or_default().to_owned();
const ADDRESS_AND_PATH: KeyOf = |asked| format!("{:?} {}", asked.source, asked.path);
const KEYS: [(KeyOf, Algorithm); 3] =
    [(ADDRESS, Algorithm::SourceHash), (PATH, Algorithm::UriHash), (USER, Algorithm::HeaderHash)];
const MOVES: &str = "the same one led to different instances";

fn truth(algorithm: Algorithm) -> Truth {
    let stickiness = match algorithm {
        Algorithm::SourceHash => vec![Stickiness::Source, Stickiness::Undetermined],
        _ => vec![Stickiness::None, Stickiness::Undetermined],
    };
    Truth { algorithms: vec![algorithm], stickiness, sticky_by: None, never: Vec::new() }
}

fn size(chance: &mut Chance) -> usize {
    2 + chance.below(9)
}

/// The order in which clients are placed of whom nothing is remembered, and its algorithm.
fn order(chance: &mut Chance) -> (Algorithm, Box<dyn Picks>) {
    let k = size(chance);
    let seed = chance.next();
    match chance.below(6) {
        0 | 1 => (Algorithm::RoundRobin, Box::new(cycle(chance.shuffled(k), 0))),
        2 => {
            let others = [0.05, 0.2, 0.4, 0.6][chance.below(4)];
            (Algorithm::RoundRobin, Box::new(shared(Box::new(cycle((0..k).collect(), 0)), others, Chance(seed))))
        }
        3 => (Algorithm::RoundRobin, Box::new(cycle((0..20 + 4 * k).collect(), 0))),
        4 => {
            let weights: Vec<u32> = (0..k).map(|_| 1 + chance.below(5) as u32).collect();
            let even = weights.iter().all(|weight| *weight == weights[0]);
            let algorithm = if even { Algorithm::RoundRobin } else { Algorithm::WeightedRoundRobin };
            (algorithm, Box::new(Smooth::new(&weights)))
        }
        _ => (Algorithm::Random, Box::new(draws(vec![1; k], Chance(seed)))),
    }
}

fn hashed(chance: &mut Chance) -> (Truth, Balancer) {
    let (key, algorithm) = KEYS[chance.below(3)];
    let k = size(chance);
    (Truth { never: vec![MOVES], ..truth(algorithm) }, Box::new(move |asked: &Asked| hash(&key(asked), k).into()))
}

fn hashed_unevenly(chance: &mut Chance) -> (Truth, Balancer) {
    let (key, algorithm) = KEYS[chance.below(3)];
    let parts = [5, 20, 50, 61, 200][chance.below(5)];
    let truth = Truth { never: vec![MOVES], ..truth(algorithm) };
    (truth, Box::new(move |asked: &Asked| usize::from(hash(&key(asked), parts) == 0).into()))
}

/// An instance leaves for a while, and some answers to the values that are sent come from another one.
fn hashed_with_failures(chance: &mut Chance) -> (Truth, Balancer) {
    let (key, algorithm) = KEYS[chance.below(3)];
    let k = 3 + chance.below(5);
    let (from, to) = (chance.below(120), chance.below(200));
    let mut failures = Chance(chance.next());
    let mut n = 0;
    let truth = Truth { stickiness: any(), never: vec![MOVES], ..truth(algorithm) };
    let balancer = move |asked: &Asked| {
        let has_value = asked.source.is_some() || asked.header.is_some() || asked.path != "/";
        n += usize::from(has_value);
        let home = hash(&key(asked), k);
        let away = (from..to).contains(&n) && home == k - 1;
        if has_value && (away || failures.happens(0.01)) { Placed::from(hash(&key(asked), k - 1)) } else { home.into() }
    };
    (truth, Box::new(balancer))
}

fn any() -> Vec<Stickiness> {
    vec![Stickiness::None, Stickiness::Undetermined, Stickiness::Source, Stickiness::Cookie]
}

fn remembered(chance: &mut Chance) -> (Truth, Balancer) {
    let (key, hash) = KEYS[chance.below(3)];
    let (algorithm, mut picks) = order(chance);
    let mut known: HashMap<String, usize> = HashMap::new();
    let stickiness = truth(hash).stickiness;
    let balancer = move |asked: &Asked| (*known.entry(key(asked)).or_insert_with(|| picks.pick())).into();
    (Truth { stickiness, ..truth(algorithm) }, Box::new(balancer))
}

fn address_and_path(chance: &mut Chance) -> (Truth, Balancer) {
    let k = size(chance);
    let truth = Truth {
        algorithms: vec![Algorithm::SourceHash],
        stickiness: vec![Stickiness::Undetermined],
        sticky_by: None,
        never: vec![MOVES, "so a client stays on its instance as long as its address does"],
    };
    (truth, Box::new(move |asked: &Asked| hash(&ADDRESS_AND_PATH(asked), k).into()))
}

/// Each value of a key goes round a set of its own.
fn sets(chance: &mut Chance) -> (Truth, Balancer) {
    let (key, _) = KEYS[chance.below(3)];
    let (groups, each) = (2 + chance.below(3), 2 + chance.below(2));
    let mut turns = vec![0; groups];
    let balancer = move |asked: &Asked| {
        let group = hash(&key(asked), groups);
        turns[group] += 1;
        (group * each + turns[group] % each).into()
    };
    (Truth { stickiness: any(), ..truth(Algorithm::RoundRobin) }, Box::new(balancer))
}

/// The ways in which a balancer may follow a value of its cookie.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// The value names the instance.
    Plain,
    /// The value names the instance in cipher; values that are not the balancer's are placed anew.
    Cipher,
    /// The same, but a hash is taken of values that are not the balancer's.
    CipherOrHash,
    Hash,
    /// A table of what instances set.
    LearnedFromAnswers,
    /// A table of what clients sent.
    LearnedFromRequests,
    /// A table of both.
    Learned,
}

fn cookie(chance: &mut Chance) -> (Truth, Balancer) {
    let way = [
        Way::Plain,
        Way::Cipher,
        Way::CipherOrHash,
        Way::Hash,
        Way::LearnedFromAnswers,
        Way::LearnedFromRequests,
        Way::Learned,
    ][chance.below(7)];
    let (algorithm, mut picks) = order(chance);
    let k = size(chance);
    let (mut sessions, mut table, name) = (0, HashMap::<String, usize>::new(), ["id", "PHPSESSID"][chance.below(2)]);
    let (mut failures, share) = (Chance(chance.next()), [0.0, 0.0, 0.01][chance.below(3)]);
    let sticky_by = match way {
        Way::Plain | Way::Cipher | Way::CipherOrHash => Some(StickyBy::Inserted),
        Way::Hash => Some(StickyBy::Hash),
        Way::LearnedFromAnswers | Way::LearnedFromRequests | Way::Learned => Some(StickyBy::Learned),
    };
    let balancer = move |asked: &Asked| {
        // the plugin for one name is the balancer's
        let value = asked.cookie(name).map(str::to_owned);
        let followed = value.as_ref().and_then(|value| match way {
            Way::Plain => value.strip_prefix("web-").and_then(|number| number.parse().ok()),
            Way::Hash => Some(hash(value, k)),
            Way::CipherOrHash => table.get(value).copied().or_else(|| Some(hash(value, k))),
            Way::Cipher | Way::LearnedFromAnswers | Way::LearnedFromRequests | Way::Learned => {
                table.get(value).copied()
            }
        });
        let instance = followed.unwrap_or_else(|| picks.pick());
        if let (Some(value), Way::LearnedFromRequests | Way::Learned) = (&value, way) {
            table.entry(value.clone()).or_insert(instance);
        }
        let set = value.is_none().then(|| {
            sessions += 1;
            let session = if way == Way::Plain { format!("web-{instance}") } else { format!("session {sessions}") };
            if way != Way::LearnedFromRequests {
                table.insert(session.clone(), instance);
            }
            (name.to_owned(), session)
        });
        let instance = if failures.happens(share) { picks.pick() } else { instance };
        Placed { instance, set: set.into_iter().collect() }
    };
    let stickiness = vec![Stickiness::Cookie, Stickiness::Undetermined];
    (Truth { stickiness, sticky_by, ..truth(algorithm) }, Box::new(balancer))
}

const STUDY: [Kind; 7] = [
    Kind { name: "hash", make: hashed },
    Kind { name: "hash, unequal shares", make: hashed_unevenly },
    Kind { name: "hash, failures", make: hashed_with_failures },
    Kind { name: "memory before an order", make: remembered },
    Kind { name: "address and path", make: address_and_path },
    Kind { name: "sets", make: sets },
    Kind { name: "cookie", make: cookie },
];

/// What is wrong with a verdict.
fn objections(truth: &Truth, verdict: &Verdict, said: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_true = |algorithm: &Algorithm| truth.algorithms.contains(algorithm);
    if !verdict.candidates.is_empty() && !verdict.candidates.iter().any(is_true) {
        wrong.push(format!("{:?} is not among {:?}", truth.algorithms, verdict.candidates));
    }
    // of requests with a cookie or over one connection something else may be true
    let of_all = |test: &str| !test.contains("cookie") && !test.contains("connection");
    let out = verdict.ruled_out.iter().filter(|out| of_all(out.test.as_str()) && is_true(&out.algorithm));
    wrong.extend(out.map(|out| format!("the truth is ruled out: {out:?}")));
    if !truth.stickiness.contains(&verdict.stickiness) {
        wrong.push(format!("stickiness is {:?}", verdict.stickiness));
    }
    let by = verdict.sticky_cookie.as_ref().and_then(|cookie| cookie.by);
    if by.is_some() && by != truth.sticky_by {
        wrong.push(format!("by {by:?}, not {:?}", truth.sticky_by));
    }
    wrong.extend(truth.never.iter().filter(|never| said.contains(**never)).map(|never| format!("said: {never}")));
    wrong
}

/// Runs the study and prints its table; the descriptions of wrong verdicts.
fn study(seeds: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut table = String::new();
    for kind in STUDY {
        if std::env::var("KIND").is_ok_and(|only| !kind.name.starts_with(&only)) {
            continue;
        }
        let mut named: BTreeMap<String, usize> = BTreeMap::new();
        let mut requests = 0;
        for seed in 0..seeds {
            let mut chance = Chance(seed.wrapping_mul(0x1234_5678_9abc_def1) ^ (kind.name.len() as u64) << 50);
            let (truth, balancer) = (kind.make)(&mut chance);
            let plan = CampaignPlan { header: Some("X-User".to_owned()), ..plan() };
            let mut target = SimulatedTarget::new(balancer);
            let random = &mut StdRng::seed_from_u64(seed);
            let made = run_campaign(&plan, None, &mut target, random, &mut NoProgress).now_or_never();
            assert_eq!(made, Some(Ok(())));
            let verdict = judge(&Case::new(target.trace(), ALPHA));
            requests += target.sent();
            let said = words(&target, &verdict);
            let by = verdict.sticky_cookie.as_ref().and_then(|cookie| cookie.by);
            let of = truth.sticky_by.map_or(String::new(), |truth| format!(", {by:?} of {truth:?}"));
            let what = format!("{:?}, {:?}{of}", verdict.algorithm, verdict.stickiness);
            *named.entry(what).or_default() += 1;
            let objections = objections(&truth, &verdict, &said);
            wrong.extend(objections.iter().map(|objection| format!("{} {seed}: {objection}\n{said}", kind.name)));
        }
        table += &format!("{:30} {:6.1} {named:?}\n", kind.name, requests as f64 / seeds as f64);
    }
    #[allow(clippy::print_stdout)]
    {
        println!("{table}");
    }
    wrong
}

#[test]
fn no_verdict_on_a_few_balancers_of_each_kind_is_wrong() {
    let wrong = study(4);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "takes minutes; run it with --release"]
fn no_verdict_is_wrong() {
    let wrong = study(std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(500));
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
