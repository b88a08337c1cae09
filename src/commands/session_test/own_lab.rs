//! A session test in a lab of its own, which is started on a free port and stopped again.

use crate::{
    cli::SessionTest,
    commands::{
        console,
        target::{ResolvedTarget, TargetLab, user_agent},
    },
    error::{Error, Exit},
    lab::{PageStickiness, TestLab},
    model::trace::Via,
    probe::parse_target,
};

use super::test::test;

/// Starts a lab, tests it and stops it.
pub async fn run(args: &SessionTest) -> Result<Exit, Error> {
    console::say("starting a lab for this test");
    let bar = console::counter("starting replicas");
    let stickiness = if args.sticky { PageStickiness::Cookie } else { PageStickiness::None };
    let started = TestLab::start(stickiness, || bar.tick()).await;
    bar.finish_and_clear();
    let lab = started?;
    let view = lab.view();
    let mut target = ResolvedTarget {
        url: parse_target(&view.first_host())?,
        connect: Some(lab.address()),
        addresses: Vec::new(),
        via: Via::Lab(lab.project().to_owned()),
        agent: user_agent(),
        lab: TargetLab::new(None, view, lab.service().to_owned(), true),
    };
    let exit = test(args, &mut target).await;
    lab.stop().await?;
    exit
}
