//! A session test as text: its steps and its verdict.

use comfy_table::Cell;

use crate::{
    analysis::{Session, SessionVerdict},
    model::trace::{Action, Request, SeriesName, Trace},
};

use super::{
    probe::{answer_cell, short_session_id},
    sentence::{session_cause, session_sentences},
    style::{self, Paint},
    text::wrapped,
};

/// The rows at the beginning of a long test that are shown.
const FIRST_ROWS: usize = 60;
/// The rows at the end of a long test that are shown.
const LAST_ROWS: usize = 10;

/// A table of the steps: those with the cookie jar, then those without.
pub fn table(trace: &Trace, paint: Paint) -> String {
    let mut table = style::table(paint);
    table.set_header(["#", "step", "cookies", "instance", "session", "logged in"]);
    let count = steps(trace).count();
    for (index, (request, with_jar)) in steps(trace).enumerate() {
        if count > FIRST_ROWS + LAST_ROWS && (FIRST_ROWS..count - LAST_ROWS).contains(&index) {
            if index == FIRST_ROWS {
                table.add_row(["…".to_owned(), format!("{} more", count - FIRST_ROWS - LAST_ROWS)]);
            }
            continue;
        }
        table.add_row([
            Cell::new(index + 1),
            Cell::new(step(request)),
            Cell::new(if with_jar { "kept" } else { "none" }),
            answer_cell(request, trace, paint),
            Cell::new(request.session_id.as_deref().map_or("-".to_owned(), short_session_id)),
            Cell::new(match (request.action, request.logged_in) {
                (Action::Open, _) | (_, None) => "-",
                (_, Some(true)) => "yes",
                (_, Some(false)) => "no",
            }),
        ]);
    }
    format!("{}\n", table.trim_fmt())
}

/// All requests of the test in the order of sending, each with true if it had the cookie jar.
pub fn steps(trace: &Trace) -> impl Iterator<Item = (&Request, bool)> {
    let requests_of = |name, with_jar| {
        let requests = trace.series(&name).map_or(&[][..], |series| &series.requests);
        requests.iter().map(move |request| (request, with_jar))
    };
    requests_of(SeriesName::WithJar, true).chain(requests_of(SeriesName::WithoutJar, false))
}
pub fn step(request: &Request) -> &'static str {
    match request.action {
        Action::Open => "open",
        Action::Login => "login",
        Action::Get => "reload",
    }
}

/// The verdict in words, with its cause and its evidence.
pub fn verdict(
    trace: &Trace,
    verdict: &SessionVerdict,
    expected: Option<Session>,
    passed: Option<bool>,
    paint: Paint,
) -> String {
    let cause = session_cause(trace, &verdict.cause);
    let headline = match verdict.session {
        Session::Undetermined => format!("session undetermined: {cause}"),
        Session::None => format!("no session: {cause}"),
        session => format!("session {}: {cause}", session.as_str()),
    };
    let mut lines = vec![style::bold(&wrapped(&headline, "", "  "), paint)];
    lines.extend(session_sentences(&verdict.evidence).iter().map(|sentence| wrapped(sentence, "  - ", "    ")));
    if let (Some(expected), Some(passed)) = (expected, passed) {
        let met = if passed { "as expected" } else { "NOT as expected" };
        lines.push(format!("{met}: {}", expected.as_str()));
    }
    lines.join("\n") + "\n"
}
