//! `lbctl probe`: how a load balancer picks, and what keeps a client on its instance.

use crate::{
    analysis::{self, Case, Checked, Expectation, Sampling, Strictness},
    cli::{self, Experiment, Format, Probe},
    error::{Exit, Failure},
    model::trace::{self, Connection, SeriesName, Trace},
    probe::{Prober, Script, SeriesPlan},
    report::{self, Paint, probe::Detail},
};

use super::{
    ask::{self, Resolved, Turns, sending},
    console::{self, Signals},
    cookies, experiments,
    trace_file::{self, Keeper},
};

/// Requests of a series whose end the verdict decides, at most: enough for a ring of a thousand. Ten instances need 240 at
/// the worst.
const MOST: u32 = 2500;
/// Requests with a jar whose end the verdict decides, at most, unless the series without one was longer or it is to be
/// surer than usual.
const MOST_WITH_JAR: u32 = 150;
/// Requests with a jar at least, as long as the series without one was longer: enough to show what a client sees.
const ROWS_WITH_JAR: u32 = 60;
/// Requests of a series without a verdict to stop it: overlapping ones.
const OVERLAPPING: u32 = 500;
/// Requests of a series that are a lot to look through,
const MANY: usize = 2500;
/// so that what follows it is compared with it after every tenth request only.
const LOOKS_APART: u32 = 10;
/// Requests over one connection, at most, unless it is to be surer than usual.
const MOST_ALONE: u32 = 60;

/// What there was to see of a target.
struct Seen {
    trace: Trace,
    extent: Extent,
}

/// How much of it was seen.
#[derive(Clone, Copy, PartialEq)]
enum Extent {
    All,
    UntilInterrupted,
}

/// Probes the target, or judges what was seen before.
pub async fn run(args: Probe) -> anyhow::Result<Exit> {
    let mut signals = Signals::listen()?;
    if args.experiments.experiments.contains(&Experiment::List) {
        return experiments::list(args.output.format);
    }
    let expectations: Vec<Expectation> = args.expect.iter().map(|text| expectation(text)).collect::<Result<_, _>>()?;
    let Some(keeper) = signals.unless(keeper(&args)).await.transpose()? else { return Ok(Exit::Interrupted) };
    let seen = match &args.replay {
        Some(file) => {
            let trace = signals.unless(trace_file::read(file)).await.transpose()?;
            trace.map(|trace| Seen { trace, extent: Extent::All })
        }
        None => ask(&args, &mut signals).await?,
    };
    let Some(Seen { mut trace, extent }) = seen else { return Ok(Exit::Interrupted) };
    let elsewhere = keeper.as_ref().is_some_and(Keeper::takes_stdout);
    // what was seen is told, even if it cannot be kept
    let kept = keeper.map_or(Ok(()), |keeper| {
        // here too, so that a replay says the same
        trace.conceal_sessions();
        keeper.keep(&trace)
    });
    let verdict = analysis::judge(&Case::new(&trace, args.alpha));
    let strictness = if args.strict { Strictness::OnlyCandidate } else { Strictness::Pattern };
    let check = |expectation: &Expectation| expectation.check(&verdict, strictness, args.alpha);
    let checked: Vec<Checked> = expectations.iter().map(check).collect();
    let table = |paint: Paint| {
        let detail = if args.verbose { Detail::Figures } else { Detail::Sentences };
        report::probe::text(&trace, &verdict, &checked, detail, paint)
    };
    match (args.output.format, elsewhere) {
        (Format::Json, false) => console::json(&report::json::probe(&trace, &verdict, &checked))?,
        (Format::Json, true) => console::json_aside(&report::json::probe(&trace, &verdict, &checked)),
        (Format::Table, false) => console::data(&table(console::paint()))?,
        (Format::Table, true) => console::say(table(console::paint_stderr()).trim_end()),
    }
    kept?;
    if extent == Extent::UntilInterrupted {
        console::say("note: stopped before the end; this is what was seen until then");
        return Ok(Exit::Interrupted);
    }
    if trace.instances.is_empty() {
        let why = trace.unidentified.as_ref().map_or(String::new(), |why| format!(": {why}"));
        let nobody = format!("nothing in the answers of {} says which instance sent them{why}", trace.target.url);
        let failure = Failure { exit: Exit::Inconclusive, ..Failure::environment(nobody) };
        return Err(failure.hint("tell how with --identity header:NAME, json:/POINTER or regex:PATTERN").into());
    }
    Ok(match analysis::passed(&checked) {
        Some(true) => Exit::Done,
        Some(false) => Exit::NotMet,
        None if checked.is_empty() => Exit::Done,
        None => Exit::Inconclusive,
    })
}

fn expectation(text: &str) -> Result<Expectation, Failure> {
    Expectation::parse(text).map_err(|error| Failure::usage(error.to_string()).hint(error.hint()))
}

/// Where the trace will be kept, if it will be.
async fn keeper(args: &Probe) -> anyhow::Result<Option<Keeper>> {
    match &args.save {
        Some(file) => Keeper::open(file).await.map(Some),
        None => Ok(None),
    }
}

/// Asks the target, until it is interrupted; `None` if nothing had answered by then.
async fn ask(args: &Probe, signals: &mut Signals) -> anyhow::Result<Option<Seen>> {
    let begin = async {
        let mut resolved = ask::resolve(&args.target, args.path.as_deref()).await?;
        let script = ask::script(&args.target, &resolved)?;
        let prober = ask::prober(&args.target, &mut resolved)?;
        let turns = Turns::follow(&resolved).await?;
        anyhow::Ok((resolved, script, prober, turns))
    };
    let Some((resolved, script, mut prober, turns)) = signals.unless(begin).await.transpose()? else { return Ok(None) };
    let sending = async {
        send(args, &resolved, script, &mut prober, turns.as_ref()).await?;
        experiments::run(args, &resolved, &mut prober).await
    };
    let extent = match signals.unless(sending).await.transpose()? {
        Some(()) => Extent::All,
        None => Extent::UntilInterrupted,
    };
    let mut trace = prober.into_trace();
    let mut requests = trace.series.iter().flat_map(|series| &series.requests);
    if extent == Extent::UntilInterrupted && requests.all(|request| request.status.is_none()) {
        return Ok(None);
    }
    let finish = async {
        if let Some(turns) = turns {
            turns.finish(&mut trace).await;
        }
    };
    // a second time it ends at once
    Ok(signals.unless(finish).await.map(|()| Seen { trace, extent }))
}

/// Sends the series, one after the other.
async fn send(
    args: &Probe,
    resolved: &Resolved,
    script: Option<Script>,
    prober: &mut Prober,
    turns: Option<&Turns>,
) -> anyhow::Result<()> {
    let path = ask::path_and_query(&resolved.url);
    let at_once = args.concurrency > 1;
    // many at once are about counts and speed; those one after the other show every pick
    let (overlapping, connection) = match args.connection {
        None if at_once => (Connection::Reused, Connection::Fresh),
        None | Some(cli::Connection::Fresh) => (Connection::Fresh, Connection::Fresh),
        Some(cli::Connection::Reused) => (Connection::Reused, Connection::Reused),
    };
    // -n is about the overlapping requests: as many again in turn would take far longer than those
    let in_turn = args.requests.filter(|_| !at_once);
    let most = args.requests.unwrap_or(if at_once { OVERLAPPING } else { MOST });
    let series = |name, most| SeriesPlan { name, connection, path: path.clone(), script: None, most, concurrency: 1 };

    let replicas = resolved.lab.as_ref().map_or(0, |lab| lab.replicas());
    let without =
        SeriesPlan { concurrency: args.concurrency, connection: overlapping, ..series(SeriesName::WithoutJar, most) };
    let takes = |trace: &Trace| match trace.instances.len().max(replicas) {
        instances @ 2.. if !at_once => {
            format!("without-jar ({instances} instances take {} or more)", analysis::fewest(instances, args.alpha))
        }
        _ => SeriesName::WithoutJar.to_string(),
    };
    sending(args.requests, prober, &without, takes, |trace| {
        let Some(sent) = trace.series(&SeriesName::WithoutJar).filter(|_| !at_once) else { return false };
        let enough = |series: &trace::Series| analysis::sampling(series, replicas, args.alpha) == Sampling::Enough;
        // either order may decide it: the balancer's own lags a moment behind
        enough(sent)
            || turns.and_then(|turns| turns.so_far(trace, &SeriesName::WithoutJar)).is_some_and(|told| enough(&told))
    })
    .await?;

    let rows = prober.trace().series(&SeriesName::WithoutJar).map_or(0, |series| series.requests.len()) as u32;
    let most_with_jar = analysis::at_most(MOST_WITH_JAR, args.alpha);
    let most_with_jar = in_turn.unwrap_or(if at_once { most_with_jar } else { rows.max(most_with_jar) });
    let with = SeriesPlan { script, ..series(SeriesName::WithJar, most_with_jar) };
    let with_jar = |trace: &Trace| {
        let sent = trace.series(&SeriesName::WithJar).map_or(0, |series| series.requests.len()) as u32;
        sent >= rows.min(ROWS_WITH_JAR)
            && worth_a_look(trace, sent)
            && analysis::enough_with_jar(&Case::new(trace, args.alpha))
    };
    if experiments::wanted(&args.experiments, Experiment::Jar) {
        sending(in_turn, prober, &with, |_| with.name.to_string(), with_jar).await?;
    }

    cookies::run(prober, &series(SeriesName::WithoutJar, 0), args.alpha).await?;

    if connection == Connection::Fresh && experiments::wanted(&args.experiments, Experiment::Connection) {
        // it stops by itself: what -n asks for is the two series that are shown
        let most = analysis::at_most(MOST_ALONE, args.alpha);
        let over_one = SeriesPlan { connection: Connection::Reused, ..series(SeriesName::OneConnection, most) };
        let enough = |trace: &Trace| {
            let sent = trace.series.last().map_or(0, |series| series.requests.len()) as u32;
            worth_a_look(trace, sent) && analysis::enough_on_one_connection(&Case::new(trace, args.alpha))
        };
        sending(None, prober, &over_one, |_| over_one.name.to_string(), enough).await?;
    }
    Ok(())
}

/// Whether it is time to compare a series, of which so many were sent, with the one without a jar.
fn worth_a_look(trace: &Trace, sent: u32) -> bool {
    let without = trace.series(&SeriesName::WithoutJar).map_or(0, |series| series.requests.len());
    without < MANY || sent.is_multiple_of(LOOKS_APART)
}
