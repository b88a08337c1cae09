//! The next comparison by lot: the treatments that are still open, and worth more requests.

use crate::{
    analysis::{affinity::stickiness, affinity::treatment::Treatment, case::Case, sampling::stop::request_limit},
    model::trace::SeriesName,
};

/// The most control requests of a pass, unless the verdict is to be surer than usual: enough for one of two instances.
const MAX_CONTROL_REQUESTS: u32 = 120;

/// The treatments that a pass by lot is to compare next with control requests; none where it would show nothing more.
pub fn treatments_to_compare(case: &Case) -> Vec<Treatment> {
    let sent = case.trace().series_length(&SeriesName::Control);
    if sent >= request_limit(MAX_CONTROL_REQUESTS, case.alpha()) {
        return Vec::new();
    }
    let cookies = stickiness::cookies_to_send_alone(case).into_iter().map(Treatment::Cookie);
    let all = [Treatment::Jar, Treatment::Connection].into_iter().chain(cookies);
    all.filter(|treatment| treatment.is_worth_comparing(case)).collect()
}
