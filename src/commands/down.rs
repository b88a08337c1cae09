//! `lbctl down`: stops the lab.

use std::time::Duration;

use crate::{cli::Down, error::Exit};

use super::{console, found};

/// A lab that takes longer than this to stop has a fault.
const LIMIT: Duration = Duration::from_secs(5);

/// Stops the lab and waits until it has.
pub async fn run(args: Down) -> anyhow::Result<Exit> {
    let lab = found::lab(&args.project.project).await?;
    lab.stop(LIMIT).await?;
    console::say(&format!("stopped the lab `{}`", lab.project()));
    Ok(Exit::Done)
}
