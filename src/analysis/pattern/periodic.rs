//! Periodic orders: an order that repeats, or rounds that hold each instance as often as its weight asks for. Both show
//! weights exactly.
//!
//! A sequence that has two periods and is as long as both together has their greatest common divisor for a period (Fine
//! and Wilf 1965). So once an order repeats after P picks, no order with another period of up to its length less P fits.

use crate::analysis::{
    math::{
        log_prob::{ln_best_independent, ln_factorial},
        weights::lowest_terms,
    },
    series::picks::Picks,
};

/// An order that repeats.
pub struct PeriodicOrder {
    /// One period of the order.
    pub pattern: Vec<usize>,
    pub weights: Vec<u32>,
    /// The log-probability that independent draws would repeat so.
    pub ln_p: f64,
    /// The log of the price of having chosen the period, and the places in it at which segments begin.
    pub ln_choice: f64,
    /// The picks that the period predicted.
    pub followed: usize,
    /// The length up to which no other period fits.
    pub horizon: usize,
}

/// The shortest period that explains every pick.
pub fn find_period(picks: &Picks) -> Option<PeriodicOrder> {
    let longest = picks.segments.iter().max_by_key(|segment| segment.len())?;
    let period = shortest_period(longest);
    if 2 * period > longest.len() {
        return None;
    }
    let pattern = longest[..period].to_vec();
    let fits = |segment: &[usize]| {
        (0..period).any(|phase| segment.iter().zip(pattern.iter().cycle().skip(phase)).all(|(one, other)| one == other))
    };
    if !picks.segments.iter().all(|segment| fits(segment)) {
        return None;
    }
    let mut predicted = picks.counts.clone();
    pattern.iter().for_each(|&pick| predicted[pick] -= 1);
    let ln_choice = (picks.segments.len() - 1) as f64 * (period as f64).ln() + ln_which(period);
    Some(PeriodicOrder {
        weights: weights(&counts(&pattern, picks.k)),
        ln_p: ln_best_independent(&predicted) + ln_choice,
        ln_choice,
        followed: predicted.iter().sum(),
        horizon: longest.len() - period,
        pattern,
    })
}

impl PeriodicOrder {
    /// The number of picks after which this order is no chance, if it goes on.
    pub fn picks_needed(&self, k: usize, alpha: f64) -> usize {
        let round = counts(&self.pattern, k);
        let by_chance = |times: usize| {
            let predicted: Vec<usize> = round.iter().map(|count| count * times).collect();
            ln_best_independent(&predicted) + self.ln_choice
        };
        let times = (2..).find(|&times| by_chance(times) < alpha.ln()).unwrap_or(2);
        (1 + times) * self.pattern.len()
    }
}

/// Rounds in which each instance comes as often as its weight asks for, in an order that may change.
pub struct WeightedRounds {
    pub weights: Vec<u32>,
    pub whole: usize,
    /// The number of times that a round had another order than the round before it.
    pub changes: usize,
    pub ln_p: f64,
    /// The log of the number of sequences with such rounds.
    pub ln_choice: f64,
    pub round: usize,
}

/// The shortest weighted rounds that explain every pick. For picks without a gap.
pub fn find_weighted_rounds(picks: &Picks) -> Option<WeightedRounds> {
    const LONGEST: usize = 60;
    // a ring of which others take a turn now and then has a few alike by chance
    const FEWEST_ROUNDS: usize = 6;
    let [all] = picks.segments.as_slice() else { return None };
    let rounds_at = |round: usize, offset: usize| {
        let (head, rest) = all.split_at(offset);
        let first = counts(&rest[..round], picks.k);
        let whole = rest.chunks_exact(round);
        let within = |part: &[usize]| counts(part, picks.k).iter().zip(&first).all(|(some, all)| some <= all);
        // equal weights are rounds of their own, seen elsewhere
        if first.contains(&0) || first.iter().all(|one| *one == first[0]) || !within(head) || !within(whole.remainder())
        {
            return None;
        }
        whole.clone().all(|part| counts(part, picks.k) == first).then(|| (first, whole.len()))
    };
    for round in picks.k + 1..=LONGEST.min(all.len() / FEWEST_ROUNDS) {
        for offset in 0..round {
            let Some((first, whole)) = rounds_at(round, offset) else { continue };
            let arrangements = ln_factorial(round) - first.iter().map(|&count| ln_factorial(count)).sum::<f64>();
            let (further, ln_round) = ((whole - 1) as f64, (round as f64).ln() + ln_which(round));
            let ln_each = arrangements + ln_best_independent(&first);
            return Some(WeightedRounds {
                weights: weights(&first),
                whole,
                changes: all[offset..]
                    .chunks_exact(round)
                    .zip(all[offset + round..].chunks_exact(round))
                    .filter(|(one, other)| one != other)
                    .count(),
                ln_p: further * ln_each + ln_round,
                ln_choice: further * arrangements + ln_round,
                round,
            });
        }
    }
    None
}

/// The price of having looked for a number: 1/(n(n+1)) adds up to one over all of them.
fn ln_which(number: usize) -> f64 {
    ((number * (number + 1)) as f64).ln()
}

fn counts(part: &[usize], k: usize) -> Vec<usize> {
    let mut counts = vec![0; k];
    part.iter().for_each(|&pick| counts[pick] += 1);
    counts
}

/// The weights that counts are multiples of.
fn weights(counts: &[usize]) -> Vec<u32> {
    lowest_terms(&counts.iter().map(|&count| count as u32).collect::<Vec<_>>())
}

/// The shortest period of the picks, by the failure function of Knuth, Morris and Pratt (1977).
fn shortest_period(picks: &[usize]) -> usize {
    let mut border = vec![0; picks.len()];
    for at in 1..picks.len() {
        let mut length = border[at - 1];
        while length > 0 && picks[length] != picks[at] {
            length = border[length - 1];
        }
        border[at] = length + usize::from(picks[length] == picks[at]);
    }
    picks.len() - border.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_the_shortest() {
        assert_eq!(shortest_period(&[0, 1, 0, 1, 0]), 2);
        assert_eq!(shortest_period(&[0, 0, 1, 0, 0, 1, 0]), 3);
        assert_eq!(shortest_period(&[0, 1, 2]), 3);
    }
}
