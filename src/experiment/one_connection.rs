//! Requests over one connection. The experiment shows whether the balancer picks once per request or once per
//! connection.

use rand::Rng;

use crate::{
    analysis::{self, Case},
    model::trace::{Connection, SeriesName},
    probe::SeriesPlan,
};

use super::{
    error::CampaignError,
    procedure::{Experiment, Experiments, NextStep, Setting},
};

/// The most requests over one connection, unless the verdict is to be surer than usual.
const MAX_REQUESTS: u32 = 60;

/// The series over one connection.
struct OneConnectionExperiment {
    series: Option<SeriesPlan>,
}

/// Sends requests over one connection, unless the other series reuse connections and show the same.
pub fn begin<'p>(setting: &mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError> {
    let plan = setting.plan;
    if plan.connection_in_turn() == Connection::Reused {
        return Ok(Vec::new());
    }
    // the number that a person asked for is that of the two series that are shown
    let most = analysis::request_limit(MAX_REQUESTS, plan.alpha);
    let series = SeriesPlan { connection: Connection::Reused, ..plan.series(SeriesName::OneConnection, most) };
    Ok(vec![Box::new(OneConnectionExperiment { series: Some(series) })])
}

impl Experiment for OneConnectionExperiment {
    fn title(&self, _: &Case) -> String {
        SeriesName::OneConnection.to_string()
    }

    fn next(&mut self, _: &Case, _: &mut dyn Rng) -> NextStep {
        NextStep::send_once(&mut self.series)
    }

    fn is_enough(&self, case: &Case) -> bool {
        analysis::enough_on_one_connection(case)
    }
}
