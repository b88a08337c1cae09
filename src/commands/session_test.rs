//! `lbctl session-test`: does a login last through reloads.

use crate::{
    analysis::{self, ALPHA, Case, Facts, Session},
    cli::{Expect, Format, SessionTest},
    composefile,
    error::{Exit, Failure},
    experiment::{LoginPlan, expected_session, play_login},
    lab::{
        self, EmbeddedLab, EmbeddedPlan, LabRunner, ListenRequest, Overrides, PortChoice, StopMode, Supervisor, bind,
    },
    model::{
        ServiceView, Strategy,
        trace::{Trace, Via},
    },
    probe::path_and_query,
    report,
};

use super::{
    ask::{self, Resolved},
    console::{self, ExperimentBar},
};

/// The service of the lab that has a login.
const SERVICE: &str = "web_static";
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
        lab: ask::LabSide::new(None, view, SERVICE.to_owned(), true),
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
    let facts = resolved.lab.as_ref().map(|lab| facts(&lab.service.view));
    let plan = LoginPlan { path: path_and_query(&resolved.url), script, reloads: args.reloads, facts };
    play_login(&plan, &mut prober, &mut rand::rng(), &mut ExperimentBar::default()).await?;

    let trace: Trace = prober.into_trace();
    let verdict = analysis::judge_session(&Case::new(&trace, ALPHA), facts);
    let expected = match args.expect {
        Some(Expect::Lost) => Some(Session::Lost),
        Some(Expect::Kept) => Some(Session::Kept),
        None => facts.map(expected_session),
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
            report::session::verdict(&trace, &verdict, expected, passed, paint),
        ))?,
    }
    Ok(match (passed, verdict.session) {
        (Some(true), _) => Exit::Done,
        (Some(false), _) => Exit::NotMet,
        (None, Session::Undetermined) => Exit::Inconclusive,
        (None, _) => Exit::Done,
    })
}

/// What a lab's configuration says of its sessions.
fn facts(service: &ServiceView) -> Facts {
    Facts {
        replicas: service.ready(),
        source_hash: service.strategy.known().is_some_and(Strategy::hashes_client),
        sticky: service.sticky_cookie.is_some(),
    }
}
