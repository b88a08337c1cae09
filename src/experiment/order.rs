//! The order of requests without cookies, each as from a new client. All other series are compared with this one.

use rand::Rng;

use crate::{
    analysis::{self, Case, SampleState},
    model::trace::{Connection, Series, SeriesName},
    probe::{Pauses, SeriesPlan},
};

use super::{
    background::LogCorrelation,
    error::CampaignError,
    plan::CampaignPlan,
    procedure::{Experiment, Experiments, NextStep, Setting},
};

/// The most requests of a series that the verdict ends: enough for a ring of a thousand instances. Ten instances need
/// at most 240.
const MAX_REQUESTS: u32 = 2500;
/// The number of first requests with random pauses. An order that every request follows shows itself by then; one that
/// is broken needs none.
const PAUSED_REQUESTS: u32 = 60;
/// The number of overlapping requests, which no verdict ends.
const OVERLAPPING_REQUESTS: u32 = 500;
/// The series without a cookie jar.
struct OrderExperiment<'p> {
    plan: &'p CampaignPlan,
    log: Option<&'p LogCorrelation>,
    series: Option<SeriesPlan>,
}

pub fn begin<'p>(setting: &mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError> {
    let (plan, log) = (setting.plan, setting.log);
    let most = if plan.overlaps() { OVERLAPPING_REQUESTS } else { MAX_REQUESTS };
    let series = SeriesPlan {
        concurrency: plan.concurrency,
        pauses: Pauses::Random { requests: PAUSED_REQUESTS },
        // overlapping requests are about counts and speed
        connection: plan.connection.unwrap_or(if plan.overlaps() { Connection::Reused } else { Connection::Fresh }),
        ..plan.series(SeriesName::WithoutJar, plan.requests.unwrap_or(most))
    };
    Ok(vec![Box::new(OrderExperiment { plan, log, series: Some(series) })])
}

impl Experiment for OrderExperiment<'_> {
    fn title(&self, case: &Case) -> String {
        let instances = case.trace().instances.len().max(self.plan.replicas());
        if self.plan.requests.is_some() || self.plan.overlaps() || instances < 2 {
            return SeriesName::WithoutJar.to_string();
        }
        format!(
            "without-jar ({instances} instances take {} or more)",
            analysis::fewest_requests(instances, case.alpha())
        )
    }

    fn total(&self) -> Option<u32> {
        self.plan.requests
    }

    fn next(&mut self, _: &Case, _: &mut dyn Rng) -> NextStep {
        NextStep::send_once(&mut self.series)
    }

    /// Either the order of sending or the order in the balancer's log may decide the verdict, because the log gets each
    /// request a moment late.
    fn is_enough(&self, case: &Case) -> bool {
        let enough = |series: &Series| {
            analysis::decide_sampling(series, self.plan.replicas(), case.alpha()) == SampleState::Enough
        };
        let Some(sent) = case.trace().series(&SeriesName::WithoutJar).filter(|_| !self.plan.overlaps()) else {
            return false;
        };
        enough(sent)
            || self
                .log
                .and_then(|log| log.series_so_far(case.trace(), &SeriesName::WithoutJar))
                .is_some_and(|logged| enough(&logged))
    }
}
