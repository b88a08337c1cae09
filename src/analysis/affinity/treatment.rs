//! Treatments: the additions to requests that may keep a client on an instance, and the effect that each is seen to have.
//!
//! A treatment that keeps a client on its instance in a series of its own may do so because nothing else changed meanwhile. So it
//! is named only after a comparison by lot ([`comparison`](super::comparison)). That a treatment keeps no client needs no
//! comparison: the client moved more often than failures explain ([`moves`](super::moves)).

use std::collections::BTreeSet;

use crate::{
    analysis::{
        affinity::{
            comparison::{BLOCK, Comparison},
            moves::Moves,
        },
        case::Case,
        sampling::budget::{self, Decision},
    },
    model::trace::{InstanceId, Series, SeriesName, Trace},
};

/// The answers that must follow one another on an instance before a treatment is worth a comparison.
const FEWEST_STAYING: usize = 8;
/// The answers for each instance of a group before the group is worth a comparison.
const EACH_OF_GROUP: usize = 4;
/// The treated requests after which a comparison without any gain ends, where control requests do not move either.
const FUTILE_AFTER: usize = 4 * BLOCK;
/// The chance from which on a comparison shows no gain.
const NO_GAIN: f64 = 0.3;
/// The chance below which a group may still show itself.
const PERHAPS: f64 = 0.01;

/// Something that the probe adds to requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treatment {
    /// All cookies that a client keeps.
    Jar,
    /// One cookie alone.
    Cookie(String),
    /// One connection for all requests.
    Connection,
}

/// The effect of a treatment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// No treated request was answered by an instance with a name.
    NoAnswers,
    /// One instance answers with the treatment and without it.
    NothingToCompare,
    /// The client moves more often than failures explain.
    Moves { requests: usize, instances: usize },
    /// The client stays on an instance, but for a few moves; without an effect it would do so with probability `p`.
    OneInstance { requests: usize, moves: usize, p: f64 },
    /// The client stays on a group of `instances` out of `of` instances; without an effect it would do so with
    /// probability `p`.
    Group { requests: usize, instances: usize, of: usize, p: f64 },
    /// The requests are too few, or contradict each other.
    Unclear { requests: usize, moves: usize, p: f64 },
}

impl Treatment {
    /// The series of the treated requests in a pass by lot.
    pub fn series_by_lot(&self) -> SeriesName {
        match self {
            Treatment::Jar => SeriesName::JarByLot,
            Treatment::Cookie(name) => SeriesName::CookieAlone(name.clone()),
            Treatment::Connection => SeriesName::ConnectionByLot,
        }
    }

    /// The decision that the treatment keeps a client.
    pub fn decision(&self) -> Decision {
        match self {
            Treatment::Jar => Decision::Stickiness,
            Treatment::Cookie(_) => Decision::CookieAlone,
            Treatment::Connection => Decision::Connection,
        }
    }

    /// The decision that the treatment keeps no client.
    fn decision_against(&self) -> Decision {
        match self {
            Treatment::Jar | Treatment::Cookie(_) => Decision::MovesWithCookies,
            Treatment::Connection => Decision::PicksEachRequest,
        }
    }

    /// The instances of treated requests before the pass by lot, in the order of sending.
    fn answers_before(&self, trace: &Trace) -> Vec<InstanceId> {
        match self {
            Treatment::Jar => trace.series(&SeriesName::WithJar).map(answers_with_cookies).unwrap_or_default(),
            Treatment::Cookie(_) => Vec::new(),
            Treatment::Connection => {
                trace.series(&SeriesName::OneConnection).map(longest_connection).unwrap_or_default()
            }
        }
    }

    /// The effect of the treatment, as far as the case shows it.
    pub fn effect(&self, case: &Case) -> Effect {
        let trace = case.trace();
        let before = self.answers_before(trace);
        let by_lot = trace.series(&self.series_by_lot());
        let answers: Vec<InstanceId> = before.iter().copied().chain(by_lot.into_iter().flat_map(named)).collect();
        if answers.is_empty() {
            return Effect::NoAnswers;
        }
        let met: BTreeSet<InstanceId> = answers.iter().copied().collect();
        let of = free_instances(case).union(&met).count();
        let (requests, Moves { moves, .. }) = (answers.len(), Moves::count(&answers));
        if of < 2 {
            return Effect::NothingToCompare;
        }
        let compared = by_lot.zip(trace.series(&SeriesName::Control));
        let compared = compared.map(|(treated, control)| Comparison::of_series(&before, treated, control));
        if let Some(Comparison { one_instance_p, group_p, .. }) = compared {
            let is_sure = |p: f64| budget::is_sure(p, case.alpha(), self.decision());
            if is_sure(one_instance_p) {
                return Effect::OneInstance { requests, moves, p: one_instance_p };
            }
            if is_sure(group_p) && met.len() < of {
                return Effect::Group { requests, instances: met.len(), of, p: group_p };
            }
        }
        let moves_freely = budget::is_sure(Moves::count(&answers).p_if_kept(), case.alpha(), self.decision_against());
        if moves_freely && !may_be_group(&answers, &met, of, compared.as_ref()) {
            return Effect::Moves { requests, instances: met.len() };
        }
        let p = compared.map_or(1.0, |compared| compared.one_instance_p);
        Effect::Unclear { requests, moves, p }
    }

    /// Returns true if a comparison by lot may show that the treatment keeps a client.
    pub fn is_worth_comparing(&self, case: &Case) -> bool {
        let trace = case.trace();
        let by_lot = trace.series(&self.series_by_lot());
        let is_futile = |treated: &Series| {
            let Some(control) = trace.series(&SeriesName::Control) else { return false };
            let compared = Comparison::of_series(&self.answers_before(trace), treated, control);
            compared.treated >= FUTILE_AFTER && compared.one_instance_p.min(compared.group_p) > NO_GAIN
        };
        match self.effect(case) {
            // more requests show that it moves
            Effect::Unclear { moves: 1.., .. } if by_lot.is_some() => true,
            // a cookie alone is not sent before
            Effect::NoAnswers => matches!(self, Treatment::Cookie(_)) && by_lot.is_none(),
            Effect::Unclear { .. } => match by_lot {
                Some(treated) => !is_futile(treated),
                None => self.looks_kept(case),
            },
            Effect::NothingToCompare | Effect::Moves { .. } | Effect::OneInstance { .. } | Effect::Group { .. } => {
                false
            }
        }
    }

    /// Returns true if the series before the pass ends with answers of one instance, or shows a group.
    pub fn looks_kept(&self, case: &Case) -> bool {
        let answers = self.answers_before(case.trace());
        let met: BTreeSet<InstanceId> = answers.iter().copied().collect();
        let of = free_instances(case).union(&met).count();
        let last = &answers[answers.len().saturating_sub(FEWEST_STAYING)..];
        let stays = last.len() == FEWEST_STAYING && Moves::count(last).moves == 0;
        of > 1 && (stays || may_be_group(&answers, &met, of, None))
    }
}

/// Returns true if the answers are of a part of all instances, and are so many that the others would have come by now.
fn may_be_group(answers: &[InstanceId], met: &BTreeSet<InstanceId>, of: usize, compared: Option<&Comparison>) -> bool {
    met.len() < of
        && answers.len() >= EACH_OF_GROUP * met.len()
        && compared.is_none_or(|compared| compared.treated < FUTILE_AFTER || compared.group_p < PERHAPS)
}

/// The instances that answer requests without a treatment.
fn free_instances(case: &Case) -> BTreeSet<InstanceId> {
    let control = case.trace().series(&SeriesName::Control);
    let free = case.free().into_iter().flat_map(|free| free.answers().keys().copied());
    free.chain(control.into_iter().flat_map(Series::instances)).collect()
}

fn named(series: &Series) -> impl Iterator<Item = InstanceId> {
    series.requests.iter().filter_map(|request| request.instance)
}

/// The instances that answered requests with a cookie.
pub fn answers_with_cookies(series: &Series) -> Vec<InstanceId> {
    let first = series.requests.iter().position(|request| request.cookies_sent > 0).unwrap_or(series.requests.len());
    series.requests[first..].iter().filter_map(|request| request.instance).collect()
}

/// The instances that answered on the connection that served most requests. A port may come again, for another connection.
pub fn longest_connection(series: &Series) -> Vec<InstanceId> {
    let by_port = series.requests.chunk_by(|one, next| one.port == next.port);
    let answers = by_port.filter(|requests| requests[0].port.is_some()).map(|requests| {
        let named: Vec<InstanceId> = requests.iter().filter_map(|request| request.instance).collect();
        named
    });
    answers.max_by_key(Vec::len).unwrap_or_default()
}
