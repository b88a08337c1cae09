//! Rounds with background traffic: each round holds every instance once, in an order of its own.
//!
//! A forward filter over the hidden state (Rabiner 1989): the number of turns of the round that are over, and the
//! number of ours among them. Another client may have taken the turn of an instance that our picks have not shown in
//! this round, so each such instance is equally likely to be next.

use std::collections::BTreeSet;

use crate::analysis::{math::log_prob::ln_mean, pattern::ring, series::picks::Picks};

/// The shares of background turns that are tried.
const SHARES: [f64; 5] = [0.001, 0.03, 0.12, 0.27, 0.42];
/// The share of picks at which a round is broken off, because the balancer was configured anew or an instance failed.
const LOST: f64 = 0.02;
/// The most instances; the filter's work for each pick grows with the square.
const MAX_INSTANCES: usize = 64;

/// The log-probabilities by share of background turns.
pub struct Rounds {
    by_share: Vec<(f64, f64)>,
}

impl Rounds {
    pub fn fit(picks: &Picks) -> Rounds {
        if picks.k > MAX_INSTANCES {
            return Rounds { by_share: vec![(0.0, f64::NEG_INFINITY)] };
        }
        Rounds { by_share: SHARES.into_iter().map(|share| (share, ln_with(picks, share))).collect() }
    }

    pub fn ln_predictive(&self) -> f64 {
        ln_mean(&self.by_share.iter().map(|(_, ln)| *ln).collect::<Vec<_>>())
    }

    /// The largest log-probability with a share of background turns up to this.
    pub fn ln_max_likelihood(&self, share: f64) -> f64 {
        let upto = self.by_share.iter().filter(|(one, _)| *one <= share + 1e-9);
        upto.map(|(_, ln)| *ln).fold(f64::NEG_INFINITY, f64::max)
    }

    /// The likeliest of the shares of background turns that are tried.
    pub fn share(&self) -> f64 {
        self.by_share.iter().max_by(|one, other| one.1.total_cmp(&other.1)).map_or(0.0, |(share, _)| *share)
    }
}

/// The likeliest share of background turns, near one that is likelier than the others that are tried.
pub fn likeliest_share(picks: &Picks, near: f64) -> f64 {
    let shares = (1..=8).map(|step| near * (0.4 + 0.2 * f64::from(step)));
    ring::max_likelihood_share(shares, |share| ln_with(picks, share))
}

/// Returns true if whole rounds explain every pick, where a gap may have been a turn or not and other clients took
/// none.
pub fn hold_every_pick(picks: &Picks) -> bool {
    let k = picks.k;
    // by how many picks of the round there were, and how many turns
    let mut state: BTreeSet<(usize, usize)> = (0..k).map(|turns| (0, turns)).collect();
    let mut last: Vec<Option<usize>> = vec![None; k];
    let mut index = 0;
    for (number, segment) in picks.segments.iter().enumerate() {
        if number > 0 {
            let turned = state.iter().map(|&(ours, turns)| if turns + 1 >= k { (0, 0) } else { (ours, turns + 1) });
            state = state.iter().copied().chain(turned.collect::<Vec<_>>()).collect();
        }
        for &pick in segment {
            let age = last[pick].map_or(usize::MAX, |last: usize| index - last);
            let next = state.iter().filter(|(ours, _)| age > *ours);
            state = next.map(|&(ours, turns)| if turns + 1 == k { (0, 0) } else { (ours + 1, turns + 1) }).collect();
            last[pick] = Some(index);
            index += 1;
        }
    }
    !state.is_empty()
}

/// `state[ours][turns]` is how likely it is that our last pick was the round's turn number `turns` (from 0) and the
/// `ours`-th (from 1) of ours in it.
fn ln_with(picks: &Picks, share: f64) -> f64 {
    let k = picks.k;
    let mine = 1.0 - share;
    let any = 1.0 / k as f64;
    let powers: Vec<f64> = (0..=k).map(|n| share.powi(n as i32)).collect();
    let mut ln = 0.0;
    let mut state = vec![0.0; (k + 1) * k];
    let mut next = state.clone();
    for segment in &picks.segments {
        // how many picks ago each instance was last seen
        let mut last = vec![usize::MAX; k];
        for (index, &pick) in segment.iter().enumerate() {
            let age = index.wrapping_sub(last[pick]);
            last[pick] = index;
            next.fill(0.0);
            if index == 0 {
                (0..k).for_each(|turn| next[k + turn] = any * any);
            } else {
                let mut over = 0.0;
                for ours in 1..=k.min(index) {
                    let row = &state[ours * k..(ours + 1) * k];
                    over += row.iter().enumerate().map(|(turn, p)| p * powers[k - 1 - turn]).sum::<f64>();
                    // seen in this round already, so not again
                    if age <= ours || ours == k {
                        continue;
                    }
                    let each = mine / (k - ours) as f64;
                    let mut coming = 0.0;
                    for turn in ours..k {
                        coming = coming * share + row[turn - 1];
                        next[(ours + 1) * k + turn] = coming * each;
                    }
                }
                let begins = (1.0 - LOST) * over * mine / (1.0 - powers[k]) * any;
                next.iter_mut().for_each(|p| *p *= 1.0 - LOST);
                for turn in 0..k {
                    next[k + turn] += begins * powers[turn] + LOST * any * any;
                }
            }
            let total: f64 = next.iter().sum();
            ln += total.ln();
            next.iter_mut().for_each(|p| *p /= total);
            std::mem::swap(&mut state, &mut next);
        }
    }
    ln
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::series::sequence::{Sequence, Visibility},
        model::trace::InstanceId,
    };

    fn every(k: u16, length: usize) -> Vec<Vec<u16>> {
        (0..length).fold(vec![vec![]], |all, _| {
            all.iter().flat_map(|one| (0..k).map(|next| [one.clone(), vec![next]].concat())).collect()
        })
    }

    #[test]
    fn the_probabilities_of_all_sequences_add_up() {
        let mut sum = 0.0;
        for picks in every(3, 6) {
            let segments = vec![picks.iter().map(|&id| InstanceId(id)).collect()];
            let mut one = Picks::from_sequence(&Sequence { segments, visibility: Visibility::OwnTurns });
            // instances that were not picked are there all the same
            one.k = 3;
            one.segments = vec![picks.into_iter().map(usize::from).collect()];
            sum += ln_with(&one, 0.3).exp();
        }
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    }
}
