//! The flags of `lbctl probe` as the plan of a campaign.

use crate::{
    cli::{self, Probe},
    commands::target::ResolvedTarget,
    experiment::{CampaignPlan, ExperimentName},
    model::trace::Connection,
    probe::Script,
};

/// The campaign that the flags ask for, against a target that was resolved.
pub fn plan(args: &Probe, target: &ResolvedTarget, script: Option<Script>) -> CampaignPlan {
    let flags = &args.experiments;
    CampaignPlan {
        url: target.url.clone(),
        alpha: args.alpha,
        requests: args.requests,
        concurrency: args.concurrency,
        connection: args.connection.map(connection),
        script,
        timeout: args.target.timeout,
        picked: flags.experiments.iter().filter_map(|experiment| name(*experiment)).collect(),
        sources: flags.from.clone(),
        paths: flags.paths.clone(),
        header: flags.vary_header.clone(),
        slow_path: flags.slow_path.clone(),
        lab: target.lab.as_ref().map(|lab| lab.service.clone()),
    }
}

fn connection(flag: cli::Connection) -> Connection {
    match flag {
        cli::Connection::Fresh => Connection::Fresh,
        cli::Connection::Reused => Connection::Reused,
    }
}

fn name(flag: cli::Experiment) -> Option<ExperimentName> {
    Some(match flag {
        cli::Experiment::Order => ExperimentName::Order,
        cli::Experiment::Jar => ExperimentName::Jar,
        cli::Experiment::Connection => ExperimentName::Connection,
        cli::Experiment::Sources => ExperimentName::Sources,
        cli::Experiment::Paths => ExperimentName::Paths,
        cli::Experiment::Header => ExperimentName::Header,
        cli::Experiment::Slow => ExperimentName::Slow,
        cli::Experiment::List => return None,
    })
}
