//! Independent draws: named when they foretell the picks better than regular orders of which others take turns.

use crate::analysis::{
    math::independent,
    math::log_prob::{in_words, probability},
    pattern::finding::{Finding, not_single, undetermined},
    pattern::interleaved_workers,
    pattern::models::Models,
    pattern::ring,
    pattern::weighted_workers,
    sampling::budget,
    series::picks::Picks,
    series::sequence::Known,
    verdict::{Algorithm, RuledOut},
};

/// Shares of foreign turns up to which regular orders must be ruled out before picks are called independent.
const FEWEST_FOREIGN: [(usize, f64); 3] = [(2, 0.3), (4, 0.4), (usize::MAX, 0.5)];
/// The same where shares differ, because weighted orders of which others take turns lose theirs sooner.
const FEWEST_FOREIGN_WEIGHTED: f64 = 0.2;
/// How much better a model without a name may be than the best independent draws, before those are named: a hundred
/// times, as that best is already fitted.
const FEW: f64 = 2.0;
/// Picks before independent draws are named: enough for weak dependence to show.
pub const FEWEST_DRAWS: usize = 100;

/// How many standard deviations repeats may be away from what draws make, before these are named.
const REPEATS: f64 = 2.5;

/// How many standard deviations the picks that repeat the one before are away from what draws of these shares make.
fn repeats_astray(picks: &Picks) -> f64 {
    let n = picks.len() as f64;
    let chance: f64 = picks.counts.iter().map(|&count| (count as f64 / n).powi(2)).sum();
    let pairs = picks.stretches.iter().flat_map(|stretch| stretch.windows(2));
    let (all, same) =
        pairs.fold((0.0, 0.0), |(all, same), pair| (all + 1.0, same + f64::from(u8::from(pair[0] == pair[1]))));
    (same - chance * all).abs() / (all * chance * (1.0 - chance)).sqrt().max(1.0)
}

/// Where one instance answers nearly everything, it may be the first that can, and the others help when it cannot.
fn spills(picks: &Picks) -> Option<Algorithm> {
    const NEARLY: f64 = 0.8;
    let most = picks.counts.iter().max().copied().unwrap_or(0);
    (most as f64 > NEARLY * picks.len() as f64).then_some(Algorithm::FirstAvailable)
}

/// Independent draws, if nothing regular explains the picks.
pub fn find(models: &Models, picks: &Picks, line: f64, alpha: f64) -> Finding {
    let (k, n) = (picks.k, picks.len());
    let gap = picks.widest_gap();
    let gaps = picks.stretches.len() - 1;
    let difference = independent::ln_learned(&picks.counts) - independent::ln_even(picks);
    let uneven = difference > line;
    // ties in any order leave no order to look for where shares are even
    let beaten = |share: f64| {
        let weighted = models
            .weighted
            .iter()
            .filter(|one| difference > 0.0 || !one.tied)
            .map(|one| one.ln_most(share))
            .fold(f64::NEG_INFINITY, f64::max);
        models.independent - models.ring.ln_most(share).max(models.rounds.ln_most(share)).max(weighted)
    };
    let beyond = ring::finely(0.98).take_while(|share| beaten(*share) > line).last().unwrap_or(0.0);
    let needed = match difference > 0.0 {
        true => FEWEST_FOREIGN_WEIGHTED,
        false => FEWEST_FOREIGN.iter().find(|(most, _)| k <= *most).map_or(1.0, |(_, share)| *share),
    };
    let counters = gap.saturating_sub(gaps.min(2 + gaps / k));
    // of weighted orders more counters than were followed might look so
    let beyond_counters = if uneven { weighted_workers::MOST + 1 } else { counters };
    if n < FEWEST_DRAWS
        || beyond < needed
        || counters <= interleaved_workers::MOST
        || models.independent - models.most_staggered() <= line
        || models.dependent - models.best_independent > FEW
        || repeats_astray(picks) > REPEATS
    {
        let mut open = undetermined(format!(
            "{n} requests to {k} instances can tell neither a disturbed order nor picks at random for sure; more may (-n)"
        ));
        open.candidates =
            vec![Algorithm::Random, Algorithm::LeastConnections, Algorithm::RoundRobin, Algorithm::WeightedRoundRobin];
        open.candidates.extend(spills(picks));
        open.ruled_out = vec![not_single()];
        return open;
    }
    let shares = picks.ids.iter().zip(&picks.counts);
    let mut found = Finding {
        algorithm: Algorithm::Random,
        candidates: vec![Algorithm::Random, Algorithm::LeastConnections],
        ruled_out: vec![not_single()],
        shares: shares
            .map(|(&id, &count)| (id, independent::share_between(count, n, alpha * budget::REGULAR / (3 * k) as f64)))
            .collect(),
        even: match uneven {
            true => Some(false),
            false if difference > 0.0 => None,
            false => Some(true),
        },
        regular_beyond: Some(beyond),
        evidence: vec![
            format!("the order of {n} requests to {k} instances shows nothing but chance"),
            match uneven {
                true => "some instances get more than others, more than even chances explain".to_owned(),
                false if difference > 0.0 => {
                    "some may get more than others: the counts speak for it, but not for sure".to_owned()
                }
                false => "the counts are such as even chances give".to_owned(),
            },
        ],
        ..undetermined(String::new())
    };
    found.candidates.extend(spills(picks));
    let p = probability(-beaten(beyond));
    match picks.known {
        Known::EveryTurn => {
            for algorithm in [Algorithm::RoundRobin, Algorithm::WeightedRoundRobin] {
                found.ruled_out.push(RuledOut { algorithm, test: "independent draws foretell better", p });
            }
            found.evidence.push(format!(
                "it is no round robin: every turn is known, and the chance that one would look like this is {}",
                in_words(p)
            ));
        }
        Known::Ours | Known::CountsOnly => {
            found.candidates.push(Algorithm::RoundRobin);
            found.candidates.push(Algorithm::WeightedRoundRobin);
            found.evidence.push(format!(
                "a round robin would look like this only if other clients took more than {:.0} % of its turns (with fewer \
                 the chance is {}), or if it had {beyond_counters} counters or more",
                beyond * 100.0,
                in_words(p)
            ));
        }
    }
    found
}
