//! Failures: judges if values that each have an instance of their own would move as often as these do, because instances
//! fail, leave and come back.

use crate::analysis::{
    affinity::permutation::Answer,
    math::log_prob::{ln_extreme, probability},
};

/// The largest share of answers in which an instance answers for another that fails.
pub const MAX_SHARE_OF_FAILURES: f64 = 0.02;

/// The largest probability of these answers, in the order of sending, if each value had an instance of its own: at most
/// [`MAX_SHARE_OF_FAILURES`] of the answers come from another, and up to twice all values may be given other instances,
/// as when one leaves and comes back. It may be looked at after each pass: the parts of the passes, 1 / (n (n + 1)), are 1
/// together.
pub fn own_instance_p(answers: &[Answer]) -> f64 {
    let (failures, all) = (count_failures(answers), answers.len());
    if failures as f64 <= all as f64 * MAX_SHARE_OF_FAILURES {
        return 1.0;
    }
    let passes = answers.last().map_or(1, |answer| answer.pass + 1) as f64;
    probability(ln_extreme(failures, all, MAX_SHARE_OF_FAILURES) + (passes * (passes + 1.0)).ln())
}

/// The fewest answers that must come from another instance than the value's own, if all values may be given others twice,
/// at the moments that suit best.
fn count_failures(answers: &[Answer]) -> usize {
    let until = failures_by_length(answers.iter());
    let mut from = failures_by_length(answers.iter().rev());
    from.reverse();
    let middle = |begin: usize| {
        let lengths = failures_by_length(answers[begin..].iter());
        lengths.into_iter().enumerate().map(move |(length, failures)| (begin + length, failures)).collect::<Vec<_>>()
    };
    (0..=answers.len())
        .flat_map(|begin| middle(begin).into_iter().map(move |(end, failures)| (begin, end, failures)))
        .map(|(begin, end, failures)| until[begin] + failures + from[end])
        .min()
        .unwrap_or(0)
}

/// The fewest failures among the first 0, 1, 2… answers, if each value has one instance.
fn failures_by_length<'a>(answers: impl Iterator<Item = &'a Answer>) -> Vec<usize> {
    // by value: the number of answers of each instance, and the largest of these numbers
    let mut by_value: Vec<(Vec<(u16, usize)>, usize)> = Vec::new();
    let mut failures = vec![0];
    for answer in answers {
        if by_value.len() <= answer.value {
            by_value.resize(answer.value + 1, Default::default());
        }
        let (counts, most) = &mut by_value[answer.value];
        let place = counts.iter().position(|(id, _)| *id == answer.instance.0).unwrap_or_else(|| {
            counts.push((answer.instance.0, 0));
            counts.len() - 1
        });
        counts[place].1 += 1;
        let is_failure = counts[place].1 <= *most;
        *most = (*most).max(counts[place].1);
        failures.push(failures[failures.len() - 1] + usize::from(is_failure));
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::trace::InstanceId;

    fn answers(values: usize, passes: usize, pick: impl Fn(usize, usize) -> usize) -> Vec<Answer> {
        let sent = (0..passes).flat_map(|pass| (0..values).map(move |value| (pass, value)));
        sent.map(|(pass, value)| Answer { value, pass, instance: InstanceId(pick(pass, value) as u16) }).collect()
    }

    #[test]
    fn an_instance_that_leaves_and_comes_back_explains_moves() {
        let absent = |pass: usize, value: usize| if pass == 1 { value % 2 } else { value % 3 };
        assert_eq!(own_instance_p(&answers(27, 6, absent)), 1.0);
        let never = |pass: usize, value: usize| (pass * 5 + value * value + pass * value) % 3;
        assert!(own_instance_p(&answers(27, 6, never)) < 1e-9);
        assert_eq!(own_instance_p(&answers(27, 2, never)), 1.0, "two passes may have a change between them");
    }

    #[test]
    fn a_stray_answer_is_a_failure() {
        let stray = |pass: usize, value: usize| if (pass, value) == (2, 4) { 9 } else { value % 3 };
        assert_eq!(own_instance_p(&answers(27, 4, stray)), 1.0);
    }
}
