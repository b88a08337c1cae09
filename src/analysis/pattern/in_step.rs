//! Others in step: another client, or a part of each request, takes turns of a ring after every so many requests. Whatever
//! weights the remaining picks seem to have, the shares of the ring are equal.

use std::collections::BTreeMap;

use crate::analysis::series::picks::Picks;

/// The most requests of ours between two turns of others.
const MOST_REQUESTS: usize = 3;
/// The most turns that others take at a time.
const MOST_TURNS: usize = 2;

/// Returns true if a ring of equal shares, of which others take turns in step, explains every pick. For picks without a
/// gap.
pub fn explains_ring(picks: &Picks) -> bool {
    let [all] = picks.segments.as_slice() else { return false };
    (1..=MOST_REQUESTS).any(|requests| {
        (1..=MOST_TURNS).any(|turns| {
            (0..requests).any(|begins| {
                // others' turns pass over some instances, so the ring may be longer than what was seen of it
                let longest = picks.k * (1 + turns);
                (picks.k..=longest).any(|ring| follows_ring(all, ring, |n| n + turns * ((n + begins) / requests)))
            })
        })
    })
}

/// Returns true if each place of the ring has an instance of its own, where the pick of a number has this turn.
fn follows_ring(picks: &[usize], ring: usize, turn: impl Fn(usize) -> usize) -> bool {
    let mut at_place: BTreeMap<usize, usize> = BTreeMap::new();
    let mut place_of: BTreeMap<usize, usize> = BTreeMap::new();
    picks.iter().enumerate().all(|(n, &pick)| {
        let place = turn(n) % ring;
        *at_place.entry(place).or_insert(pick) == pick && *place_of.entry(pick).or_insert(place) == place
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::series::sequence::{Sequence, Visibility},
        model::trace::InstanceId,
    };

    fn explained(pattern: &str) -> bool {
        let segment = pattern.repeat(20).bytes().map(|letter| InstanceId((letter - b'a').into())).collect();
        explains_ring(&Picks::from_sequence(&Sequence { segments: vec![segment], visibility: Visibility::OwnTurns }))
    }

    #[test]
    fn weights_may_be_turns_of_others() {
        // every fourth turn of a ring of two is another's
        assert!(explained("aba") && explained("aab"));
        assert!(!explained("aaab") && !explained("abaca") && !explained("aabaaaab"));
    }
}
