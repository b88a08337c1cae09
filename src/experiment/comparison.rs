//! The comparison by lot: requests with a cookie or over the one connection, and control requests without, in one pass whose
//! order is drawn by lot. It is made where a client looks kept on an instance, and shows whether the cookie or the
//! connection is the reason.
//!
//! One pass serves all comparisons: each block has the same control requests for all of them.

use std::vec::IntoIter;

use rand::{Rng, seq::SliceRandom};

use crate::{
    analysis::{self, Case, Treatment},
    model::trace::{Connection, SeriesName},
    probe::SeriesPlan,
};

use super::{
    error::CampaignError,
    plan::{CampaignPlan, ExperimentName},
    procedure::{Experiment, Experiments, NextStep, Setting},
};

/// The pass by lot.
pub struct ComparisonExperiment<'p> {
    /// The treatments that may be compared.
    is_picked: Box<dyn Fn(&Treatment) -> bool + 'p>,
    /// Control requests; the treated ones differ from them in the treatment alone.
    control: SeriesPlan,
    /// The series of the requests of this block that are still to be sent.
    block: IntoIter<SeriesName>,
}

pub fn begin<'p>(setting: &mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError> {
    let plan = setting.plan;
    let control = SeriesPlan { script: plan.script.clone(), ..plan.series(SeriesName::Control, 0) };
    Ok(vec![Box::new(ComparisonExperiment::new(control, |treatment| is_picked(plan, treatment)))])
}

/// Returns true if the user picked the experiment that the treatment belongs to, or picked none.
fn is_picked(plan: &CampaignPlan, treatment: &Treatment) -> bool {
    let name = match treatment {
        Treatment::Jar | Treatment::Cookie(_) => ExperimentName::Jar,
        Treatment::Connection => ExperimentName::Connection,
    };
    plan.picked.is_empty() || plan.picked.contains(&name)
}

impl<'p> ComparisonExperiment<'p> {
    /// A pass over the treatments that `is_picked` takes. `control` is the plan of the requests without a treatment.
    pub fn new(control: SeriesPlan, is_picked: impl Fn(&Treatment) -> bool + 'p) -> ComparisonExperiment<'p> {
        ComparisonExperiment { is_picked: Box::new(is_picked), control, block: Vec::new().into_iter() }
    }

    fn draw_block(&self, case: &Case, random: &mut dyn Rng) -> Vec<SeriesName> {
        let treated = analysis::treatments_to_compare(case).into_iter().filter(|one| (self.is_picked)(one));
        let treated: Vec<SeriesName> = treated.map(|treatment| treatment.series_by_lot()).collect();
        if treated.is_empty() {
            return Vec::new();
        }
        let each = treated.into_iter().chain([SeriesName::Control]);
        let mut block: Vec<SeriesName> = each.flat_map(|name| vec![name; analysis::BLOCK]).collect();
        block.shuffle(random);
        block
    }
}

impl Experiment for ComparisonExperiment<'_> {
    fn title(&self, _: &Case) -> String {
        "is a cookie or the connection the reason".to_owned()
    }

    fn next(&mut self, case: &Case, random: &mut dyn Rng) -> NextStep {
        if self.block.len() == 0 {
            self.block = self.draw_block(case, random).into_iter();
        }
        let Some(name) = self.block.next() else { return NextStep::Done };
        let most = case.trace().series_length(&name) + 1;
        let connection = match name {
            SeriesName::ConnectionByLot => Connection::Reused,
            _ => self.control.connection,
        };
        NextStep::send(SeriesPlan { name, most, connection, ..self.control.clone() })
    }
}
