//! A campaign against a target, from finding the target to the last entry of the lab's log.

use crate::{
    cli::Probe,
    commands::{
        console::{ExperimentBar, Signals},
        target::{self, ResolvedTarget},
    },
    error::Error,
    experiment::run_campaign,
    model::trace::Trace,
};

use super::plan::plan;

/// The trace of a target, and how complete it is.
pub struct Observation {
    pub trace: Trace,
    pub extent: Extent,
}

/// The part of a campaign that was made.
#[derive(Clone, Copy, PartialEq)]
pub enum Extent {
    All,
    UntilInterrupted,
}

/// Makes the campaign, until it is interrupted; `None` if nothing had answered by then.
pub async fn probe(args: &Probe, signals: &mut Signals) -> Result<Option<Observation>, Error> {
    match signals.unless(resolve(args)).await.transpose()? {
        Some(resolved) => probe_target(args, resolved, signals).await,
        None => Ok(None),
    }
}

/// Resolves the target of the flags.
pub async fn resolve(args: &Probe) -> Result<ResolvedTarget, Error> {
    target::resolve(&args.target, args.path.as_deref()).await
}

/// Makes the campaign against a target that was resolved, as [`probe`] does.
pub async fn probe_target(
    args: &Probe,
    mut resolved: ResolvedTarget,
    signals: &mut Signals,
) -> Result<Option<Observation>, Error> {
    let begin = async {
        let script = target::script(&args.target, &resolved)?;
        let prober = target::prober(&args.target, &mut resolved, args.experiments.from.first().copied()).await?;
        let log = target::follow_log(&resolved).await?;
        Ok::<_, Error>((plan(args, &resolved, script), prober, log))
    };
    let Some((plan, mut prober, log)) = signals.unless(begin).await.transpose()? else { return Ok(None) };
    let (mut random, mut bar) = (rand::rng(), ExperimentBar::default());
    let campaign = run_campaign(&plan, log.as_ref(), &mut prober, &mut random, &mut bar);
    let extent = match signals.unless(campaign).await.transpose()? {
        Some(()) => Extent::All,
        None => Extent::UntilInterrupted,
    };
    drop(bar);
    let mut trace = prober.into_trace();
    let mut requests = trace.series.iter().flat_map(|series| &series.requests);
    if extent == Extent::UntilInterrupted && requests.all(|request| request.status.is_none()) {
        return Ok(None);
    }
    let finish = async {
        if let Some(log) = log {
            log.finish(&mut trace).await;
        }
    };
    // a second ^C ends it at once
    Ok(signals.unless(finish).await.map(|()| Observation { trace, extent }))
}
