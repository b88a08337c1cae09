//! Events that a lab reports while it starts.

/// An event while a lab starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartEvent {
    /// Of the `of` replicas that the lab starts with, `ready` answer.
    Ready { ready: u32, of: u32 },
    /// A step that takes its time has begun; a few words name it.
    Doing(String),
    /// The user should know this sentence.
    Note(String),
}
