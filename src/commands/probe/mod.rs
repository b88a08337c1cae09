//! `lbctl probe`: how a load balancer picks, and what keeps a client on its instance.

mod each_address;
mod judgement;
mod list;
mod plan;
mod send;

use crate::{
    analysis::Expectation,
    cli::{Addresses, Experiment, Probe},
    error::{Error, Exit},
};

use super::{
    console::{self, Signals},
    trace_file::{self, TraceFile},
};
use judgement::Judgement;
use send::{Extent, Observation};

/// Probes the target, or judges the trace of an earlier probe.
pub async fn run(args: Probe) -> Result<Exit, Error> {
    let mut signals = Signals::listen()?;
    if args.experiments.experiments.contains(&Experiment::List) {
        return list::print(args.output.format);
    }
    let expectations: Vec<Expectation> =
        args.expect.iter().map(|text| Expectation::parse(text)).collect::<Result<_, _>>()?;
    if args.addresses == Addresses::Each {
        return each_address::run(&args, &expectations, &mut signals).await;
    }
    let Some(file) = signals.unless(open(&args)).await.transpose()? else { return Ok(Exit::Interrupted) };
    let observation = match &args.replay {
        Some(file) => {
            let trace = signals.unless(trace_file::read(file)).await.transpose()?;
            trace.map(|trace| Observation { trace, extent: Extent::All })
        }
        None => send::probe(&args, &mut signals).await?,
    };
    let Some(Observation { mut trace, extent }) = observation else { return Ok(Exit::Interrupted) };
    let to_stderr = file.as_ref().is_some_and(TraceFile::takes_stdout);
    // the verdict is shown even if the trace cannot be saved
    let saved = file.map_or(Ok(()), |file| {
        // the output has the same names for sessions, so that a replay says the same
        trace.conceal_sessions();
        file.save(&trace)
    });
    let judgement = Judgement::new(&args, &expectations, trace);
    if to_stderr {
        console::print_to_stderr(&judgement.report(), args.output.format);
    } else {
        console::print_verdict(&judgement.report(), args.output.format)?;
    }
    saved?;
    if extent == Extent::UntilInterrupted {
        console::say("note: stopped before the end; this is what was seen until then");
        return Ok(Exit::Interrupted);
    }
    judgement.exit()
}

/// Opens the file in which the trace will be saved, if the user names one.
async fn open(args: &Probe) -> Result<Option<TraceFile>, Error> {
    match &args.save {
        Some(file) => TraceFile::open(file).await.map(Some),
        None => Ok(None),
    }
}
