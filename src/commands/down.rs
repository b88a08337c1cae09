//! `lbctl down`: stops the lab.

use std::time::Duration;

use crate::{
    cli::Down,
    error::{Error, Exit},
    lab::find_lab,
    model::{Engine, LabView},
};

use super::console;

/// A lab of processes that takes longer than this to stop has a fault.
const LIMIT: Duration = Duration::from_secs(5);
/// Containers may have longer by their compose file; 10 s is Docker's default.
const CONTAINERS_LIMIT: Duration = Duration::from_secs(90);

/// Stops the lab and waits until it has.
pub async fn run(args: Down) -> Result<Exit, Error> {
    let lab = find_lab(&args.project.project).await?;
    // a lab that does not say what it is made of is stopped all the same
    let limit = match lab.view().await {
        Ok(LabView { engine: Engine::Embedded, .. }) => LIMIT,
        _ => CONTAINERS_LIMIT,
    };
    lab.stop(limit).await?;
    console::say(&format!("stopped the lab `{}`", lab.project()));
    Ok(Exit::Done)
}
