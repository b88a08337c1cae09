//! The mechanism of the cookie that keeps a client on its instance.
//!
//! Values of the cookie are sent, both issued to other clients and made up. They show whether the balancer inserts the
//! cookie, hashes it, or learns it.

use rand::{Rng, seq::SliceRandom};

use crate::{
    analysis::{self, Case},
    model::trace::SeriesName,
    probe::SeriesPlan,
};

use super::{
    error::CampaignError,
    procedure::{Experiment, Experiments, NextStep, Setting},
};

/// The experiment that sends values of the cookie that keeps a client.
struct CookieValuesExperiment {
    cookie: String,
    plain: SeriesPlan,
    /// The values of this pass that are still to be sent.
    pass: std::vec::IntoIter<SeriesName>,
}

/// Sends values of the cookie that keeps a client, where there is one.
pub fn begin_values<'p>(setting: &mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError> {
    let plain = setting.plan.series(SeriesName::WithoutJar, 0);
    let values = |cookie| -> Box<dyn Experiment> {
        Box::new(CookieValuesExperiment { cookie, plain, pass: Vec::new().into_iter() })
    };
    Ok(analysis::sticky_cookie(setting.case).map(values).into_iter().collect())
}

impl Experiment for CookieValuesExperiment {
    fn title(&self, _: &Case) -> String {
        format!("how does {} keep a client", self.cookie)
    }

    /// Sends one value after the other, in passes, as long as another pass would show more.
    fn next(&mut self, case: &Case, random: &mut dyn Rng) -> NextStep {
        if self.pass.len() == 0 {
            let mut pass = analysis::next_values(case, &self.cookie);
            pass.shuffle(random);
            self.pass = pass.into_iter();
        }
        let Some(name) = self.pass.next() else { return NextStep::Done };
        let sent = case.trace().series_length(&name);
        NextStep::send(SeriesPlan { name, most: sent + 1, ..self.plain.clone() })
    }
}
