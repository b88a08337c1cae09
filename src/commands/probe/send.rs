//! A campaign against a target, from finding the target to the last entry of the lab's log.

use crate::{
    cli::Probe,
    commands::{
        ask,
        console::{ExperimentBar, Signals},
    },
    experiment::run_campaign,
    model::trace::Trace,
};

use super::plan::plan;

/// What was seen of a target.
pub struct Seen {
    pub trace: Trace,
    pub extent: Extent,
}

/// How much of a campaign was made.
#[derive(Clone, Copy, PartialEq)]
pub enum Extent {
    All,
    UntilInterrupted,
}

/// Makes the campaign, until it is interrupted; `None` if nothing had answered by then.
pub async fn probe(args: &Probe, signals: &mut Signals) -> anyhow::Result<Option<Seen>> {
    let begin = async {
        let mut resolved = ask::resolve(&args.target, args.path.as_deref()).await?;
        let script = ask::script(&args.target, &resolved)?;
        let prober = ask::prober(&args.target, &mut resolved)?;
        let log = ask::follow_log(&resolved).await?;
        anyhow::Ok((plan(args, &resolved, script), prober, log))
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
    // a second time it ends at once
    Ok(signals.unless(finish).await.map(|()| Seen { trace, extent }))
}
