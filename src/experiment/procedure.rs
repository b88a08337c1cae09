//! The procedure of all experiments: an experiment names its next step, the step is made, and so on.

use std::{net::IpAddr, ops::ControlFlow, time::Duration};

use rand::Rng;

use crate::{analysis::Case, model::trace::Trace, probe::SeriesPlan};

use super::{background::LogCorrelation, error::CampaignError, plan::CampaignPlan, progress::Progress, sender::Sender};

/// The next step of an experiment.
#[derive(Debug, Clone)]
pub enum NextStep {
    /// Sends a series, or the rest of it.
    Send(Box<SeriesPlan>),
    /// Sends slow requests at once, and quick requests meanwhile.
    Hold(Box<HoldPlan>),
    /// Ends the experiment.
    Done,
}

/// The plan to send `slow.concurrency` slow requests at once and, for at most `lasting`, the requests of `quick`
/// meanwhile.
#[derive(Debug, Clone)]
pub struct HoldPlan {
    pub slow: SeriesPlan,
    pub quick: SeriesPlan,
    pub lasting: Duration,
}

impl NextStep {
    pub fn send(series: SeriesPlan) -> NextStep {
        NextStep::Send(Box::new(series))
    }

    /// Sends the series if it is still there, and takes it.
    pub fn send_once(series: &mut Option<SeriesPlan>) -> NextStep {
        series.take().map_or(NextStep::Done, NextStep::send)
    }

    pub fn hold(slow: SeriesPlan, quick: SeriesPlan, lasting: Duration) -> NextStep {
        NextStep::Hold(Box::new(HoldPlan { slow, quick, lasting }))
    }
}

/// An experiment: decides from the trace so far what to send next.
pub trait Experiment {
    /// The title of the experiment, in a few words. It may change with the case.
    fn title(&self, case: &Case) -> String;

    /// The number of requests of the experiment, where the user named one. It then sends all of them.
    fn total(&self) -> Option<u32> {
        None
    }

    fn next(&mut self, case: &Case, random: &mut dyn Rng) -> NextStep;

    /// Returns true if the series that is being sent may end here. This is called after each request.
    fn is_enough(&self, _: &Case) -> bool {
        false
    }
}

/// Experiments that follow one another.
pub type Experiments<'p> = Vec<Box<dyn Experiment + 'p>>;

/// The inputs of the `begin` functions of the experiments.
pub struct Setting<'p, 'a> {
    pub plan: &'p CampaignPlan,
    pub log: Option<&'p LogCorrelation>,
    pub case: &'a Case<'a>,
    pub can_send_from: &'a dyn Fn(IpAddr) -> bool,
    pub random: &'a mut dyn Rng,
    pub progress: &'a mut dyn Progress,
}

/// Makes one experiment from its first request to its last.
pub async fn conduct(
    experiment: &mut dyn Experiment,
    sender: &mut impl Sender,
    alpha: f64,
    random: &mut dyn Rng,
    progress: &mut dyn Progress,
) -> Result<(), CampaignError> {
    let (before, total) = (request_count(sender.trace()), experiment.total());
    let mut next = first(experiment, sender.trace(), alpha, random, progress);
    let made = loop {
        let sent = match next {
            NextStep::Done => break Ok(()),
            NextStep::Hold(held) => sender.hold(&held.slow, &held.quick, held.lasting).await,
            NextStep::Send(series) => {
                let go_on = |trace: &Trace| {
                    progress.advance(request_count(trace) - before);
                    if total.is_some() {
                        return ControlFlow::Continue(());
                    }
                    let case = Case::new(trace, alpha);
                    progress.retitle(&experiment.title(&case));
                    if experiment.is_enough(&case) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                };
                sender.send(&series, go_on).await
            }
        };
        if let Err(unreachable) = sent {
            break Err(unreachable.into());
        }
        progress.advance(request_count(sender.trace()) - before);
        next = experiment.next(&Case::new(sender.trace(), alpha), random);
    };
    progress.finish();
    made
}

/// The first step of the experiment. An experiment that sends nothing shows no progress.
fn first(
    experiment: &mut dyn Experiment,
    trace: &Trace,
    alpha: f64,
    random: &mut dyn Rng,
    progress: &mut dyn Progress,
) -> NextStep {
    let case = Case::new(trace, alpha);
    let next = experiment.next(&case, random);
    if !matches!(next, NextStep::Done) {
        progress.start(&experiment.title(&case), experiment.total());
    }
    next
}

fn request_count(trace: &Trace) -> u64 {
    trace.series.iter().map(|series| series.requests.len() as u64).sum()
}
