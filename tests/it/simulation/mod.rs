//! The simulation study: each sort of balancer against the verdict, as many times as it takes. No verdict may be wrong;
//! those that stay open are counted.
//!
//! The whole study takes minutes: `cargo test --release --test it simulation -- --ignored --nocapture`; `SEEDS=100` makes
//! it shorter, `SORT=heap` takes the sorts whose name begins so, `MOST=50` the large sets of instances alone.

pub mod balancers;
mod doubts;
mod near_weights;
mod truths;

use std::collections::BTreeMap;

use lbctl::{
    analysis::{self, ALPHA, Algorithm, Order, SampleState, Verdict, decide_sampling, judge},
    model::trace::{InstanceId, Request, SeriesName, Trace},
};

use crate::support::traces::{request, series, trace};

use balancers::Chance;
use truths::{Case, SORTS, Shown, Truth};

/// How far off the share of others' turns may be.
const NEAR: f64 = 0.2;

/// What became of one verdict.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    /// The algorithm, its order and its weights, where they are claimed.
    Right,
    /// Named by how it looks, with the truth among the candidates, under a condition that is stated and holds.
    Qualified,
    Undetermined,
    Wrong,
}

/// Probes a balancer as the command does, and judges.
fn probe(case: &mut Case) -> (Trace, Verdict) {
    let mut series = series(SeriesName::WithoutJar, Vec::new());
    let most = case.most_requests.unwrap_or(usize::MAX);
    while series.requests.len() < most && decide_sampling(&series, 0, ALPHA) == SampleState::More {
        let instance = case.request().map(|one| one as u16);
        series.requests.push(request(series.requests.len() as u32 + 1, instance));
    }
    let trace = trace(vec![series]);
    let verdict = judge(&analysis::Case::new(&trace, ALPHA));
    (trace, verdict)
}

/// Every turn of an independent balancer is known: then no round robin is left.
#[test]
fn where_every_turn_is_known_independent_draws_leave_no_round_robin() {
    for seed in 0..5 {
        let mut case = truths::uniform_of(4, &mut Chance(seed));
        let (mut trace, _) = probe(&mut case);
        (0..).zip(&mut trace.series[0].requests).for_each(|(turn, request)| request.turn = Some(turn));
        let verdict = judge(&analysis::Case::new(&trace, ALPHA));
        assert_eq!(verdict.candidates, [Algorithm::Random, Algorithm::LeastConnections], "{:?}", verdict.evidence);
        assert!(verdict.ruled_out.iter().any(|out| out.algorithm == Algorithm::RoundRobin));
    }
}

/// Instances are numbered from 1.
fn number(name: &str) -> usize {
    name["web-".len()..].parse::<usize>().unwrap() - 1
}

/// Holds a verdict against the truth.
fn outcome(case: &Case, trace: &Trace, verdict: &Verdict) -> Outcome {
    let picks: Vec<usize> =
        trace.series[0].requests.iter().filter_map(|request| Some(usize::from(request.instance?.0))).collect();
    let truth = &case.truth;
    if verdict.chance > ALPHA {
        return Outcome::Wrong;
    }
    if !bounds_hold(truth, verdict) {
        return Outcome::Wrong;
    }
    let out = verdict.ruled_out.iter().any(|out| truth.algorithms.contains(&out.algorithm));
    let listed = verdict.candidates.iter().any(|one| truth.algorithms.contains(one));
    if out && truth.seen_by(&picks) {
        return Outcome::Wrong;
    }
    if truth.shown != Shown::All {
        return outcome_in_doubt(truth, verdict, listed && !out);
    }
    if truth.algorithms.is_empty() && verdict.algorithm != Algorithm::Single {
        return if verdict.algorithm == Algorithm::Undetermined { Outcome::Right } else { Outcome::Wrong };
    }
    if verdict.algorithm == Algorithm::Single {
        // says itself which share may have stayed unseen
        let unseen = 1.0 - ALPHA.powf(1.0 / picks.len() as f64);
        let is_qualified = truth.algorithms.is_empty() || truth.hidden.is_some_and(|share| share < unseen);
        return if truth.algorithms.contains(&Algorithm::Single) {
            Outcome::Right
        } else if is_qualified {
            Outcome::Qualified
        } else {
            Outcome::Wrong
        };
    }
    if !listed && !verdict.candidates.is_empty() {
        return Outcome::Wrong;
    }
    if verdict.algorithm == Algorithm::Undetermined {
        return Outcome::Undetermined;
    }
    if verdict.algorithm == Algorithm::Random && !truth.algorithms.contains(&Algorithm::Random) {
        let beyond = verdict.regular_beyond.unwrap_or(1.0);
        return if listed && (truth.others > beyond || truth.counters > 8 || truth.counters > 1 && truth.others > 0.0) {
            Outcome::Qualified
        } else {
            Outcome::Wrong
        };
    }
    if verdict.algorithm == Algorithm::Random && verdict.even == Some(false) && truth.even {
        return Outcome::Wrong;
    }
    let right = truth.algorithms.contains(&verdict.algorithm)
        && order_holds(case, verdict, &picks)
        && weights_hold(case, verdict)
        && verdict.background_share.is_none_or(|share| (share - truth.others).abs() <= NEAR)
        && verdict.repeats_after.is_none_or(|period| truth.repeats(period, &picks));
    // an instance that comes less than once in so many requests may not have been seen
    let unseen = truth.hidden.is_some_and(|share| share * (picks.len() as f64) < 1.0)
        && verdict.instances.len() < truth.weights.len();
    // and a round that is longer than all that was seen is like a shorter one
    let longer = truth.weights.iter().sum::<u32>() as usize > picks.len();
    // weights that are nearly the same, as the evidence says
    let most = truth.weights.iter().max().zip(truth.weights.iter().min());
    let near = most.is_some_and(|(most, least)| most > least && 2 * most < 3 * least)
        && verdict.algorithm == Algorithm::RoundRobin;
    match (right, (unseen || longer || near) && listed) {
        (true, _) => Outcome::Right,
        (false, true) => Outcome::Qualified,
        (false, false) => Outcome::Wrong,
    }
}

/// Holds a verdict against a truth that requests without dither cannot show. `possible`: the truth is a candidate, and is
/// not ruled out.
fn outcome_in_doubt(truth: &Truth, verdict: &Verdict, possible: bool) -> Outcome {
    let is_open = verdict.algorithm == Algorithm::Undetermined;
    let right = truth.algorithms.contains(&verdict.algorithm);
    match truth.shown {
        Shown::Unmodelled(_) if is_open => Outcome::Undetermined,
        Shown::Unmodelled(mechanism) if verdict.not_modelled.contains(&mechanism) => Outcome::Qualified,
        Shown::InStep if possible && (right || is_open) => {
            if right {
                Outcome::Right
            } else {
                Outcome::Undetermined
            }
        }
        // named by how it looks, with the truth as a candidate
        Shown::InStep if possible && verdict.algorithm.goes_round() => Outcome::Qualified,
        Shown::NotRuledOut if possible && (right || is_open) => {
            if right {
                Outcome::Right
            } else {
                Outcome::Undetermined
            }
        }
        // a ring of two that is remembered half of the time is like the draws of a coin, as the evidence says
        Shown::NotRuledOut if possible && verdict.algorithm == Algorithm::Random => Outcome::Qualified,
        Shown::All | Shown::InStep | Shown::NotRuledOut | Shown::Unmodelled(_) => Outcome::Wrong,
    }
}

/// Whether the weights of the truth are within the bounds that the verdict tells for nearly equal ones.
fn bounds_hold(truth: &Truth, verdict: &Verdict) -> bool {
    let Some((most, least)) = truth.weights.iter().max().zip(truth.weights.iter().min()) else { return true };
    let all_seen = verdict.instances.len() == truth.weights.len();
    let ratio = f64::from(*most) / f64::from(*least);
    !all_seen || verdict.near_weights.is_none_or(|bound| ratio <= bound + 1e-9)
}

fn order_holds(case: &Case, verdict: &Verdict, picks: &[usize]) -> bool {
    let Some(order) = verdict.order else { return verdict.cycle.is_empty() };
    let cycle: Vec<usize> = verdict.cycle.iter().map(|name| number(name)).collect();
    let is_cycle = |ring: &Vec<usize>| {
        ring.len() == cycle.len() && (0..ring.len()).any(|by| ring[by..].iter().chain(&ring[..by]).eq(cycle.iter()))
    };
    let truth = &case.truth;
    let named = truth.orders.contains(&order) && (cycle.is_empty() || truth.rings.iter().any(is_cycle));
    // an order that is one as well, whatever made it: counters that happen to make whole rounds, or a ring
    let k = picks.iter().collect::<std::collections::BTreeSet<_>>().len();
    let distinct = |part: &[usize]| part.iter().collect::<std::collections::BTreeSet<_>>().len() == part.len();
    let whole = || (0..k).any(|offset| distinct(&picks[..offset]) && picks[offset..].chunks(k).all(distinct));
    let ring = || picks.iter().zip(&picks[k..]).all(|(one, other)| one == other);
    // an order that was seen as it is told, from the first request to the last
    let phase =
        || (0..cycle.len()).any(|by| picks.iter().zip(cycle.iter().cycle().skip(by)).all(|(one, other)| one == other));
    let named = named
        || truth.orders.contains(&order) && order == Order::Fixed && verdict.background_share.is_none() && phase();
    let changing = || whole() || whole_by_weight(verdict, picks);
    named
        || (verdict.background_share.is_none()
            && (order == Order::Changing && changing() || order == Order::Fixed && ring()))
}

/// Whether all picks fall into rounds that hold each instance as often as the weight says that is claimed for it.
fn whole_by_weight(verdict: &Verdict, picks: &[usize]) -> bool {
    let weight = |instance: &analysis::InstanceHits| Some((number(&instance.name), instance.weight? as usize));
    let Some(weights) = verdict.instances.iter().map(weight).collect::<Option<BTreeMap<usize, usize>>>() else {
        return false;
    };
    let counts = |part: &[usize]| {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        part.iter().for_each(|pick| *counts.entry(*pick).or_default() += 1);
        counts
    };
    let sum: usize = weights.values().sum();
    // weights are told without a common divisor
    (1..=8).any(|times| {
        let round: BTreeMap<usize, usize> = weights.iter().map(|(id, weight)| (*id, weight * times)).collect();
        let within =
            |part: &[usize]| counts(part).iter().all(|(id, count)| round.get(id).is_some_and(|of| count <= of));
        let length = sum * times;
        (0..length.min(picks.len())).any(|offset| {
            let rounds = picks[offset..].chunks_exact(length);
            within(&picks[..offset]) && within(rounds.remainder()) && rounds.clone().all(|part| counts(part) == round)
        })
    })
}

fn weights_hold(case: &Case, verdict: &Verdict) -> bool {
    verdict.instances.iter().all(|instance| {
        instance.weight.is_none_or(|weight| case.truth.weights.get(number(&instance.name)) == Some(&weight))
    })
}

/// Counts of one sort.
#[derive(Default)]
struct Row {
    outcomes: BTreeMap<Outcome, usize>,
    requests: usize,
    runs: usize,
    open: BTreeMap<String, usize>,
}

/// Runs the study and prints the table; the descriptions of wrong verdicts.
fn study(seeds: u64, most_instances: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut shares_told = 0;
    let mut table = String::new();
    for sort in SORTS.iter().chain(doubts::SORTS) {
        if std::env::var("SORT").is_ok_and(|only| !sort.name.starts_with(&only)) {
            continue;
        }
        let mut row = Row::default();
        let mut of_sort = 0;
        let began = std::time::Instant::now();
        for seed in 0..seeds {
            let mut chance = Chance(seed.wrapping_mul(0x1234_5678_9abc_def1) ^ (sort.name.len() as u64) << 50);
            let mut case = (sort.make)(&mut chance, most_instances);
            let (trace, verdict) = probe(&mut case);
            let outcome = outcome(&case, &trace, &verdict);
            *row.outcomes.entry(outcome).or_default() += 1;
            row.runs += 1;
            shares_told += usize::from(verdict.background_share.is_some());
            row.requests += trace.series[0].requests.len();
            if outcome == Outcome::Undetermined {
                *row.open.entry(case.name.clone()).or_default() += 1;
            }
            if outcome == Outcome::Wrong && of_sort < 3 {
                of_sort += 1;
                let picks: String = trace.series[0].requests.iter().map(letter).collect();
                wrong.push(format!(
                    "{} ({}) seed {seed}: {:?} {:?} {:?} {:?}\n  {picks}\n  {:?}",
                    sort.name,
                    case.name,
                    verdict.algorithm,
                    verdict.order,
                    verdict.repeats_after,
                    verdict.instances.iter().map(|one| one.weight).collect::<Vec<_>>(),
                    verdict.evidence
                ));
            }
        }
        let of = |outcome| row.outcomes.get(&outcome).copied().unwrap_or(0);
        table += &format!(
            "{:38} {:6} {:6} {:6} {:6} {:9.1} {:6.2}   {}\n",
            sort.name,
            of(Outcome::Right),
            of(Outcome::Qualified),
            of(Outcome::Undetermined),
            of(Outcome::Wrong),
            row.requests as f64 / row.runs as f64,
            began.elapsed().as_secs_f64() * 1000.0 / row.requests as f64,
            often(&row.open)
        );
    }
    #[allow(clippy::print_stdout)]
    {
        println!(
            "{:38} {:>6} {:>6} {:>6} {:>6} {:>9} {:>6}   undetermined where",
            "truth", "right", "qual.", "undet.", "wrong", "requests", "ms"
        );
        println!("{table}");
    }
    if shares_told == 0 && std::env::var_os("SORT").is_none() {
        wrong.push("no share of others' turns was told".to_owned());
    }
    wrong
}

fn often(open: &BTreeMap<String, usize>) -> String {
    let mut each: Vec<_> = open.iter().collect();
    each.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    each.iter().take(6).map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

fn letter(request: &Request) -> char {
    match request.instance {
        None => '·',
        Some(InstanceId(id @ ..26)) => char::from(b'a' + id as u8),
        Some(InstanceId(id)) => char::from_u32(0x3b1 + u32::from(id)).unwrap(),
    }
}

#[test]
fn no_verdict_on_a_few_balancers_of_each_sort_is_wrong() {
    let wrong = study(2, 5);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "takes minutes; run it with --release"]
fn no_verdict_is_wrong() {
    let seeds: u64 = std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(2000);
    let only: Option<usize> = std::env::var("MOST").ok().and_then(|most| most.parse().ok());
    let wrong: Vec<String> = [10, 50]
        .into_iter()
        .filter(|most| only.is_none_or(|only| only == *most))
        .flat_map(|most| study(if most > 10 { seeds.div_ceil(10) } else { seeds }, most))
        .collect();
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
#[ignore = "a measurement; run it with --release"]
fn looking_after_every_request_is_cheap() {
    for (k, seed) in [(5, 1), (10, 2), (50, 3)] {
        let mut case = truths::uniform_of(k, &mut Chance(seed));
        let began = std::time::Instant::now();
        let (trace, _) = probe(&mut case);
        let sent = trace.series[0].requests.len();
        let each = began.elapsed().as_secs_f64() * 1000.0 / sent as f64;
        assert!(each < 5.0, "{each} ms a request for {k} instances and {sent} requests");
    }
}
