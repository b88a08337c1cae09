//! The log of the lab that is probed.

use std::future::ready;

use futures_util::StreamExt;

use crate::{
    error::Error,
    experiment::{LogCorrelation, Numbering},
    lab::LogQuery,
};

use super::ResolvedTarget;

/// Follows the log of the service under test, where a lab has a log that shows turns.
pub async fn follow_log(target: &ResolvedTarget) -> Result<Option<LogCorrelation>, Error> {
    let Some(lab) = &target.lab else { return Ok(None) };
    let (Some(client), Some(numbering)) = (&lab.client, Numbering::of_lab_log(&lab.service)) else { return Ok(None) };
    let service = match numbering {
        Numbering::PerBalancer => Some(lab.service.name.clone()),
        // requests for other services are needed to see which numbers are missing
        Numbering::Together => None,
    };
    let query = LogQuery { service, follow: true, since: Some(jiff::Timestamp::now()) };
    let entries = client.log(&query).await?.scan((), |(), entry| ready(entry.ok()));
    Ok(Some(LogCorrelation::follow(entries, numbering, &lab.service.name, &target.agent)))
}
