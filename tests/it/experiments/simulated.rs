//! Experiments as data: balancers that mind neither values nor load are never said to.

use lbctl::{
    analysis::{ALPHA, Algorithm, Case, Verdict, judge},
    model::trace::{Request, Series, SeriesName},
};

use crate::support::traces;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

fn series(name: SeriesName, requests: Vec<(u64, u64, usize)>) -> Series {
    let request = |(n, (at_us, us, instance)): (u32, (u64, u64, usize))| Request {
        at_us,
        us,
        ..traces::request(n, Some(instance as u16))
    };
    traces::series(name, (1..).zip(requests).map(request).collect())
}

fn verdict(series: Vec<Series>) -> Verdict {
    judge(&Case::new(&traces::trace(series), ALPHA))
}

/// A balancer: the number of its pick, and who is busy.
type Balancer<'a> = dyn FnMut(&mut Random, &[usize]) -> usize + 'a;

/// Quiet requests, then quick ones while `held` slow ones keep instances busy.
fn under_load(random: &mut Random, quiet: u64, quick: u64, held: usize, pick: &mut Balancer) -> Verdict {
    let free = (0..quiet).map(|n| (n * 1000, 900, pick(random, &[]))).collect();
    let start = quiet * 1000;
    let mut busy = Vec::new();
    for _ in 0..held {
        let one = pick(random, &busy);
        busy.push(one);
    }
    let slow = busy.iter().map(|&one| (start, 2_000_000, one)).collect();
    let mut meanwhile: Vec<_> = (0..quick).map(|n| (start + 50_000 + n * 1000, 900, pick(random, &busy))).collect();
    // those that were busy are still there
    meanwhile.extend((0..40).map(|n| (start + 2_100_000 + n * 1000, 900, pick(random, &[]))));
    verdict(vec![
        series(SeriesName::WithoutJar, free),
        series(SeriesName::Slow, slow),
        series(SeriesName::Meanwhile, meanwhile),
    ])
}

#[test]
fn a_round_robin_is_never_called_least_connections_nor_the_other_way_round() {
    for (seed, k) in (0..200).zip((2..=20).cycle()) {
        let (mut random, mut turn) = (Random(seed), 0);
        let mut round_robin = |_: &mut Random, _: &[usize]| {
            turn += 1;
            turn % k
        };
        let seen = under_load(&mut random, 6 * k as u64 + 20, 160, (k / 3).max(1), &mut round_robin);
        assert_eq!(seen.algorithm, Algorithm::RoundRobin, "{k}: {:?}", seen.evidence);
        assert!(!seen.candidates.contains(&Algorithm::LeastConnections), "{k}: {:?}", seen.evidence);

        let mut turn = 0;
        let mut least = |_: &mut Random, busy: &[usize]| {
            let load = |one: usize| busy.iter().filter(|id| **id == one).count();
            let fewest = (0..k).map(load).min().unwrap();
            loop {
                turn += 1;
                if load(turn % k) == fewest {
                    return turn % k;
                }
            }
        };
        let seen = under_load(&mut random, 6 * k as u64 + 20, 160, (k / 3).max(1), &mut least);
        assert_eq!(seen.algorithm, Algorithm::LeastConnections, "{k}: {:?}", seen.evidence);
    }
}

#[test]
fn a_weighted_round_robin_goes_round_busy_instances_too() {
    for (seed, pattern) in (0..).zip(["aabacaa", "abacab", "aaab", "aab"]) {
        let k = pattern.bytes().max().unwrap() - b'a' + 1;
        for held in 1..k {
            let mut picks = pattern.bytes().map(|byte| usize::from(byte - b'a')).cycle();
            let mut weighted = |_: &mut Random, _: &[usize]| picks.next().unwrap();
            let seen = under_load(&mut Random(seed), 120, 160, held.into(), &mut weighted);
            assert_eq!(seen.algorithm, Algorithm::WeightedRoundRobin, "{pattern}: {:?}", seen.evidence);
            // a ring of two, of which another client in step takes every fourth turn
            let in_step = if pattern == "aab" { &[Algorithm::RoundRobin][..] } else { &[] };
            let left = [&[Algorithm::WeightedRoundRobin], in_step].concat();
            assert_eq!(seen.candidates, left, "{pattern}: {:?}", seen.evidence);
        }
    }
}

#[test]
fn random_picks_are_never_said_to_avoid_busy_instances() {
    let mut told = 0;
    for (seed, k) in (0..100).zip((2..=12).cycle()) {
        let mut random = Random(seed);
        let mut any = |random: &mut Random, _: &[usize]| random.below(k);
        let seen = under_load(&mut random, 200, 160, (k / 3).max(1), &mut any);
        assert_ne!(seen.algorithm, Algorithm::LeastConnections, "{k}: {:?}", seen.evidence);

        // power of two choices, with both the same now and then: so few requests seldom tell it, and never rule it out
        let mut two = |random: &mut Random, busy: &[usize]| {
            let (one, other) = (random.below(k), random.below(k));
            if busy.contains(&one) { other } else { one }
        };
        let seen = under_load(&mut random, 200, 320, (k / 3).max(1), &mut two);
        let left = seen.candidates.contains(&Algorithm::LeastConnections) || seen.candidates.is_empty();
        assert!(left, "{k}: {:?}", seen.evidence);
        told += usize::from(seen.algorithm == Algorithm::LeastConnections);
    }
    assert!(told > 8, "power of two choices was told {told} times of 100");
}

#[test]
fn one_instance_is_not_said_to_be_busy_with_what_another_service_answers() {
    let from = |start: u64| (0..40).map(|n| (start + n * 1000, 900, 0)).collect();
    let kept_busy = |one| {
        let mut slow = series(SeriesName::Slow, vec![(40_000, 2_000_000, one), (40_000, 2_000_000, one)]);
        slow.conditions.path = "/slow".to_owned();
        verdict(vec![series(SeriesName::WithoutJar, from(0)), slow, series(SeriesName::Meanwhile, from(100_000))])
    };
    let own = kept_busy(0);
    assert_eq!(own.algorithm, Algorithm::Single);
    assert!(!own.candidates.contains(&Algorithm::LeastConnections), "{:?}", own.evidence);
    let anothers = kept_busy(1);
    assert_eq!(anothers.algorithm, Algorithm::Single, "{:?}", anothers.evidence);
    assert!(anothers.candidates.contains(&Algorithm::LeastConnections), "{:?}", anothers.evidence);
}

#[test]
fn values_that_play_no_part_are_never_said_to_decide() {
    for (seed, k) in (0..100).zip((2..=12).cycle()) {
        let mut random = Random(seed);
        // one that fails over in the middle, one that is random, one that goes round
        for how in 0..3 {
            let mut at = 21_000;
            let free = (0..21).map(|n| (n * 1000, 900, 0)).collect();
            let mut values = vec![Vec::new(); 27];
            for pass in 0..8 {
                let mut order: Vec<usize> = (0..27).collect();
                (1..27).rev().for_each(|last| order.swap(last, random.below(last + 1)));
                for (place, value) in order.into_iter().enumerate() {
                    at += 1000;
                    let pick = match how {
                        0 => usize::from(27 * pass + place > 40),
                        1 => random.below(k),
                        _ => (27 * pass + place) % k,
                    };
                    values[value].push((at, 900, pick));
                }
            }
            let paths = values.into_iter().enumerate();
            let paths = paths.map(|(n, requests)| series(SeriesName::Path(format!("/?lbctl={n}")), requests));
            let seen = verdict([series(SeriesName::WithoutJar, free)].into_iter().chain(paths).collect());
            // one instance answered at first, and several did later
            let honest = matches!(seen.algorithm, Algorithm::Single | Algorithm::Undetermined);
            assert!(honest, "{:?}: {:?}", seen.algorithm, seen.evidence);
        }
    }
}
