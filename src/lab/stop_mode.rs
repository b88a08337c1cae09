//! Stop modes: how much time a lab takes for its end.

/// The time that a lab takes for its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// Requests in flight get some time to finish.
    Graceful,
    /// The lab ends at once.
    Immediate,
}
