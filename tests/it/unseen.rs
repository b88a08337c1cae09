//! What the first series does not show: answers without a name, and instances that answer elsewhere.

use std::{net::Ipv4Addr, num::NonZeroU16};

use lbctl::{
    analysis::{
        ALPHA, Algorithm, Case, Expectation, Outcome, SampleState, Strictness, Verdict, decide_sampling, judge,
    },
    model::trace::{Failure, FailureKind, Request, Series, SeriesName, Trace},
};

use crate::support::traces::{self, request, trace};

fn series(name: SeriesName, picks: &str) -> Series {
    let pick = |byte: u8| (byte != b'.').then(|| u16::from(byte - b'a'));
    traces::series(name, (1..).zip(picks.bytes()).map(|(n, byte)| request(n, pick(byte))).collect())
}

fn free(picks: &str) -> Series {
    series(SeriesName::WithoutJar, picks)
}

fn verdict(trace: &Trace) -> Verdict {
    judge(&Case::new(trace, ALPHA))
}

fn outcome(expectation: &str, verdict: &Verdict) -> Outcome {
    Expectation::parse(expectation).unwrap().check(verdict, Strictness::Pattern, ALPHA).outcome
}

/// Irregularly, so many of a hundred.
fn with_nameless(share: u32, picks: usize) -> String {
    let mut state = 17u32;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if (state >> 16) % 100 < share { '.' } else { 'a' }
    };
    (0..picks).map(|_| draw()).collect()
}

#[test]
fn whoever_gave_answers_without_a_name_may_be_another() {
    let mut half = free(&with_nameless(50, 250));
    half.requests.iter_mut().for_each(|request| request.status = NonZeroU16::new(200));
    let verdict = verdict(&trace(vec![half]));
    assert_eq!(verdict.algorithm, Algorithm::Undetermined, "{:?}", verdict.evidence);
    for possible in [Algorithm::Single, Algorithm::Random, Algorithm::WeightedRoundRobin, Algorithm::LeastConnections] {
        assert!(verdict.candidates.contains(&possible), "{possible:?}: {:?}", verdict.candidates);
    }
    let said = traces::evidence(&verdict).join("\n");
    assert!(said.contains("name no instance (") && said.contains(" with 200)"), "{said}");
    assert_eq!(outcome("single", &verdict), Outcome::Undetermined);
}

#[test]
fn a_few_answers_without_a_name_are_no_equal_instance() {
    let picks = with_nameless(5, 120);
    assert!(picks.contains('.'));
    let verdict = verdict(&trace(vec![free(&picks)]));
    assert_eq!(verdict.algorithm, Algorithm::Single, "{:?}", verdict.evidence);
    assert!(traces::evidence(&verdict)[0].contains("have no answer that says who gave it"), "{:?}", verdict.evidence);
    assert!(verdict.chance < ALPHA);
}

#[test]
fn an_instance_that_answers_in_another_series_is_counted() {
    let both = trace(vec![free(&"ab".repeat(30)), series(SeriesName::OneConnection, "ca")]);
    let verdict = verdict(&both);
    // a client in step may have left a part of a longer round
    assert_eq!((verdict.algorithm, verdict.order), (Algorithm::Undetermined, None));
    assert!(verdict.candidates.contains(&Algorithm::RoundRobin) && verdict.cycle.is_empty());
    let hits: Vec<usize> = verdict.instances.iter().map(|instance| instance.hits).collect();
    assert_eq!(hits, [30, 30, 0]);
    assert!(
        traces::evidence(&verdict).iter().any(|said| said.contains("but web-3 answered 1 request in other series"))
    );
    assert_eq!(outcome("instances>=3", &verdict), Outcome::Met);
    assert_eq!(outcome("instances=2", &verdict), Outcome::Contradicted);
    assert_eq!(outcome("spread<=10%", &verdict), Outcome::Undetermined);
}

#[test]
fn one_that_others_help_under_load_may_not_be_alone() {
    let alone = free(&"a".repeat(40));
    let mut slow = series(SeriesName::Slow, "abc");
    slow.conditions.path = "/?delay=2000".to_owned();
    let held = trace(vec![alone.clone(), slow, series(SeriesName::Meanwhile, "aaaa")]);
    let verdict = verdict(&held);
    assert_eq!(verdict.algorithm, Algorithm::Undetermined, "{:?}", verdict.evidence);
    assert!(verdict.candidates.contains(&Algorithm::Single) && verdict.candidates.contains(&Algorithm::RoundRobin));
    let quiet = judge(&Case::new(&trace(vec![alone, series(SeriesName::Slow, "aaa")]), ALPHA));
    assert_eq!(quiet.algorithm, Algorithm::Single);
}

#[test]
fn other_series_that_say_the_same_leave_less_room_for_others() {
    let sources = (1..=60).map(|n| series(SeriesName::Source(Ipv4Addr::new(127, 9, 0, n).into()), "a"));
    let verdict = verdict(&trace([free(&"a".repeat(30))].into_iter().chain(sources).collect()));
    let said = "with the other series it answered 90 such requests, in which one that gets more than 16 % would";
    assert!(traces::evidence(&verdict).iter().any(|sentence| sentence.starts_with(said)), "{:?}", verdict.evidence);
}

#[test]
fn an_instance_that_only_other_paths_reach_is_not_the_same_one() {
    let paths = (0..27).map(|n| series(SeriesName::Path(format!("/p{n}")), "b"));
    let verdict = verdict(&trace([free(&"a".repeat(30))].into_iter().chain(paths).collect()));
    let said = "27 paths: one instance answers, but another than here";
    assert!(traces::evidence(&verdict).iter().any(|sentence| sentence.starts_with(said)), "{:?}", verdict.evidence);
    assert_eq!(verdict.instances.len(), 1);
}

#[test]
fn what_is_not_decided_has_its_candidates() {
    for (picks, open) in [("abcab", Algorithm::Random), ("aaaabbbb", Algorithm::SourceHash), ("aaa", Algorithm::Single)]
    {
        let verdict = verdict(&trace(vec![free(picks)]));
        assert_eq!(verdict.algorithm, Algorithm::Undetermined);
        assert!(verdict.candidates.contains(&open), "{picks}: {:?}", verdict.candidates);
        let out: Vec<_> = verdict.ruled_out.iter().map(|out| out.algorithm).collect();
        assert!(verdict.candidates.iter().all(|candidate| !out.contains(candidate)), "{picks}: {out:?}");
    }
}

#[test]
fn addresses_are_placed_in_turn_though_free_requests_overlapped() {
    let mut alone = free(&"a".repeat(60));
    alone.conditions.concurrency = 8;
    let placed = "abc".repeat(16);
    let mut all = vec![alone];
    for pass in 0..2u32 {
        for (n, to) in (1..).zip(placed.chars()) {
            let name = SeriesName::Source(Ipv4Addr::new(127, 7, 0, n).into());
            let at_us = u64::from(pass * 1000 + u32::from(n)) * 1000 + 1_000_000;
            let found = all.iter().position(|series| series.name == name);
            let index = found.unwrap_or_else(|| {
                all.push(series(name, ""));
                all.len() - 1
            });
            let requests = &mut all[index].requests;
            requests.push(Request { at_us, ..request(pass + 1, Some(to as u16 - u16::from(b'a'))) });
        }
    }
    let verdict = verdict(&trace(all));
    assert_eq!(verdict.algorithm, Algorithm::RoundRobin, "{:?}", verdict.evidence);
    assert!(traces::evidence(&verdict).iter().any(|said| said.contains("were given to the instances in turn")));
}

#[test]
fn nobody_waits_for_more_than_a_dozen_answers_that_never_come() {
    let late = |n| Request {
        error: Some(Box::new(Failure { kind: FailureKind::Timeout, message: "no answer within 10s".into() })),
        us: 10_000_000,
        ..request(n, None)
    };
    let mut hangs = free(&"ab".repeat(12));
    assert_eq!(decide_sampling(&free("aab.b"), 0, ALPHA), SampleState::More);
    hangs.requests.extend((25..37).map(late));
    assert_eq!(decide_sampling(&hangs, 0, ALPHA), SampleState::Enough);
}
