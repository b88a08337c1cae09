//! The models that compete for picks without a strict order, and the log-probability that each gives the picks.
//!
//! A *predictive* log-probability is that of a model whose parameters are learned pick by pick, or averaged over: nothing
//! was fitted afterwards. A *maximum likelihood* is that of the parameters that fit best, so it is too good, which is the
//! right side to err on for a model that is to be ruled out.

use crate::analysis::{
    math::{
        independent,
        log_prob::{ln_best_independent, ln_mean},
    },
    pattern::{
        free_jumps,
        interleaved_workers::{self, IrregularWorkers},
        regularity,
        ring::Ring,
        rounds::Rounds,
        weighted::{self, WeightedOrder},
        weighted_workers::{self, PulledCounts, WeightedWorkers},
    },
    series::{picks::Picks, sequence::Sequence},
};

/// The largest log by which an unnamed model may win before no pattern is named: a factor of a thousand.
pub const UNNAMED_MARGIN: f64 = 6.9;

/// The ratio of the largest weight to the smallest from which on weights can be distinguished from equal shares.
pub const SPREAD: f64 = 1.5;

/// The models, fitted to the same picks.
pub struct Models {
    /// The predictive log-probability under independent draws.
    pub independent: f64,
    /// The maximum log-likelihood of independent draws.
    pub best_independent: f64,
    pub ring: Ring,
    /// The maximum log-likelihood of a ring behind a memory, which gives the last answer again now and then.
    pub remembered: f64,
    pub rounds: Rounds,
    pub irregular_workers: Option<IrregularWorkers>,
    /// The predictive log-probability under a ring of which others take turns in any rhythm.
    pub free_jumps: f64,
    /// The predictive log-probability under counts that stay closer together than chance keeps them.
    pub evened: f64,
    pub weighted: Vec<WeightedOrder>,
    pub pulled_counts: Vec<PulledCounts>,
    /// The workers on weighted orders, the likeliest first.
    pub weighted_workers: Vec<WeightedWorkers>,
    /// The predictive log-probability under picks that depend on those before them in ways that have no name.
    pub dependent: f64,
}

impl Models {
    pub fn fit(sequence: &Sequence, picks: &Picks) -> Models {
        let ring = Ring::fit(picks);
        let best_independent = ln_best_independent(&picks.counts);
        let pulled_counts = weighted_workers::fit_pulled(picks);
        // following workers takes long, so their counts must have stayed together
        let together = pulled_counts.iter().any(|pulled| pulled.ln > best_independent + UNNAMED_MARGIN);
        Models {
            independent: independent::ln_predictive(picks),
            best_independent,
            weighted_workers: if together { weighted_workers::fit_all(picks) } else { Vec::new() },
            pulled_counts,
            remembered: ln_remembered(picks),
            rounds: Rounds::fit(picks),
            irregular_workers: interleaved_workers::fit_irregular(picks),
            free_jumps: free_jumps::ln_predictive(picks).unwrap_or(f64::NEG_INFINITY),
            evened: regularity::ln_evened(picks),
            weighted: weighted::fit_all(picks, &ring.order),
            dependent: regularity::ln_regular(sequence, picks.k),
            ring,
        }
    }

    /// The predictive log-probability under the regular models that have a name: their mean, so that none was chosen
    /// afterwards.
    pub fn named(&self) -> f64 {
        let kinds =
            [self.round_robin(), self.weighted_predictive(), self.workers_predictive(), self.pulled_predictive()];
        ln_mean(&kinds)
    }

    /// The predictive log-probability under round robins of any order.
    pub fn round_robin(&self) -> f64 {
        let workers = self.irregular_workers.as_ref().map_or(f64::NEG_INFINITY, |workers| workers.ln_predictive);
        ln_mean(&[self.ring.ln_predictive(), self.rounds.ln_predictive(), workers, self.evened, self.free_jumps])
    }

    /// The maximum log-likelihood of round robins, with a memory in front of them or without.
    pub fn best_round_robin(&self) -> f64 {
        let workers = self.irregular_workers.as_ref().map_or(f64::NEG_INFINITY, |workers| workers.ln);
        let of_one_order = self.ring.ln_max_likelihood(1.0).max(self.rounds.ln_max_likelihood(1.0)).max(workers);
        of_one_order.max(self.free_jumps).max(self.remembered)
    }

    pub fn likeliest_weighted(&self) -> Option<&WeightedOrder> {
        self.weighted.iter().max_by(|one, other| one.ln_predictive().total_cmp(&other.ln_predictive()))
    }

    /// The predictive log-probability under weighted orders that one counter follows. Each order pays for the choice
    /// among all orders, so the likeliest is less likely than their mean.
    pub fn weighted_predictive(&self) -> f64 {
        self.likeliest_weighted().map_or(f64::NEG_INFINITY, WeightedOrder::ln_predictive)
    }

    /// The predictive log-probability under several workers on one weighted order.
    pub fn workers_predictive(&self) -> f64 {
        self.weighted_workers.first().map_or(f64::NEG_INFINITY, |best| best.ln_predictive)
    }

    /// The predictive log-probability under counts that are pulled to weights.
    fn pulled_predictive(&self) -> f64 {
        self.pulled_counts.iter().map(|pulled| pulled.ln_predictive).fold(f64::NEG_INFINITY, f64::max)
    }

    /// The maximum log-likelihood of several workers on one weighted order, whether they can be followed or not.
    pub fn best_weighted_workers(&self) -> f64 {
        let followed = self.weighted_workers.iter().map(|one| one.ln);
        followed.chain(self.pulled_counts.iter().map(|pulled| pulled.ln)).fold(f64::NEG_INFINITY, f64::max)
    }

    /// The maximum log-likelihood of the weighted orders that `accept` takes.
    pub fn best_weighted(&self, accept: impl Fn(&WeightedOrder) -> bool) -> f64 {
        let accepted = self.weighted.iter().filter(|one| accept(one));
        accepted.map(|one| one.ln_max_likelihood(1.0)).fold(f64::NEG_INFINITY, f64::max)
    }
}

/// The maximum log-likelihood of a ring of which the last answer is given again with some probability.
fn ln_remembered(picks: &Picks) -> f64 {
    let changes = picks.without_repeats();
    let repeats = picks.len() - changes.len();
    ln_best_independent(&[repeats, changes.len()]) + Ring::fit(&changes).ln_max_likelihood(1.0)
}
