//! `lbctl ps`: what runs where.

use crate::{
    cli::{Format, Ps},
    error::Exit,
    report,
};

use super::{console, found};

/// Shows the lab.
pub async fn run(args: Ps) -> anyhow::Result<Exit> {
    let view = found::lab(&args.project.project).await?.view().await?;
    match args.output.format {
        Format::Json => console::json(&view)?,
        Format::Table => console::data(&report::lab::table(&view, console::paint()))?,
    }
    Ok(Exit::Done)
}
