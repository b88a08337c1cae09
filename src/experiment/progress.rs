//! The progress of an experiment, as a reader sees it.

/// A reader of progress, such as a bar on a terminal.
pub trait Progress {
    /// Begins an experiment. `total` is the number of its requests, where that is known.
    fn start(&mut self, title: &str, total: Option<u32>);
    /// Counts `n` requests of the experiment so far.
    fn advance(&mut self, n: u64);
    /// Changes the title of the experiment.
    fn retitle(&mut self, title: &str);
    /// Ends the experiment.
    fn finish(&mut self);
    /// Shows a line that stays.
    fn note(&mut self, line: &str);
}

/// A reader of progress that shows nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn start(&mut self, _: &str, _: Option<u32>) {}
    fn advance(&mut self, _: u64) {}
    fn retitle(&mut self, _: &str) {}
    fn finish(&mut self) {}
    fn note(&mut self, _: &str) {}
}
