//! `lbctl scale`: another number of replicas.

use std::collections::BTreeMap;

use crate::{
    cli::{Counts, Scale},
    error::{Error, Exit, UsageError},
    lab::find_lab,
};

use super::console;

/// Scales the lab.
pub async fn run(args: Scale) -> Result<Exit, Error> {
    let targets = targets(&args.counts, &args.services)?;
    if targets.is_empty() {
        return Err(UsageError::NothingToScale.into());
    }
    let lab = find_lab(&args.project.project).await?;
    let bar = console::counter("scaling");
    let scaled = lab.scale(&targets).await;
    bar.finish_and_clear();
    console::print(&scaled?, args.output.format)?;
    Ok(Exit::Done)
}

/// Numbers of replicas by service, from the flags and the arguments that give them.
pub fn targets(counts: &Counts, services: &[(String, u32)]) -> Result<BTreeMap<String, u32>, UsageError> {
    let flags = [("web_static", counts.web_static), ("web_dynamic", counts.web_dynamic)];
    let flags = flags.into_iter().filter_map(|(service, count)| Some((service.to_owned(), count?)));
    let mut targets = BTreeMap::new();
    for (service, count) in flags.chain(services.iter().cloned()) {
        if let Some(first) = targets.insert(service.clone(), count)
            && first != count
        {
            return Err(UsageError::TwoCounts { service, first, second: count });
        }
    }
    Ok(targets)
}
