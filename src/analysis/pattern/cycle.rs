//! Cycles: rounds that hold each instance once, a round that is always the same, and the number of picks after which an
//! order repeats.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::trace::InstanceId;

use crate::analysis::{series::picks::Picks, series::sequence::Sequence};

/// The cycle that every pick follows: each instance is always followed by the same one, and all of them form one ring.
/// Starts with the instance of the lowest id. `None` when some pick breaks it or the ring has not closed yet.
///
/// Works across gaps, because a successor is judged inside a segment only.
pub fn fixed_cycle(sequence: &Sequence) -> Option<Vec<InstanceId>> {
    let mut next: BTreeMap<InstanceId, InstanceId> = BTreeMap::new();
    for segment in &sequence.segments {
        for pair in segment.windows(2) {
            if *next.entry(pair[0]).or_insert(pair[1]) != pair[1] {
                return None;
            }
        }
    }
    let seen: BTreeSet<InstanceId> = sequence.picks().collect();
    let first = *seen.first()?;
    let mut cycle = vec![first];
    loop {
        let following = *next.get(cycle.last()?)?;
        if following == first {
            break;
        }
        // a ring that does not lead back to its start would never end
        if cycle.len() == seen.len() {
            return None;
        }
        cycle.push(following);
    }
    (cycle.len() == seen.len() && cycle.len() > 1).then_some(cycle)
}

/// Rounds of `k` picks in which each of the `k` instances occurs once, counted from the offset that makes them whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeRounds {
    /// The whole rounds that were seen.
    pub whole: usize,
    /// The offsets that were possible at the start: the price of having chosen the best.
    pub offsets: usize,
    /// The least number of times that a round had another order than the round before it.
    pub changes: usize,
}

/// The rounds of one sequence without gaps. `None` where the picks do not fall into rounds from any offset.
pub fn rounds(sequence: &Sequence) -> Option<WholeRounds> {
    let [picks] = sequence.segments.as_slice() else { return None };
    let k = sequence.counts().len();
    if k < 2 {
        return None;
    }
    let distinct = |part: &[InstanceId]| part.iter().collect::<BTreeSet<_>>().len() == part.len();
    let whole = |offset: usize| {
        let (head, rest) = picks.split_at(offset.min(picks.len()));
        let chunks = rest.chunks(k);
        let changes = rest.chunks(k).zip(rest.chunks(k).skip(1)).filter(|(one, next)| !one.starts_with(next)).count();
        (distinct(head) && chunks.clone().all(distinct)).then(|| (rest.len() / k, changes))
    };
    let fitting: Vec<(usize, usize)> = (0..k).filter_map(whole).collect();
    let whole = fitting.iter().map(|(whole, _)| *whole).max()?;
    let changes = fitting.iter().map(|(_, changes)| *changes).min()?;
    Some(WholeRounds { whole, offsets: k, changes })
}

/// The shortest period after which the picks repeat, and the number of picks that repeated the pick one period before.
pub fn period(sequence: &Sequence) -> Option<(usize, usize)> {
    let [picks] = sequence.segments.as_slice() else { return None };
    shortest_period(picks).map(|period| (period, picks.len() - period))
}

/// The number of picks in a row that every instance gets each time, where it is the same for all and more than one. The
/// first run and the last may be cut.
pub fn clump_length(picks: &Picks) -> Option<usize> {
    let [all] = picks.segments.as_slice() else { return None };
    let runs: Vec<usize> = all.chunk_by(|one, other| one == other).map(<[usize]>::len).collect();
    let [first, whole @ .., last] = runs.as_slice() else { return None };
    let length = *whole.first()?;
    let equal = whole.iter().all(|run| *run == length) && *first <= length && *last <= length;
    (equal && length > 1).then_some(length)
}

/// The shortest period after which picks without a gap repeat.
pub fn period_of_picks(picks: &Picks) -> Option<usize> {
    let [picks] = picks.segments.as_slice() else { return None };
    shortest_period(picks)
}

fn shortest_period<T: PartialEq>(picks: &[T]) -> Option<usize> {
    (1..=picks.len() / 2).find(|&period| picks[period..].iter().zip(picks).all(|(later, earlier)| later == earlier))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::series::sequence::Visibility;

    fn sequence(segments: &[&str]) -> Sequence {
        let ids = |text: &&str| text.bytes().map(|b| InstanceId(u16::from(b - b'a'))).collect();
        Sequence { segments: segments.iter().map(ids).collect(), visibility: Visibility::OwnTurns }
    }

    fn cycle(segments: &[&str]) -> Option<String> {
        let cycle = fixed_cycle(&sequence(segments))?;
        Some(cycle.into_iter().map(|id| char::from(b'a' + id.0 as u8)).collect())
    }

    #[test]
    fn a_cycle_is_found_wherever_it_starts() {
        assert_eq!(cycle(&["cdeabcdeab"]).as_deref(), Some("abcde"));
        assert_eq!(cycle(&["acbacba"]).as_deref(), Some("acb"));
        assert_eq!(cycle(&["abab"]).as_deref(), Some("ab"));
    }

    #[test]
    fn a_cycle_is_found_across_gaps() {
        assert_eq!(cycle(&["abc", "bca", "ab"]).as_deref(), Some("abc"));
        assert_eq!(cycle(&["abc", "acb"]), None);
    }

    #[test]
    fn what_is_no_cycle_is_none() {
        assert_eq!(cycle(&["abcab", "aa"]), None);
        assert_eq!(cycle(&["aaaa"]), None);
        // not closed: the follower of c is not known
        assert_eq!(cycle(&["abc"]), None);
        // two rings
        assert_eq!(cycle(&["abab", "cdcd"]), None);
        // a tail that leads into a ring
        assert_eq!(cycle(&["abcbc"]), None);
        assert_eq!(cycle(&[]), None);
    }

    fn whole(segments: &[&str]) -> Option<(usize, usize)> {
        rounds(&sequence(segments)).map(|rounds| (rounds.whole, rounds.offsets))
    }

    #[test]
    fn rounds_may_change_their_order_and_start_anywhere() {
        // Traefik's order with three servers
        assert_eq!(whole(&["ababcbcacababcbcac"]), Some((5, 3)));
        assert_eq!(whole(&["abcbacacb"]), Some((3, 3)));
        assert_eq!(whole(&["cabcbacac"]), Some((2, 3)));
        assert_eq!(whole(&["aabcabc"]), Some((2, 3)));
        assert_eq!(rounds(&sequence(&["aabbcc"])), None);
    }

    #[test]
    fn clumps_stand_together_wherever_the_first_begins() {
        let length = |text: &str| clump_length(&Picks::from_sequence(&sequence(&[text])));
        assert_eq!((length("aabbaabb"), length("abbbaaab"), length("ccdddaaabbbcccdd")), (Some(2), Some(3), Some(3)));
        assert_eq!((length("ababab"), length("aabbabb"), length("aaabba")), (None, None, None));
    }

    #[test]
    fn a_period_is_the_shortest() {
        assert_eq!(period(&sequence(&["abcabcabc"])), Some((3, 6)));
        assert_eq!(period(&sequence(&["dbcbcadadbcbcada"])), Some((8, 8)));
        assert_eq!(period(&sequence(&["abcd"])), None);
    }
}
