//! Independent draws: named when they predict the picks better than regular orders of which others take turns.

use crate::analysis::{
    math::{independent, log_prob::probability},
    pattern::{
        evidence::{DrawsEvidence, Evenness, PatternEvidence},
        finding::{Finding, Pattern, Spill, Turns},
        interleaved_workers,
        models::Models,
        periodic, ring,
        weighted::Ties,
        weighted_workers,
    },
    sampling::budget::{self, Decision},
    series::{picks::Picks, sequence::Visibility},
    verdict::{Algorithm, Rejection, Test},
};

/// The share of background turns up to which regular orders must be ruled out before picks are called independent, by
/// the largest number of instances that it holds for.
const RULED_OUT_UP_TO: [(usize, f64); 3] = [(2, 0.3), (4, 0.4), (usize::MAX, 0.5)];
/// The same share where shares differ, because weighted orders of which others take turns lose theirs sooner.
const WEIGHTED_RULED_OUT_UP_TO: f64 = 0.2;
/// The log by which a model without a name may be better than the best independent draws, before those are named: a small
/// factor, as that best is already fitted.
const MOST_DEPENDENCE: f64 = 2.0;
/// The picks before independent draws are named: enough for weak dependence to show.
pub const FEWEST_DRAWS: usize = 100;
/// The standard deviations that repeats may be away from those of draws, before draws are named.
const MOST_DEVIATIONS: f64 = 2.5;
/// An instance with a larger share than this answers nearly everything.
const NEARLY_ALL: f64 = 0.8;

/// The standard deviations by which the picks that repeat the one before differ from those of draws with these shares.
fn deviations_of_repeats(picks: &Picks) -> f64 {
    let n = picks.len() as f64;
    let chance: f64 = picks.counts.iter().map(|&count| (count as f64 / n).powi(2)).sum();
    let pairs = picks.segments.iter().flat_map(|segment| segment.windows(2));
    let (all, same) =
        pairs.fold((0.0, 0.0), |(all, same), pair| (all + 1.0, same + f64::from(u8::from(pair[0] == pair[1]))));
    (same - chance * all).abs() / (all * chance * (1.0 - chance)).sqrt().max(1.0)
}

/// The spill of the picks: an instance that answers nearly everything may be the first that can, and the others help
/// when it cannot.
fn spill(picks: &Picks) -> Spill {
    let most = picks.counts.iter().max().copied().unwrap_or(0);
    if most as f64 > NEARLY_ALL * picks.len() as f64 { Spill::Possible } else { Spill::Excluded }
}

/// The exclusion of regular orders.
struct Exclusion {
    /// The share of background turns up to which every regular order is ruled out.
    share: f64,
    /// The log of how much better independent draws predict the picks than regular orders with that share fit them.
    ln: f64,
    /// The number of workers from which on a regular order may look so.
    workers: usize,
}

/// The finding where no regular order beats independent draws: `line` is the log by which these must beat regular orders.
pub fn judge_randomness(models: &Models, picks: &Picks, line: f64, alpha: f64) -> Finding {
    let (instances, requests) = (picks.k, picks.len());
    let gaps = picks.segments.len() - 1;
    let difference = independent::ln_learned(&picks.counts) - independent::ln_even(picks);
    let evenness = match difference {
        difference if difference > line => Evenness::Uneven,
        difference if difference > 0.0 => Evenness::PerhapsUneven,
        _ => Evenness::Even,
    };
    let share = share_ruled_out(models, evenness, line);
    let workers = picks.widest_gap().saturating_sub(gaps.min(2 + gaps / instances));
    let against_workers = models.independent - models.best_weighted_workers();
    let random = requests >= FEWEST_DRAWS
        && share >= share_needed(instances, evenness)
        && workers > interleaved_workers::MAX_WORKERS
        && against_workers > line
        && models.dependent - models.best_independent <= MOST_DEPENDENCE
        && deviations_of_repeats(picks) <= MOST_DEVIATIONS;
    if !random {
        let against_orders = ln_better_than_regular(models, evenness, share_needed(instances, evenness));
        let by_draws = || draws_needed(requests, [against_orders, against_workers], line, workers);
        let order = periodic::find_period(picks);
        let by_order = order.map(|order| order.picks_needed(instances, budget::spend(alpha, Decision::OtherOrder)));
        let decided_after = by_order.or_else(by_draws).filter(|&needed| needed > requests);
        let reason = PatternEvidence::Draws(DrawsEvidence::RandomOrRegular { requests, instances, decided_after });
        return Finding::new(Pattern::RandomOrRegular(spill(picks)), Vec::new(), vec![reason]);
    }
    let exclusion = Exclusion {
        share,
        ln: ln_better_than_regular(models, evenness, share),
        // of weighted orders more workers than were followed might look so
        workers: if evenness == Evenness::Uneven { weighted_workers::MAX_WORKERS + 1 } else { workers },
    };
    independent_draws(picks, evenness, &exclusion, alpha)
}

/// The number of draws after which they are named, if all goes on like that: each log ratio grows with the number of
/// draws, and the gap between counts, which rules out workers, with its root. `None` where a ratio does not grow.
fn draws_needed(requests: usize, against: [f64; 2], line: f64, workers: usize) -> Option<usize> {
    let n = requests as f64;
    let ratios = against.map(|ln| (ln > 0.0).then(|| n * line / ln));
    let needed_workers = (interleaved_workers::MAX_WORKERS + 1) as f64;
    let gap = (workers > 0).then(|| n * (needed_workers / workers as f64).powi(2));
    let all = ratios.into_iter().chain([gap]).collect::<Option<Vec<f64>>>()?;
    Some(all.into_iter().fold(FEWEST_DRAWS as f64, f64::max).ceil() as usize)
}

/// The log ratio of independent draws to regular orders in which others take up to `share` of the turns. Ties in any
/// order leave no order to look for where shares are even.
fn ln_better_than_regular(models: &Models, evenness: Evenness, share: f64) -> f64 {
    let tried = models.weighted.iter().filter(|one| evenness != Evenness::Even || one.ties == Ties::InOrder);
    let weighted = tried.map(|one| one.ln_max_likelihood(share)).fold(f64::NEG_INFINITY, f64::max);
    let round_robin = models.ring.ln_max_likelihood(share).max(models.rounds.ln_max_likelihood(share));
    models.independent - round_robin.max(weighted)
}

/// The share of background turns up to which every regular order is ruled out.
fn share_ruled_out(models: &Models, evenness: Evenness, line: f64) -> f64 {
    let ruled_out = |share: &f64| ln_better_than_regular(models, evenness, *share) > line;
    ring::share_grid(0.98).take_while(ruled_out).last().unwrap_or(0.0)
}

fn share_needed(instances: usize, evenness: Evenness) -> f64 {
    match evenness {
        Evenness::Uneven | Evenness::PerhapsUneven => WEIGHTED_RULED_OUT_UP_TO,
        Evenness::Even => RULED_OUT_UP_TO.iter().find(|(most, _)| instances <= *most).map_or(1.0, |(_, share)| *share),
    }
}

fn independent_draws(picks: &Picks, evenness: Evenness, exclusion: &Exclusion, alpha: f64) -> Finding {
    let (instances, requests) = (picks.k, picks.len());
    let Exclusion { share, ln, workers } = *exclusion;
    let p = probability(-ln);
    let turns = match picks.visibility {
        Visibility::EveryTurn => Turns::All,
        Visibility::OwnTurns | Visibility::CountsOnly => Turns::OursAlone,
    };
    let bounds_alpha = budget::spend_on_regular_claim(alpha) / instances as f64;
    let bounds = |(&id, &count)| (id, independent::share_between(count, requests, bounds_alpha));
    let mut found = Finding {
        shares: picks.ids.iter().zip(&picks.counts).map(bounds).collect(),
        even: match evenness {
            Evenness::Uneven => Some(false),
            Evenness::PerhapsUneven => None,
            Evenness::Even => Some(true),
        },
        regular_beyond: Some(share),
        ..Finding::new(
            Pattern::Random(turns, spill(picks)),
            Vec::new(),
            vec![
                PatternEvidence::Draws(DrawsEvidence::NothingButChance { requests, instances }),
                PatternEvidence::Draws(DrawsEvidence::Shares(evenness)),
            ],
        )
    };
    match turns {
        Turns::All => {
            for algorithm in Algorithm::all().filter(|algorithm| algorithm.goes_round()) {
                found.ruled_out.push(Rejection { algorithm, test: Test::DrawsPredictBetter, p });
            }
            found.evidence.push(PatternEvidence::Draws(DrawsEvidence::NoRoundRobinByEveryTurn { p }));
        }
        Turns::OursAlone => {
            found.evidence.push(PatternEvidence::Draws(DrawsEvidence::RoundRobinOnlyWithMore { share, p, workers }))
        }
    }
    found
}
