//! A session test in words: the script step by step, and what it proves.

use comfy_table::Cell;

use crate::{
    analysis::{Session, SessionVerdict},
    model::trace::{Action, Request, SeriesName, Trace},
};

use super::{
    probe::{answered, short_session},
    style::{self, Paint, wrapped},
};

/// Rows that are shown of a long test: so many at the beginning,
const FIRST_ROWS: usize = 60;
/// and so many at the end.
const LAST_ROWS: usize = 10;

/// The steps with the cookie jar, then those without.
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
            answered(request, trace, paint),
            Cell::new(request.session_id.as_deref().map_or("-".to_owned(), short_session)),
            Cell::new(match (request.action, request.logged_in) {
                (Action::Open, _) | (_, None) => "-",
                (_, Some(true)) => "yes",
                (_, Some(false)) => "no",
            }),
        ]);
    }
    format!("{}\n", table.trim_fmt())
}

/// Every request of the test in the order it was sent, and whether it had the jar.
pub fn steps(trace: &Trace) -> impl Iterator<Item = (&Request, bool)> {
    let of = |name, with_jar| {
        let requests = trace.series(&name).map_or(&[][..], |series| &series.requests);
        requests.iter().map(move |request| (request, with_jar))
    };
    of(SeriesName::WithJar, true).chain(of(SeriesName::WithoutJar, false))
}

/// What a step is called.
pub fn step(request: &Request) -> &'static str {
    match request.action {
        Action::Open => "open",
        Action::Login => "login",
        Action::Get => "reload",
    }
}

/// What the test proves.
pub fn verdict(verdict: &SessionVerdict, expected: Option<Session>, passed: Option<bool>, paint: Paint) -> String {
    let headline = match verdict.session {
        Session::Undetermined => format!("session undetermined: {}", verdict.cause),
        Session::None => format!("no session: {}", verdict.cause),
        session => format!("session {}: {}", session.as_str(), verdict.cause),
    };
    let mut lines = vec![style::bold(&wrapped(&headline, "", "  "), paint)];
    lines.extend(verdict.evidence.iter().map(|sentence| wrapped(sentence, "  - ", "    ")));
    if let (Some(expected), Some(passed)) = (expected, passed) {
        let met = if passed { "as expected" } else { "NOT as expected" };
        lines.push(format!("{met}: {}", expected.as_str()));
    }
    lines.join("\n") + "\n"
}
