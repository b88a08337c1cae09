//! The cookies of a target: the one that keeps a client on its instance, and its mechanism.
//!
//! Each cookie that may keep the client is sent alone. Then values of the one that does are sent, both issued to other
//! clients and made up, which shows whether the balancer inserts the cookie, hashes it, or learns it.

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

/// The most requests with one cookie alone, unless the verdict is to be surer than usual.
const MAX_REQUESTS_ALONE: u32 = 60;

/// The experiment that sends one cookie alone.
struct CookieAloneExperiment {
    name: SeriesName,
    series: Option<SeriesPlan>,
}

/// Sends each cookie that may keep a client alone.
pub fn begin_alone<'p>(setting: &mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError> {
    Ok(each_alone(setting.case, &setting.plan.series(SeriesName::WithoutJar, 0)))
}

/// Sends each cookie that may keep a client alone, with requests that are otherwise those of `plain`.
pub fn each_alone(case: &Case, plain: &SeriesPlan) -> Experiments<'static> {
    let most = analysis::request_limit(MAX_REQUESTS_ALONE, case.alpha());
    let alone = |cookie: String| -> Box<dyn Experiment> {
        let name = SeriesName::CookieAlone(cookie);
        let series = SeriesPlan { name: name.clone(), most, ..plain.clone() };
        Box::new(CookieAloneExperiment { name, series: Some(series) })
    };
    analysis::candidate_cookies(case).into_iter().map(alone).collect()
}

impl Experiment for CookieAloneExperiment {
    fn title(&self, _: &Case) -> String {
        self.name.to_string()
    }

    fn next(&mut self, _: &Case, _: &mut dyn Rng) -> NextStep {
        NextStep::send_once(&mut self.series)
    }

    fn is_enough(&self, case: &Case) -> bool {
        analysis::enough_alone(case, &self.name)
    }
}

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
