//! What an experiment shows of itself while it is made.

/// A reader of progress, such as a bar on a terminal.
pub trait Progress {
    /// An experiment begins. `total` is the number of its requests, where that is known.
    fn start(&mut self, title: &str, total: Option<u32>);
    /// The experiment has sent `n` requests so far.
    fn advance(&mut self, n: u64);
    /// The experiment's title has changed.
    fn retitle(&mut self, title: &str);
    /// The experiment has ended.
    fn finish(&mut self);
    /// A line that a person should read, and that stays.
    fn note(&mut self, line: &str);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn start(&mut self, _: &str, _: Option<u32>) {}
    fn advance(&mut self, _: u64) {}
    fn retitle(&mut self, _: &str) {}
    fn finish(&mut self) {}
    fn note(&mut self, _: &str) {}
}
