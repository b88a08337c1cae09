//! One client that keeps its cookies, as a browser does. The experiment shows whether it stays on one instance.

use rand::Rng;

use crate::{
    analysis::{self, Case},
    model::trace::SeriesName,
    probe::SeriesPlan,
};

use super::{
    error::CampaignError,
    procedure::{Experiment, Experiments, NextStep, Setting},
};

/// The most requests of a series that the verdict ends, unless the verdict is to be surer than usual.
const MAX_REQUESTS: u32 = 150;
/// The fewest requests, if the series without a cookie jar had as many: they show what a client sees.
const MIN_REQUESTS: u32 = 15;

/// The same number where no cookie is set, so that this client is like any other.
const MIN_REQUESTS_WITHOUT_COOKIES: u32 = 5;

/// The series with a cookie jar.
struct JarExperiment {
    total: Option<u32>,
    series: Option<SeriesPlan>,
    /// The number of requests before which the series does not end.
    fewest: u32,
}

pub fn begin<'p>(setting: &mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError> {
    let (plan, trace) = (setting.plan, setting.case.trace());
    let free = trace.series_length(&SeriesName::WithoutJar);
    let most = plan.requests_in_turn().unwrap_or_else(|| analysis::request_limit(MAX_REQUESTS, plan.alpha));
    let series = SeriesPlan { script: plan.script.clone(), ..plan.series(SeriesName::WithJar, most) };
    Ok(vec![Box::new(JarExperiment {
        total: plan.requests_in_turn(),
        series: Some(series),
        fewest: free.min(MIN_REQUESTS),
    })])
}

impl Experiment for JarExperiment {
    fn title(&self, _: &Case) -> String {
        SeriesName::WithJar.to_string()
    }

    fn total(&self) -> Option<u32> {
        self.total
    }

    fn next(&mut self, _: &Case, _: &mut dyn Rng) -> NextStep {
        NextStep::send_once(&mut self.series)
    }

    fn is_enough(&self, case: &Case) -> bool {
        let sent = case.trace().series_length(&SeriesName::WithJar);
        let sets_cookies = case.trace().series(&SeriesName::WithJar).is_some_and(|series| !series.cookies.is_empty());
        let fewest = if sets_cookies { self.fewest } else { self.fewest.min(MIN_REQUESTS_WITHOUT_COOKIES) };
        sent >= fewest && analysis::enough_with_jar(case)
    }
}
