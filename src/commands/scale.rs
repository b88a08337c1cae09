//! `lbctl scale`: another number of replicas.

use std::collections::BTreeMap;

use crate::{
    cli::{Counts, Format, Scale},
    error::{Exit, Failure},
    report,
};

use super::{console, found};

/// Scales the lab.
pub async fn run(args: Scale) -> anyhow::Result<Exit> {
    let targets = targets(&args.counts, &args.services)?;
    if targets.is_empty() {
        let nothing = Failure::usage("nothing to scale");
        return Err(nothing.hint("name a service and a number, for example web_static=3").into());
    }
    let lab = found::lab(&args.project.project).await?;
    let bar = console::counter("scaling");
    let scaled = lab.scale(&targets).await;
    bar.finish_and_clear();
    match args.output.format {
        Format::Json => console::json(&scaled?)?,
        Format::Table => console::data(&report::lab::scaled(&scaled?))?,
    }
    Ok(Exit::Done)
}

/// Numbers of replicas by service, from the flags and the arguments that give them.
pub fn targets(counts: &Counts, services: &[(String, u32)]) -> anyhow::Result<BTreeMap<String, u32>> {
    let flags = [("web_static", counts.web_static), ("web_dynamic", counts.web_dynamic)];
    let flags = flags.into_iter().filter_map(|(service, count)| Some((service.to_owned(), count?)));
    let mut targets = BTreeMap::new();
    for (service, count) in flags.chain(services.iter().cloned()) {
        if let Some(other) = targets.insert(service.clone(), count)
            && other != count
        {
            return Err(Failure::usage(format!("{service} cannot have both {other} and {count} replicas")).into());
        }
    }
    Ok(targets)
}
