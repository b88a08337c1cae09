//! Sequences: a series as the balancer saw it.
//!
//! If the lab's log has the turn of each request, the requests of others are put in between, and the order is the
//! balancer's own, in whatever order the answers came. Elsewhere the order is that of sending. It is the balancer's
//! only while one request is under way at a time, and where each request was a pick ([`connection_reuse`]).

use crate::model::trace::{InstanceId, Series};

use crate::analysis::series::connection_reuse;

/// Picks in the balancer's order, in segments without a gap. A gap is a turn of which the instance is not known, or a
/// request that brought no answer and may have taken a turn or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// The segments, none of them empty.
    pub segments: Vec<Vec<InstanceId>>,
    /// The part of the order that is visible.
    pub visibility: Visibility,
}

/// The part of a balancer's order that is visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Every turn is known, those of other clients included.
    EveryTurn,
    /// The order of the probe's own requests is known; requests of others may stand between them.
    OwnTurns,
    /// Requests overlapped: only the number of answers of each instance is known.
    CountsOnly,
}

impl Sequence {
    /// The picks of a series.
    pub fn from_series(series: &Series) -> Sequence {
        let answered = series.requests.iter().filter(|request| request.instance.is_some());
        if answered.clone().count() > 0 && answered.clone().all(|request| request.turn.is_some()) {
            Sequence::by_turns(series)
        } else {
            Sequence::by_sending(series)
        }
    }

    fn by_turns(series: &Series) -> Sequence {
        let ours = series.requests.iter().filter_map(|request| Some((request.turn?, request.instance)));
        let others = series.others.iter().map(|other| (other.turn, other.instance));
        let (first, last) = match (ours.clone().map(|(turn, _)| turn).min(), ours.clone().map(|(turn, _)| turn).max()) {
            (Some(first), Some(last)) => (first, last),
            _ => return Sequence { segments: Vec::new(), visibility: Visibility::EveryTurn },
        };
        let mut turns: Vec<(u64, Option<InstanceId>)> =
            ours.chain(others.filter(|(turn, _)| (first..=last).contains(turn))).collect();
        turns.sort_by_key(|(turn, _)| *turn);
        let mut segments = Segments::default();
        let mut next = first;
        for (turn, instance) in turns {
            if turn != next {
                segments.gap();
            }
            next = turn + 1;
            segments.pick(instance);
        }
        Sequence { segments: segments.finish(), visibility: Visibility::EveryTurn }
    }

    fn by_sending(series: &Series) -> Sequence {
        let mut segments = Segments::default();
        connection_reuse::picks(series).into_iter().for_each(|pick| segments.pick(pick));
        let visibility = if series.conditions.concurrency > 1 { Visibility::CountsOnly } else { Visibility::OwnTurns };
        Sequence { segments: segments.finish(), visibility }
    }

    /// Keeps the last picks alone, at most `most` of them.
    pub fn end(mut self, most: usize) -> Sequence {
        let mut surplus = self.len().saturating_sub(most);
        self.segments.retain_mut(|segment| {
            let cut = surplus.min(segment.len());
            segment.drain(..cut);
            surplus -= cut;
            !segment.is_empty()
        });
        self
    }

    pub fn len(&self) -> usize {
        self.segments.iter().map(Vec::len).sum()
    }

    /// All picks, gaps passed over.
    pub fn picks(&self) -> impl Iterator<Item = InstanceId> + '_ {
        self.segments.iter().flatten().copied()
    }

    /// The number of picks of each instance that a ring predicted: the instance before it had a successor by then, or
    /// all the others had one, so that this pick closed the ring.
    pub fn ring_predicted_counts(&self) -> Vec<usize> {
        let k = self.counts().len();
        let mut followed = std::collections::BTreeSet::new();
        let mut counts = std::collections::BTreeMap::new();
        for pair in self.segments.iter().flat_map(|segment| segment.windows(2)) {
            if !followed.insert(pair[0]) || followed.len() == k {
                *counts.entry(pair[1]).or_insert(0) += 1;
            }
        }
        counts.into_values().collect()
    }

    /// Each instance that was picked and how often, in the order of the instances' ids.
    pub fn counts(&self) -> Vec<(InstanceId, usize)> {
        let mut counts = std::collections::BTreeMap::new();
        self.picks().for_each(|pick| *counts.entry(pick).or_insert(0) += 1);
        counts.into_iter().collect()
    }
}

#[derive(Default)]
struct Segments {
    done: Vec<Vec<InstanceId>>,
    open: Vec<InstanceId>,
}

impl Segments {
    fn pick(&mut self, instance: Option<InstanceId>) {
        match instance {
            Some(instance) => self.open.push(instance),
            None => self.gap(),
        }
    }

    fn gap(&mut self) {
        if !self.open.is_empty() {
            self.done.push(std::mem::take(&mut self.open));
        }
    }

    fn finish(mut self) -> Vec<Vec<InstanceId>> {
        self.gap();
        self.done
    }
}

/// Returns true if the picks are of more than one instance.
pub fn are_several(picks: &[InstanceId]) -> bool {
    picks.windows(2).any(|pair| pair[0] != pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_sequence_keeps_its_gaps() {
        let ids = |text: &str| text.bytes().map(|b| InstanceId(b.into())).collect::<Vec<_>>();
        let sequence = |segments: &[&str]| Sequence {
            segments: segments.iter().map(|segment| ids(segment)).collect(),
            visibility: Visibility::OwnTurns,
        };
        let whole = sequence(&["abc", "de", "f"]);
        for (most, end) in [(9, &["abc", "de", "f"][..]), (5, &["bc", "de", "f"]), (3, &["de", "f"]), (2, &["e", "f"])]
        {
            assert_eq!(whole.clone().end(most), sequence(end), "{most}");
        }
    }
}
