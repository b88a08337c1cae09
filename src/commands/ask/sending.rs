//! Sending a series, with a progress bar.

use std::ops::ControlFlow;

use indicatif::ProgressBar;

use crate::{
    model::trace::Trace,
    probe::{Prober, SeriesPlan},
};

use super::{super::console, stop_if};

/// Sends a series: so many requests, else until it is enough; says meanwhile what it is doing.
pub async fn sending(
    requests: Option<u32>,
    prober: &mut Prober,
    series: &SeriesPlan,
    doing: impl Fn(&Trace) -> String,
    enough: impl Fn(&Trace) -> bool,
) -> anyhow::Result<()> {
    let bar: ProgressBar = match requests {
        Some(requests) => console::bar(requests.into(), &series.name.to_string()),
        None => console::counter(&doing(prober.trace())),
    };
    let sent = prober
        .send(series, |trace| {
            bar.set_position(trace.series.last().map_or(0, |series| series.requests.len() as u64));
            if requests.is_some() {
                return ControlFlow::Continue(());
            }
            bar.set_message(doing(trace));
            stop_if(enough(trace))
        })
        .await;
    bar.finish_and_clear();
    Ok(sent?)
}
