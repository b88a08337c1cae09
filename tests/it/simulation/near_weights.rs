//! The bound of near weights, held against every order of all small weights.

use lbctl::{
    analysis::{self, ALPHA, Algorithm, judge},
    model::trace::SeriesName,
};

use crate::support::traces::{request, series, trace};

use super::{
    balancers::{Balancer, Chance, Heap, Smooth, clumped},
    truths::future,
};

/// The rounds that a window holds at least.
const FEWEST_ROUNDS: usize = 6;

/// All sets of weights up to this one, the largest first, of which not all are equal.
fn weight_sets(k: usize, most: u32) -> Vec<Vec<u32>> {
    let more = |set: &Vec<u32>| {
        let set = set.clone();
        (1..=set.last().copied().unwrap_or(most)).map(move |weight| [set.as_slice(), &[weight]].concat())
    };
    let mut sets: Vec<Vec<u32>> = vec![Vec::new()];
    for _ in 0..k {
        sets = sets.iter().flat_map(more).collect();
    }
    sets.retain(|set| set.iter().any(|weight| *weight != set[0]));
    sets
}

/// The longest window of which each part of `k` picks from its beginning on, or from a place in its first round, has all.
fn longest_rounds(picks: &[usize], k: usize) -> &[usize] {
    let window = |start: usize, head: usize| {
        let mut seen = Vec::new();
        let mut left = if head == 0 { k } else { head };
        let rest = &picks[start..];
        let broken = rest.iter().position(|pick| {
            let again = seen.contains(pick);
            seen.push(*pick);
            left -= 1;
            if left == 0 {
                left = k;
                seen.clear();
            }
            again
        });
        &rest[..broken.unwrap_or(rest.len())]
    };
    let all = (0..picks.len()).flat_map(|start| (0..k).map(move |head| window(start, head)));
    all.max_by_key(|window| window.len()).unwrap()
}

/// The longest window of which each pick is that of `k` picks before.
fn longest_ring(picks: &[usize], k: usize) -> &[usize] {
    let window = |start: usize| {
        let rest = &picks[start..];
        let breaks = |at: &usize| match at.checked_sub(k) {
            None => rest[..*at].contains(&rest[*at]),
            Some(before) => rest[before] != rest[*at],
        };
        &rest[..(0..rest.len()).find(breaks).unwrap_or(rest.len())]
    };
    (0..picks.len()).map(window).max_by_key(|window| window.len()).unwrap()
}

#[test]
fn no_weights_are_further_apart_than_the_bound() {
    let mut bounded = 0;
    for (k, most) in [(2, 16), (3, 9), (4, 6), (5, 5)] {
        for weights in weight_sets(k, most) {
            let turns = 3 * weights.iter().sum::<u32>() as usize + 2 * k;
            let clumped = clumped(&weights).into_iter().cycle().take(turns).collect();
            let heaps = (0..3).map(|seed| future(Heap::new(&weights, &mut Chance(seed)), turns));
            let ratio = f64::from(*weights.iter().max().unwrap()) / f64::from(*weights.iter().min().unwrap());
            for order in [future(Smooth::new(&weights), turns), clumped].into_iter().chain(heaps) {
                for window in [longest_ring(&order, k), longest_rounds(&order, k)] {
                    if window.len() < FEWEST_ROUNDS * k {
                        continue;
                    }
                    let requests = (1..).zip(window).map(|(n, &one)| request(n, Some(one as u16))).collect();
                    let trace = trace(vec![series(SeriesName::WithoutJar, requests)]);
                    let verdict = judge(&analysis::Case::new(&trace, ALPHA));
                    if verdict.algorithm != Algorithm::RoundRobin {
                        continue;
                    }
                    assert!(verdict.candidates.contains(&Algorithm::WeightedRoundRobin), "{weights:?} {window:?}");
                    if let Some(bound) = verdict.near_weights {
                        bounded += 1;
                        assert!(ratio <= bound + 1e-9, "{weights:?} {bound} {window:?}");
                    }
                }
            }
        }
    }
    assert!(bounded > 20, "{bounded}");
}

#[test]
fn a_window_is_as_long_as_its_order_allows() {
    let picks = future(Smooth::new(&[50, 49]), 300);
    assert_eq!(longest_ring(&picks, 2).len(), 99);
    let mut ring = super::balancers::cycle(vec![0, 1, 2], 0);
    let ring: Vec<usize> = (0..30).map(|_| ring.pick()).collect();
    assert_eq!((longest_ring(&ring, 3).len(), longest_rounds(&ring, 3).len()), (30, 30));
}
