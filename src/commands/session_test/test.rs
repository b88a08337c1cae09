//! A session test of a target that was resolved.

use crate::{
    analysis::{self, ALPHA, Case, ServiceSettings, Session},
    cli::{Expect, SessionTest},
    commands::{
        console::{self, ExperimentBar},
        target::{self, ResolvedTarget},
    },
    error::{Error, Exit},
    experiment::{LoginPlan, expected_session, play_login, service_settings},
    probe::path_and_query,
    report::SessionReport,
};

/// Plays the login and prints the verdict.
pub async fn test(args: &SessionTest, target: &mut ResolvedTarget) -> Result<Exit, Error> {
    let script = target::script(&args.target, target)?.ok_or_else(|| Error::UnknownLogin(target.url.to_string()))?;
    let mut prober = target::prober(&args.target, target, None).await?;
    let settings = target.lab.as_ref().map(|lab| service_settings(&lab.service.view));
    let plan = LoginPlan { path: path_and_query(&target.url), script, reloads: args.reloads, settings };
    play_login(&plan, &mut prober, &mut rand::rng(), &mut ExperimentBar::default()).await?;
    let trace = prober.into_trace();
    let verdict = analysis::judge_session(&Case::new(&trace, ALPHA), settings);
    let expected = expected(args, settings);
    let passed = expected.and_then(|expected| match verdict.session {
        Session::Undetermined => None,
        session => Some(session == expected),
    });
    let report = SessionReport { trace: &trace, verdict: &verdict, expected, passed };
    console::print_verdict(&report, args.output.format)?;
    Ok(match (passed, verdict.session) {
        (Some(true), _) => Exit::Done,
        (Some(false), _) => Exit::NotMet,
        (None, Session::Undetermined) => Exit::Inconclusive,
        (None, _) => Exit::Done,
    })
}

/// The result that the user expects, or that the lab's configuration leads to.
fn expected(args: &SessionTest, settings: Option<ServiceSettings>) -> Option<Session> {
    match args.expect {
        Some(Expect::Lost) => Some(Session::Lost),
        Some(Expect::Kept) => Some(Session::Kept),
        None => settings.map(expected_session),
    }
}
