//! The steps of a session test: its requests in the order of sending, with their names.

use crate::model::trace::{Action, Request, SeriesName, Trace};

/// All requests of the test in the order of sending, each with true if it had the cookie jar.
pub fn steps(trace: &Trace) -> impl Iterator<Item = (&Request, bool)> {
    let requests_of = |name, with_jar| {
        let requests = trace.series(&name).map_or(&[][..], |series| &series.requests);
        requests.iter().map(move |request| (request, with_jar))
    };
    requests_of(SeriesName::WithJar, true).chain(requests_of(SeriesName::WithoutJar, false))
}

/// The name of a step.
pub fn step_name(request: &Request) -> &'static str {
    match request.action {
        Action::Open => "open",
        Action::Login => "login",
        Action::Get => "reload",
    }
}
