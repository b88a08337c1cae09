//! Interleaved workers: several counters that go round the same ring and take turns, as worker processes do if each has
//! a counter of its own.
//!
//! If `c` workers take turns regularly, every `c`-th pick follows the ring. Where their turns are random, a forward
//! filter over their joint positions (Rabiner 1989) predicts the picks: the next is one of at most `c` instances.

use crate::analysis::{
    math::log_prob::ln_factorial,
    pattern::{cycle, forward_filter::ln_filtered},
    series::picks::Picks,
    series::sequence::{Sequence, Visibility},
};

/// The most workers that are tried.
pub const MAX_WORKERS: usize = 8;
/// The most joint positions that a filter may have.
const MOST_STATES: usize = 10_000;
/// The most instances of which the ring is looked for.
const MOST_INSTANCES: usize = 20;

/// Counters that take turns regularly.
pub struct RegularWorkers {
    pub workers: usize,
    /// The ring; empty where another number of workers explains the picks with another ring.
    pub ring: Vec<usize>,
    /// The number of picks of each instance that the ring predicted.
    pub predicted_counts: Vec<usize>,
}

/// The fewest workers that, one after the other, explain every pick. For picks without a gap.
pub fn find_regular(picks: &Picks) -> Option<RegularWorkers> {
    let [all] = picks.segments.as_slice() else { return None };
    let explained = (2..=MAX_WORKERS.min(all.len() / 3)).filter_map(|workers| {
        let each = (0..workers)
            .map(|first| all[first..].iter().step_by(workers).map(|&pick| picks.ids[pick]).collect::<Vec<_>>());
        let sequence = Sequence { segments: each.collect(), visibility: Visibility::EveryTurn };
        let cycle = cycle::fixed_cycle(&sequence)?;
        let ring = cycle.iter().filter_map(|id| picks.ids.binary_search(id).ok()).collect();
        Some(RegularWorkers { workers, ring, predicted_counts: sequence.ring_predicted_counts() })
    });
    let mut explained = explained.collect::<Vec<_>>().into_iter();
    let mut fewest = explained.next()?;
    if explained.any(|more| more.ring != fewest.ring) {
        fewest.ring.clear();
    }
    Some(fewest)
}

/// Counters that take turns at random.
pub struct IrregularWorkers {
    pub workers: usize,
    pub ring: Vec<usize>,
    pub ln: f64,
    pub ln_predictive: f64,
}

/// The likeliest number of workers, where four or fewer can explain the picks.
pub fn fit_irregular(picks: &Picks) -> Option<IrregularWorkers> {
    if picks.k > MOST_INSTANCES {
        return None;
    }
    let gaps = picks.segments.len() - 1;
    // workers keep the counts this close together
    let fewest = picks.widest_gap().saturating_sub(gaps).max(2);
    let feasible = (fewest..=4).filter(|&workers| picks.k.pow(workers as u32) <= MOST_STATES);
    let fit = |workers| {
        let ring = likely_ring(picks, workers);
        let ln = ln_irregular(picks, &ring, workers);
        IrregularWorkers { workers, ring, ln, ln_predictive: ln - ln_factorial(picks.k - 1) - 4f64.ln() }
    };
    feasible.map(fit).max_by(|one, other| one.ln.total_cmp(&other.ln)).filter(|best| best.ln.is_finite())
}

/// The ring on which most picks are one ahead of one of the last few: one of these is mostly by the same worker.
fn likely_ring(picks: &Picks, workers: usize) -> Vec<usize> {
    let k = picks.k;
    let near = Nearness::count(picks, workers);
    let mut best: (f64, Vec<usize>) = (f64::NEG_INFINITY, Vec::new());
    for start in 0..k.min(4) {
        let (score, ring) = near.improve(near.greedy(start * k / k.min(4)));
        if score > best.0 {
            best = (score, ring);
        }
    }
    best.1
}

/// The nearness of each instance to each other: the number of times that it came soon after the other. A pick further
/// back counts less.
struct Nearness {
    k: usize,
    /// The nearness of each instance to each other, in rows of `k`.
    weights: Vec<f64>,
}

impl Nearness {
    fn count(picks: &Picks, workers: usize) -> Nearness {
        let k = picks.k;
        let mut weights = vec![0.0; k * k];
        let decay = 1.0 - 1.0 / workers as f64;
        for segment in &picks.segments {
            for (index, &pick) in segment.iter().enumerate() {
                for back in 1..=workers.min(index) {
                    weights[segment[index - back] * k + pick] += decay.powi(back as i32 - 1);
                }
            }
        }
        Nearness { k, weights }
    }

    fn between(&self, one: usize, next: usize) -> f64 {
        self.weights[one * self.k + next]
    }

    fn score(&self, ring: &[usize]) -> f64 {
        (0..self.k).map(|at| self.between(ring[at], ring[(at + 1) % self.k])).sum()
    }

    /// A ring that goes from each instance to the nearest that it does not hold yet.
    fn greedy(&self, start: usize) -> Vec<usize> {
        let mut ring = vec![start];
        while ring.len() < self.k {
            let last = ring[ring.len() - 1];
            let free = (0..self.k).filter(|next| !ring.contains(next));
            let nearest = free.max_by(|&one, &other| self.between(last, one).total_cmp(&self.between(last, other)));
            ring.extend(nearest);
        }
        ring
    }

    /// Moves parts of the ring as long as that raises its score.
    fn improve(&self, mut ring: Vec<usize>) -> (f64, Vec<usize>) {
        let mut score = self.score(&ring);
        for _ in 0..20 {
            let before = score;
            for (length, from, to) in self.moves() {
                let moved = with_part_moved(&ring, length, from, to);
                let scored = self.score(&moved);
                if scored > score + 1e-9 {
                    (score, ring) = (scored, moved);
                }
            }
            if score <= before + 1e-9 {
                break;
            }
        }
        (score, ring)
    }

    /// Every part of up to three instances, and every place that it can move to.
    fn moves(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let k = self.k;
        let lengths = 1..=3.min(k.saturating_sub(2));
        lengths.flat_map(move |length| {
            (0..=k - length).flat_map(move |from| (0..=k - length).map(move |to| (length, from, to)))
        })
    }
}

fn with_part_moved(ring: &[usize], length: usize, from: usize, to: usize) -> Vec<usize> {
    let mut moved = ring.to_vec();
    let part: Vec<usize> = moved.drain(from..from + length).collect();
    moved.splice(to..to, part);
    moved
}

/// The log-probability of the picks under workers that start anywhere and are equally likely to be next. A gap may have
/// been a turn.
fn ln_irregular(picks: &Picks, ring: &[usize], workers: usize) -> f64 {
    let k = picks.k;
    let mut place = vec![0; k];
    ring.iter().enumerate().for_each(|(at, &instance)| place[instance] = at);
    let states = k.pow(workers as u32);
    let units: Vec<usize> = (0..workers).map(|worker| k.pow(worker as u32)).collect();
    let step = |state: &[f64], pick: Option<usize>| {
        let wanted = pick.map(|pick| place[pick]);
        let mut next = vec![0.0; states];
        for (index, &p) in state.iter().enumerate().filter(|(_, p)| **p > 0.0) {
            for &unit in &units {
                let at = index / unit % k;
                if wanted.is_none_or(|wanted| wanted == at) {
                    next[if at + 1 == k { index - at * unit } else { index + unit }] += p / workers as f64;
                }
            }
        }
        next
    };
    ln_filtered(picks, vec![1.0 / states as f64; states], step).unwrap_or(f64::NEG_INFINITY)
}
