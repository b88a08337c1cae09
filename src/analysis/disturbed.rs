//! Disturbed orders: which regular order explains the picks when others take some of the turns, or none.
//!
//! The models compete. One is named when its forecast, made pick by pick before anybody knew its parameters, is better
//! than all the others with the parameters that fit them best, by more than 1/alpha: chance does that to a true model with
//! a probability of at most alpha, whenever one looks (see `independent`). Whoever is not beaten stays a candidate.

use super::{
    budget,
    chance::{in_words, ln_best_independent, ln_mean, probability},
    counters::{self, Mixed},
    exact::{in_proportion, round_robin, weighted},
    finding::{Finding, not_single, undetermined},
    independent,
    picks::Picks,
    regular,
    ring::Ring,
    rounds::{self, Rounds},
    sequence::{Known, Sequence},
    staggered::{self, Kept, Staggered},
    verdict::{Algorithm, Order, RuledOut},
    weighted::{self, Weighted},
};

/// Shares of foreign turns up to which regular orders must be ruled out before picks are called independent.
const FEWEST_FOREIGN: [(usize, f64); 3] = [(2, 0.3), (4, 0.4), (usize::MAX, 0.5)];
/// The same where shares differ, because weighted orders of which others take turns lose theirs sooner.
const FEWEST_FOREIGN_WEIGHTED: f64 = 0.2;
/// How much better a model without a name may be, before nothing is named: a thousand times.
const UNNAMED: f64 = 6.9;
/// The same before independent draws are named: a hundred times better than the best of them, which is already fitted.
const FEW: f64 = 2.0;
/// How much larger than the smallest the largest weight is at least, where weights are told from none.
const SPREAD: f64 = 1.5;
/// The largest share of foreign turns with which a ring is named: with more, counters of which others take turns look the
/// same.
const HEAVIEST: f64 = 0.55;
/// How much better rounds in an order of their own must be in each third, before an order is called changing.
const EACH_THIRD: f64 = 3.0;
/// Picks of each instance before weights are read from a disturbed order.
const FEWEST_EACH: usize = 4;
/// Picks before independent draws are named: enough for weak dependence to show.
pub const FEWEST_DRAWS: usize = 100;

/// How probable each model makes the picks.
struct Models {
    independent: f64,
    best_independent: f64,
    ring: Ring,
    rounds: Rounds,
    mixed: Option<Mixed>,
    evened: f64,
    weighted: Vec<Weighted>,
    kept: Vec<Kept>,
    staggered: Vec<Staggered>,
    /// Each pick depends on those before it, somehow.
    dependent: f64,
}

impl Models {
    fn of(sequence: &Sequence, picks: &Picks) -> Models {
        let ring = Ring::best(picks);
        let best_independent = ln_best_independent(&picks.counts);
        let kept = staggered::kept(picks);
        // following counters is dear, so their counts must have stayed together
        let together = kept.iter().any(|kept| kept.ln > best_independent + UNNAMED);
        Models {
            independent: independent::ln_foretold(picks),
            best_independent,
            staggered: if together { staggered::all(picks) } else { Vec::new() },
            kept,
            rounds: Rounds::of(picks),
            mixed: counters::mixed(picks),
            evened: regular::ln_evened(picks),
            weighted: weighted::all(picks, &ring.order),
            dependent: regular::ln_regular(sequence, picks.k),
            ring,
        }
    }

    /// The forecast of a round robin of some kind.
    fn round_robin(&self) -> f64 {
        let mixed = self.mixed.as_ref().map_or(f64::NEG_INFINITY, |mixed| mixed.ln_foretold);
        ln_mean(&[self.ring.ln_foretold(), self.rounds.ln_foretold(), mixed, self.evened])
    }

    /// The best that round robins can do.
    fn most_round_robin(&self) -> f64 {
        let mixed = self.mixed.as_ref().map_or(f64::NEG_INFINITY, |mixed| mixed.ln);
        self.ring.ln_most(1.0).max(self.rounds.ln_most(1.0)).max(mixed)
    }

    /// The forecast of counts that are kept near weights.
    fn kept(&self) -> f64 {
        let best = self.kept.iter().map(|kept| kept.ln_foretold).fold(f64::NEG_INFINITY, f64::max);
        best - (self.kept.len() as f64).ln()
    }

    /// The best that several counters on one weighted order can do, whether they can be followed or not.
    fn most_staggered(&self) -> f64 {
        let each = self.staggered.iter().map(|one| one.ln).chain(self.kept.iter().map(|kept| kept.ln));
        each.fold(f64::NEG_INFINITY, f64::max)
    }

    /// The best that weighted round robins can do of which this is true.
    fn most_weighted(&self, of: impl Fn(&Weighted) -> bool) -> f64 {
        self.weighted.iter().filter(|one| of(one)).map(|one| one.ln_most(1.0)).fold(f64::NEG_INFINITY, f64::max)
    }
}

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
        if beats(round_robin) && round_robin - models.most_weighted(|one| one.spread() >= SPREAD) > regular {
            let found = disturbed_ring(&models, picks, regular, p);
            if found.order == Some(Order::Fixed) || equal(picks, found.disturbed.unwrap_or(1.0), 2.0 * UNNAMED) {
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
            return staggered::finding(best, &models.staggered, picks, regular, p);
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
    random(&models, picks, regular, alpha)
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
            "somewhere among the {} requests the instances' shares changed: instances came or left",
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
    let changing = changes_throughout(picks, line);
    if changing && rounds::fit(picks) {
        found.order = Some(Order::Changing);
        found.disturbed = Some(0.0);
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
        found.disturbed = Some(share);
        found.evidence = vec![
            format!("{k} instances answer in turn: {next} of {of} times the next request went to the next instance"),
            format!(
                "the other times some were skipped, as when other clients take about {:.0} % of the turns, or instances \
                 come and go",
                share * 100.0
            ),
            chance,
        ];
    } else if let Some(mixed) =
        mixed.filter(|_| mixed_foretold - ring_most.max(rounds_most) > line && !anywhere_in_rounds(picks))
    {
        found.order = Some(Order::Interleaved);
        found.cycle = mixed.ring.iter().map(|&one| picks.ids[one]).collect();
        found.disturbed = Some(0.0);
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
        found.disturbed = Some(models.rounds.share());
        found.evidence = vec![
            format!(
                "{n} requests fall into rounds of {k} that hold each instance once, in an order that changes from round \
                 to round, but for a few turns that other clients took"
            ),
            chance,
        ];
    } else {
        found.disturbed = Some(models.rounds.share().min(models.ring.share()));
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
    let share = best.share();
    let or = if others_alone { "" } else { ", or that several counters keep" };
    let mut found = weighted(picks, &best.weights, "more regular than chance", p);
    found.disturbed = Some(share);
    found.evidence = vec![
        format!(
            "{} requests to {} instances follow an order {}, of which other clients take about {:.0} % of the turns{or}",
            picks.len(),
            picks.k,
            in_proportion(&best.weights),
            share * 100.0
        ),
        format!("picked at random with such shares, the chance of that would be {}", in_words(p)),
    ];
    if !sure {
        found.weights.clear();
        found.evidence.push("other weights near these fit as well".to_owned());
    }
    found
}

/// Where one instance answers nearly everything, it may be the first that can, and the others help when it cannot.
fn spills(picks: &Picks) -> Option<Algorithm> {
    const NEARLY: f64 = 0.8;
    let most = picks.counts.iter().max().copied().unwrap_or(0);
    (most as f64 > NEARLY * picks.len() as f64).then_some(Algorithm::FirstAvailable)
}

/// Independent draws, if nothing regular explains the picks.
fn random(models: &Models, picks: &Picks, line: f64, alpha: f64) -> Finding {
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
    let beyond = super::ring::finely(0.98).take_while(|share| beaten(*share) > line).last().unwrap_or(0.0);
    let needed = match difference > 0.0 {
        true => FEWEST_FOREIGN_WEIGHTED,
        false => FEWEST_FOREIGN.iter().find(|(most, _)| k <= *most).map_or(1.0, |(_, share)| *share),
    };
    let counters = gap.saturating_sub(gaps.min(2 + gaps / k));
    // of weighted orders more counters than were followed might look so
    let beyond_counters = if uneven { staggered::MOST + 1 } else { counters };
    if n < FEWEST_DRAWS
        || beyond < needed
        || counters <= counters::MOST
        || models.independent - models.most_staggered() <= line
        || models.dependent - models.best_independent > FEW
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
        even: Some(!uneven),
        regular_beyond: Some(beyond),
        evidence: vec![
            format!("the order of {n} requests to {k} instances shows nothing but chance"),
            match uneven {
                true => "some instances get more than others, more than even chances explain".to_owned(),
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
