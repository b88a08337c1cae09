//! The effect of load, as facts with their figures.

use crate::analysis::verdict::Algorithm;

/// The reasons why quick requests show nothing of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnclearReason {
    /// No slow request was under way long enough.
    NoneSlow,
    /// Slow requests made no instance busy, or all of them, or other instances than those that are judged.
    OtherInstancesBusy,
    /// The busy instances have answered nothing since, so they may have been taken out of service.
    NotComeBack,
    /// An instance that had been busy was avoided afterwards, so response times may count.
    AvoidedAfterwards,
    /// Requests of others may have made the other instances as busy.
    OthersBusy,
    /// Instances answered that the series without a cookie jar has not shown, so that their share is not known.
    UnseenInstances,
    /// Others answered while the one instance was busy, too seldom to tell that from chance.
    SeldomSpilled,
    /// The one instance answered too few requests to know that it answers all while it is idle.
    IdleUnknown,
    TooFew,
}

/// The regularity with which busy instances are avoided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Avoidance {
    Always,
    Mostly,
}

/// One fact about load. `on_busy` of `quick` requests went to a busy instance; `expected` would have if load played no
/// part.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadEvidence {
    /// Chance alone would make such a difference with probability `p`.
    FewerOnBusy {
        quick: usize,
        on_busy: usize,
        expected: f64,
        p: f64,
    },
    BusyAvoided(Avoidance),
    /// The pattern with a limit of one request to each instance would look the same.
    LimitLooksTheSame(Algorithm),
    /// Busy instances get their share, which least connections does with probability `p`.
    ShareOnBusy {
        quick: usize,
        on_busy: usize,
        expected: f64,
        p: f64,
    },
    /// If load played no part, others would answer only then with probability `p`.
    SpillsAt {
        requests: usize,
        p: f64,
    },
    LimitOfOneOrLeastConnections,
    StaysWhenBusy {
        quick: usize,
        busiest: usize,
    },
    UnclearCounts {
        quick: usize,
        on_busy: usize,
        expected: f64,
        reason: UnclearReason,
    },
    NotSeen(UnclearReason),
}
