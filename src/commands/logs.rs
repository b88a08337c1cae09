//! `lbctl logs`: the requests that the lab answered.

use futures_util::StreamExt;
use jiff::tz::TimeZone;

use crate::{
    cli::Logs,
    error::{Error, Exit, UsageError},
    lab::{LogQuery, find_lab},
    report::EntryReport,
};

use super::console;

/// Prints the log.
pub async fn run(args: Logs) -> Result<Exit, Error> {
    let lab = find_lab(&args.project.project).await?;
    if let Some(service) = &args.service {
        let view = lab.view().await?;
        if !view.services.contains_key(service) {
            let known = view.services.keys().cloned().collect();
            return Err(UsageError::UnknownService { service: service.clone(), known }.into());
        }
    }
    let zone = TimeZone::system();
    let mut entries = lab.log(&LogQuery { service: args.service, follow: args.follow, since: None }).await?;
    while let Some(entry) = entries.next().await {
        console::print(&EntryReport { entry: &entry?, zone: &zone }, args.output.format)?;
    }
    Ok(Exit::Done)
}
