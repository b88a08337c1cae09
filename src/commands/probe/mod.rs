//! `lbctl probe`: how a load balancer picks, and what keeps a client on its instance.

mod list;
mod plan;
mod send;

use crate::{
    analysis::{self, Case, Checked, Expectation, Strictness, Verdict},
    cli::{Experiment, Format, Probe},
    error::{Exit, Failure},
    model::trace::Trace,
    report::{self, Paint, probe::Detail},
};

use super::{
    console::{self, Signals},
    trace_file::{self, Keeper},
};
use send::{Extent, Seen};

/// Probes the target, or judges what was seen before.
pub async fn run(args: Probe) -> anyhow::Result<Exit> {
    let mut signals = Signals::listen()?;
    if args.experiments.experiments.contains(&Experiment::List) {
        return list::print(args.output.format);
    }
    let expectations: Vec<Expectation> = args.expect.iter().map(|text| expectation(text)).collect::<Result<_, _>>()?;
    let Some(keeper) = signals.unless(keeper(&args)).await.transpose()? else { return Ok(Exit::Interrupted) };
    let seen = match &args.replay {
        Some(file) => {
            let trace = signals.unless(trace_file::read(file)).await.transpose()?;
            trace.map(|trace| Seen { trace, extent: Extent::All })
        }
        None => send::probe(&args, &mut signals).await?,
    };
    let Some(Seen { mut trace, extent }) = seen else { return Ok(Exit::Interrupted) };
    let to_stderr = keeper.as_ref().is_some_and(Keeper::takes_stdout);
    // what was seen is shown, even if it cannot be kept
    let kept = keeper.map_or(Ok(()), |keeper| {
        // here too, so that a replay says the same
        trace.conceal_sessions();
        keeper.keep(&trace)
    });
    let verdict = analysis::judge(&Case::new(&trace, args.alpha));
    let strictness = if args.strict { Strictness::OnlyCandidate } else { Strictness::Pattern };
    let check = |expectation: &Expectation| expectation.check(&verdict, strictness, args.alpha);
    let checked: Vec<Checked> = expectations.iter().map(check).collect();
    show(&args, &trace, &verdict, &checked, to_stderr)?;
    kept?;
    if extent == Extent::UntilInterrupted {
        console::say("note: stopped before the end; this is what was seen until then");
        return Ok(Exit::Interrupted);
    }
    exit(&trace, &checked)
}

fn expectation(text: &str) -> Result<Expectation, Failure> {
    Expectation::parse(text).map_err(|error| Failure::usage(error.to_string()).hint(error.hint()))
}

/// The file that the trace will be kept in, if there is to be one.
async fn keeper(args: &Probe) -> anyhow::Result<Option<Keeper>> {
    match &args.save {
        Some(file) => Keeper::open(file).await.map(Some),
        None => Ok(None),
    }
}

fn show(args: &Probe, trace: &Trace, verdict: &Verdict, checked: &[Checked], to_stderr: bool) -> anyhow::Result<()> {
    let table = |paint: Paint| {
        let detail = if args.verbose { Detail::Figures } else { Detail::Sentences };
        report::probe::text(trace, verdict, checked, detail, paint)
    };
    match (args.output.format, to_stderr) {
        (Format::Json, false) => console::json(&report::json::probe(trace, verdict, checked))?,
        (Format::Json, true) => console::json_aside(&report::json::probe(trace, verdict, checked)),
        (Format::Table, false) => console::data(&table(console::paint()))?,
        (Format::Table, true) => console::say(table(console::paint_stderr()).trim_end()),
    }
    Ok(())
}

fn exit(trace: &Trace, checked: &[Checked]) -> anyhow::Result<Exit> {
    if trace.instances.is_empty() {
        let why = trace.unidentified.as_ref().map_or(String::new(), |why| format!(": {why}"));
        let nobody = format!("nothing in the answers of {} says which instance sent them{why}", trace.target.url);
        let failure = Failure { exit: Exit::Inconclusive, ..Failure::environment(nobody) };
        return Err(failure.hint("tell how with --identity header:NAME, json:/POINTER or regex:PATTERN").into());
    }
    Ok(match analysis::passed(checked) {
        Some(true) => Exit::Done,
        Some(false) => Exit::NotMet,
        None if checked.is_empty() => Exit::Done,
        None => Exit::Inconclusive,
    })
}
