//! `lbctl ps`: what runs where.

use crate::{
    cli::Ps,
    error::{Error, Exit},
    lab::find_lab,
};

use super::console;

/// Shows the lab.
pub async fn run(args: Ps) -> Result<Exit, Error> {
    let view = find_lab(&args.project.project).await?.view().await?;
    console::print(&view, args.output.format)?;
    Ok(Exit::Done)
}
