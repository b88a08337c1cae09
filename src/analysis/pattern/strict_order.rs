//! Exact orders: what holds for every pick, so that nobody else's turn is needed to explain it.

use crate::analysis::{
    math::log_prob::{in_words, ln_best_independent, ln_factorial, probability},
    pattern::cycle,
    pattern::cycle::Rounds,
    pattern::finding::{Finding, not_single, undetermined},
    pattern::interleaved_workers,
    pattern::periodic,
    pattern::ring::Ring,
    sampling::budget,
    series::picks::Picks,
    series::sequence::Sequence,
    verdict::{Algorithm, Order, RuledOut},
};

/// Rounds that must be seen before there are rounds.
const FEWEST_ROUNDS: usize = 2;
/// Times that the order must have changed from one round to the next before it is called changing.
const FEWEST_CHANGES: usize = 3;
/// Picks of a round for each pick of which weights are known to be no others: any other round would have drifted away.
const WEIGHED_AFTER: usize = 24;
const FEWEST_WEIGHED: usize = 150;

/// The order that every pick follows, if there is one and chance does not explain it.
pub fn find(sequence: &Sequence, picks: &Picks, alpha: f64) -> Option<Finding> {
    let alpha = alpha * budget::INDEPENDENT;
    if let Some(cycle) = cycle::fixed_cycle(sequence) {
        return Some(ring(sequence, picks, cycle, alpha));
    }
    cycle::rounds(sequence)
        .and_then(|rounds| changing(sequence, picks, rounds, alpha))
        .or_else(|| taking_turns(picks, alpha))
        .or_else(|| repeating(picks, alpha))
        .or_else(|| weighted_rounds(picks, alpha))
}

/// The longest stretch without a gap: a gap may hide that an order is broken.
pub fn longest(picks: &Picks) -> usize {
    picks.stretches.iter().map(Vec::len).max().unwrap_or(0)
}

/// Picks after which a ring is hardly anything else: weights that differ by a sixth, two counters of which one served
/// everything.
pub fn ring_needs(k: usize) -> usize {
    match k {
        ..=2 => 46,
        3 => 36,
        _ => (6 * k).clamp(30, 60).max(3 * k),
    }
}

/// Requests after which a ring of `k` is neither chance nor hardly anything else, if none fails.
pub fn ring_takes(k: usize, alpha: f64) -> usize {
    // the first round is no evidence, the rest is as even as can be
    let p = |foretold: usize| {
        let counts: Vec<usize> = (0..k).map(|one| foretold / k + usize::from(one < foretold % k)).collect();
        probability(ln_best_independent(&counts))
    };
    let foretold = (1..).find(|&foretold| p(foretold) < alpha * budget::INDEPENDENT).unwrap_or(0);
    ring_needs(k).max(k + foretold)
}

/// Requests after which rounds that change are neither chance nor broken by chance, wherever the first of them began.
pub fn rounds_take(k: usize, alpha: f64) -> usize {
    let enough = |whole: usize| rounds_by_chance(k, k, whole) < alpha * budget::INDEPENDENT;
    let whole = (FEWEST_CHANGES + 1..).find(|&whole| enough(whole)).unwrap_or(0);
    whole * k + k - 1
}

/// How likely picks at random fall into so many whole rounds, at one of so many offsets.
fn rounds_by_chance(k: usize, offsets: usize, whole: usize) -> f64 {
    let ln_each = ln_factorial(k) - k as f64 * (k as f64).ln();
    // the first round says which instances there are
    probability((offsets as f64).ln() + whole.saturating_sub(1) as f64 * ln_each)
}

/// Requests after which a weighted order that repeats after `period` is taken at its word.
pub fn weights_take(period: usize) -> usize {
    period + horizon(period)
}

fn ring(sequence: &Sequence, picks: &Picks, cycle: Vec<crate::model::trace::InstanceId>, alpha: f64) -> Finding {
    let (k, n) = (picks.k, picks.len());
    // The first round says which instances there are and in which order; only what follows it is evidence.
    let foretold = sequence.foretold();
    let p = probability(ln_best_independent(&foretold));
    let followed: usize = foretold.iter().sum();
    if p >= alpha {
        return undetermined(format!(
            "{n} requests to {k} instances follow a fixed order, but are too few: the chance of that at random is {}",
            in_words(p)
        ));
    }
    let mut found = round_robin(picks, "fixed cycle", p);
    found.order = Some(Order::Fixed);
    found.repeats_after = Some(k);
    found.evidence = vec![
        format!(
            "{k} instances answer in turn, in the same order every round: after the first round, all of {followed} \
             requests went to the instance whose turn it was"
        ),
        at_random(p),
        "without load, least-connections looks the same".to_owned(),
    ];
    if longest(picks) < ring_needs(k) {
        found.candidates.push(Algorithm::WeightedRoundRobin);
        found
            .evidence
            .push(format!("weights that are nearly the same need more requests to show: {} (-n)", ring_needs(k)));
    }
    found.cycle = cycle;
    found
}

fn changing(
    sequence: &Sequence,
    picks: &Picks,
    Rounds { whole, offsets, changes }: Rounds,
    alpha: f64,
) -> Option<Finding> {
    let (k, n) = (picks.k, picks.len());
    let p = rounds_by_chance(k, offsets, whole);
    if p >= alpha || whole < FEWEST_ROUNDS {
        return Some(undetermined(match whole {
            0 | 1 => format!("{n} requests to {k} instances: hardly one has come again yet"),
            _ => format!(
                "{n} requests to {k} instances fall into {whole} whole rounds, too few: the chance of that at random is {}",
                in_words(p)
            ),
        }));
    }
    // a ring that is broken once or twice may have whole rounds by chance; and an order that repeats after anything but
    // whole rounds has none
    let repeats = cycle::period(sequence).filter(|(period, repeated)| 2 * repeated >= *period);
    if changes < FEWEST_CHANGES || repeats.is_some_and(|(period, _)| period % k != 0) {
        return None;
    }
    let mut found = round_robin(picks, "whole rounds", p);
    found.order = Some(Order::Changing);
    found.repeats_after = repetition(sequence, k, alpha);
    let repeats = match found.repeats_after {
        Some(period) => format!("it repeats after {period} requests"),
        None => "it did not repeat within what was seen".to_owned(),
    };
    found.evidence = vec![
        format!(
            "each of {whole} rounds of {k} requests held each instance once, in an order that changes from round to \
             round; {repeats}"
        ),
        at_random(p),
        "without load, least-connections looks the same".to_owned(),
    ];
    Some(found)
}

/// After how many picks a changing order repeats, where rounds in an order of their own each would not have done so by
/// chance.
fn repetition(sequence: &Sequence, k: usize, alpha: f64) -> Option<usize> {
    let (period, repeated) = cycle::period(sequence)?;
    let ln_p = (period as f64).ln() - (repeated / k) as f64 * ln_factorial(k);
    (probability(ln_p) < alpha).then_some(period)
}

/// Several counters that take turns regularly.
fn taking_turns(picks: &Picks, alpha: f64) -> Option<Finding> {
    let found = interleaved_workers::regular(picks)?;
    let c = found.counters;
    let p = probability(ln_best_independent(&found.foretold) + ((c * (c + 1)) as f64).ln());
    if p >= alpha {
        return None;
    }
    let followed: usize = found.foretold.iter().sum();
    let mut verdict = round_robin(picks, "interleaved cycles", p);
    // somebody else who takes turns as regularly makes the same of another ring
    if Ring::best(picks).ln_foretold() - ln_best_independent(&picks.counts) > 0.0 {
        verdict.evidence = vec![
            format!(
                "{followed} requests follow a ring of which others take turns regularly, or several counters on one ring"
            ),
            at_random(p),
        ];
        return Some(verdict);
    }
    verdict.order = Some(Order::Interleaved);
    verdict.cycle = found.ring.iter().map(|&one| picks.ids[one]).collect();
    verdict.repeats_after = cycle::period_of(picks).filter(|period| 3 * period <= picks.len());
    verdict.evidence = vec![
        format!(
            "every {c}{} request goes to the next instance of the same ring: {c} counters take turns, as worker \
             processes do that each count for themselves; {followed} requests went where that says",
            ordinal(c)
        ),
        at_random(p),
    ];
    Some(verdict)
}

fn ordinal(number: usize) -> &'static str {
    match number {
        2 => "nd",
        3 => "rd",
        _ => "th",
    }
}

/// An order that repeats.
fn repeating(picks: &Picks, alpha: f64) -> Option<Finding> {
    let found = periodic::periodic(picks)?;
    let p = probability(found.ln_p);
    if p >= alpha {
        return None;
    }
    let period = found.pattern.len();
    let equal = found.weights.iter().all(|weight| *weight == found.weights[0]);
    // a foreign turn or two may come again after as many requests by chance
    if found.followed < 2 * period {
        return None;
    }
    if equal {
        let mut verdict = round_robin(picks, "repeating order", p);
        verdict.repeats_after = Some(period);
        verdict.evidence = vec![
            format!("the same {period} requests come again and again, and hold each instance as often as any other"),
            at_random(p),
            "weights that are nearly the same might look so, if somebody else takes a turn in each".to_owned(),
        ];
        verdict.candidates.push(Algorithm::WeightedRoundRobin);
        return Some(verdict);
    }
    let sum: u32 = found.weights.iter().sum();
    let fixed = period == sum as usize;
    let mut verdict = weighted(picks, &found.weights, "repeating order", p);
    verdict.order = Some(if fixed { Order::Fixed } else { Order::Changing });
    verdict.repeats_after = Some(period);
    if fixed {
        verdict.cycle = found.pattern.iter().map(|&one| picks.ids[one]).collect();
    }
    verdict.evidence = vec![
        format!(
            "the same {period} requests come again and again, {}: {} requests went where that says",
            in_proportion(&found.weights),
            found.followed
        ),
        format!("picked at random with such shares, the chance of that would be {}", in_words(p)),
        format!("no other order that repeats within {} requests fits", found.horizon),
    ];
    // what repeats after several rounds may do so by the turns of others
    if found.horizon < horizon(period) || !fixed && found.followed < 3 * period {
        verdict.weights.clear();
        verdict.order = None;
        verdict.repeats_after = None;
        verdict.cycle.clear();
        verdict.evidence.push("too few requests to be sure of the weights (-n)".to_owned());
    }
    Some(verdict)
}

/// Up to which period other orders must not fit before a weighted one is taken at its word. People give weights in percent.
fn horizon(period: usize) -> usize {
    period.max(100)
}

/// Rounds that hold each instance as often as its weight says.
fn weighted_rounds(picks: &Picks, alpha: f64) -> Option<Finding> {
    let found = periodic::rounds(picks)?;
    let p = probability(found.ln_p);
    if p >= alpha {
        return None;
    }
    let mut verdict = weighted(picks, &found.weights, "whole weighted rounds", p);
    // a single foreign turn may look like a change too
    verdict.order = (found.changes >= 5 && 2 * found.changes >= found.whole).then_some(Order::Changing);
    verdict.evidence = vec![
        format!(
            "{} rounds of {} requests shared them {}; their order changed {} times from one to the next",
            found.whole,
            found.round,
            in_proportion(&found.weights),
            found.changes
        ),
        format!("picked at random with such shares, the chance of that would be {}", in_words(p)),
        "one counter may change its order so, or several that take turns".to_owned(),
    ];
    if verdict.order.is_none() || picks.len() < (WEIGHED_AFTER * found.round).max(FEWEST_WEIGHED) {
        verdict.weights.clear();
        verdict.order = None;
        verdict.evidence.push("too few requests to be sure of the weights (-n)".to_owned());
    }
    Some(verdict)
}

/// The figure of what regular picks rule out.
fn at_random(p: f64) -> String {
    format!("with instances picked at random, the chance of that would be {}", in_words(p))
}

/// `in the proportion 3:1`.
pub fn in_proportion(weights: &[u32]) -> String {
    const MOST: usize = 20;
    let each: Vec<String> = weights.iter().map(u32::to_string).collect();
    match (weights.iter().min(), weights.iter().max()) {
        (Some(least), Some(most)) if weights.len() > MOST => format!("in proportions from {least} to {most}"),
        _ => format!("in the proportion {}", each.join(":")),
    }
}

/// A round robin, whatever its order.
pub fn round_robin(picks: &Picks, test: &'static str, p: f64) -> Finding {
    Finding {
        algorithm: Algorithm::RoundRobin,
        candidates: vec![Algorithm::RoundRobin, Algorithm::LeastConnections],
        ruled_out: vec![not_single(), RuledOut { algorithm: Algorithm::Random, test, p }],
        weights: picks.ids.iter().map(|&id| (id, 1)).collect(),
        ..undetermined(String::new())
    }
}

/// A weighted round robin, whatever its order.
pub fn weighted(picks: &Picks, weights: &[u32], test: &'static str, p: f64) -> Finding {
    Finding {
        algorithm: Algorithm::WeightedRoundRobin,
        candidates: vec![Algorithm::WeightedRoundRobin, Algorithm::LeastConnections],
        ruled_out: vec![
            not_single(),
            RuledOut { algorithm: Algorithm::Random, test, p },
            RuledOut { algorithm: Algorithm::RoundRobin, test: "unequal rounds", p: 0.0 },
        ],
        weights: picks.ids.iter().copied().zip(weights.iter().copied()).collect(),
        ..undetermined(String::new())
    }
}
