//! The campaign of a probe: the experiments, their order, and the reason for each.

use rand::Rng;

use crate::analysis::{self, Case, Key};

use super::{
    at_once,
    background::LogCorrelation,
    comparison, cookies,
    error::CampaignError,
    jar, keys, load, one_connection, order,
    plan::{CampaignPlan, ExperimentName},
    procedure::{Experiments, Setting, conduct},
    progress::Progress,
    sender::Sender,
};

struct Row {
    /// The name with which a person picks the experiment.
    name: ExperimentName,
    /// Returns true if the experiment is made where a person picks none.
    is_called_for: fn(&CampaignPlan, &Case) -> bool,
    begin: Begin,
}

type Begin = for<'p> fn(&mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError>;

/// The experiments in the order in which they are made. Each comes after those that may make it needless.
const CAMPAIGN: [Row; 12] = [
    // requests without cookies, until their pattern is decided
    row(ExperimentName::Order, always, order::begin),
    // groups of requests at once, where other clients may hide the order
    row(ExperimentName::Order, always, at_once::begin),
    // requests with a cookie jar, until they leave an instance or look kept on it
    row(ExperimentName::Jar, always, jar::begin),
    // requests over one connection, until they leave an instance or look kept on it
    row(ExperimentName::Connection, always, one_connection::begin),
    // where a client looks kept: requests with and without the reason, in an order drawn by lot, until they decide
    row(ExperimentName::Jar, always, comparison::begin),
    // the same, if the connection alone was picked
    row(ExperimentName::Connection, always, comparison::begin),
    // values of the cookie that keeps the client, until they show how it does
    row(ExperimentName::Jar, always, cookies::begin_values),
    // values of a key that a hash may be taken of, until one key decides or all values lead to one instance
    row(ExperimentName::Sources, sources_are_called_for, keys::begin_sources),
    row(ExperimentName::Paths, paths_are_called_for, keys::begin_paths),
    row(ExperimentName::Jar, always, keys::begin_cookies),
    row(ExperimentName::Header, a_header_is_named, keys::begin_header),
    // busy instances, until they are seen to be avoided or not
    row(ExperimentName::Slow, load_is_called_for, load::begin),
];

const fn row(name: ExperimentName, is_called_for: fn(&CampaignPlan, &Case) -> bool, begin: Begin) -> Row {
    Row { name, is_called_for, begin }
}

fn always(_: &CampaignPlan, _: &Case) -> bool {
    true
}

fn sources_are_called_for(plan: &CampaignPlan, case: &Case) -> bool {
    !plan.sources.is_empty() || keys::may_decide(case)
}

fn paths_are_called_for(plan: &CampaignPlan, case: &Case) -> bool {
    // a hash may be taken of the address and the path together
    !plan.paths.is_empty() || keys::may_decide(case) || analysis::key_decides(case, Key::Source)
}

fn a_header_is_named(plan: &CampaignPlan, _: &Case) -> bool {
    plan.header.is_some()
}

fn load_is_called_for(plan: &CampaignPlan, case: &Case) -> bool {
    plan.slow_path.is_some() || load::may_decide(case)
}

impl Row {
    /// The experiments of this row that are to be made now.
    fn begin<'p>(&self, setting: &mut Setting<'p, '_>) -> Result<Experiments<'p>, CampaignError> {
        let Setting { plan, case, .. } = setting;
        let is_made = match self.name {
            // all others are compared with it
            ExperimentName::Order => true,
            name if !plan.picked.is_empty() => plan.picked.contains(&name),
            _ => (self.is_called_for)(plan, case),
        };
        if is_made { (self.begin)(setting) } else { Ok(Vec::new()) }
    }
}

/// Makes the experiments that were picked, or that the trace so far calls for. The requests of every experiment stay in
/// the sender's trace, also when the campaign ends early.
///
/// # Errors
/// When the target does not answer, or an experiment that was picked cannot be made.
pub async fn run_campaign(
    plan: &CampaignPlan,
    log: Option<&LogCorrelation>,
    sender: &mut impl Sender,
    random: &mut dyn Rng,
    progress: &mut dyn Progress,
) -> Result<(), CampaignError> {
    for row in CAMPAIGN {
        let experiments = row.begin(&mut Setting {
            plan,
            log,
            case: &Case::new(sender.trace(), plan.alpha),
            can_send_from: &|source| sender.can_send_from(source),
            random,
            progress,
        })?;
        for mut experiment in experiments {
            conduct(&mut *experiment, sender, plan.alpha, random, progress).await?;
        }
    }
    Ok(())
}
