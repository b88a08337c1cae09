//! The choice: the feature that distinguishes instances, the tier of its evidence, and the reasons against other
//! features.

use crate::model::trace::NameCertainty;

use super::{
    feature::{Recurrence, Slot},
    vocabulary::NameMeaning,
};

/// The result of comparing the replies so far.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// This feature distinguishes instances, with this certainty that it names them.
    Slot(Slot, NameCertainty),
    /// Either of these features may distinguish instances, they contradict each other, and there is no reason to prefer
    /// one of them.
    Several(Slot, Slot),
    /// No feature distinguishes instances.
    Nothing(Vec<RefusedFeature>),
}

impl Choice {
    /// The feature that distinguishes instances, with the certainty that it names them.
    pub fn chosen(&self) -> Option<(Slot, NameCertainty)> {
        match self {
            Choice::Slot(slot, certainty) => Some((*slot, *certainty)),
            Choice::Several(..) | Choice::Nothing(_) => None,
        }
    }
}

/// A feature that varies and was not taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RefusedFeature {
    pub slot: Slot,
    pub reason: RefusalReason,
}

/// The reason why a feature that varies was not taken. The reasons are shown in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalReason {
    /// The feature is a part of the body and varies as instances do, but so do parts that a page shows at random.
    Unsupported,
    /// The value is another one in every reply.
    AlwaysNew,
    /// The values did not come back often enough, or new ones kept coming.
    Unsettled,
    /// The feature is a number, and its name does not mean an instance.
    Number,
    /// The name or the values mean something else than an instance.
    Means(NameMeaning),
    /// The feature varies together with a variant of the page or with a worker.
    GoesWithVariant,
    /// Some replies do not have the feature.
    Missing,
}

/// The tier of the evidence for a feature, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// The name of the feature means an instance.
    Named,
    /// The values look like names of hosts.
    Shaped,
    /// The only evidence is the way in which the feature varies.
    Opaque,
    /// The feature is a digest of the whole body, which is taken only where nothing else varies.
    Whole,
    /// The name of the feature means a part of the data. It is taken only where no other feature names instances.
    Data,
}

/// Returns whether the values of a feature came back often enough, and no new ones keep coming. The lower the tier, the
/// more replies are needed; `is_number` is true for values that are only numbers.
pub fn is_settled(recurrence: Recurrence, tier: Tier, is_number: bool) -> bool {
    let Recurrence { present, values, returns, returned, once } = recurrence;
    if values < 2 || returned < 2 {
        return false;
    }
    match tier {
        Tier::Named | Tier::Shaped if !is_number => present >= 6 && returns >= 3 && once * 4 <= present * 3,
        Tier::Named | Tier::Shaped => present >= 8 && returns >= 4 && once * 4 <= present,
        Tier::Opaque | Tier::Data | Tier::Whole => present >= 10 && returns >= 5 && once * 4 <= present,
    }
}
