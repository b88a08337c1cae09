//! Groups of requests at once. Where other clients may hide the order of the balancer, these show whether it gives turns.

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

/// The series of groups.
struct AtOnceExperiment {
    /// A group: `most` counts the requests of the groups so far.
    group: SeriesPlan,
    /// The number of requests of all groups.
    total: u32,
}

pub fn begin<'p>(setting: &mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError> {
    let plan = setting.plan;
    let Some((groups, size)) = analysis::groups_to_send(setting.case).filter(|_| !plan.overlaps()) else {
        return Ok(Vec::new());
    };
    let one_by_one = plan.series(SeriesName::AtOnce, 0);
    let group = SeriesPlan { connection: Connection::Fresh, concurrency: size, ..one_by_one };
    Ok(vec![Box::new(AtOnceExperiment { group, total: groups * size })])
}

impl Experiment for AtOnceExperiment {
    fn title(&self, _: &Case) -> String {
        "do requests at once go to different instances".to_owned()
    }

    fn next(&mut self, case: &Case, _: &mut dyn Rng) -> NextStep {
        if self.group.most >= self.total || analysis::enough_groups(case) {
            return NextStep::Done;
        }
        self.group.most += self.group.concurrency;
        NextStep::send(self.group.clone())
    }
}
