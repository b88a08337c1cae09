//! The cost of a probe: its requests and its time.

use crate::model::trace::Trace;

/// The number of all requests of a trace, and the seconds from the first to the end of the last.
pub fn total_cost(trace: &Trace) -> (u64, f64) {
    let requests = || trace.series.iter().flat_map(|series| &series.requests);
    let began = requests().map(|request| request.at_us).min().unwrap_or(0);
    let ended = requests().map(|request| request.at_us.saturating_add(request.us)).max().unwrap_or(0);
    (requests().count() as u64, ended.saturating_sub(began) as f64 / 1e6)
}
