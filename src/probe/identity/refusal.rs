//! Refusals in words: why nothing tells instances apart.

use std::collections::BTreeMap;

use super::{
    discovery::{Choice, Refused, Why},
    features::Slot,
};

/// Features that are named, at most, for each reason.
const NAMED: usize = 2;

/// How much is said of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Where it stands.
    Short,
    /// And how `--identity` is told so.
    Told,
}

/// Why a choice names nothing, by what so many answers show; `describe` says what stands in a slot, and how many values
/// it has.
pub fn in_words(choice: &Choice, answers: usize, describe: &dyn Fn(Slot, Detail) -> (String, usize)) -> Option<String> {
    match choice {
        Choice::Slot(_) => None,
        Choice::Several(one, other) => {
            let [(one, some), (other, others)] = [describe(*one, Detail::Told), describe(*other, Detail::Told)];
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
        Choice::Nothing(refused) => Some(format!("of {answers} answers, {}", varying(refused, describe))),
    }
}

fn varying(refused: &[Refused], describe: &dyn Fn(Slot, Detail) -> (String, usize)) -> String {
    // the body varies with any part of it, and a word has neighbours on both sides
    let parts = refused.iter().any(|refused| matches!(refused.slot, Slot::Word(..) | Slot::Json(_)));
    let mut told: Vec<&Refused> = refused
        .iter()
        .filter(|refused| match refused.slot {
            Slot::Body => !parts,
            Slot::Word(_, steps) => steps > 0,
            _ => true,
        })
        .collect();
    told.sort_by_key(|refused| match refused.slot {
        Slot::Word(_, steps) => steps,
        _ => 0,
    });
    let mut reasons: BTreeMap<Why, Vec<Slot>> = BTreeMap::new();
    for refused in told {
        let why = if let Why::Means(_) = refused.why { Why::Means(0) } else { refused.why };
        reasons.entry(why).or_default().push(refused.slot);
    }
    // what comes and goes with the length of a page is not worth a word
    if reasons.len() > 1 {
        reasons.remove(&Why::Missing);
    }
    if reasons.is_empty() {
        return "none differs from another in anything that may name an instance".to_owned();
    }
    let said = reasons.into_iter().map(|(why, slots)| {
        let reason = match why {
            Why::Unsupported => "may as well be shown at random, and nothing else varies with it",
            Why::New => "new in every answer",
            Why::Unsettled => "varies, but its values do not come back often enough",
            Why::Number => "a number that nothing says to be an instance's",
            Why::Means(_) => "by its name or values something else than an instance",
            Why::GoesWith => "goes with a variant of the page or a worker",
            Why::Missing => "not in all of them",
        };
        let more = slots.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let detail = if why == Why::Unsupported { Detail::Told } else { Detail::Short };
        let named: Vec<String> = slots.into_iter().take(NAMED).map(|slot| describe(slot, detail).0).collect();
        format!("{}{more}: {reason}", named.join(", "))
    });
    said.collect::<Vec<_>>().join("; ")
}
