//! Picks: a sequence with its instances numbered from 0, and the counts of it.

use crate::model::trace::InstanceId;

use crate::analysis::{
    math::log_prob::ln_best_independent,
    series::sequence::{Sequence, Visibility},
};

/// A sequence of `k` instances, as numbers below `k`.
pub struct Picks {
    pub k: usize,
    /// The instance behind each number.
    pub ids: Vec<InstanceId>,
    /// The picks between gaps.
    pub segments: Vec<Vec<usize>>,
    /// The number of picks of each instance.
    pub counts: Vec<usize>,
    pub visibility: Visibility,
}

impl Picks {
    pub fn from_sequence(sequence: &Sequence) -> Picks {
        let (ids, counts): (Vec<_>, Vec<_>) = sequence.counts().into_iter().unzip();
        let number = |id: &InstanceId| ids.binary_search(id).unwrap_or_default();
        let segments = sequence.segments.iter().map(|segment| segment.iter().map(number).collect()).collect();
        Picks { k: ids.len(), segments, counts, ids, visibility: sequence.visibility }
    }

    pub fn len(&self) -> usize {
        self.counts.iter().sum()
    }

    /// All picks, gaps passed over.
    pub fn all(&self) -> impl Iterator<Item = usize> + '_ {
        self.segments.iter().flatten().copied()
    }

    /// The number of times that each instance was followed by each other, in rows of `k`.
    pub fn followers(&self) -> Vec<u32> {
        let mut counts = vec![0; self.k * self.k];
        for pair in self.segments.iter().flat_map(|segment| segment.windows(2)) {
            counts[pair[0] * self.k + pair[1]] += 1;
        }
        counts
    }

    /// The picks in three parts, each with the same instances.
    pub fn thirds(&self) -> [Picks; 3] {
        let third = self.len().div_ceil(3);
        [0, 1, 2].map(|part| {
            let (mut counts, mut index) = (vec![0; self.k], 0);
            let mut segments = Vec::new();
            for segment in &self.segments {
                let within = segment.iter().filter(|_| {
                    index += 1;
                    (index - 1) / third == part
                });
                let within: Vec<usize> = within.copied().collect();
                within.iter().for_each(|&pick| counts[pick] += 1);
                segments.extend((!within.is_empty()).then_some(within));
            }
            Picks { k: self.k, ids: self.ids.clone(), segments, counts, visibility: self.visibility }
        })
    }

    /// The picks without those that repeat the one before.
    pub fn without_repeats(&self) -> Picks {
        let mut segments = self.segments.clone();
        segments.iter_mut().for_each(|segment| segment.dedup());
        let mut counts = vec![0; self.k];
        segments.iter().flatten().for_each(|&pick| counts[pick] += 1);
        Picks { k: self.k, ids: self.ids.clone(), segments, counts, visibility: self.visibility }
    }

    /// The longest run of picks without each instance.
    pub fn absences(&self) -> Vec<usize> {
        let mut last = vec![0; self.k];
        let mut longest = vec![0; self.k];
        for (index, pick) in self.all().enumerate() {
            longest[pick] = longest[pick].max(index - last[pick]);
            last[pick] = index;
        }
        let n = self.len();
        longest.iter().zip(last).map(|(&longest, last)| longest.max(n - last)).collect()
    }

    /// The log of how much better shares that changed at one moment explain the counts than shares that stayed. It is
    /// large when an instance came or left.
    pub fn change_of_shares(&self) -> f64 {
        let stayed = ln_best_independent(&self.counts);
        let mut before = vec![0; self.k];
        let mut after = self.counts.clone();
        let changed = self.all().map(|pick| {
            before[pick] += 1;
            after[pick] -= 1;
            ln_best_independent(&before) + ln_best_independent(&after) - stayed
        });
        changed.fold(0.0, f64::max)
    }

    /// The widest gap between the counts of two instances, over all pairs and any two moments. A counter that goes
    /// round a ring keeps the gap within 1, and c such counters keep it within c, whatever their turns.
    pub fn widest_gap(&self) -> usize {
        // of each pair: the difference now, the lowest and the highest it was
        let mut pairs = vec![(0_i32, 0_i32, 0_i32); self.k * self.k];
        for pick in self.all() {
            for other in (0..self.k).filter(|&other| other != pick) {
                let (low, high, sign) = if pick < other { (pick, other, 1) } else { (other, pick, -1) };
                let (now, least, most) = &mut pairs[low * self.k + high];
                *now += sign;
                *least = (*least).min(*now);
                *most = (*most).max(*now);
            }
        }
        pairs.into_iter().map(|(_, least, most)| (most - least) as usize).max().unwrap_or(0)
    }
}
