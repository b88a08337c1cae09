//! The selection of the pattern that a series shows.
//!
//! An order that every pick follows is looked for first (`strict_order`), then one that holds but for the turns of
//! instances that fail (`failing_instances`) or of other clients (`with_background`). Where none has a name, rounds of
//! changing instances are (`membership_change`).
//!
//! Independent draws are ruled out by bounds that hold for any weights: the probability of a sequence under the draws
//! that fit it best, times the number of sequences that would have been called the same. These bounds stay true when one
//! looks after every request and stops as soon as it is decided, because each further request makes the same statement
//! about a longer sequence.

use std::collections::BTreeMap;

use crate::{
    analysis::{
        pattern::{
            counts,
            evidence::{CountsEvidence, PatternEvidence, SeriesEvidence, StrayEvidence, Unit},
            failing_instances,
            finding::{Finding, Pattern},
            membership_change, one_instance, rare_instances, stray, strict_order, with_background,
        },
        sampling::budget::{self, Decision, OrderBudget},
        series::{
            connection_reuse::{self, PicksPer},
            picks::Picks,
            sequence::{Sequence, Visibility},
        },
        verdict::Test,
    },
    model::trace::Series,
};

/// The pattern of a series.
pub fn find_in_series(series: &Series, alpha: f64) -> Finding {
    find_pattern(series, &Sequence::from_series(series), alpha)
}

/// The pattern of a sequence, which is all or a part of the series.
pub fn find_pattern(series: &Series, sequence: &Sequence, alpha: f64) -> Finding {
    let picks_per = connection_reuse::picks_per(series);
    let mut finding = match sequence.counts().len() {
        0 => Finding::open(PatternEvidence::Series(SeriesEvidence::NoInstance)),
        1 => one_instance::judge_one_instance(series, sequence, unit(sequence, picks_per), alpha),
        _ if sequence.visibility == Visibility::CountsOnly && picks_per == PicksPer::Unclear => {
            Finding::open(PatternEvidence::Counts(CountsEvidence::SomeConnectionsMove))
        }
        _ if sequence.visibility == Visibility::CountsOnly => {
            counts::judge_counts(sequence, unit(sequence, picks_per), alpha)
        }
        _ => several_instances(series, sequence, picks_per, alpha),
    };
    rule_out_by_stray_answers(&mut finding, sequence, alpha);
    finding.evidence.extend(circumstances(series, sequence, picks_per));
    finding
}

/// Rules out one instance alone, and equal rounds of weighted ones, where stray answers do not explain what was seen.
fn rule_out_by_stray_answers(finding: &mut Finding, sequence: &Sequence, alpha: f64) {
    let line = budget::spend_on_regular_claim(alpha);
    finding.ruled_out.retain(|out| out.test != Test::UnequalRounds || out.p < line);
    let counts: Vec<usize> = sequence.counts().into_iter().map(|(_, count)| count).collect();
    if counts.len() < 2 {
        return;
    }
    match stray::rule_out_single(&counts, alpha) {
        Some(single) => finding.ruled_out.insert(0, single),
        None => {
            let (of, most) = (sequence.len(), counts.iter().max().copied().unwrap_or(0));
            let fact = StrayEvidence::OneAndStray { answers: of - most, of };
            finding.evidence.push(PatternEvidence::Stray(fact));
        }
    }
}

fn several_instances(series: &Series, sequence: &Sequence, picks_per: PicksPer, alpha: f64) -> Finding {
    let picks = Picks::from_sequence(sequence);
    if let Some(found) = strict_order::find_strict_order(sequence, &picks, OrderBudget::of_all_picks(alpha)) {
        return found;
    }
    if picks_per == PicksPer::Request
        && let Some(found) = failing_instances::find_order(
            series,
            sequence,
            OrderBudget::of_decision(alpha, Decision::OrderWithFailures),
        )
    {
        return found;
    }
    if let Some(found) = rare_instances::find_without_rare(sequence, alpha) {
        return found;
    }
    let found = with_background::find_with_background(sequence, &picks, alpha);
    if found.pattern.algorithm() != Pattern::Open.algorithm() {
        return found;
    }
    membership_change::find_membership_change(&picks, alpha).unwrap_or(found)
}

fn unit(sequence: &Sequence, picks_per: PicksPer) -> Unit {
    match (picks_per, sequence.visibility) {
        (PicksPer::Connection { .. }, Visibility::OwnTurns | Visibility::CountsOnly) => Unit::Connections,
        _ => Unit::Requests,
    }
}

/// The circumstances of a series that a reader must know, whatever its pattern.
fn circumstances(series: &Series, sequence: &Sequence, picks_per: PicksPer) -> Vec<PatternEvidence> {
    let mut facts = Vec::new();
    if let (PicksPer::Connection { connections }, 2..) = (picks_per, sequence.counts().len())
        && sequence.visibility != Visibility::EveryTurn
    {
        facts.push(PatternEvidence::Series(SeriesEvidence::ConnectionsCounted { connections }));
    }
    let ours = series.requests.iter().filter(|request| request.instance.is_some()).count();
    let turns = sequence.len().saturating_sub(ours);
    if sequence.visibility == Visibility::EveryTurn && turns > 0 {
        facts.push(PatternEvidence::Series(SeriesEvidence::BackgroundTurns { turns, of: sequence.len() }));
    }
    let failed = series.requests.iter().filter(|request| request.error.is_some()).count();
    if failed > 0 {
        facts.push(PatternEvidence::Series(SeriesEvidence::Failures { failed, sent: series.requests.len() }));
    }
    facts.extend(nameless(series));
    facts
}

/// The answers that name no instance, where others do.
fn nameless(series: &Series) -> Option<PatternEvidence> {
    let answers = series.requests.iter().filter(|request| request.error.is_none());
    let mut by_status: BTreeMap<u16, usize> = BTreeMap::new();
    let nameless = answers.clone().filter(|request| request.instance.is_none());
    for status in nameless.filter_map(|request| request.status) {
        *by_status.entry(status.get()).or_default() += 1;
    }
    let count: usize = by_status.values().sum();
    let answers = answers.count();
    (count > 0 && count < answers).then(|| {
        PatternEvidence::Series(SeriesEvidence::Nameless { by_status: by_status.into_iter().collect(), answers })
    })
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU16, time::Duration};

    use super::*;
    use crate::{
        analysis::{
            ALPHA,
            pattern::evidence::{OneInstanceEvidence, SeriesEvidence},
            series::connection_reuse::picks_per,
            verdict::Algorithm,
        },
        model::trace::{Action, Conditions, Connection, CookieJar, InstanceId, Request, SeriesName},
    };

    /// Requests over reused connections, as pairs of connection and instance.
    fn series(concurrency: u32, requests: impl IntoIterator<Item = (u16, u16)>) -> Series {
        let request = |(n, (connection, instance))| Request {
            port: NonZeroU16::new(connection + 1),
            instance: Some(InstanceId(instance)),
            status: NonZeroU16::new(200),
            ..Request::sent(n, Action::Get, Duration::ZERO, Duration::ZERO)
        };
        Series {
            name: SeriesName::WithoutJar,
            conditions: Conditions {
                jar: CookieJar::None,
                connection: Connection::Reused,
                path: "/".to_owned(),
                source: None,
                header: None,
                concurrency,
            },
            requests: (1..).zip(requests).map(request).collect(),
            cookies: Vec::new(),
            others: Vec::new(),
        }
    }

    fn find(series: &Series) -> Finding {
        find_in_series(series, ALPHA)
    }

    #[test]
    fn even_counts_over_connections_that_stay_are_no_round_robin_of_requests() {
        // 32 connections, each for good at one of 8 instances, and 64 requests over each
        let even = series(32, (0..2048).map(|n| (n % 32, n % 8)));
        assert_eq!(picks_per(&even), PicksPer::Connection { connections: 32 });
        let found = find(&even);
        assert_eq!(found.algorithm(), Algorithm::Undetermined, "{:?}", found.evidence);
        let counted = PatternEvidence::Series(SeriesEvidence::ConnectionsCounted { connections: 32 });
        assert!(found.evidence.contains(&counted), "{:?}", found.evidence);
        // as many requests, of which each is a pick
        let moving = series(32, (0..2048).map(|n| (n % 32, (n / 32 + n) % 8)));
        assert_eq!(picks_per(&moving), PicksPer::Request);
        assert_eq!(find(&moving).algorithm(), Algorithm::RoundRobin);
    }

    #[test]
    fn one_instance_is_as_sure_as_there_are_connections() {
        let over = |connections: u16| find(&series(8, (0..1000).map(|n| (n % connections, 0))));
        let few = over(8);
        assert_eq!(few.algorithm(), Algorithm::Undetermined);
        let over_few = OneInstanceEvidence::FewConnections { instance: InstanceId(0), answered: 1000, connections: 8 };
        assert_eq!(few.evidence[0], PatternEvidence::OneInstance(over_few));
        let many = over(128);
        assert_eq!(many.algorithm(), Algorithm::Single);
        let PatternEvidence::OneInstance(OneInstanceEvidence::Alone { picks, unit, .. }) = many.evidence[0] else {
            panic!("{:?}", many.evidence)
        };
        assert_eq!((picks, unit), (128, Unit::Connections));
    }

    #[test]
    fn connections_one_after_the_other_show_the_order_of_their_picks() {
        // a server that ends each after ten requests
        let in_turn = series(1, (0..600).map(|n| (n / 10, n / 10 % 5)));
        assert_eq!(Sequence::from_series(&in_turn).len(), 60);
        let found = find(&in_turn);
        assert_eq!((found.algorithm(), found.cycle.len()), (Algorithm::RoundRobin, 5), "{:?}", found.evidence);
    }

    #[test]
    fn where_some_connections_stay_and_some_move_nothing_is_said() {
        // even, but only every fourth connection ever moved
        let some = series(32, (0..2048).map(|n| (n % 32, if n % 4 == 0 { n / 32 % 4 } else { n % 4 })));
        assert_eq!(picks_per(&some), PicksPer::Unclear);
        assert_eq!(find(&some).algorithm(), Algorithm::Undetermined);
    }

    #[test]
    fn connections_of_one_request_each_are_as_good_as_fresh_ones() {
        let each = series(8, (0..504).map(|n| (n, n % 8)));
        assert_eq!((picks_per(&each), find(&each).algorithm()), (PicksPer::Request, Algorithm::RoundRobin));
    }
}
