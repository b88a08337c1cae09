//! Stray answers: answers in the name of an instance that has no turn among the others, such as a canary, a cache, or a
//! proxy that answers itself. Up to 2 % of all answers may be stray.

use crate::analysis::{
    math::{independent::ln_learned, log_prob::probability},
    sampling::budget::{self, Decision},
    series::picks::Picks,
    verdict::{Algorithm, Rejection, Test},
};

/// The largest share of answers that may be stray.
const MOST_STRAY: f64 = 0.02;

/// The probability of so many stray answers among all answers, whenever one looks: how much better any share explains them
/// than the shares of stray answers do (Ville 1939).
pub fn probability_of(stray: usize, all: usize) -> f64 {
    let share = (stray as f64 / all.max(1) as f64).min(MOST_STRAY);
    probability(ln_of_share(stray, all - stray, share) - ln_learned(&[stray, all - stray]))
}

/// The log-probability that so many picks do what a share of them does, and the others do not.
pub fn ln_of_share(hits: usize, others: usize, share: f64) -> f64 {
    let term = |count: usize, share: f64| if count == 0 { 0.0 } else { count as f64 * share.ln() };
    term(hits, share) + term(others, 1.0 - share)
}

/// Rejects one instance alone, by the number of answers of others; `None` where these may be stray.
pub fn rule_out_single(counts: &[usize], alpha: f64) -> Option<Rejection> {
    let (all, most) = (counts.iter().sum::<usize>(), counts.iter().max().copied()?);
    let p = probability_of(all - most, all);
    budget::is_sure(p, alpha, Decision::StrayAnswers).then_some(Rejection {
        algorithm: Algorithm::Single,
        test: Test::SeveralInstances,
        p,
    })
}

/// The probability that equal rounds, of which up to 2 % of the turns fail or have stray answers, give these picks in one
/// of as many sequences as `ln_sequences` says. Each break of a round takes one such turn at least. The first `given`
/// picks name the order and are no evidence.
pub fn equal_rounds_by_chance(picks: &Picks, given: usize, ln_sequences: f64) -> f64 {
    let total: usize = picks.segments.iter().map(|segment| breaks_in(segment, picks.k)).sum();
    let longest = picks.segments.iter().max_by_key(|segment| segment.len());
    let first = longest.map_or(0, |segment| breaks_in(&segment[..given.min(segment.len())], picks.k) + 1);
    let (seen, predicted) = (total.saturating_sub(first), picks.len().saturating_sub(given));
    let share = (seen as f64 / predicted.max(1) as f64).min(MOST_STRAY);
    probability(ln_of_share(seen, predicted.saturating_sub(seen), share) + ln_sequences)
}

/// The least number of breaks between parts of the picks that each are whole rounds of `k` but for their ends.
fn breaks_in(picks: &[usize], k: usize) -> usize {
    let mut breaks = 0;
    let mut part = RoundsOfPart::new(k);
    for &pick in picks {
        if !part.takes(pick) {
            breaks += 1;
            part = RoundsOfPart::new(k);
            part.takes(pick);
        }
    }
    breaks
}

/// The rounds that a part may have, by the number of picks before the first whole one.
struct RoundsOfPart {
    k: usize,
    /// The picks of the round that is under way for each beginning; `None` where a round held some instance twice.
    rounds: Vec<Option<Vec<usize>>>,
    length: usize,
}

impl RoundsOfPart {
    fn new(k: usize) -> RoundsOfPart {
        RoundsOfPart { k, rounds: vec![Some(Vec::new()); k], length: 0 }
    }

    /// Adds a pick; false where it breaks the rounds of every beginning.
    fn takes(&mut self, pick: usize) -> bool {
        for (head, round) in self.rounds.iter_mut().enumerate() {
            let begins = self.length % self.k == head;
            match round {
                Some(seen) if begins => *seen = vec![pick],
                Some(seen) if !seen.contains(&pick) => seen.push(pick),
                _ => *round = None,
            }
        }
        self.length += 1;
        self.rounds.iter().any(Option::is_some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_answers_of_others_may_be_stray() {
        assert!(probability_of(2, 100) > 0.1);
        assert!(probability_of(1, 20) > 1e-3);
        assert!(probability_of(23, 46) < 1e-15);
        assert!(probability_of(30, 100) < 1e-12);
    }

    #[test]
    fn a_stray_answer_or_a_lost_turn_is_one_break_at_most() {
        let ring = |length: usize| (0..length).map(|n| n % 3).collect::<Vec<_>>();
        assert_eq!(breaks_in(&ring(30), 3), 0);
        for at in 0..30 {
            for stray in 0..3 {
                let mut replaced = ring(30);
                replaced[at] = stray;
                assert!(breaks_in(&replaced, 3) <= 1);
                let mut inserted = ring(30);
                inserted.insert(at, stray);
                assert!(breaks_in(&inserted, 3) <= 1);
            }
            let mut lost = ring(30);
            lost.remove(at);
            assert!(breaks_in(&lost, 3) <= 1);
        }
        // 00|01 and 1|1 begin or end in the middle of rounds
        assert_eq!(breaks_in(&[0, 0, 0, 1, 1, 1], 2), 2);
    }
}
