//! Membership changes: all picks form rounds; after some pick the instances change.
//!
//! The reason for the change does not show: instances join or leave, are avoided while they are busy, have a smaller
//! weight (as in the rounds of Linux Virtual Server), or answer another client that asks in step. So no pattern is named,
//! but the stretches of the sequence are reported. A pick that belongs to two stretches goes to the first.

use std::collections::BTreeSet;

use crate::analysis::{
    math::log_prob::{ln_factorial, probability},
    pattern::{
        evidence::{ChanceEvidence, ChangeEvidence, PatternEvidence, Stretch},
        finding::{Finding, Pattern},
        near_weights::NearWeights,
    },
    sampling::budget::{self, Decision},
    series::picks::Picks,
    verdict::Test,
};

/// The whole rounds that a stretch has at least.
const FEWEST_ROUNDS: usize = 3;
/// The picks that a stretch has at least.
const FEWEST_PICKS: usize = 12;
/// With more stretches than this there is no order any more.
const MOST_STRETCHES: usize = 8;

/// Picks that fall into rounds of the same instances.
struct RoundsOfSame {
    length: usize,
    instances: BTreeSet<usize>,
    whole: usize,
}

impl RoundsOfSame {
    /// The longest stretch that `picks` begin with, of `most` instances at most.
    fn longest(picks: &[usize], most: usize) -> Option<RoundsOfSame> {
        let each = (2..=most).flat_map(|k| (0..k).map(move |offset| (k, offset)));
        let stretches = each.filter_map(|(k, offset)| RoundsOfSame::begin(picks, k, offset));
        stretches.max_by_key(|stretch| (stretch.length, stretch.whole))
    }

    /// The stretch with rounds of `k` picks whose first whole round begins after `offset` picks.
    fn begin(picks: &[usize], k: usize, offset: usize) -> Option<RoundsOfSame> {
        let round = picks.get(offset..offset + k)?;
        // the number of first picks in a part that are of the round's instances, each once
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
        Some(RoundsOfSame { length, instances: round.iter().copied().collect(), whole: (length - offset) / k })
    }

    fn is_long(&self) -> bool {
        self.whole >= FEWEST_ROUNDS && self.length >= FEWEST_PICKS
    }

    /// The log-probability that independent draws of any shares make these rounds, where the first round names the
    /// instances.
    fn ln_by_chance(&self) -> f64 {
        let k = self.instances.len();
        let ln_round = ln_factorial(k) - k as f64 * (k as f64).ln();
        // the price of having looked for the number of instances, and for the pick at which the first round begins
        2.0 * (k as f64).ln() + self.whole.saturating_sub(1) as f64 * ln_round
    }
}

/// The finding where rounds hold every pick and their instances change now and then, unless chance explains it.
pub fn find_membership_change(picks: &Picks, alpha: f64) -> Option<Finding> {
    let stretches = stretches(picks)?;
    let ln_n = (picks.len() as f64).ln();
    // each stretch may begin anywhere, and it is looked for after every request
    let p = probability(ln_n + stretches.iter().map(|stretch| ln_n + stretch.ln_by_chance()).sum::<f64>());
    if p >= budget::spend(alpha, Decision::ChangingInstances) {
        return None;
    }
    let mut found = Finding::round_robin(picks, NearWeights::Possible, Test::RoundsUntilOthersTakeOver, p);
    found.pattern = Pattern::ChangingInstances;
    found.weights.clear();
    let stretch = |one: &RoundsOfSame| Stretch { requests: one.length, instances: one.instances.len() };
    found.evidence = vec![
        PatternEvidence::Change(ChangeEvidence::Stretches(stretches.iter().map(stretch).collect())),
        PatternEvidence::Change(ChangeEvidence::Reasons),
        PatternEvidence::Chance(ChanceEvidence::Regular { p }),
    ];
    Some(found)
}

/// All picks as stretches, each of other instances than the one before; `None` where some pick is in none.
fn stretches(picks: &Picks) -> Option<Vec<RoundsOfSame>> {
    let [all] = picks.segments.as_slice() else { return None };
    let mut stretches: Vec<RoundsOfSame> = Vec::new();
    let mut from = 0;
    while from < all.len() {
        let stretch = RoundsOfSame::longest(&all[from..], picks.k).filter(RoundsOfSame::is_long)?;
        if stretches.last().is_some_and(|last| last.instances == stretch.instances) {
            return None;
        }
        from += stretch.length;
        stretches.push(stretch);
        if stretches.len() > MOST_STRETCHES {
            return None;
        }
    }
    (stretches.len() > 1).then_some(stretches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::series::sequence::{Sequence, Visibility},
        model::trace::InstanceId,
    };

    /// The stretches that are found in parts of which each is repeated, as (requests, instances).
    fn stretches_of(parts: &[(&str, usize)]) -> Option<Vec<(usize, usize)>> {
        let picks = parts.iter().flat_map(|(part, times)| part.repeat(*times).into_bytes());
        let segment = picks.map(|letter| InstanceId((letter - b'a').into())).collect();
        let sequence = Sequence { segments: vec![segment], visibility: Visibility::OwnTurns };
        let found = find_membership_change(&Picks::from_sequence(&sequence), 1e-6)?;
        let Some(PatternEvidence::Change(ChangeEvidence::Stretches(stretches))) = found.evidence.first() else {
            return None;
        };
        Some(stretches.iter().map(|stretch| (stretch.requests, stretch.instances)).collect())
    }

    #[test]
    fn rounds_are_reported_by_their_instances() {
        for (parts, stretches) in [
            (&[("abcde", 10), ("abc", 1), ("fgabcde", 10), ("abcd", 10)][..], [(53, 5), (74, 7), (36, 4)].as_slice()),
            (&[("abcacbbac", 5), ("abcddcbaacbd", 5)], &[(48, 3), (57, 4)]),
            (&[("ab", 20), ("abc", 20), ("ab", 20)], &[(42, 2), (62, 3), (36, 2)]),
        ] {
            assert_eq!(stretches_of(parts).as_deref(), Some(stretches), "{parts:?}");
        }
    }

    #[test]
    fn picks_without_rounds_or_with_too_few_have_no_stretches() {
        for parts in [
            &[("abc", 20)][..],
            &[("abc", 10), ("bac", 10)],
            &[("ab", 20), ("c", 1), ("ab", 20)],
            &[("aab", 20), ("ab", 20)],
            &[("abc", 3), ("abcd", 3)],
            &[("ab", 20), ("aa", 2)],
        ] {
            assert_eq!(stretches_of(parts), None, "{parts:?}");
        }
    }
}
