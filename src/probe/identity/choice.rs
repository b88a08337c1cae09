//! The choice: by which feature instances are told apart, how much speaks for it, and why other features were refused.

use super::{
    feature::{Recurrence, Slot},
    vocabulary::Meaning,
};

/// The result of comparing the replies so far.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// This feature tells instances apart.
    Slot(Slot),
    /// Either of these features may tell instances apart, they contradict each other, and nothing speaks for one of
    /// them.
    Several(Slot, Slot),
    /// No feature tells instances apart.
    Nothing(Vec<RefusedFeature>),
}

/// A feature that varies and was not taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RefusedFeature {
    pub slot: Slot,
    pub reason: RefusalReason,
}

/// Why a feature that varies was not taken. The order is that in which the reasons are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalReason {
    /// It is a part of the body and varies as instances do, but so does what a page shows at random.
    Unsupported,
    /// Every reply has another value.
    AlwaysNew,
    /// The values did not come back often enough, or new ones kept coming.
    Unsettled,
    /// It is a number, and nothing says that the number is an instance's.
    Number,
    /// The name or the values mean something else than an instance.
    Means(Meaning),
    /// It varies together with a variant of the page or with a worker.
    GoesWithVariant,
    /// Some replies do not have it.
    Missing,
}

/// How much speaks for a feature, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// The name of the feature speaks of instances.
    Named,
    /// The values look like names of hosts.
    Shaped,
    /// Nothing speaks for the feature but how it varies.
    Opaque,
    /// It is a digest of the whole body, which is taken only where nothing else varies.
    Whole,
}

/// Whether the values of a feature came back often enough, and no new ones keep coming. The less speaks for a feature,
/// the more replies are asked for; `is_number` is about values that are mere numbers.
pub fn is_settled(recurrence: Recurrence, tier: Tier, is_number: bool) -> bool {
    let Recurrence { present, values, returns, returned, once } = recurrence;
    if values < 2 || returned < 2 {
        return false;
    }
    match tier {
        Tier::Named | Tier::Shaped if !is_number => present >= 6 && returns >= 3 && once * 4 <= present * 3,
        Tier::Named | Tier::Shaped => present >= 8 && returns >= 4 && once * 4 <= present,
        Tier::Opaque | Tier::Whole => present >= 10 && returns >= 5 && once * 4 <= present,
    }
}
