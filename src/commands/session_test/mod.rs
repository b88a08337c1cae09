//! `lbctl session-test`: does a login last through reloads.

mod own_lab;
mod test;

use crate::{
    cli::SessionTest,
    error::{Error, Exit},
    lab,
};

use super::target;
use test::test;

/// Tests the target, the running lab, or a lab of its own.
pub async fn run(args: SessionTest) -> Result<Exit, Error> {
    let nothing_named = args.target.target.is_none() && args.target.project.is_none();
    let may_look = !args.target.no_lab && args.target.connect.is_none();
    if args.fresh || (nothing_named && may_look && lab::running_labs().await?.is_empty()) {
        return own_lab::run(&args).await;
    }
    let mut target = target::resolve(&args.target, None).await?;
    test(&args, &mut target).await
}
