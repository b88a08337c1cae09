//! Permutation tests: judges if the value of a key plays a part in which instance answers.
//!
//! Values are sent in passes. Each pass has every value once, in random order. If the value plays no part, the instance
//! that answers depends on the moment alone, and at each moment every value that the pass has not sent yet was equally
//! likely to be the one that was sent: the randomisation of Fisher (1935), which assumes nothing of the balancer. So one
//! may bet at each moment on the value that was sent, and a bet against what is left of the pass has mean 1. The product
//! of bets may be looked at whenever one likes (Ville 1939): it exceeds `1 / p` with probability `p` at most.

use std::collections::BTreeMap;

use crate::{
    analysis::math::log_prob::{ln_mean, probability},
    model::trace::InstanceId,
};

/// The answers that a value is thought to have had from each instance before the first. A small number bets on few
/// instances for each value.
const PRIOR_ANSWERS: f64 = 0.25;

/// One answer to a value of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The number of the value.
    pub value: usize,
    pub instance: InstanceId,
    /// The number of the pass.
    pub pass: usize,
}

/// The number of the pass of each request, where `values` are the values of the requests in the order of sending. A pass
/// has each value once, and it has either new values alone or none.
pub fn number_passes(values: &[usize]) -> Vec<usize> {
    // the pass that each value was last sent in
    let mut last: BTreeMap<usize, usize> = BTreeMap::new();
    let (mut pass, mut has_new_values) = (0, true);
    let mut passes = Vec::with_capacity(values.len());
    for value in values {
        let before = last.get(value).copied();
        if before == Some(pass) || before.is_none() != has_new_values {
            pass += 1;
            has_new_values = before.is_none();
        }
        last.insert(*value, pass);
        passes.push(pass);
    }
    passes
}

/// The probability of these answers, in the order of sending, or of ones that say as much, if the value played no part.
/// The test bets half on one instance for each value, and half on a few instances for each.
pub fn no_part_p(answers: &[Answer]) -> f64 {
    probability(-ln_mean(&[ln_bet(answers, on_the_last_instance), ln_bet(answers, on_former_instances)]))
}

/// The answers of each instance to one value, and the instance that answered last.
#[derive(Debug, Clone, Default)]
struct History {
    counts: BTreeMap<InstanceId, usize>,
    last: Option<InstanceId>,
}

/// The weight of a value in a bet: how much the next answer to it is expected to come from this instance.
type Weight = fn(&History, InstanceId) -> f64;

fn on_the_last_instance(history: &History, instance: InstanceId) -> f64 {
    if history.last.is_none_or(|last| last == instance) { 1.0 } else { 0.0 }
}

fn on_former_instances(history: &History, instance: InstanceId) -> f64 {
    let hits = history.counts.get(&instance).copied().unwrap_or(0) as f64;
    let all = history.counts.values().sum::<usize>() as f64;
    (hits + PRIOR_ANSWERS) / (all + PRIOR_ANSWERS)
}

/// The logarithm of what a bet of 1 has become.
fn ln_bet(answers: &[Answer], weight: Weight) -> f64 {
    let mut histories: BTreeMap<usize, History> = BTreeMap::new();
    let mut ln = 0.0;
    for pass in answers.chunk_by(|one, next| one.pass == next.pass) {
        for (index, answer) in pass.iter().enumerate() {
            let weigh = |value: usize| histories.get(&value).map_or(1.0, |history| weight(history, answer.instance));
            let left = &pass[index..];
            let mean = left.iter().map(|other| weigh(other.value)).sum::<f64>() / left.len() as f64;
            let sent = weigh(answer.value);
            if sent <= 0.0 {
                return f64::NEG_INFINITY;
            }
            ln += (sent / mean).ln();
            let history = histories.entry(answer.value).or_default();
            *history.counts.entry(answer.instance).or_default() += 1;
            history.last = Some(answer.instance);
        }
    }
    ln
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};

    use super::*;

    /// Answers of passes over values `0..k` in the order that `shuffle` gives, by the instance that `pick` takes for a
    /// value and a turn.
    fn answers(k: usize, passes: usize, mut pick: impl FnMut(usize, usize) -> u16) -> Vec<Answer> {
        let order = |pass: usize| (0..k).map(move |n| (n * 7 + pass * pass * 3 + pass) % k);
        let sent = (0..passes).flat_map(|pass| order(pass).map(move |value| (pass, value)));
        (0..)
            .zip(sent)
            .map(|(turn, (pass, value))| Answer { value, pass, instance: InstanceId(pick(value, turn)) })
            .collect()
    }

    #[test]
    fn values_that_stay_are_as_rare_as_two_equal_shuffles() {
        let p = no_part_p(&answers(12, 2, |value, _| (value % 2) as u16));
        let shuffles = 924.0; // 12! / (6! 6!)
        assert!((1.0 / shuffles..=2.0 / shuffles).contains(&p), "{p}");
        assert_eq!(no_part_p(&answers(12, 1, |value, _| (value % 2) as u16)), 1.0, "the first pass is free");
    }

    #[test]
    fn values_with_a_pair_of_instances_each_show() {
        let paired = answers(27, 8, |value, turn| (value % 2 * 2 + turn * turn / 5 % 2) as u16);
        assert!(no_part_p(&paired) < 1e-8, "{}", no_part_p(&paired));
        let turning = answers(27, 8, |_, turn| (turn % 4) as u16);
        assert!(no_part_p(&turning) > 1e-3, "{}", no_part_p(&turning));
    }

    #[test]
    fn a_stray_answer_does_not_hide_that_values_stay() {
        let stray = answers(27, 4, |value, turn| if turn == 60 { 2 } else { (value % 3) as u16 });
        assert!(no_part_p(&stray) < 1e-8, "{}", no_part_p(&stray));
    }

    /// A test that is wrong with a chance of 1 in 100 at most, though a balancer that looks at no value does what it can.
    #[test]
    fn values_that_play_no_part_seldom_seem_to() {
        const RUNS: usize = 1000;
        let mut random = StdRng::seed_from_u64(1);
        let by_turn: [fn(usize) -> usize; 4] =
            [|turn| turn % 3, |turn| usize::from(turn > 31), |turn| turn / 9, |turn| turn * turn / 7 % 5];
        for pick in by_turn {
            let mut wrong = 0;
            for _ in 0..RUNS {
                let mut order: Vec<usize> = (0..9).collect();
                let mut sent = Vec::new();
                for pass in 0..5 {
                    order.shuffle(&mut random);
                    sent.extend(order.iter().map(|value| (pass, *value)));
                }
                let answer = |(turn, (pass, value)): (usize, (usize, usize))| Answer {
                    value,
                    pass,
                    instance: InstanceId(pick(turn) as u16),
                };
                let answers: Vec<Answer> = (0..).zip(sent).map(answer).collect();
                // one may look after each pass
                let looks = answers.chunk_by(|one, next| one.pass == next.pass).map(<[Answer]>::len);
                let mut seen = 0;
                let mut least: f64 = 1.0;
                for look in looks {
                    seen += look;
                    least = least.min(no_part_p(&answers[..seen]));
                }
                wrong += usize::from(least < 0.01);
            }
            // three standard errors above 1 in 100
            assert!(wrong < RUNS / 100 + 10, "{wrong}");
        }
    }

    #[test]
    fn passes_end_where_a_value_comes_again_or_new_ones_begin() {
        assert_eq!(number_passes(&[0, 1, 1, 0, 2, 3, 3, 0, 2, 1]), [0, 0, 1, 1, 2, 2, 3, 3, 3, 3]);
        assert_eq!(number_passes(&[0, 0, 0]), [0, 1, 2]);
    }
}
