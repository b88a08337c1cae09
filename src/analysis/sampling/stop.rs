//! The end of the free series: the decision if it needs more requests for a verdict.
//!
//! An order that every pick follows shows itself early. Independent draws are named when no regular order explains the
//! picks, with turns of others or without, which takes the more requests the fewer instances there are.

use crate::model::trace::{FailureKind, Request, Series};

use crate::analysis::{
    pattern::select,
    pattern::strict_order,
    sampling::budget::OrderBudget,
    series::picks::Picks,
    series::sequence::{Sequence, Visibility},
    verdict::{Algorithm, Order, RoundShares},
};

/// The need of a series for more requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleState {
    /// The verdict is decided, or more requests would not decide it.
    Enough,
    /// The verdict is not decided yet.
    More,
}

/// The number of answers without a name after which no name is expected. Before, instances that return may show
/// themselves, in rounds of some thirty.
const NAMELESS: usize = 40;
/// The answers that each name another instance, after which these names are hardly those of instances.
const ALL_NEW: usize = 250;
/// The microseconds spent on requests without an answer in time, after which more are not worth the wait.
const MOST_WAITED: u64 = 120_000_000;
/// The picks after which an order that changes from round to round is no longer watched for its repetition.
const LONGEST_PERIOD_WATCH: usize = 120;
/// The requests before an order that not every pick follows is looked for.
const FEWEST_WITH_BACKGROUND: usize = 60;
/// The picks after which nothing more is expected of a round robin with background traffic.
const BACKGROUND_WATCH: usize = 150;

/// Decides if a free series needs more requests. `configured` is the number of instances that a lab's
/// configuration names, or 0.
pub fn decide_sampling(series: &Series, configured: usize, alpha: f64) -> SampleState {
    let sequence = Sequence::from_series(series);
    let k = sequence.counts().len();
    let sent = series.requests.len();
    let timed_out = |request: &&Request| request.error.as_ref().is_some_and(|error| error.kind == FailureKind::Timeout);
    if series.requests.iter().filter(timed_out).map(|request| request.us).sum::<u64>() >= MOST_WAITED {
        return SampleState::Enough;
    }
    if k == 0 {
        return if sent >= NAMELESS { SampleState::Enough } else { SampleState::More };
    }
    // what has not shown itself by now will not; and what is new each time is hardly an instance's name
    let all_new = k == sequence.len() && sent >= ALL_NEW.max(configured + 1);
    if sent >= limit_over_instances(k, alpha) || all_new {
        return SampleState::Enough;
    }
    // looking costs time that grows with the series, so it is looked at again when it has grown by a tenth
    let often = sent < 40 || sent.is_multiple_of((sent / 16).next_power_of_two());
    let with_background = sent >= FEWEST_WITH_BACKGROUND && sent.is_multiple_of(10 * (sent / 60).next_power_of_two());
    if !often && !with_background {
        return SampleState::More;
    }
    let orderly = || {
        let budget = OrderBudget::of_all_picks(alpha);
        strict_order::find_strict_order(&sequence, &Picks::from_sequence(&sequence), budget).is_some()
    };
    if k > 1 && sequence.visibility != Visibility::CountsOnly && !with_background && !orderly() {
        return SampleState::More;
    }
    let found = select::find_pattern(series, &sequence, alpha);
    let n = sequence.len();
    let decided = match (found.algorithm().round_shares(), found.order) {
        _ if found.algorithm() == Algorithm::Undetermined => false,
        (Some(_), _) if found.background.is_some() => {
            (found.order.is_some() && !found.weights.is_empty() && n >= 60) || n >= BACKGROUND_WATCH.max(6 * k)
        }
        _ if sequence.visibility == Visibility::CountsOnly => true,
        (Some(RoundShares::Equal), Some(Order::Fixed)) => {
            let needs = strict_order::ring_picks_needed(k);
            strict_order::longest_segment(&Picks::from_sequence(&sequence)) >= needs || n >= 3 * needs
        }
        (Some(RoundShares::Equal), Some(Order::Changing)) => {
            found.repeats_after.is_some() || n >= LONGEST_PERIOD_WATCH.max(4 * k)
        }
        (Some(RoundShares::Equal), Some(Order::Interleaved)) => n >= strict_order::ring_picks_needed(k),
        (Some(RoundShares::Weighted), _) => !found.weights.is_empty(),
        (Some(RoundShares::Equal), None) | (None, _) => true,
    };
    if decided { SampleState::Enough } else { SampleState::More }
}

/// The number of requests after which an undecided series ends.
fn limit_over_instances(k: usize, alpha: f64) -> usize {
    request_limit((20 * k + 50).max(250) as u32, alpha) as usize
}

/// The most requests of an experiment for this alpha, where `usual` is the limit for the usual alpha.
pub fn request_limit(usual: u32, alpha: f64) -> u32 {
    (f64::from(usual) * (alpha.ln() / crate::analysis::ALPHA.ln()).max(1.0)) as u32
}
