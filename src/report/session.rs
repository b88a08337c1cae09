//! A session test as text: its steps and its verdict.

use comfy_table::Cell;
use serde::Serialize;

use crate::{
    analysis::{Session, SessionVerdict},
    model::trace::{Action, Trace},
};

use super::{
    Report, json,
    probe::{answer_cell, short_session_id, target},
    sentence::{asked_address, session_cause, session_sentences},
    steps::{step_name, steps},
    style::{self, Paint},
    text::{printable, wrapped},
};

/// The rows at the beginning of a long test that are shown.
const FIRST_ROWS: usize = 60;
/// The rows at the end of a long test that are shown.
const LAST_ROWS: usize = 10;

/// A session test with its verdict and its expected result.
pub struct SessionReport<'t> {
    pub trace: &'t Trace,
    pub verdict: &'t SessionVerdict,
    pub expected: Option<Session>,
    /// The comparison of the verdict with the expected result; `None` where one of them is missing.
    pub passed: Option<bool>,
}

impl Report for SessionReport<'_> {
    fn table(&self, paint: Paint) -> String {
        let SessionReport { trace, verdict, expected, passed } = *self;
        let steps = render_steps(trace, paint);
        format!("{}\n\n{steps}\n{}", target(trace), render_verdict(trace, verdict, expected, passed, paint))
    }

    fn json(&self) -> impl Serialize {
        let SessionReport { trace, verdict, expected, passed } = *self;
        json::session_test(trace, verdict, expected, passed)
    }
}

/// A table of the steps: those with the cookie jar, then those without.
fn render_steps(trace: &Trace, paint: Paint) -> String {
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
            Cell::new(step_name(request)),
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

/// The verdict in words, with its cause and its evidence.
fn render_verdict(
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
    let asked = asked_address(&trace.target.addresses, trace.target.connected_to.as_deref());
    lines.extend(asked.map(|asked| wrapped(&printable(&asked), "  dns: ", "    ")));
    if let (Some(expected), Some(passed)) = (expected, passed) {
        let met = if passed { "as expected" } else { "NOT as expected" };
        lines.push(format!("{met}: {}", expected.as_str()));
    }
    lines.join("\n") + "\n"
}
