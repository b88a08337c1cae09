//! The instances of other series, as facts with their figures.

use crate::model::trace::InstanceId;

/// One fact about other series than the free one.
#[derive(Debug, Clone, PartialEq)]
pub enum UnseenEvidence {
    /// Others than the one instance answered `others` of `of` requests that asked the same in other series.
    OthersAnswered { others: usize, of: usize },
    /// Others than the one instance answered `others` of `of` requests while some were held.
    OthersAnsweredWhileHeld { others: usize, of: usize },
    /// With the other series, the one instance gave `answers` answers; an instance with a larger share than
    /// `unseen_share` would have shown itself.
    NoOthersAnswered { answers: usize, unseen_share: f64 },
    /// Instances that answered `answers` requests in other series and none in the free one.
    Unseen { instances: Vec<InstanceId>, answers: usize, pattern: PatternScope },
}

/// The instances for which the pattern holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternScope {
    SeenInstances,
    NoPattern,
}
