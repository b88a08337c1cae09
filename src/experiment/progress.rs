//! What an experiment shows of itself while it is made.

/// A reader of progress, such as a bar on a terminal.
pub trait Progress {
    /// An experiment begins. `total` is the number of its requests, where that is known.
    fn started(&mut self, title: &str, total: Option<u32>);
    /// The experiment has sent `n` requests so far.
    fn advanced(&mut self, n: u64);
    /// The experiment's title has changed.
    fn retitled(&mut self, title: &str);
    /// The experiment has ended.
    fn finished(&mut self);
    /// A line that a person should read, and that stays.
    fn note(&mut self, line: &str);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn started(&mut self, _: &str, _: Option<u32>) {}
    fn advanced(&mut self, _: u64) {}
    fn retitled(&mut self, _: &str) {}
    fn finished(&mut self) {}
    fn note(&mut self, _: &str) {}
}
