//! `lbctl probe`: how a load balancer picks, and what keeps a client on its instance.

use indicatif::ProgressBar;

use crate::{
    analysis::{self, ALPHA, Checked, Expectation, Sampling, Strictness},
    cli::{self, Experiment, Format, Probe},
    error::{Exit, Failure},
    probe::{Prober, Script, Series},
    report,
    trace::{self, Connection, SeriesName, Trace},
};

use super::{
    ask::{self, Resolved, Turns},
    console, experiments,
    trace_file::{self, Keeper},
};

/// Requests of a series whose end the verdict decides, at most: enough for a ring of a thousand. Ten instances need 240 at
/// the worst.
const MOST: u32 = 2500;
/// Requests with a jar whose end the verdict decides, at most, unless the series without one was longer.
const MOST_WITH_JAR: u32 = 150;
/// Requests of a series without a verdict to stop it: overlapping ones.
const OVERLAPPING: u32 = 500;
/// Requests with one cookie alone or over one connection, at most.
const MOST_ALONE: u32 = 60;

/// Probes the target, or judges what was seen before.
pub async fn run(args: Probe) -> anyhow::Result<Exit> {
    if args.experiments.experiments.contains(&Experiment::List) {
        return experiments::list(args.output.format);
    }
    let expectations: Vec<Expectation> = args.expect.iter().map(|text| expectation(text)).collect::<Result<_, _>>()?;
    let keeper = match &args.save {
        Some(file) => Some(Keeper::open(file).await?),
        None => None,
    };
    let mut trace = match &args.replay {
        Some(file) => trace_file::read(file).await?,
        None => ask(&args).await?,
    };
    let elsewhere = keeper.as_ref().is_some_and(Keeper::takes_stdout);
    // what was seen is told, even if it cannot be kept
    let kept = keeper.map_or(Ok(()), |keeper| {
        // here too, so that a replay says the same
        trace.conceal_sessions();
        keeper.keep(&trace)
    });
    let verdict = analysis::judge(&trace, ALPHA);
    let strictness = if args.strict { Strictness::OnlyCandidate } else { Strictness::Pattern };
    let check = |expectation: &Expectation| expectation.check(&verdict, strictness, ALPHA);
    let checked: Vec<Checked> = expectations.iter().map(check).collect();
    let paint = if elsewhere { console::paint_stderr() } else { console::paint() };
    let report = match args.output.format {
        Format::Json => serde_json::to_string_pretty(&report::json::probe(&trace, &verdict, &checked))?,
        Format::Table => format!(
            "{}\n\n{}\n{}{}",
            report::probe::target(&trace),
            report::probe::table(&trace, paint),
            report::probe::verdict(&trace, &verdict, paint),
            report::probe::expected(&checked),
        ),
    };
    match elsewhere {
        true => console::say(report.trim_end()),
        false => console::data(&report)?,
    }
    kept?;
    if trace.instances.is_empty() {
        let nobody = format!("nothing in the answers of {} says which instance sent them", trace.target.url);
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

/// Asks the target.
async fn ask(args: &Probe) -> anyhow::Result<Trace> {
    let mut resolved = ask::resolve(&args.target, args.path.as_deref()).await?;
    let script = ask::script(&args.target, &resolved)?;
    let mut prober = ask::prober(&args.target, &mut resolved)?;
    let turns = Turns::follow(&resolved).await?;
    send(args, &resolved, script, &mut prober, turns.as_ref()).await?;
    experiments::run(args, &resolved, &mut prober).await?;
    let mut trace = prober.into_trace();
    if let Some(turns) = turns {
        turns.finish(&mut trace).await;
    }
    Ok(trace)
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
    let connection = match args.connection {
        cli::Connection::Fresh => Connection::Fresh,
        cli::Connection::Reused => Connection::Reused,
    };
    let most = args.requests.unwrap_or(if args.concurrency > 1 { OVERLAPPING } else { MOST });
    let series = |name, most| Series { name, connection, path: path.clone(), script: None, most, concurrency: 1 };

    let replicas = resolved.lab.as_ref().map_or(0, |lab| lab.replicas());
    let without = Series { concurrency: args.concurrency, ..series(SeriesName::WithoutJar, most) };
    sending(args.requests, prober, &without, |trace| {
        let Some(sent) = trace.series(&SeriesName::WithoutJar).filter(|_| args.concurrency == 1) else { return false };
        let enough = |series: &trace::Series| analysis::sampling(series, replicas, ALPHA) == Sampling::Enough;
        // either order may decide it: the balancer's own lags a moment behind
        enough(sent)
            || turns.and_then(|turns| turns.so_far(trace, &SeriesName::WithoutJar)).is_some_and(|told| enough(&told))
    })
    .await?;

    let rows = prober.trace().series(&SeriesName::WithoutJar).map_or(0, |series| series.requests.len());
    let with =
        Series { script, ..series(SeriesName::WithJar, args.requests.unwrap_or((rows as u32).max(MOST_WITH_JAR))) };
    let with_jar = |trace: &Trace| {
        let sent = trace.series(&SeriesName::WithJar).map_or(0, |series| series.requests.len());
        sent >= rows && analysis::enough_with_jar(trace, ALPHA)
    };
    if experiments::wanted(&args.experiments, Experiment::Jar) {
        sending(args.requests, prober, &with, with_jar).await?;
    }

    let cookies = analysis::candidate_cookies(prober.trace(), prober.cookies(), ALPHA);
    let alone = cookies.into_iter().map(|cookie| (SeriesName::CookieAlone(cookie), connection));
    let apart = connection == Connection::Fresh && experiments::wanted(&args.experiments, Experiment::Connection);
    let one_connection = apart.then_some((SeriesName::OneConnection, Connection::Reused));
    for (name, connection) in alone.chain(one_connection) {
        // these stop by themselves: what -n asks for is the two series that are shown
        let series = Series { connection, ..series(name, MOST_ALONE) };
        sending(None, prober, &series, |trace| match &series.name {
            SeriesName::OneConnection => analysis::enough_on_one_connection(trace, ALPHA),
            name => analysis::enough_alone(trace, name, ALPHA),
        })
        .await?;
    }
    Ok(())
}

/// Sends a series: so many requests, else until it is enough.
async fn sending(
    requests: Option<u32>,
    prober: &mut Prober,
    series: &Series,
    enough: impl Fn(&Trace) -> bool,
) -> anyhow::Result<()> {
    let name = series.name.to_string();
    let bar: ProgressBar = match requests {
        Some(requests) => console::bar(requests.into(), &name),
        None => console::counter(&name),
    };
    let sent = prober
        .send(series, |trace| {
            bar.set_position(trace.series.last().map_or(0, |series| series.requests.len() as u64));
            ask::stop_if(requests.is_none() && enough(trace))
        })
        .await;
    bar.finish_and_clear();
    Ok(sent?)
}
