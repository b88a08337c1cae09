//! Disturbed orders: which regular order explains the picks when others take some of the turns, or none.
//!
//! The models compete. One is named when its forecast, made pick by pick before anybody knew its parameters, is better
//! than all the others with the parameters that fit them best, by more than 1/alpha: chance does that to a true model with
//! a probability of at most alpha, whenever one looks (see `independent`). Whoever is not beaten stays a candidate.

use crate::analysis::{
    math::log_prob::{in_words, probability},
    pattern::finding::{Disturbed, Finding, not_single, undetermined},
    pattern::models::{Models, UNNAMED},
    pattern::random,
    pattern::ring::Ring,
    pattern::rounds,
    pattern::rounds::Rounds,
    pattern::strict_order::{in_proportion, round_robin, weighted},
    pattern::weighted,
    pattern::weighted::Weighted,
    pattern::weighted_workers,
    sampling::budget,
    series::picks::Picks,
    series::sequence::Sequence,
    verdict::{Algorithm, Order, RuledOut},
};

/// How much larger than the smallest the largest weight is at least, where weights are told from none.
const SPREAD: f64 = 1.5;
/// The largest share of foreign turns with which a ring is named: with more, counters of which others take turns look the
/// same.
const HEAVIEST: f64 = 0.55;
/// With more than this, a smaller weight of one instance may hide in it.
const HEAVY: f64 = 0.35;
/// How much better rounds in an order of their own must be in each third, before an order is called changing.
const EACH_THIRD: f64 = 3.0;
/// Picks of each instance before weights are read from a disturbed order.
const FEWEST_EACH: usize = 4;

/// What the picks show when no order holds for all of them.
pub fn find(sequence: &Sequence, picks: &Picks, alpha: f64) -> Finding {
    let (k, n) = (picks.k, picks.len());
    if n < 12.max(2 * k) {
        return undetermined(format!("{n} requests to {k} instances show no order yet"));
    }
    let models = Models::of(sequence, picks);
    let line = -(alpha * budget::INDEPENDENT).ln();
    let regular = -(alpha * budget::REGULAR / 3.0).ln();
    let round_robin = models.round_robin();
    let best = models.weighted.iter().max_by(|one, other| one.ln_foretold().total_cmp(&other.ln_foretold()));
    let weighted = best.map_or(f64::NEG_INFINITY, |best| best.ln_foretold() - (models.weighted.len() as f64).ln());

    let staggered = models
        .staggered
        .first()
        .map_or(f64::NEG_INFINITY, |best| best.ln_foretold - (models.staggered.len() as f64).ln());
    let named = round_robin.max(weighted).max(staggered).max(models.kept());
    let p = probability(models.best_independent - named);
    let beats = |model: f64| model - models.best_independent > line;
    if beats(named) {
        let unnamed = models.dependent - named > UNNAMED;
        if !unnamed && beats(round_robin) && round_robin - models.most_weighted(|one| one.spread() >= SPREAD) > regular
        {
            let found = disturbed_ring(&models, picks, regular, p);
            let share = match (found.disturbed, found.order) {
                (Some(Disturbed::ByOthers(share)), _) => share,
                (_, Some(_)) => 0.0,
                (_, None) => models.rounds.share().min(models.ring.share()),
            };
            let told = found.order == Some(Order::Fixed) && share <= HEAVY;
            if told || equal(picks, share, 2.0 * UNNAMED) {
                return found;
            }
        }
        if let Some(best) = best.filter(|best| {
            !unnamed
                && beats(weighted)
                && steady(picks, &best.weights)
                && best.ln_foretold() - models.most_round_robin() > regular
        }) {
            let others = models.most_weighted(|one| one.weights != best.weights);
            let near = weighted::nearest(picks, &best.weights, &models.ring.order);
            let most = near.iter().map(|one| one.ln_most(1.0)).fold(others, f64::max);
            let sure = best.ln_foretold() - most > regular;
            let others_alone = best.ln_foretold() - models.most_staggered() > regular;
            return disturbed_weights(best, sure, others_alone, picks, p);
        }
        if let Some(best) = models.staggered.first().filter(|best| {
            !unnamed
                && beats(staggered)
                && steady(picks, &best.weights)
                && best.ln_foretold - models.most_round_robin().max(models.most_weighted(|_| true)) > regular
        }) {
            return weighted_workers::finding(best, &models.staggered, picks, regular, p);
        }
        let mut open = irregular(picks, p);
        if unnamed || came_or_left(picks, p) {
            return open;
        }
        open.candidates = vec![Algorithm::RoundRobin, Algorithm::WeightedRoundRobin, Algorithm::LeastConnections];
        return open;
    }
    if models.dependent - models.best_independent > line {
        return irregular(picks, probability(models.best_independent - models.dependent));
    }
    random::find(&models, picks, regular, alpha)
}

/// Whether these weights held from the first pick to the last, rather than an instance having come or left.
fn steady(picks: &Picks, weights: &[u32]) -> bool {
    let sum: u32 = weights.iter().sum();
    let missed =
        |(&absence, &weight): (&usize, &u32)| absence as f64 * f64::from(weight) / f64::from(sum) - f64::from(weight);
    picks.change_of_shares() < picks.k as f64 / 2.0 + 4.0
        && picks.counts.iter().all(|count| *count >= FEWEST_EACH)
        && picks.absences().iter().zip(weights).map(missed).all(|missed| missed < 1.2)
}

/// Whether the counts speak against any instance's having half or twice the weight of the others. Where others take a
/// share of the turns, the counts vary by that share of what chance makes them vary.
fn equal(picks: &Picks, share: f64, line: f64) -> bool {
    let (k, n) = (picks.k as f64, picks.len() as f64);
    let against = |count: f64, weight: f64| {
        let sum = k - 1.0 + weight;
        let ln = count * (sum / (k * weight)).ln() + (n - count) * (sum / k).ln();
        ln / share.clamp(0.1, 1.0)
    };
    picks.counts.iter().all(|&count| [0.5, 2.0].iter().all(|&weight| against(count as f64, weight) > line))
}

fn irregular(picks: &Picks, p: f64) -> Finding {
    let mut open = undetermined(format!(
        "{} requests to {} instances came more regularly than picks at random do (by chance {}), but in none of the \
         orders that were looked for",
        picks.len(),
        picks.k,
        in_words(p)
    ));
    if came_or_left(picks, p) {
        open.evidence = vec![format!(
            "somewhere among the {} requests the instances' shares changed, as when instances come or leave, or some become \
             slower than others",
            picks.len()
        )];
        open.ruled_out = vec![not_single()];
        return open;
    }
    open.ruled_out = vec![not_single(), RuledOut { algorithm: Algorithm::Random, test: "too regular", p }];
    open
}

/// Whether shares that changed in the middle explain much of what independent draws of the same shares do not.
fn came_or_left(picks: &Picks, p: f64) -> bool {
    picks.change_of_shares() > -p.ln() / 2.0
}

/// A round robin of which others took turns, or that several counters keep.
fn disturbed_ring(models: &Models, picks: &Picks, line: f64, p: f64) -> Finding {
    let (k, n) = (picks.k, picks.len());
    let ring = models.ring.ln_foretold();
    let mixed = models.mixed.as_ref();
    let (mixed_foretold, mixed_most) = mixed.map_or((f64::NEG_INFINITY, f64::NEG_INFINITY), |m| (m.ln_foretold, m.ln));
    let (ring_most, rounds_most) = (models.ring.ln_most(1.0), models.rounds.ln_most(1.0));
    let mut found = round_robin(picks, "more regular than chance", p);
    found.candidates.push(Algorithm::WeightedRoundRobin);
    let chance = format!("with instances picked at random, the chance of an order like that would be {}", in_words(p));
    let in_a_ring = models.ring.misfit() < (k as f64 - 1.0) / 2.0 + 3.0
        && models.dependent - ring < UNNAMED
        && ring > models.evened
        && models.ring.share() <= HEAVIEST;
    // two that change places are rather two counters
    let changing = k > 2 && changes_throughout(picks, line);
    if changing && rounds::fit(picks) {
        found.order = Some(Order::Changing);
        found.disturbed = Some(Disturbed::Somehow);
        found.evidence = vec![
            format!(
                "{n} requests fall into rounds that held each of {k} instances once, in an order that changes, if some \
                 of the requests without an answer took their turns"
            ),
            chance,
        ];
    } else if in_a_ring && ring - rounds_most.max(mixed_most) > line {
        let share = models.ring.share();
        let next = models.ring.jumps.first().copied().unwrap_or(0);
        let of: u32 = models.ring.jumps.iter().sum();
        found.order = Some(Order::Fixed);
        found.cycle = models.ring.order.iter().map(|&one| picks.ids[one]).collect();
        found.repeats_after = Some(k);
        found.disturbed = Some(Disturbed::ByOthers(share));
        found.evidence = vec![
            format!("{k} instances answer in turn: {next} of {of} times the next request went to the next instance"),
            format!(
                "the other times some were skipped, as when other clients take {} of the turns, or instances come and go",
                about(share)
            ),
            chance,
        ];
    } else if let Some(mixed) =
        mixed.filter(|_| mixed_foretold - ring_most.max(rounds_most) > line && !anywhere_in_rounds(picks))
    {
        found.order = Some(Order::Interleaved);
        found.cycle = mixed.ring.iter().map(|&one| picks.ids[one]).collect();
        found.disturbed = Some(Disturbed::Somehow);
        found.evidence = vec![
            format!(
                "each request went to the next instance of one of {} counters, which go round the same ring and take \
                 turns irregularly, as worker processes do that each count for themselves",
                mixed.counters
            ),
            chance,
        ];
    } else if changing && models.rounds.share() < 0.2 && models.rounds.ln_foretold() - mixed_most > line {
        found.order = Some(Order::Changing);
        let share = rounds::likeliest_share(picks, models.rounds.share());
        found.disturbed = Some(Disturbed::ByOthers(share));
        found.evidence = vec![
            format!(
                "{n} requests fall into rounds of {k} that hold each instance once, in an order that changes from round \
                 to round, but for {} of the turns, which other clients took",
                about(share)
            ),
            chance,
        ];
    } else {
        found.disturbed = Some(Disturbed::Somehow);
        found.evidence = vec![
            format!(
                "{n} requests were spread over {k} instances more evenly than chance does it, but not strictly in turn: \
                 other clients take turns as well, there are several counters, or instances come and go"
            ),
            chance,
        ];
    }
    found
        .evidence
        .push(format!("weights of which the largest is less than {SPREAD} times the smallest might look the same"));
    found
}

/// A share in words.
fn about(share: f64) -> String {
    if share < 0.005 { "less than 1 %".to_owned() } else { format!("about {:.0} %", share * 100.0) }
}

/// Whether whole rounds explain some third of the picks, so that they may be what was disturbed in the others.
fn anywhere_in_rounds(picks: &Picks) -> bool {
    picks.thirds().iter().any(rounds::fit)
}

/// Whether each third of the picks speaks for rounds in an order of their own rather than for a ring of its own, and all
/// of them together surely: a ring that is put in another order once does so in one of them.
fn changes_throughout(picks: &Picks, line: f64) -> bool {
    let better = picks.thirds().map(|third| Rounds::of(&third).ln_foretold() - Ring::best(&third).ln_most(1.0));
    better.iter().all(|better| *better > EACH_THIRD) && better.iter().sum::<f64>() > line
}

/// A weighted round robin of which others took turns.
fn disturbed_weights(best: &Weighted, sure: bool, others_alone: bool, picks: &Picks, p: f64) -> Finding {
    let mut found = weighted(picks, &best.weights, "more regular than chance", p);
    let taken = match (sure, others_alone) {
        (true, true) => {
            let share = best.share(picks);
            found.disturbed = Some(Disturbed::ByOthers(share));
            about(share)
        }
        _ => {
            found.disturbed = Some(Disturbed::Somehow);
            "some".to_owned()
        }
    };
    let roughly = if sure { "" } else { "roughly " };
    let or = if others_alone { "" } else { ", or that several counters keep" };
    found.evidence = vec![
        format!(
            "{} requests to {} instances follow an order {roughly}{}, of which other clients take {taken} of the turns{or}",
            picks.len(),
            picks.k,
            in_proportion(&best.weights),
        ),
        format!("picked at random with such shares, the chance of that would be {}", in_words(p)),
    ];
    if !sure {
        found.weights.clear();
        found.evidence.push("other weights near these fit as well, with more or fewer foreign turns".to_owned());
    }
    found
}
