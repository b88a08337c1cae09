//! The JSON that scripts rely on: `lbctl.probe.v1` and `lbctl.session-test.v1`.

use std::num::NonZeroU16;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::{
    analysis::{ClaimTest, Comparison, Outcome, Session, SessionVerdict, Verdict, combined_outcome},
    model::trace::{
        Connection, CookieJar, Failure, InstanceId, NameCertainty, PROBE_SCHEMA, Request, Series, SeriesName, Trace,
        Via,
    },
};

use super::cost::total_cost;
use super::sentence::{
    assumption, condition, flaw, sentences, session_cause, session_sentences, unmodelled, verdict_part,
};
use super::steps::{step_name, steps};

/// A probe with its verdict, and the outcome of each expectation. It is serialised while it is written, because there
/// may be a million requests.
pub fn probe<'a>(trace: &'a Trace, verdict: &Verdict, comparisons: &[Comparison]) -> impl Serialize + use<'a> {
    let expected = comparisons.iter().map(
        |comparison| json!({ "expect": comparison.expectation, "outcome": comparison.outcome.as_str(), "found": verdict_part(&comparison.found) }),
    );
    Probe {
        schema: PROBE_SCHEMA,
        target: target(trace),
        series: Each(move || trace.series.iter().map(|series| self::series(trace, series))),
        verdict: self::verdict(trace, verdict),
        expected: expected.collect(),
        passed: match combined_outcome(comparisons) {
            Outcome::Met => Some(true),
            Outcome::Contradicted => Some(false),
            Outcome::Undetermined => None,
        },
    }
}

#[derive(Serialize)]
struct Probe<S> {
    schema: &'static str,
    target: Value,
    series: S,
    verdict: Value,
    expected: Vec<Value>,
    passed: Option<bool>,
}

#[derive(Serialize)]
struct Experiment<R> {
    name: String,
    conditions: Value,
    requests: R,
}

#[derive(Serialize)]
struct Row<'a> {
    n: u32,
    action: &'static str,
    at_ms: f64,
    instance: Option<&'a str>,
    hostname: Option<&'a str>,
    status: Option<NonZeroU16>,
    ms: f64,
    session_id: Option<&'a str>,
    logged_in: Option<bool>,
    turn: Option<u64>,
    error: Option<&'a Failure>,
}

/// A list whose items are made one by one.
struct Each<F>(F);

impl<I: Iterator<Item: Serialize>, F: Fn() -> I> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0())
    }
}

fn verdict(trace: &Trace, verdict: &Verdict) -> Value {
    let cost = total_cost(trace);
    json!({
        "algorithm": verdict.algorithm.as_str(),
        "candidates": verdict.candidates.iter().map(|one| one.as_str()).collect::<Vec<_>>(),
        "not_modelled": verdict.not_modelled.iter().map(|one| json!({
            "mechanism": one.as_str(), "words": unmodelled(*one),
        })).collect::<Vec<_>>(),
        "near_weights": verdict.near_weights,
        "ruled_out": verdict.ruled_out.iter().map(|out| json!({
            "algorithm": out.algorithm.as_str(), "test": out.test.as_str(), "p": out.p,
        })).collect::<Vec<_>>(),
        "condition": verdict.condition().map(|_| condition(trace)),
        "chance": verdict.chance,
        "alpha": verdict.alpha,
        "requests": cost.0,
        "seconds": cost.1,
        "assumes": verdict.assumes.iter().map(|one| json!({
            "claim": one.claim.as_str(), "words": assumption(trace, one), "tested_by": one.test.map(ClaimTest::as_str),
        })).collect::<Vec<_>>(),
        "instances": verdict.instances.iter().map(|instance| json!({
            "name": instance.name, "hits": instance.hits, "weight": instance.weight,
            "share": instance.share.map(|(least, most)| [least, most]),
            "expected": instance.expected.map(|(least, most)| [least, most]),
        })).collect::<Vec<_>>(),
        "order": verdict.order.map(|order| order.as_str()),
        "cycle": verdict.cycle,
        "repeats_after": verdict.repeats_after,
        "even": verdict.even,
        "disturbed": verdict.background_share,
        "regular_beyond": verdict.regular_beyond,
        "stickiness": verdict.stickiness.as_str(),
        "sticky_cookie": verdict.sticky_cookie.as_ref().map(|cookie| &cookie.name),
        "sticky_by": verdict.sticky_cookie.as_ref().and_then(|cookie| Some(cookie.by?.as_str())),
        "sticky_cookie_maker": verdict.sticky_cookie.as_ref().and_then(|cookie| cookie.vendor),
        "sticky_cookie_attributes": verdict.sticky_cookie.as_ref().and_then(|cookie| cookie.attributes.as_ref()),
        "sticky_cookie_flaws": verdict.sticky_cookie.as_ref().map_or(Vec::new(), |cookie| cookie.flaws.iter().map(flaw).collect()),
        "balances_per": verdict.balances_per.as_str(),
        "evidence": sentences(trace, &verdict.evidence),
    })
}

pub fn session_test(trace: &Trace, verdict: &SessionVerdict, expected: Option<Session>, passed: Option<bool>) -> Value {
    let steps = steps(trace).enumerate().map(|(index, (request, with_jar))| {
        json!({
            "n": index + 1,
            "action": step_name(request),
            "instance": request.instance.map(|id| trace.instance_name(id)),
            "hostname": hostname(trace, request.instance),
            "status": request.status,
            "session_id": request.session_id,
            "logged_in": request.logged_in,
            "jar": with_jar,
            "error": request.error,
        })
    });
    json!({
        "schema": "lbctl.session-test.v1",
        "target": target(trace),
        "steps": steps.collect::<Vec<_>>(),
        "verdict": {
            "session": verdict.session.as_str(),
            "kept_by": verdict.kept_by.map(|by| by.as_str()),
            "cause": session_cause(trace, &verdict.cause),
            "sticky_cookie": verdict.sticky_cookie,
            "evidence": session_sentences(&verdict.evidence),
        },
        "expected": expected.map(Session::as_str),
        "passed": passed,
    })
}

fn target(trace: &Trace) -> Value {
    let (via, lab) = match &trace.target.via {
        Via::Lab(project) => ("lab", Some(project)),
        Via::Dns => ("dns", None),
        Via::Flag => ("flag", None),
    };
    json!({
        "url": trace.target.url,
        "connected_to": trace.target.connected_to,
        "via": via,
        "addresses": trace.target.addresses,
        "lab": lab,
        "identified_by": trace.identified_by.as_ref().map(|feature| &feature.words),
        "identified_surely": trace.identified_by.as_ref().map(|feature| feature.certainty == NameCertainty::Known),
        "identified": trace.instances.len(),
        "unidentified": trace.unidentified,
    })
}

fn series<'a>(trace: &'a Trace, series: &'a Series) -> impl Serialize + use<'a> {
    let conditions = &series.conditions;
    Experiment {
        name: series.name.to_string(),
        conditions: json!({
            "jar": conditions.jar == CookieJar::Kept,
            "cookie": match &series.name {
                SeriesName::CookieAlone(cookie) => Some(cookie),
                name => name.cookie_value().map(|value| &value.name),
            },
            "connection": match conditions.connection {
                Connection::Fresh => "fresh",
                Connection::Reused => "reused",
            },
            "path": conditions.path,
            "source": conditions.source,
            "header": conditions.header.as_ref().map(|header| json!({ "name": header.name, "value": header.value })),
            "concurrency": conditions.concurrency,
        }),
        requests: Each(move || series.requests.iter().map(|request| row(trace, request))),
    }
}

fn row<'a>(trace: &'a Trace, request: &'a Request) -> Row<'a> {
    Row {
        n: request.n,
        action: step_name(request),
        at_ms: millis(request.at_us),
        instance: request.instance.map(|id| trace.instance_name(id)),
        hostname: hostname(trace, request.instance),
        status: request.status,
        ms: millis(request.us),
        session_id: request.session_id.as_deref(),
        logged_in: request.logged_in,
        turn: request.turn,
        error: request.error.as_deref(),
    }
}

fn hostname(trace: &Trace, id: Option<InstanceId>) -> Option<&str> {
    trace.instances.get(usize::from(id?.0)).map(|instance| instance.hostname.as_str())
}

fn millis(us: u64) -> f64 {
    us as f64 / 1000.0
}
