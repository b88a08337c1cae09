//! `lbctl logs`: the requests that the lab answered.

use futures_util::StreamExt;
use jiff::tz::TimeZone;

use crate::{
    cli::{Format, Logs},
    error::{Exit, Failure},
    lab::LogQuery,
    report,
};

use super::{console, found};

/// Prints the log.
pub async fn run(args: Logs) -> anyhow::Result<Exit> {
    let lab = found::lab(&args.project.project).await?;
    if let Some(service) = &args.service {
        let view = lab.view().await?;
        if !view.services.contains_key(service) {
            let known: Vec<_> = view.services.keys().map(String::as_str).collect();
            let unknown = Failure::usage(format!("no service `{}` in this lab", service.escape_debug()));
            return Err(unknown.hint(format!("it has {}", known.join(", "))).into());
        }
    }
    let (zone, paint) = (TimeZone::system(), console::paint());
    let mut entries = lab.log(&LogQuery { service: args.service, follow: args.follow, since: None }).await?;
    while let Some(entry) = entries.next().await {
        match args.output.format {
            Format::Json => console::json_line(&entry?)?,
            Format::Table => console::data(&report::log::line(&entry?, &zone, paint))?,
        }
    }
    Ok(Exit::Done)
}
