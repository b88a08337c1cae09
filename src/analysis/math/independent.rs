//! Independent draws: how probable they make a sequence, at best and as predicted pick by pick; and their shares.
//!
//! A prediction that learns the shares from the picks before (Krichevsky and Trofimov 1981) is a fair bet against any
//! fixed hypothesis: the ratio of its probability to the hypothesis' own exceeds 1/alpha at any time with a chance of at
//! most alpha (Ville 1939). With the supremum over the hypothesis' parameters below the line this is universal inference
//! (Wasserman, Ramdas, Balakrishnan 2020), which stays true when one looks after every request.

use crate::analysis::{math::log_prob::ln_mean, series::picks::Picks};

/// The log-probability of a sequence as predicted pick by pick, by even shares or by shares that are learned.
pub fn ln_predictive(picks: &Picks) -> f64 {
    ln_mean(&[ln_even(picks), ln_learned(&picks.counts)])
}

/// The log-probability under even shares.
pub fn ln_even(picks: &Picks) -> f64 {
    -(picks.len() as f64) * (picks.k as f64).ln()
}

/// The log-probability of counts with Krichevsky-Trofimov estimates, which depends on nothing but the counts.
pub fn ln_learned(counts: &[usize]) -> f64 {
    let mut ln = 0.0;
    let mut total = 0;
    for &count in counts {
        for seen in 0..count {
            ln += ((seen as f64 + 0.5) / (total as f64 + 0.5 * counts.len() as f64)).ln();
            total += 1;
        }
    }
    ln
}

/// The bounds of the share of an instance that was picked `hits` times of `tries`, at any time but for a chance of
/// `alpha`: the shares under which the learned prediction has not won by more than 1/alpha.
pub fn share_between(hits: usize, tries: usize, alpha: f64) -> (f64, f64) {
    let learned = ln_learned(&[hits, tries - hits]);
    let term = |count: usize, share: f64| if count == 0 { 0.0 } else { count as f64 * share.ln() };
    let is_allowed = |share: f64| learned - term(hits, share) - term(tries - hits, 1.0 - share) < -alpha.ln();
    let seen = hits as f64 / tries.max(1) as f64;
    let edge = |mut outside: f64| {
        let mut inside = seen;
        for _ in 0..50 {
            let middle = (inside + outside) / 2.0;
            if is_allowed(middle) { inside = middle } else { outside = middle }
        }
        outside
    };
    (edge(0.0), edge(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::math::log_prob::ln_best_independent;

    #[test]
    fn a_share_lies_around_what_was_seen() {
        let (low, high) = share_between(50, 100, 1e-6);
        assert!((0.2..0.3).contains(&low) && (0.7..0.8).contains(&high), "{low} {high}");
        assert!(share_between(0, 100, 1e-6).0 < 1e-9);
    }

    #[test]
    fn the_learned_prediction_costs_little_against_the_best_shares() {
        let best = ln_best_independent(&[70, 30]);
        let learned = ln_learned(&[70, 30]);
        assert!(learned < best && best - learned < 4.0);
    }
}
