//! Background traffic: names the regular order that explains the picks when other clients take some of the turns, or no
//! order.
//!
//! The models compete. A model is named when its predictions, made pick by pick before its parameters were known, are
//! better than all the others with the parameters that fit them best, by more than 1/alpha: chance does that to a true
//! model with a probability of at most alpha, whenever one looks (see `math::independent`). Every model that is not
//! beaten stays a candidate.

use crate::analysis::{
    math::log_prob::probability,
    pattern::{
        evidence::{
            BackgroundEvidence, BackgroundTurns, ChanceEvidence, ChangeEvidence, PatternEvidence, Precision,
            TurnTakers, WeightsEvidence,
        },
        finding::{Background, Finding, Pattern},
        free_jumps,
        models::{Models, SPREAD, UNNAMED_MARGIN},
        random, ring_with_background,
        weighted::{self, WeightedOrder},
        weighted_workers::{self, WeightedWorkers},
    },
    sampling::budget::{self, Decision},
    series::{picks::Picks, sequence::Sequence},
    verdict::{Algorithm, Order, Rejection, Test},
};

/// With a larger share of background turns than this, a smaller weight of one instance may hide in it.
const HEAVY_BACKGROUND: f64 = 0.35;
/// The picks of each instance before weights are read from an order with background traffic.
const FEWEST_EACH: usize = 4;

/// The share of turns that another client takes at least where it is in step.
const LEAST_SHARE_IN_STEP: f64 = 0.5;

/// The lines, in logarithms, by which a model must be better than others before it is named.
struct Lines {
    /// The line against independent draws.
    independent: f64,
    /// The line against another regular order.
    regular: f64,
}

/// The finding where no order holds for all picks.
pub fn find_with_background(sequence: &Sequence, picks: &Picks, alpha: f64) -> Finding {
    let (instances, requests) = (picks.k, picks.len());
    if requests < 12.max(2 * instances) {
        return Finding::open(PatternEvidence::Background(BackgroundEvidence::NoOrderYet { requests, instances }));
    }
    let models = Models::fit(sequence, picks);
    let lines = Lines {
        independent: -(budget::spend(alpha, Decision::DisturbedOrder)).ln(),
        regular: -budget::spend_on_regular_claim(alpha).ln(),
    };
    let named = models.named();
    if named - models.best_independent > lines.independent {
        return regular_picks(&models, picks, &lines, probability(models.best_independent - named));
    }
    if models.dependent - models.best_independent > -budget::spend(alpha, Decision::Dependence).ln() {
        return unknown_regularity(picks, probability(models.best_independent - models.dependent));
    }
    random::judge_randomness(&models, picks, lines.regular, alpha)
}

/// The finding where some model with a name beats independent draws, which have the probability `p`.
fn regular_picks(models: &Models, picks: &Picks, lines: &Lines, p: f64) -> Finding {
    let unnamed = models.dependent - models.named() > UNNAMED_MARGIN;
    if !unnamed {
        let found = ring(models, picks, lines, p)
            .or_else(|| ring_in_step(models, picks, lines, p))
            .or_else(|| weights(models, picks, lines, p))
            .or_else(|| workers(models, picks, lines, p));
        if let Some(found) = found {
            return found;
        }
    }
    let mut open = unknown_regularity(picks, p);
    if !unnamed && !membership_changed(picks, p) {
        open.pattern = Pattern::Regular;
    }
    open
}

/// A round robin of which others take turns, where it is better than independent draws and weighted orders.
fn ring(models: &Models, picks: &Picks, lines: &Lines, p: f64) -> Option<Finding> {
    let round_robin = models.round_robin();
    let unequal = models.best_weighted(|one| one.spread() >= SPREAD);
    let stands_out = round_robin - models.best_independent > lines.independent && round_robin - unequal > lines.regular;
    if !stands_out {
        return None;
    }
    let found = ring_with_background::describe_ring(models, picks, lines.regular, p);
    let share = match (found.background, found.order) {
        (Some(Background::Share(share)), _) => share,
        (_, Some(_)) => 0.0,
        (_, None) => models.rounds.share().min(models.ring.share()),
    };
    let in_order = found.order == Some(Order::Fixed) && share <= HEAVY_BACKGROUND;
    (in_order || have_equal_weights(picks, share, 2.0 * UNNAMED_MARGIN)).then_some(found)
}

/// A round robin of which others take turns in a rhythm of their own, where it is better than independent draws, draws
/// that repeat the one before, and weighted orders.
fn ring_in_step(models: &Models, picks: &Picks, lines: &Lines, p: f64) -> Option<Finding> {
    let repeating = free_jumps::ln_max_repeating(picks);
    let unequal = models.best_weighted(|one| one.spread() >= SPREAD).max(models.best_weighted_workers());
    let stands_out = models.free_jumps - models.best_independent.max(repeating) > lines.independent
        && models.free_jumps - unequal > lines.regular;
    (stands_out && are_weights_equal(picks)).then(|| ring_with_background::describe_turns_in_step(picks, p))
}

/// A weighted round robin of which others take turns, where it is better than independent draws and round robins.
fn weights(models: &Models, picks: &Picks, lines: &Lines, p: f64) -> Option<Finding> {
    let best = models.likeliest_weighted()?;
    let stands_out = models.weighted_predictive() - models.best_independent > lines.independent
        && are_steady(picks, &best.weights)
        && best.ln_predictive() - models.best_round_robin() > lines.regular;
    if !stands_out {
        return None;
    }
    let others = models.best_weighted(|one| one.weights != best.weights);
    let near = weighted::neighbouring_orders(picks, &best.weights, &models.ring.order);
    let most = near.iter().map(|one| one.ln_max_likelihood(1.0)).fold(others, f64::max);
    let sure = best.ln_predictive() - most > lines.regular;
    let background_alone = best.ln_predictive() - models.best_weighted_workers() > lines.regular;
    let precision = if sure { Precision::Exact } else { Precision::Rough };
    let takers = if background_alone { TurnTakers::Background } else { TurnTakers::BackgroundOrWorkers };
    let equal_p = probability(models.best_round_robin() - best.ln_predictive());
    let weighted = Finding::weighted_round_robin(picks, &best.weights, Test::MoreRegularThanChance, p, equal_p);
    Some(weights_with_background(weighted, best, precision, takers, picks, p))
}

/// Several workers on one weighted order, where they are better than independent draws and all other orders.
fn workers(models: &Models, picks: &Picks, lines: &Lines, p: f64) -> Option<Finding> {
    let best: &WeightedWorkers = models.weighted_workers.first()?;
    let others = models.best_round_robin().max(models.best_weighted(|_| true));
    let stands_out = models.workers_predictive() - models.best_independent > lines.independent
        && are_steady(picks, &best.weights)
        && best.ln_predictive - others > lines.regular;
    let equal_p = probability(models.best_round_robin() - best.ln_predictive);
    let weighted = || Finding::weighted_round_robin(picks, &best.weights, Test::MoreRegularThanChance, p, equal_p);
    stands_out.then(|| {
        weighted_workers::describe_workers(weighted(), best, &models.weighted_workers, picks, lines.regular, p)
    })
}

/// Returns true if these weights held from the first pick to the last, so that no instance came or left.
fn are_steady(picks: &Picks, weights: &[u32]) -> bool {
    let sum: u32 = weights.iter().sum();
    let missed =
        |(&absence, &weight): (&usize, &u32)| absence as f64 * f64::from(weight) / f64::from(sum) - f64::from(weight);
    picks.change_of_shares() < picks.k as f64 / 2.0 + 4.0
        && picks.counts.iter().all(|count| *count >= FEWEST_EACH)
        && picks.absences().iter().zip(weights).map(missed).all(|missed| missed < 1.2)
}

/// Returns true if the counts speak against half or twice the weight of the others for any instance. Where others take
/// a share of the turns, the counts vary by that share of the variation by chance.
fn have_equal_weights(picks: &Picks, share: f64, line: f64) -> bool {
    let (k, n) = (picks.k as f64, picks.len() as f64);
    let against = |count: f64, weight: f64| {
        let sum = k - 1.0 + weight;
        let ln = count * (sum / (k * weight)).ln() + (n - count) * (sum / k).ln();
        ln / share.clamp(0.1, 1.0)
    };
    picks.counts.iter().all(|&count| [0.5, 2.0].iter().all(|&weight| against(count as f64, weight) > line))
}

/// Returns true if the counts speak against half or twice the weight of the others for any instance, where others take any
/// share of the turns.
pub fn are_weights_equal(picks: &Picks) -> bool {
    have_equal_weights(picks, LEAST_SHARE_IN_STEP, UNNAMED_MARGIN)
}

/// Picks that are more regular than chance, in no order that is known.
fn unknown_regularity(picks: &Picks, p: f64) -> Finding {
    let (instances, requests) = (picks.k, picks.len());
    if membership_changed(picks, p) {
        let evidence = vec![PatternEvidence::Change(ChangeEvidence::SharesChanged { requests })];
        return Finding::new(Pattern::Open, Vec::new(), evidence);
    }
    let too_regular = Rejection { algorithm: Algorithm::Random, test: Test::TooRegular, p };
    let evidence = vec![PatternEvidence::Background(BackgroundEvidence::UnknownRegularity { requests, instances, p })];
    Finding::new(Pattern::Open, vec![too_regular], evidence)
}

/// Returns true if shares that changed in the middle explain much of the picks that independent draws of constant
/// shares do not explain.
fn membership_changed(picks: &Picks, p: f64) -> bool {
    picks.change_of_shares() > -p.ln() / 2.0
}

/// Describes a weighted round robin of which others took turns.
fn weights_with_background(
    weighted: Finding,
    best: &WeightedOrder,
    precision: Precision,
    takers: TurnTakers,
    picks: &Picks,
    p: f64,
) -> Finding {
    let mut found = weighted;
    let (background, turns) = match (precision, takers) {
        (Precision::Exact, TurnTakers::Background) => {
            let share = best.share(picks);
            (Background::Share(share), BackgroundTurns::Share(share))
        }
        _ => (Background::Unknown, BackgroundTurns::Some),
    };
    found.background = Some(background);
    found.evidence = vec![
        PatternEvidence::Weights(WeightsEvidence::WithBackground {
            requests: picks.len(),
            instances: picks.k,
            weights: best.weights.clone(),
            precision,
            turns,
            takers,
        }),
        PatternEvidence::Chance(ChanceEvidence::Shares { p }),
    ];
    if precision == Precision::Rough {
        found.weights.clear();
        found.evidence.push(PatternEvidence::Weights(WeightsEvidence::OthersFitWithOtherTurns));
    }
    found
}
