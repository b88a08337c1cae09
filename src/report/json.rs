//! The JSON that scripts rely on: `lbctl.probe.v1` and `lbctl.session-test.v1`.

use serde_json::{Value, json};

use crate::{
    analysis::{Checked, Session, SessionVerdict, Verdict, passed},
    trace::{Connection, Failure, InstanceId, Jar, Request, Series, SeriesName, Trace, Via},
};

use super::session::{step, steps};

/// A probe, and what became of what was expected of it.
pub fn probe(trace: &Trace, verdict: &Verdict, checked: &[Checked]) -> Value {
    json!({
        "schema": "lbctl.probe.v1",
        "target": target(trace),
        "series": trace.series.iter().map(|series| self::series(trace, series)).collect::<Vec<_>>(),
        "verdict": {
            "algorithm": verdict.algorithm.as_str(),
            "candidates": verdict.candidates.iter().map(|one| one.as_str()).collect::<Vec<_>>(),
            "ruled_out": verdict.ruled_out.iter().map(|out| json!({
                "algorithm": out.algorithm.as_str(), "test": out.test, "p": out.p,
            })).collect::<Vec<_>>(),
            "chance": verdict.chance,
            "instances": verdict.instances.iter().map(|instance| json!({
                "name": instance.name, "hits": instance.hits, "weight": instance.weight,
                "share": instance.share.map(|(least, most)| [least, most]),
            })).collect::<Vec<_>>(),
            "order": verdict.order.map(|order| order.as_str()),
            "cycle": verdict.cycle,
            "repeats_after": verdict.repeats_after,
            "even": verdict.even,
            "disturbed": verdict.disturbed,
            "regular_beyond": verdict.regular_beyond,
            "stickiness": verdict.stickiness.as_str(),
            "sticky_cookie": verdict.sticky_cookie,
            "sticky_by": null,
            "balances_per": verdict.balances_per.as_str(),
            "evidence": verdict.evidence,
        },
        "expected": checked.iter().map(|checked| json!({
            "expect": checked.expect, "outcome": checked.outcome.as_str(), "found": checked.found,
        })).collect::<Vec<_>>(),
        "passed": passed(checked),
    })
}

/// A session test.
pub fn session_test(trace: &Trace, verdict: &SessionVerdict, expected: Option<Session>, passed: Option<bool>) -> Value {
    let steps = steps(trace).enumerate().map(|(index, (request, with_jar))| {
        json!({
            "n": index + 1,
            "action": step(request),
            "instance": name(trace, request.instance),
            "hostname": hostname(trace, request.instance),
            "status": request.status,
            "session_id": request.session_id,
            "logged_in": request.logged_in,
            "jar": with_jar,
            "error": request.error.as_ref().map(failure),
        })
    });
    json!({
        "schema": "lbctl.session-test.v1",
        "target": target(trace),
        "steps": steps.collect::<Vec<_>>(),
        "verdict": {
            "session": verdict.session.as_str(),
            "kept_by": verdict.kept_by.map(|by| by.as_str()),
            "cause": verdict.cause,
            "sticky_cookie": verdict.sticky_cookie,
            "evidence": verdict.evidence,
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
        "lab": lab,
        "identified_by": trace.identified_by,
    })
}

fn series(trace: &Trace, series: &Series) -> Value {
    let conditions = &series.conditions;
    json!({
        "name": series.name.to_string(),
        "conditions": {
            "jar": conditions.jar == Jar::Kept,
            "cookie": match &series.name {
                SeriesName::CookieAlone(cookie) => Some(cookie),
                _ => None,
            },
            "connection": match conditions.connection {
                Connection::Fresh => "fresh",
                Connection::Reused => "reused",
            },
            "path": conditions.path,
            "source": conditions.source,
            "header": conditions.header.as_ref().map(|header| json!({ "name": header.name, "value": header.value })),
            "concurrency": conditions.concurrency,
        },
        "requests": series.requests.iter().map(|request| self::request(trace, request)).collect::<Vec<_>>(),
    })
}

fn request(trace: &Trace, request: &Request) -> Value {
    json!({
        "n": request.n,
        "action": step(request),
        "at_ms": millis(request.at_us),
        "instance": name(trace, request.instance),
        "hostname": hostname(trace, request.instance),
        "status": request.status,
        "ms": millis(request.us),
        "session_id": request.session_id,
        "logged_in": request.logged_in,
        "turn": request.turn,
        "error": request.error.as_ref().map(failure),
    })
}

fn failure(failure: &Failure) -> Value {
    json!({ "kind": failure.kind, "message": failure.message })
}

fn name(trace: &Trace, id: Option<InstanceId>) -> Option<&str> {
    trace.instances.get(usize::from(id?.0)).map(|instance| instance.name.as_str())
}

fn hostname(trace: &Trace, id: Option<InstanceId>) -> Option<&str> {
    trace.instances.get(usize::from(id?.0)).map(|instance| instance.hostname.as_str())
}

fn millis(us: u64) -> f64 {
    us as f64 / 1000.0
}
