//! Pieces: rounds that hold every pick, but from some pick on of other instances, because some joined or left.
//!
//! When that was is not assumed: a piece lasts as long as its rounds do, and a pick that belongs to two of them goes to
//! the first.

use std::{cmp::Reverse, collections::BTreeSet};

use super::{
    budget,
    chance::{in_words, ln_factorial, probability},
    exact::round_robin,
    finding::{Disturbed, Finding},
    picks::Picks,
    verdict::{Algorithm, Order},
};

/// Whole rounds and picks of what is taken for a piece.
const FEWEST_ROUNDS: usize = 3;
const FEWEST_PICKS: usize = 12;
/// More pieces than so many are no order any more.
const MOST_PIECES: usize = 8;
/// Times that the order changes from one round to the next in a piece that has no order of its own.
const FEWEST_CHANGES: usize = 3;

/// Picks that fall into rounds of the same instances.
struct Piece {
    length: usize,
    /// The first whole round.
    round: Vec<usize>,
    whole: usize,
    /// How often a round had another order than the one before.
    changes: usize,
}

impl Piece {
    /// The longest one that these picks begin with; of equally long ones the one with the fewest changes.
    fn first(picks: &[usize], most: usize) -> Option<Piece> {
        let each = (2..=most).flat_map(|k| (0..k).map(move |offset| (k, offset)));
        let pieces = each.filter_map(|(k, offset)| Piece::of(picks, k, offset));
        pieces.max_by_key(|piece| (piece.length, Reverse(piece.changes), Reverse(piece.round.len())))
    }

    /// The one whose rounds are so long, and begin after so many picks.
    fn of(picks: &[usize], k: usize, offset: usize) -> Option<Piece> {
        let round = picks.get(offset..offset + k)?;
        // how many of these belong to one round
        let within = |part: &[usize]| {
            let repeated = |at: &usize| !round.contains(&part[*at]) || part[..*at].contains(&part[*at]);
            (0..part.len()).find(repeated).unwrap_or(part.len())
        };
        if within(round) < k || within(&picks[..offset]) < offset {
            return None;
        }
        let (mut length, mut changes, mut before) = (offset, 0, round);
        for part in picks[offset..].chunks(k) {
            let fits = within(part);
            length += fits;
            // what is no whole round may be the next piece's already
            if fits < k {
                break;
            }
            changes += usize::from(part != before);
            before = part;
        }
        Some(Piece { length, round: round.to_vec(), whole: (length - offset) / k, changes })
    }

    fn instances(&self) -> BTreeSet<usize> {
        self.round.iter().copied().collect()
    }

    fn is_long(&self) -> bool {
        self.whole >= FEWEST_ROUNDS && self.length >= FEWEST_PICKS
    }

    fn order(&self) -> Option<Order> {
        match self.changes {
            0 => Some(Order::Fixed),
            1..FEWEST_CHANGES => None,
            _ => Some(Order::Changing),
        }
    }

    /// How likely independent draws of any shares make its rounds, where the first says which instances there are.
    fn ln_by_chance(&self) -> f64 {
        let k = self.round.len();
        let orders = if self.changes == 0 { 0.0 } else { ln_factorial(k) };
        let ln_round = orders - k as f64 * (k as f64).ln();
        // rounds of which instances, and where the first begins
        2.0 * (k as f64).ln() + self.whole.saturating_sub(1) as f64 * ln_round
    }
}

/// The rounds that every pick follows, if only the instances changed now and then, and chance does not explain it.
pub fn find(picks: &Picks, alpha: f64) -> Option<Finding> {
    let pieces = pieces(picks)?;
    let ln_n = (picks.len() as f64).ln();
    // each may begin anywhere, and it is looked for after every request
    let p = probability(ln_n + pieces.iter().map(|piece| ln_n + piece.ln_by_chance()).sum::<f64>());
    if p >= alpha * budget::INDEPENDENT {
        return None;
    }
    let next = |piece: &Piece| format!("the next {} round {}", piece.length, piece.round.len());
    let evidence = vec![
        format!(
            "the first {} requests went round {} instances, {}: each round held each of them once, while instances \
             joined or left",
            pieces[0].length,
            pieces[0].round.len(),
            pieces[1..].iter().map(next).collect::<Vec<_>>().join(", ")
        ),
        format!("with instances picked at random, the chance of that would be {}", in_words(p)),
        "weights that make longer rounds than these might look the same".to_owned(),
    ];
    let mut found = round_robin(picks, "rounds until the instances change", p);
    found.candidates.push(Algorithm::WeightedRoundRobin);
    found.disturbed = Some(Disturbed::Somehow);
    found.evidence = evidence;
    let sets: BTreeSet<BTreeSet<usize>> = pieces.iter().map(Piece::instances).collect();
    if sets.len() < pieces.len() {
        // what comes and goes again may be a weight
        return Some(Finding { algorithm: Algorithm::Undetermined, weights: Vec::new(), ..found });
    }
    let last = pieces.last()?;
    found.order = last.order().filter(|_| pieces.iter().all(|piece| piece.order() == last.order()));
    if found.order == Some(Order::Fixed) {
        found.cycle = last.round.iter().map(|&one| picks.ids[one]).collect();
        found.repeats_after = Some(last.round.len());
    }
    Some(found)
}

/// All picks as pieces, each of other instances than the one before; `None` where there are no such.
fn pieces(picks: &Picks) -> Option<Vec<Piece>> {
    let [all] = picks.stretches.as_slice() else { return None };
    let mut pieces: Vec<Piece> = Vec::new();
    let mut from = 0;
    while from < all.len() {
        let piece = Piece::first(&all[from..], picks.k).filter(Piece::is_long)?;
        if pieces.last().is_some_and(|last| last.instances() == piece.instances()) {
            return None;
        }
        from += piece.length;
        pieces.push(piece);
        if pieces.len() > MOST_PIECES {
            return None;
        }
    }
    (pieces.len() > 1).then_some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::sequence::{Known, Sequence},
        trace::InstanceId,
    };

    fn found(parts: &[(&str, usize)]) -> Option<Finding> {
        let picks = parts.iter().flat_map(|(part, times)| part.repeat(*times).into_bytes());
        let stretch = picks.map(|letter| InstanceId((letter - b'a').into())).collect();
        let sequence = Sequence { stretches: vec![stretch], known: Known::Ours };
        find(&Picks::of(&sequence), 1e-6)
    }

    fn told(parts: &[(&str, usize)]) -> Option<(Algorithm, Option<Order>, String)> {
        found(parts).map(|found| (found.algorithm, found.order, found.evidence[0].clone()))
    }

    fn is_told(parts: &[(&str, usize)], algorithm: Algorithm, order: Option<Order>, lengths: &str) {
        let (is, in_order, evidence) = told(parts).unwrap_or((Algorithm::Single, None, String::new()));
        assert_eq!((is, in_order), (algorithm, order), "{evidence}");
        assert!(evidence.contains(lengths), "{evidence}");
    }

    #[test]
    fn instances_that_join_and_leave_are_told() {
        let parts = [("abcde", 10), ("abc", 1), ("fgabcde", 10), ("abcd", 10)];
        let lengths = "first 53 requests went round 5 instances, the next 74 round 7, the next 36 round 4:";
        is_told(&parts, Algorithm::RoundRobin, Some(Order::Fixed), lengths);
        assert_eq!(found(&parts).map(|found| found.cycle), Some([3, 0, 1, 2].map(InstanceId).into()));
        let parts = [("abcacbbac", 5), ("abcddcbaacbd", 5)];
        is_told(
            &parts,
            Algorithm::RoundRobin,
            Some(Order::Changing),
            "first 48 requests went round 3 instances, the next 57 round 4:",
        );
    }

    #[test]
    fn instances_that_come_back_may_have_less_weight() {
        let parts = [("ab", 20), ("abc", 20), ("ab", 20)];
        is_told(
            &parts,
            Algorithm::Undetermined,
            None,
            "first 42 requests went round 2 instances, the next 62 round 3, the next 36 round 2:",
        );
    }

    #[test]
    fn what_is_no_round_or_too_short_has_no_pieces() {
        for parts in [
            &[("abc", 20)][..],
            &[("abc", 10), ("bac", 10)],
            &[("ab", 20), ("c", 1), ("ab", 20)],
            &[("aab", 20), ("ab", 20)],
            &[("abc", 3), ("abcd", 3)],
            &[("ab", 20), ("aa", 2)],
        ] {
            assert!(found(parts).is_none(), "{parts:?}");
        }
    }
}
