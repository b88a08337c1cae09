//! A round robin with background traffic: other clients take turns, or several counters run it.

use crate::analysis::{
    pattern::{
        evidence::{BackgroundEvidence, ChanceEvidence, PatternEvidence},
        finding::{Background, Finding},
        interleaved_workers::IrregularWorkers,
        models::{Models, SPREAD, UNNAMED_MARGIN},
        near_weights::NearWeights,
        ring::Ring,
        rounds::{self, Rounds},
    },
    series::picks::Picks,
    verdict::{Order, Test},
};

/// The largest share of background turns with which a ring is named: with more, counters of which others take turns
/// look the same.
const MOST_BACKGROUND: f64 = 0.55;
/// The log by which rounds in an order of their own must be better in each third, before an order is called changing.
const EACH_THIRD: f64 = 3.0;

/// Describes a round robin that is better than independent draws, which have the probability `p`. `line` is the log by
/// which one order must be better than the others before it is named.
pub fn describe_ring(models: &Models, picks: &Picks, line: f64, p: f64) -> Finding {
    let changing = picks.k > 2 && changes_throughout(picks, line);
    let mut found = if changing && rounds::hold_every_pick(picks) {
        rounds_with_failures(picks, p)
    } else if is_ring(models, picks, line) {
        ring_with_background(models, picks, p)
    } else if let Some(workers) = irregular_workers(models, picks, line) {
        workers_on_ring(workers, picks, p)
    } else if changing && are_rounds(models, line) {
        rounds_with_background(models, picks, p)
    } else {
        even_but_not_in_turn(picks, p)
    };
    found.evidence.push(PatternEvidence::Background(BackgroundEvidence::NearWeightsLookTheSame { spread: SPREAD }));
    found
}

fn round_robin(picks: &Picks, background: Background, evidence: Vec<PatternEvidence>, p: f64) -> Finding {
    Finding {
        background: Some(background),
        evidence,
        ..Finding::round_robin(picks, NearWeights::Possible, Test::MoreRegularThanChance, p)
    }
}

fn rounds_with_failures(picks: &Picks, p: f64) -> Finding {
    let seen = PatternEvidence::Background(BackgroundEvidence::ChangingRoundsAndFailures {
        requests: picks.len(),
        instances: picks.k,
    });
    let evidence = vec![seen, PatternEvidence::Chance(ChanceEvidence::Order { p })];
    Finding { order: Some(Order::Changing), ..round_robin(picks, Background::Unknown, evidence, p) }
}

/// Returns true if one ring of which others take turns explains the picks better than all other orders do.
fn is_ring(models: &Models, picks: &Picks, line: f64) -> bool {
    let ring = models.ring.ln_predictive();
    let workers = models.irregular_workers.as_ref().map_or(f64::NEG_INFINITY, |workers| workers.ln);
    models.ring.ln_lack_of_fit() < (picks.k as f64 - 1.0) / 2.0 + 3.0
        && models.dependent - ring < UNNAMED_MARGIN
        && ring > models.evened
        && models.ring.share() <= MOST_BACKGROUND
        && ring - models.rounds.ln_max_likelihood(1.0).max(workers) > line
}

fn ring_with_background(models: &Models, picks: &Picks, p: f64) -> Finding {
    let share = models.ring.share();
    let next = models.ring.jumps.first().copied().unwrap_or(0);
    let of: u32 = models.ring.jumps.iter().sum();
    let evidence = vec![
        PatternEvidence::Background(BackgroundEvidence::Ring { instances: picks.k, next, of }),
        PatternEvidence::Background(BackgroundEvidence::TurnsSkipped { share }),
        PatternEvidence::Chance(ChanceEvidence::Order { p }),
    ];
    Finding {
        order: Some(Order::Fixed),
        cycle: models.ring.order.iter().map(|&one| picks.ids[one]).collect(),
        repeats_after: Some(picks.k),
        ..round_robin(picks, Background::Share(share), evidence, p)
    }
}

/// The workers that go round one ring and take turns irregularly, where they explain the picks better than other orders.
fn irregular_workers<'m>(models: &'m Models, picks: &Picks, line: f64) -> Option<&'m IrregularWorkers> {
    let others = models.ring.ln_max_likelihood(1.0).max(models.rounds.ln_max_likelihood(1.0));
    let workers = models.irregular_workers.as_ref()?;
    (workers.ln_predictive - others > line && !third_is_rounds(picks)).then_some(workers)
}

fn workers_on_ring(workers: &IrregularWorkers, picks: &Picks, p: f64) -> Finding {
    let evidence = vec![
        PatternEvidence::Background(BackgroundEvidence::Workers { workers: workers.workers }),
        PatternEvidence::Chance(ChanceEvidence::Order { p }),
    ];
    Finding {
        order: Some(Order::Interleaved),
        cycle: workers.ring.iter().map(|&one| picks.ids[one]).collect(),
        ..round_robin(picks, Background::Unknown, evidence, p)
    }
}

/// Returns true if rounds of which others take few turns explain the picks better than workers do.
fn are_rounds(models: &Models, line: f64) -> bool {
    let workers = models.irregular_workers.as_ref().map_or(f64::NEG_INFINITY, |workers| workers.ln);
    models.rounds.share() < 0.2 && models.rounds.ln_predictive() - workers > line
}

fn rounds_with_background(models: &Models, picks: &Picks, p: f64) -> Finding {
    let share = rounds::likeliest_share(picks, models.rounds.share());
    let seen = PatternEvidence::Background(BackgroundEvidence::ChangingRounds {
        requests: picks.len(),
        instances: picks.k,
        share,
    });
    let evidence = vec![seen, PatternEvidence::Chance(ChanceEvidence::Order { p })];
    Finding { order: Some(Order::Changing), ..round_robin(picks, Background::Share(share), evidence, p) }
}

fn even_but_not_in_turn(picks: &Picks, p: f64) -> Finding {
    let seen =
        PatternEvidence::Background(BackgroundEvidence::EvenButNotInTurn { requests: picks.len(), instances: picks.k });
    round_robin(picks, Background::Unknown, vec![seen, PatternEvidence::Chance(ChanceEvidence::Order { p })], p)
}

/// A ring of which another client takes turns in a rhythm of its own.
pub fn describe_turns_in_step(picks: &Picks, p: f64) -> Finding {
    let seen =
        PatternEvidence::Background(BackgroundEvidence::TurnsInStep { requests: picks.len(), instances: picks.k });
    let near = PatternEvidence::Background(BackgroundEvidence::NearWeightsLookTheSame { spread: SPREAD });
    let chance = PatternEvidence::Chance(ChanceEvidence::Order { p });
    round_robin(picks, Background::Unknown, vec![seen, chance, near], p)
}

/// Returns true if whole rounds explain some third of the picks, so that background traffic may take turns in the other
/// thirds.
fn third_is_rounds(picks: &Picks) -> bool {
    picks.thirds().iter().any(rounds::hold_every_pick)
}

/// Returns true if each third of the picks supports rounds in an order of their own rather than a ring of its own, and
/// all of them together do so surely. A ring that changes once shows rounds in one third only.
fn changes_throughout(picks: &Picks, line: f64) -> bool {
    let better =
        picks.thirds().map(|third| Rounds::fit(&third).ln_predictive() - Ring::fit(&third).ln_max_likelihood(1.0));
    better.iter().all(|better| *better > EACH_THIRD) && better.iter().sum::<f64>() > line
}
