//! `lbctl session-test`: does a login last through reloads.

use std::ops::ControlFlow;

use indicatif::ProgressBar;

use crate::{
    analysis::{self, ALPHA, Case, Facts, Sampling, Session},
    cli::{Expect, Format, SessionTest},
    composefile,
    error::{Exit, Failure},
    lab::{
        self, EmbeddedLab, EmbeddedPlan, LabRunner, ListenRequest, Overrides, PortChoice, StopMode, Supervisor, bind,
    },
    model::{
        ServiceView, Strategy,
        trace::{Connection, SeriesName, Trace, Via},
    },
    probe::{Prober, Script, SeriesPlan},
    report,
};

use super::{
    ask::{self, Resolved},
    console, cookies,
};

/// The service of the lab that has a login.
const SERVICE: &str = "web_static";
/// Reloads, unless it takes more to be sure,
const RELOADS: u32 = 10;
/// and then at most.
const MOST_RELOADS: u32 = 100;
/// The project of a lab that is started for one test.
const OWN_PROJECT: &str = "session-test";

/// Tests the target, the running lab, or a lab of its own.
pub async fn run(args: SessionTest) -> anyhow::Result<Exit> {
    let nothing_named = args.target.target.is_none() && args.target.project.is_none();
    if args.fresh
        || (nothing_named
            && !args.target.no_lab
            && args.target.connect.is_none()
            && lab::running_labs().await?.is_empty())
    {
        return in_a_lab_of_its_own(&args).await;
    }
    let mut resolved = ask::resolve(&args.target, None).await?;
    test(&args, &mut resolved).await
}

/// Starts a lab on a free port, tests it and stops it.
async fn in_a_lab_of_its_own(args: &SessionTest) -> anyhow::Result<Exit> {
    console::say("starting a lab for this test");
    let sticky = if args.sticky { vec![SERVICE.to_owned()] } else { Vec::new() };
    // the JSON service plays no part
    let scale = [("web_dynamic".to_owned(), 0)].into();
    let plan = EmbeddedPlan::new(OWN_PROJECT, &composefile::built_in()?, &Overrides { scale, sticky, strategy: None })?;
    let bound = bind(ListenRequest { bind: None, port: PortChoice::Required(0) })?;
    let address = bound.address;
    let lab = Supervisor::new(LabRunner::Embedded(EmbeddedLab::new(plan, bound)?.into()));
    let bar = console::counter("starting replicas");
    let started = lab.start(|_| bar.tick()).await;
    bar.finish_and_clear();
    started?;
    let view = lab.view();
    let host = view.hosts.first().cloned().unwrap_or_default();
    let mut resolved = Resolved {
        url: crate::probe::parse_target(&host)?,
        connect: Some(address),
        via: Via::Lab(OWN_PROJECT.to_owned()),
        agent: ask::agent(),
        lab: Some(ask::LabSide { client: None, view, service: SERVICE.to_owned(), logs_in: true }),
    };
    let tested = test(args, &mut resolved).await;
    lab.stop(StopMode::Graceful).await?;
    tested
}

async fn test(args: &SessionTest, resolved: &mut Resolved) -> anyhow::Result<Exit> {
    let Some(script) = ask::script(&args.target, resolved)? else {
        let untold = Failure::usage(format!("{} is no lab's page, and nothing says how to log in there", resolved.url));
        return Err(untold
            .hint("--login 'POST /login user=alice' --check 'GET /session' --logged-in 'json:/session/logged_in=true'")
            .into());
    };
    let mut prober = ask::prober(&args.target, resolved)?;
    let service = resolved.lab.as_ref().and_then(|lab| lab.view.services.get(&lab.service));
    let bar = console::counter("reloading");
    let played = play(args, resolved, service.map(facts), &script, &mut prober, &bar).await;
    bar.finish_and_clear();
    played?;

    let trace: Trace = prober.into_trace();
    let verdict = analysis::judge_session(&Case::new(&trace, ALPHA), service.map(facts));
    let expected = match args.expect {
        Some(Expect::Lost) => Some(Session::Lost),
        Some(Expect::Kept) => Some(Session::Kept),
        None => service.map(expected_of),
    };
    let passed = expected.and_then(|expected| match verdict.session {
        Session::Undetermined => None,
        session => Some(session == expected),
    });
    let paint = console::paint();
    match args.output.format {
        Format::Json => console::json(&report::json::session_test(&trace, &verdict, expected, passed))?,
        Format::Table => console::data(&format!(
            "{}\n\n{}\n{}",
            report::probe::target(&trace),
            report::session::table(&trace, paint),
            report::session::verdict(&verdict, expected, passed, paint),
        ))?,
    }
    Ok(match (passed, verdict.session) {
        (Some(true), _) => Exit::Done,
        (Some(false), _) => Exit::NotMet,
        (None, Session::Undetermined) => Exit::Inconclusive,
        (None, _) => Exit::Done,
    })
}

/// Plays the script with a jar, then without; then asks which of several cookies keeps the client, if one does.
async fn play(
    args: &SessionTest,
    resolved: &Resolved,
    facts: Option<Facts>,
    script: &Script,
    prober: &mut Prober,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let series = |name, most| SeriesPlan {
        name,
        connection: Connection::Fresh,
        path: ask::path_and_query(&resolved.url),
        script: Some(script.clone()),
        most,
        concurrency: 1,
    };
    let reloads = args.reloads.unwrap_or(RELOADS);
    let count = |_: &Trace| {
        bar.inc(1);
        ControlFlow::Continue(())
    };
    prober.send(&series(SeriesName::WithJar, reloads + 2), count).await?;
    prober.send(&series(SeriesName::WithoutJar, reloads), count).await?;
    let sure = |trace: &Trace| {
        let judged = analysis::judge_session(&Case::new(trace, ALPHA), facts);
        judged.sampling == Sampling::Enough
            && (judged.session != Session::Kept || analysis::enough_with_jar(&Case::new(trace, ALPHA)))
    };
    if args.reloads.is_none() && !sure(prober.trace()) {
        // a session that looks kept: who answers without cookies decides how many reloads chance would take
        prober.send(&series(SeriesName::WithoutJar, MOST_RELOADS), count).await?;
        let until_sure = |trace: &Trace| {
            bar.inc(1);
            ask::stop_if(sure(trace))
        };
        prober.send(&series(SeriesName::WithJar, MOST_RELOADS + 2), until_sure).await?;
    }
    cookies::alone(prober, &series(SeriesName::WithoutJar, 0), ALPHA).await
}

/// What a lab's configuration says of its sessions.
fn expected_of(service: &ServiceView) -> Session {
    let Facts { replicas, source_hash, sticky } = facts(service);
    if replicas <= 1 || source_hash || sticky { Session::Kept } else { Session::Lost }
}

fn facts(service: &ServiceView) -> Facts {
    Facts {
        replicas: service.ready(),
        source_hash: service.strategy.known().is_some_and(Strategy::hashes_client),
        sticky: service.sticky_cookie.is_some(),
    }
}
