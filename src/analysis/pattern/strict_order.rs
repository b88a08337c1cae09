//! Strict orders: patterns that hold for every pick, so that no other client's turn is needed to explain it.

use crate::{
    analysis::{
        math::log_prob::{ln_best_independent, ln_factorial, probability},
        pattern::{
            cycle::{self, WholeRounds},
            evidence::{ChanceEvidence, OrderEvidence, PatternEvidence, WeightsEvidence},
            finding::Finding,
            in_step, interleaved_workers,
            near_weights::{self, NearWeights},
            periodic,
            ring::Ring,
            stray,
        },
        sampling::budget::{self, Decision, OrderBudget},
        series::{picks::Picks, sequence::Sequence},
        verdict::{Order, Test},
    },
    model::trace::InstanceId,
};

/// The rounds that must be seen before there are rounds.
const FEWEST_ROUNDS: usize = 2;
/// The order must have changed this many times from one round to the next before it is called changing.
const FEWEST_CHANGES: usize = 3;
/// The picks needed for each pick of a round before the weights are certain: any other round would have drifted away.
const WEIGHTS_KNOWN_AFTER: usize = 24;
/// The picks after which weights are known, at least.
const FEWEST_FOR_WEIGHTS: usize = 150;

/// The order that every pick follows, if there is one and chance does not explain it. `budget` is what each kind may
/// spend.
pub fn find_strict_order(sequence: &Sequence, picks: &Picks, budget: OrderBudget) -> Option<Finding> {
    let OrderBudget { ring, other: alpha } = budget;
    if let Some(cycle) = cycle::fixed_cycle(sequence) {
        return Some(describe_ring(sequence, picks, cycle, ring));
    }
    // clumps of two are rounds in turn backwards as well, and have an explanation of their own
    cycle::rounds(sequence)
        .filter(|_| cycle::clump_length(picks).is_none())
        .and_then(|rounds| changing_rounds(sequence, picks, rounds, alpha))
        .or_else(|| workers_in_turn(picks, alpha))
        .or_else(|| repeating_order(picks, alpha))
        .or_else(|| weighted_rounds(picks, alpha))
}

/// The length of the longest segment. A gap may hide that an order is broken.
pub fn longest_segment(picks: &Picks) -> usize {
    picks.segments.iter().map(Vec::len).max().unwrap_or(0)
}

/// The number of picks after which a ring of `k` instances is hardly anything else, such as weights that differ by a
/// sixth, or two counters of which one served everything.
pub fn ring_picks_needed(k: usize) -> usize {
    match k {
        ..=2 => 46,
        3 => 36,
        _ => (6 * k).clamp(30, 60).max(3 * k),
    }
}

/// The number of requests after which a ring of `k` instances is neither chance nor hardly anything else, if none fails.
pub fn ring_requests_needed(k: usize, alpha: f64) -> usize {
    // the first round is no evidence, the rest is as even as can be
    let by_chance = |predicted: usize| {
        let counts: Vec<usize> = (0..k).map(|one| predicted / k + usize::from(one < predicted % k)).collect();
        probability(ln_best_independent(&counts))
    };
    let predicted = (1..).find(|&predicted| by_chance(predicted) < budget::spend(alpha, Decision::Ring)).unwrap_or(0);
    ring_picks_needed(k).max(k + predicted)
}

/// The number of requests after which changing rounds of `k` instances are no chance, wherever the first round began.
pub fn rounds_requests_needed(k: usize, alpha: f64) -> usize {
    let enough = |whole: usize| rounds_by_chance(k, k, whole) < budget::spend(alpha, Decision::OtherOrder);
    let whole = (FEWEST_CHANGES + 1..).find(|&whole| enough(whole)).unwrap_or(0);
    whole * k + k - 1
}

/// The probability that picks at random fall into `whole` rounds of `k`, at one of `offsets` offsets.
fn rounds_by_chance(k: usize, offsets: usize, whole: usize) -> f64 {
    let ln_each = ln_factorial(k) - k as f64 * (k as f64).ln();
    // the first round names the instances
    probability((offsets as f64).ln() + whole.saturating_sub(1) as f64 * ln_each)
}

/// The number of requests after which a weighted order that repeats after `period` is taken at its word.
pub fn weights_requests_needed(period: usize) -> usize {
    period + horizon(period)
}

fn describe_ring(sequence: &Sequence, picks: &Picks, cycle: Vec<InstanceId>, alpha: f64) -> Finding {
    let (instances, requests) = (picks.k, picks.len());
    // the first round names the instances and their order; only the requests after it are evidence
    let predicted = sequence.ring_predicted_counts();
    let p = probability(ln_best_independent(&predicted));
    if p >= alpha {
        return Finding::open(PatternEvidence::Order(OrderEvidence::FixedCycleTooFew { requests, instances, p }));
    }
    let near_weights = near_weights::in_ring(instances, longest_segment(picks));
    let mut evidence = vec![
        PatternEvidence::Order(OrderEvidence::FixedCycle { instances, followed: predicted.iter().sum() }),
        PatternEvidence::Chance(ChanceEvidence::Regular { p }),
        PatternEvidence::Order(OrderEvidence::LeastConnectionsLooksTheSame),
    ];
    evidence.extend(near_weights_take(instances, near_weights));
    Finding {
        order: Some(Order::Fixed),
        repeats_after: Some(instances),
        cycle,
        evidence,
        ..Finding::round_robin(picks, near_weights, Test::FixedCycle, p)
    }
}

fn changing_rounds(sequence: &Sequence, picks: &Picks, rounds: WholeRounds, alpha: f64) -> Option<Finding> {
    let WholeRounds { whole, offsets, changes } = rounds;
    let (instances, requests) = (picks.k, picks.len());
    let p = rounds_by_chance(instances, offsets, whole);
    if whole < FEWEST_ROUNDS {
        return Some(Finding::open(PatternEvidence::Order(OrderEvidence::HardlyAnyAgain { requests, instances })));
    }
    if p >= alpha {
        return Some(Finding::open(PatternEvidence::Order(OrderEvidence::RoundsTooFew {
            requests,
            instances,
            rounds: whole,
            p,
        })));
    }
    // a ring that is broken once or twice may have whole rounds by chance; and an order that repeats after anything but
    // whole rounds has none
    let repeats = cycle::period(sequence).filter(|(period, repeated)| 2 * repeated >= *period);
    if changes < FEWEST_CHANGES || repeats.is_some_and(|(period, _)| period % instances != 0) {
        return None;
    }
    let repeats_after = repetition(sequence, instances, alpha);
    Some(Finding {
        order: Some(Order::Changing),
        repeats_after,
        evidence: vec![
            PatternEvidence::Order(OrderEvidence::ChangingRounds { rounds: whole, instances, repeats_after }),
            PatternEvidence::Chance(ChanceEvidence::Regular { p }),
            PatternEvidence::Order(OrderEvidence::LeastConnectionsLooksTheSame),
        ],
        ..Finding::round_robin(picks, near_weights::in_rounds(instances, requests), Test::WholeRounds, p)
    })
}

/// The difference of weights that is of interest to most: one per cent.
const SMALL_DIFFERENCE: f64 = 1.01;

/// The fact that near weights would look the same, and the number of requests in a row that would show less near ones.
fn near_weights_take(instances: usize, near_weights: NearWeights) -> Option<PatternEvidence> {
    let NearWeights::CloserThan(ratio) = near_weights else { return None };
    let requests = near_weights::ring_picks_needed(instances, SMALL_DIFFERENCE).filter(|_| ratio > SMALL_DIFFERENCE);
    Some(PatternEvidence::Order(OrderEvidence::NearWeights { ratio, requests }))
}

/// The number of picks after which a changing order repeats, where rounds in an order of their own each would not have
/// done so by chance.
fn repetition(sequence: &Sequence, k: usize, alpha: f64) -> Option<usize> {
    let (period, repeated) = cycle::period(sequence)?;
    let ln_p = (period as f64).ln() - (repeated / k) as f64 * ln_factorial(k);
    (probability(ln_p) < alpha).then_some(period)
}

/// The finding of several workers that take turns regularly.
fn workers_in_turn(picks: &Picks, alpha: f64) -> Option<Finding> {
    let found = interleaved_workers::find_regular(picks)?;
    let workers = found.workers;
    let p = probability(ln_best_independent(&found.predicted_counts) + ((workers * (workers + 1)) as f64).ln());
    if p >= alpha {
        return None;
    }
    let followed: usize = found.predicted_counts.iter().sum();
    let near_weights = near_weights::in_ring(picks.k, picks.len() / workers);
    let round_robin = Finding::round_robin(picks, near_weights, Test::InterleavedCycles, p);
    let by_chance = PatternEvidence::Chance(ChanceEvidence::Regular { p });
    let repeats_after = || cycle::period_of_picks(picks).filter(|period| 3 * period <= picks.len());
    // another client that takes turns as regularly makes the same of another ring
    if Ring::fit(picks).ln_predictive() - ln_best_independent(&picks.counts) > 0.0 {
        let evidence = vec![PatternEvidence::Order(OrderEvidence::RegularTurnsOnRing { followed }), by_chance];
        return Some(Finding { evidence, ..round_robin });
    }
    if let Some(length) = cycle::clump_length(picks) {
        let seen = PatternEvidence::Order(OrderEvidence::WorkersOrClumps { workers, length, followed });
        return Some(Finding { repeats_after: repeats_after(), evidence: vec![seen, by_chance], ..round_robin });
    }
    Some(Finding {
        order: Some(Order::Interleaved),
        cycle: found.ring.iter().map(|&one| picks.ids[one]).collect(),
        repeats_after: repeats_after(),
        evidence: vec![PatternEvidence::Order(OrderEvidence::WorkersInTurn { workers, followed }), by_chance],
        ..round_robin
    })
}

/// The finding of an order that repeats.
fn repeating_order(picks: &Picks, alpha: f64) -> Option<Finding> {
    let found = periodic::find_period(picks)?;
    let p = probability(found.ln_p);
    let period = found.pattern.len();
    // the turns of another client may come again once after as many requests by chance
    if p >= alpha || found.followed < 2 * period {
        return None;
    }
    if found.weights.iter().all(|weight| *weight == found.weights[0]) {
        return Some(Finding {
            repeats_after: Some(period),
            evidence: vec![
                PatternEvidence::Order(OrderEvidence::RepeatsEvenly { period }),
                PatternEvidence::Chance(ChanceEvidence::Regular { p }),
                PatternEvidence::Order(OrderEvidence::NearWeightsWithOthersTurn),
            ],
            ..Finding::round_robin(picks, NearWeights::Possible, Test::RepeatingOrder, p)
        });
    }
    let sum: u32 = found.weights.iter().sum();
    let fixed = period == sum as usize;
    let equal_p = equal_rounds_by_chance(picks, period, found.ln_choice);
    let weighted = Finding::weighted_round_robin(picks, &found.weights, Test::RepeatingOrder, p, equal_p);
    let mut evidence = vec![
        PatternEvidence::Weights(WeightsEvidence::Repeats { period, weights: found.weights, followed: found.followed }),
        PatternEvidence::Chance(ChanceEvidence::Shares { p }),
        PatternEvidence::Weights(WeightsEvidence::NoOtherPeriodWithin { requests: found.horizon }),
    ];
    // an order that repeats after several rounds may do so by the turns of others
    if found.horizon < horizon(period) || !fixed && found.followed < 3 * period {
        let requests = weights_requests_needed(period).max(if fixed { 0 } else { 4 * period });
        evidence.push(PatternEvidence::Weights(WeightsEvidence::TooFew { requests }));
        return Some(Finding { weights: Vec::new(), evidence, ..weighted });
    }
    let cycle = if fixed { found.pattern.iter().map(|&one| picks.ids[one]).collect() } else { Vec::new() };
    let order = Some(if fixed { Order::Fixed } else { Order::Changing });
    Some(Finding { order, repeats_after: Some(period), cycle, evidence, ..weighted })
}

/// The probability of these picks under equal rounds, which is 1 where others may have taken turns of a ring in step.
fn equal_rounds_by_chance(picks: &Picks, given: usize, ln_sequences: f64) -> f64 {
    if in_step::explains_ring(picks) { 1.0 } else { stray::equal_rounds_by_chance(picks, given, ln_sequences) }
}

/// The period up to which other orders must not fit before a weighted one is accepted. People give weights in per cent.
fn horizon(period: usize) -> usize {
    period.max(100)
}

/// The finding of rounds that hold each instance as often as its weight asks for.
fn weighted_rounds(picks: &Picks, alpha: f64) -> Option<Finding> {
    let found = periodic::find_weighted_rounds(picks)?;
    let p = probability(found.ln_p);
    if p >= alpha {
        return None;
    }
    let equal_p = equal_rounds_by_chance(picks, found.round, found.ln_choice);
    let weighted = Finding::weighted_round_robin(picks, &found.weights, Test::WholeWeightedRounds, p, equal_p);
    let mut evidence = vec![
        PatternEvidence::Weights(WeightsEvidence::Rounds {
            rounds: found.whole,
            length: found.round,
            weights: found.weights,
            changes: found.changes,
        }),
        PatternEvidence::Chance(ChanceEvidence::Shares { p }),
        PatternEvidence::Weights(WeightsEvidence::OneCounterOrSeveral),
    ];
    // a single turn of another client may look like a change too
    let changing = found.changes >= 5 && 2 * found.changes >= found.whole;
    let requests = (WEIGHTS_KNOWN_AFTER * found.round).max(FEWEST_FOR_WEIGHTS);
    if !changing || picks.len() < requests {
        evidence.push(PatternEvidence::Weights(if picks.len() < requests {
            WeightsEvidence::TooFew { requests }
        } else {
            WeightsEvidence::HardlyChanging
        }));
        return Some(Finding { weights: Vec::new(), evidence, ..weighted });
    }
    Some(Finding { order: Some(Order::Changing), evidence, ..weighted })
}
