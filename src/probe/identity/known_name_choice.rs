//! The choice among the known names in the replies so far, one of which may vary as instances do.

use std::collections::HashSet;

use super::{
    choice::{RefusalReason, RefusedFeature, Tier, is_settled},
    feature::{FeatureExtractor, Features, Partition, Recurrence, Slot, TextId},
    known_names::{KnownName, Strength},
    vocabulary::{self, NameMeaning},
};

/// The number of values from which on a name that has another value in every reply counts as always new.
const MIN_NEW_VALUES: usize = 8;
/// The number of replies after which an id that is drawn for each request has shown that it does not come back.
const MIN_DRAWN_REPLIES: usize = 40;

/// The known names in the replies, by the way in which they vary.
pub struct KnownNameChoice {
    /// The name that varies as instances do.
    pub varying: Option<Slot>,
    /// The first name that is always the same and yet identifies something.
    pub constant: Option<Slot>,
    /// The greatest strength among all names that are always the same.
    pub strongest: Strength,
    /// The first name that has another value in every reply.
    pub always_new: Option<Slot>,
    /// The names whose values name no instance.
    pub refused: Vec<RefusedFeature>,
}

impl KnownNameChoice {
    pub fn new(replies: &[&Features], known: &[KnownName], extractor: &FeatureExtractor) -> KnownNameChoice {
        let mut choice = KnownNameChoice {
            varying: None,
            constant: None,
            strongest: Strength::Weak,
            always_new: None,
            refused: Vec::new(),
        };
        let mut best: Option<Partition> = None;
        for (index, name) in known.iter().enumerate() {
            let slot = Slot::KnownName(index as u8);
            let partition = Partition::new(replies.iter().map(|reply| reply.value(slot)));
            let recurrence = partition.recurrence();
            if let Some(reason) = doubt(replies, slot, recurrence, extractor) {
                choice.refused.push(RefusedFeature { slot, reason });
                continue;
            }
            match (recurrence.values, name.strength) {
                (0, _) | (1, Strength::Weak) => {}
                (1, strength) => {
                    choice.constant.get_or_insert(slot);
                    choice.strongest = choice.strongest.max(strength);
                }
                (values, _) if values == recurrence.present && values >= MIN_NEW_VALUES => {
                    choice.always_new.get_or_insert(slot);
                }
                _ => {
                    if best.as_ref().is_none_or(|best| is_finer(&partition, best)) {
                        choice.varying = Some(slot);
                        best = Some(partition);
                    }
                }
            }
        }
        choice
    }

    /// Returns whether the replies have any known name.
    pub fn is_any(&self) -> bool {
        !self.refused.is_empty() || self.varying.or(self.constant).or(self.always_new).is_some()
    }
}

/// Returns whether a name is settled and divides the replies more finely than another.
fn is_finer(partition: &Partition, other: &Partition) -> bool {
    is_settled(partition.recurrence(), Tier::Named, false) && partition.refines(other) && !other.refines(partition)
}

/// The reason why the values of a known name are no names of instances.
fn doubt(
    replies: &[&Features],
    slot: Slot,
    recurrence: Recurrence,
    extractor: &FeatureExtractor,
) -> Option<RefusalReason> {
    let values: HashSet<TextId> = replies.iter().filter_map(|reply| reply.value(slot)).collect();
    let values: Vec<&str> = values.into_iter().map(|value| extractor.text(value)).collect();
    if !values.is_empty() && values.iter().all(|value| vocabulary::is_clock(value)) {
        return Some(RefusalReason::Means(NameMeaning::Noise));
    }
    let Recurrence { present, values: different, returns, .. } = recurrence;
    let is_new = present >= MIN_DRAWN_REPLIES && returns == 0 && different * 2 > present;
    (is_new && vocabulary::are_drawn(&values)).then_some(RefusalReason::AlwaysNew)
}
