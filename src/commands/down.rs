//! `lbctl down`: stops the lab.

use crate::{
    cli::Down,
    error::{Error, Exit},
    lab::find_lab,
};

use super::console;

/// Stops the lab and waits until it has stopped.
pub async fn run(args: Down) -> Result<Exit, Error> {
    let lab = find_lab(&args.project.project).await?;
    lab.stop().await?;
    console::say(&format!("stopped the lab `{}`", lab.project()));
    Ok(Exit::Done)
}
