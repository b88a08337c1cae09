//! Pieces: rounds that hold every pick, but from some pick on of other instances.
//!
//! Why others take over does not show: instances that join or leave, that are avoided while they are busy, that have a
//! smaller weight (as in the rounds of Linux Virtual Server), or that answer somebody else who asks in step. So nothing is
//! named, but what was seen is told. A pick that belongs to two pieces goes to the first.

use std::collections::BTreeSet;

use crate::analysis::{
    math::log_prob::{in_words, ln_factorial, probability},
    pattern::finding::Finding,
    pattern::strict_order::round_robin,
    sampling::budget,
    series::picks::Picks,
    verdict::Algorithm,
};

/// Whole rounds and picks of what is taken for a piece.
const FEWEST_ROUNDS: usize = 3;
const FEWEST_PICKS: usize = 12;
/// More pieces than so many are no order any more.
const MOST_PIECES: usize = 8;

/// Picks that fall into rounds of the same instances.
struct Piece {
    length: usize,
    instances: BTreeSet<usize>,
    whole: usize,
}

impl Piece {
    /// The longest one that these picks begin with.
    fn first(picks: &[usize], most: usize) -> Option<Piece> {
        let each = (2..=most).flat_map(|k| (0..k).map(move |offset| (k, offset)));
        each.filter_map(|(k, offset)| Piece::of(picks, k, offset)).max_by_key(|piece| (piece.length, piece.whole))
    }

    /// The one whose rounds are so long, and begin after so many picks.
    fn of(picks: &[usize], k: usize, offset: usize) -> Option<Piece> {
        let round = picks.get(offset..offset + k)?;
        // how many of these are of the round's instances, each once
        let within = |part: &[usize]| {
            let breaks = |at: &usize| !round.contains(&part[*at]) || part[..*at].contains(&part[*at]);
            (0..part.len()).find(breaks).unwrap_or(part.len())
        };
        if within(round) < k || within(&picks[..offset]) < offset {
            return None;
        }
        let mut length = offset;
        for part in picks[offset..].chunks(k) {
            let fits = within(part);
            length += fits;
            if fits < k {
                break;
            }
        }
        Some(Piece { length, instances: round.iter().copied().collect(), whole: (length - offset) / k })
    }

    fn is_long(&self) -> bool {
        self.whole >= FEWEST_ROUNDS && self.length >= FEWEST_PICKS
    }

    /// How likely independent draws of any shares make its rounds, where the first says which instances there are.
    fn ln_by_chance(&self) -> f64 {
        let k = self.instances.len();
        let ln_round = ln_factorial(k) - k as f64 * (k as f64).ln();
        // rounds of how many instances, and where the first begins
        2.0 * (k as f64).ln() + self.whole.saturating_sub(1) as f64 * ln_round
    }
}

/// What is told of rounds of which the instances change now and then, where chance does not explain them.
pub fn find(picks: &Picks, alpha: f64) -> Option<Finding> {
    let pieces = pieces(picks)?;
    let ln_n = (picks.len() as f64).ln();
    // each may begin anywhere, and it is looked for after every request
    let p = probability(ln_n + pieces.iter().map(|piece| ln_n + piece.ln_by_chance()).sum::<f64>());
    if p >= alpha * budget::INDEPENDENT {
        return None;
    }
    let mut found = round_robin(picks, "rounds until others take over", p);
    found.algorithm = Algorithm::Undetermined;
    found.candidates.push(Algorithm::WeightedRoundRobin);
    found.weights.clear();
    let next = |piece: &Piece| format!("the next {} round {}", piece.length, piece.instances.len());
    found.evidence = vec![
        format!(
            "the first {} requests went round {} instances, {}: in each round every one of them answered once",
            pieces[0].length,
            pieces[0].instances.len(),
            pieces[1..].iter().map(next).collect::<Vec<_>>().join(", ")
        ),
        "that is so when instances join or leave, are avoided while they are busy, have a smaller weight, or answer \
         another client who asks in step"
            .to_owned(),
        format!("with instances picked at random, the chance of that would be {}", in_words(p)),
    ];
    Some(found)
}

/// All picks as pieces, each of other instances than the one before; `None` where there are no such.
fn pieces(picks: &Picks) -> Option<Vec<Piece>> {
    let [all] = picks.stretches.as_slice() else { return None };
    let mut pieces: Vec<Piece> = Vec::new();
    let mut from = 0;
    while from < all.len() {
        let piece = Piece::first(&all[from..], picks.k).filter(Piece::is_long)?;
        if pieces.last().is_some_and(|last| last.instances == piece.instances) {
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
        analysis::series::sequence::{Known, Sequence},
        model::trace::InstanceId,
    };

    fn told(parts: &[(&str, usize)]) -> Option<String> {
        let picks = parts.iter().flat_map(|(part, times)| part.repeat(*times).into_bytes());
        let stretch = picks.map(|letter| InstanceId((letter - b'a').into())).collect();
        let sequence = Sequence { stretches: vec![stretch], known: Known::Ours };
        find(&Picks::of(&sequence), 1e-6).map(|found| found.evidence[0].clone())
    }

    #[track_caller]
    fn is_told(parts: &[(&str, usize)], lengths: &str) {
        let evidence = told(parts).unwrap_or_default();
        assert!(evidence.contains(lengths), "{evidence}");
    }

    #[test]
    fn rounds_are_told_by_their_instances() {
        is_told(
            &[("abcde", 10), ("abc", 1), ("fgabcde", 10), ("abcd", 10)],
            "first 53 requests went round 5 instances, the next 74 round 7, the next 36 round 4:",
        );
        is_told(
            &[("abcacbbac", 5), ("abcddcbaacbd", 5)],
            "first 48 requests went round 3 instances, the next 57 round 4:",
        );
        is_told(
            &[("ab", 20), ("abc", 20), ("ab", 20)],
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
            assert_eq!(told(parts), None, "{parts:?}");
        }
    }
}
