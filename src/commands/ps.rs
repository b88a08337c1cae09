//! `lbctl ps`: what runs where.

use crate::{
    cli::{Format, Ps},
    error::{Error, Exit},
    lab::find_lab,
    report,
};

use super::console;

/// Shows the lab.
pub async fn run(args: Ps) -> Result<Exit, Error> {
    let view = find_lab(&args.project.project).await?.view().await?;
    match args.output.format {
        Format::Json => console::json(&view)?,
        Format::Table => console::data(&report::lab::table(&view, console::paint()))?,
    }
    Ok(Exit::Done)
}
