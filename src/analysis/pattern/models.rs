//! The models that compete for picks without an exact order, and how probable each makes them.

use crate::analysis::{
    math::independent,
    math::log_prob::{ln_best_independent, ln_mean},
    pattern::interleaved_workers,
    pattern::interleaved_workers::Mixed,
    pattern::regularity,
    pattern::ring::Ring,
    pattern::rounds::Rounds,
    pattern::weighted,
    pattern::weighted::Weighted,
    pattern::weighted_workers,
    pattern::weighted_workers::{Kept, Staggered},
    series::picks::Picks,
    series::sequence::Sequence,
};

/// How much better a model without a name may be, before nothing is named: a thousand times.
pub const UNNAMED: f64 = 6.9;

/// How probable each model makes the picks.
pub struct Models {
    pub independent: f64,
    pub best_independent: f64,
    pub ring: Ring,
    pub rounds: Rounds,
    pub mixed: Option<Mixed>,
    pub evened: f64,
    pub weighted: Vec<Weighted>,
    pub kept: Vec<Kept>,
    pub staggered: Vec<Staggered>,
    /// Each pick depends on those before it, somehow.
    pub dependent: f64,
}

impl Models {
    pub fn of(sequence: &Sequence, picks: &Picks) -> Models {
        let ring = Ring::best(picks);
        let best_independent = ln_best_independent(&picks.counts);
        let kept = weighted_workers::kept(picks);
        // following counters is dear, so their counts must have stayed together
        let together = kept.iter().any(|kept| kept.ln > best_independent + UNNAMED);
        Models {
            independent: independent::ln_foretold(picks),
            best_independent,
            staggered: if together { weighted_workers::all(picks) } else { Vec::new() },
            kept,
            rounds: Rounds::of(picks),
            mixed: interleaved_workers::mixed(picks),
            evened: regularity::ln_evened(picks),
            weighted: weighted::all(picks, &ring.order),
            dependent: regularity::ln_regular(sequence, picks.k),
            ring,
        }
    }

    /// The forecast of a round robin of some kind.
    pub fn round_robin(&self) -> f64 {
        let mixed = self.mixed.as_ref().map_or(f64::NEG_INFINITY, |mixed| mixed.ln_foretold);
        ln_mean(&[self.ring.ln_foretold(), self.rounds.ln_foretold(), mixed, self.evened])
    }

    /// The best that round robins can do.
    pub fn most_round_robin(&self) -> f64 {
        let mixed = self.mixed.as_ref().map_or(f64::NEG_INFINITY, |mixed| mixed.ln);
        self.ring.ln_most(1.0).max(self.rounds.ln_most(1.0)).max(mixed)
    }

    /// The forecast of counts that are kept near weights.
    pub fn kept(&self) -> f64 {
        let best = self.kept.iter().map(|kept| kept.ln_foretold).fold(f64::NEG_INFINITY, f64::max);
        best - (self.kept.len() as f64).ln()
    }

    /// The best that several counters on one weighted order can do, whether they can be followed or not.
    pub fn most_staggered(&self) -> f64 {
        let each = self.staggered.iter().map(|one| one.ln).chain(self.kept.iter().map(|kept| kept.ln));
        each.fold(f64::NEG_INFINITY, f64::max)
    }

    /// The best that weighted round robins can do of which this is true.
    pub fn most_weighted(&self, of: impl Fn(&Weighted) -> bool) -> f64 {
        self.weighted.iter().filter(|one| of(one)).map(|one| one.ln_most(1.0)).fold(f64::NEG_INFINITY, f64::max)
    }
}
