//! A login and reloads, as `session-test` sends them: one client with a cookie jar, then clients without one, and then both in an
//! order drawn by lot, where the client looks kept.

use rand::Rng;

use crate::{
    analysis::{ALPHA, Case, ServiceSettings, Session, Treatment},
    model::{
        ServiceView, Strategy,
        trace::{Connection, SeriesName},
    },
    probe::{Pauses, Script, SeriesPlan},
};

use super::{
    comparison::ComparisonExperiment,
    error::CampaignError,
    procedure::{Experiment, NextStep, conduct},
    progress::Progress,
    sender::Sender,
};

/// The number of reloads, unless more are needed to be sure.
const RELOADS: u32 = 10;
/// The requests of a client with a jar before its first reload: it opens the page and logs in.
const BEFORE_RELOADS: u32 = 2;

/// The requests of a session test, as the user asks for them.
#[derive(Debug, Clone)]
pub struct LoginPlan {
    /// The path and query that open the page.
    pub path: String,
    pub script: Script,
    /// The number of reloads; `None` for the usual number.
    pub reloads: Option<u32>,
    /// The settings of the service, where a lab is tested.
    pub settings: Option<ServiceSettings>,
}

/// Sends the login and the reloads, and then compares reloads with and without the cookies by lot, if these may keep the client.
///
/// # Errors
/// When the target does not answer.
pub async fn play_login(
    plan: &LoginPlan,
    sender: &mut impl Sender,
    random: &mut dyn Rng,
    progress: &mut dyn Progress,
) -> Result<(), CampaignError> {
    conduct(&mut LoginExperiment { plan, stage: Stage::WithJar }, sender, ALPHA, random, progress).await?;
    let mut comparison = ComparisonExperiment::new(plan.series(SeriesName::Control, 0), keeps_by_cookies);
    conduct(&mut comparison, sender, ALPHA, random, progress).await
}

fn keeps_by_cookies(treatment: &Treatment) -> bool {
    match treatment {
        Treatment::Jar | Treatment::Cookie(_) => true,
        Treatment::Connection => false,
    }
}

/// The result that a session test has in a lab with these settings.
pub fn expected_session(settings: ServiceSettings) -> Session {
    let ServiceSettings { replicas, source_hash, sticky } = settings;
    if replicas <= 1 || source_hash || sticky { Session::Kept } else { Session::Lost }
}

/// The settings of a lab's service that matter to a session.
pub fn service_settings(service: &ServiceView) -> ServiceSettings {
    ServiceSettings {
        replicas: service.ready(),
        source_hash: service.strategy.known().is_some_and(Strategy::hashes_client),
        sticky: service.sticky_cookie.is_some(),
    }
}

struct LoginExperiment<'p> {
    plan: &'p LoginPlan,
    stage: Stage,
}

/// The next stage of the experiment.
enum Stage {
    WithJar,
    WithoutJar,
    Over,
}

impl LoginPlan {
    fn series(&self, name: SeriesName, most: u32) -> SeriesPlan {
        let (path, script) = (self.path.clone(), Some(self.script.clone()));
        SeriesPlan { name, connection: Connection::Fresh, path, script, most, concurrency: 1, pauses: Pauses::None }
    }
}

impl Experiment for LoginExperiment<'_> {
    fn title(&self, _: &Case) -> String {
        "reloading".to_owned()
    }

    fn next(&mut self, _: &Case, _: &mut dyn Rng) -> NextStep {
        let reloads = self.plan.reloads.unwrap_or(RELOADS);
        let (name, most, then) = match self.stage {
            Stage::WithJar => (SeriesName::WithJar, reloads + BEFORE_RELOADS, Stage::WithoutJar),
            Stage::WithoutJar => (SeriesName::WithoutJar, reloads, Stage::Over),
            Stage::Over => return NextStep::Done,
        };
        self.stage = then;
        NextStep::send(self.plan.series(name, most))
    }
}
