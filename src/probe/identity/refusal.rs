//! Refusals in words: the reasons why no feature distinguishes instances.

use std::collections::BTreeMap;

use super::{
    choice::{Choice, RefusalReason, RefusedFeature},
    feature::Slot,
    vocabulary::NameMeaning,
};

/// The number of features that are named for each reason.
const MAX_NAMED: usize = 2;

/// The detail in which a feature is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The description has the place in the reply.
    Place,
    /// The description has the place, and the value for `--identity`.
    PlaceAndFlag,
}

/// A feature in words, and the number of its values.
pub type Description = (String, usize);

/// The reason why a choice names no feature, after `answers` replies; `None` if it names a feature, or if there is
/// nothing to compare.
pub fn explain(choice: &Choice, answers: usize, describe: &dyn Fn(Slot, Detail) -> Description) -> Option<String> {
    match choice {
        Choice::Slot(..) => None,
        Choice::Several(one, other) => {
            let [(one, some), (other, others)] =
                [describe(*one, Detail::PlaceAndFlag), describe(*other, Detail::PlaceAndFlag)];
            if some == 1 {
                return Some(format!(
                    "{one} is always the same, {other} has {others} values, and nothing says which is the instance"
                ));
            }
            Some(format!(
                "{one} ({some} values) and {other} ({others} values) vary across each other, and nothing says which is the \
                 instance"
            ))
        }
        Choice::Nothing(_) if answers < 2 => None,
        Choice::Nothing(refused) => Some(format!("of {answers} answers, {}", explain_refused(refused, describe))),
    }
}

fn explain_refused(refused: &[RefusedFeature], describe: &dyn Fn(Slot, Detail) -> Description) -> String {
    let mut reasons: BTreeMap<RefusalReason, Vec<Slot>> = BTreeMap::new();
    for RefusedFeature { slot, reason } in worth_naming(refused) {
        // what a feature means instead of an instance makes no difference to the reader
        let reason =
            if let RefusalReason::Means(_) = reason { RefusalReason::Means(NameMeaning::Noise) } else { reason };
        reasons.entry(reason).or_default().push(slot);
    }
    // a feature that comes and goes with the length of a page is not worth a word
    if reasons.len() > 1 {
        reasons.remove(&RefusalReason::Missing);
    }
    if reasons.is_empty() {
        return "none differs from another in anything that may name an instance".to_owned();
    }
    let sentences = reasons.into_iter().map(|(reason, slots)| {
        let more = slots.len().saturating_sub(MAX_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let detail = if reason == RefusalReason::Unsupported { Detail::PlaceAndFlag } else { Detail::Place };
        let named: Vec<String> = slots.into_iter().take(MAX_NAMED).map(|slot| describe(slot, detail).0).collect();
        format!("{}{more}: {}", named.join(", "), reason.as_str())
    });
    sentences.collect::<Vec<_>>().join("; ")
}

/// The refused features, without those that vary only because another one does: the body varies with any part of it,
/// and a word has neighbours on both sides.
fn worth_naming(refused: &[RefusedFeature]) -> Vec<RefusedFeature> {
    let has_parts = refused.iter().any(|refused| matches!(refused.slot, Slot::Word(..) | Slot::Json(_)));
    let is_worth = |refused: &&RefusedFeature| match refused.slot {
        Slot::Body => !has_parts,
        Slot::Word(_, steps) => steps > 0,
        _ => true,
    };
    let mut named: Vec<RefusedFeature> = refused.iter().filter(is_worth).copied().collect();
    named.sort_by_key(|refused| match refused.slot {
        Slot::Word(_, steps) => steps,
        _ => 0,
    });
    named
}

impl RefusalReason {
    fn as_str(self) -> &'static str {
        match self {
            RefusalReason::Unsupported => "may as well be shown at random, and nothing else varies with it",
            RefusalReason::AlwaysNew => "new in every answer",
            RefusalReason::Unsettled => "varies, but its values do not come back often enough",
            RefusalReason::Number => "a number that nothing says to be an instance's",
            RefusalReason::Means(_) => "by its name or values something else than an instance",
            RefusalReason::GoesWithVariant => "goes with a variant of the page or a worker",
            RefusalReason::Missing => "not in all of them",
        }
    }
}
