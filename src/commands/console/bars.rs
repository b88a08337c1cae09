//! Progress on standard error. Nothing is drawn where standard error is no terminal, or where the debug log goes there.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use crate::experiment::Progress;

use super::say;

fn new_bar(total: Option<u64>) -> ProgressBar {
    // the lines of the debug log and a bar would overwrite each other
    let is_logging = tracing::enabled!(tracing::Level::DEBUG);
    let target = if is_logging { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    ProgressBar::with_draw_target(total, target).with_finish(ProgressFinish::AndClear)
}

/// A bar for work of which the end is known.
pub fn bar(total: u64, doing: &str) -> ProgressBar {
    let bar = new_bar(Some(total)).with_message(doing.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A count for work of which the end is not known.
pub fn counter(doing: &str) -> ProgressBar {
    let counter = new_bar(None).with_message(doing.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos}") {
        counter.set_style(style);
    }
    counter.enable_steady_tick(Duration::from_millis(200));
    counter
}

/// A line that names the step that is being made.
pub fn spinner() -> ProgressBar {
    let spinner = new_bar(None);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(200));
    spinner
}

/// The progress of the experiment that is being made.
#[derive(Default)]
pub struct ExperimentBar {
    bar: Option<ProgressBar>,
}

impl Progress for ExperimentBar {
    fn start(&mut self, title: &str, total: Option<u32>) {
        self.bar = Some(total.map_or_else(|| counter(title), |total| bar(total.into(), title)));
    }

    fn advance(&mut self, n: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(n);
        }
    }

    fn retitle(&mut self, title: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(title.to_owned());
        }
    }

    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn note(&mut self, line: &str) {
        match &self.bar {
            // a bar must not be drawn over it
            Some(bar) => bar.suspend(|| say(line)),
            None => say(line),
        }
    }
}
