//! Discovery: which feature tells instances apart.
//!
//! A feature that does varies, its values come back after others, and no new ones keep coming. What is known by name
//! goes first; of the others the finest is taken that goes with all the rest. Where two vary across each other and
//! nothing speaks for one of them, none is taken.

use std::collections::{BTreeMap, HashSet};

use super::{
    candidate::{Candidate, Page, Seen, Support, Tier, in_body, is_digest, judge, unsupported},
    features::{Features, Id, Slot, Taker},
    known::{Known, Strength},
    meaning::Meaning,
    named::Named,
    partition::Partition,
    picking::{pick, plainest},
    places::{self, ONE_IN},
};

/// What the replies so far let one choose.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// This tells instances apart.
    Slot(Slot),
    /// These do, but not the same ones, and nothing speaks for either.
    Several(Slot, Slot),
    /// Nothing does.
    Nothing(Vec<Refused>),
}

/// A feature that varies and was not taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refused {
    /// What it is.
    pub slot: Slot,
    /// Why it was not taken.
    pub why: Why,
}

/// Why a feature that varies was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A part of the body that varies as instances do, but as what is shown at random does, too.
    Unsupported,
    /// Another value in every reply.
    New,
    /// Its values did not come back often enough, or new ones kept coming.
    Unsettled,
    /// A number that nothing says to be an instance's.
    Number,
    /// What its name or its values mean.
    Means(u8),
    /// It goes with what is a variant, or a worker's.
    GoesWith,
    /// Some replies do not have it.
    Missing,
}

/// Chooses by replies in the order in which they came: those to the plain request, or all where there are none.
pub fn choose(plain: &[&Features], all: &[&Features], known: &[Known], taker: &Taker) -> Choice {
    let of = |replies| Named::of(replies, known, taker);
    let named = Some(of(plain)).filter(Named::is_any).unwrap_or_else(|| of(all));
    if let Some(slot) = named.varying {
        return Choice::Slot(slot);
    }
    if let (Some(slot), Strength::Strong) = (named.constant, named.strongest) {
        return Choice::Slot(slot);
    }
    // an error page may say anything
    let any_success = plain.iter().any(|reply| reply.success);
    let replies: Vec<&Features> = plain.iter().copied().filter(|reply| reply.success || !any_success).collect();
    let (choice, tier) = unknown(&replies, taker, named.refused);
    match (&choice, tier, named.constant, named.new) {
        // a field is told by its name, a word only by its neighbours
        (Choice::Slot(Slot::Json(_)), Some(Tier::Named), ..) => choice,
        (Choice::Slot(slot), Some(_), Some(constant), _) if in_body(*slot) => Choice::Several(constant, *slot),
        (_, Some(Tier::Named | Tier::Shaped), ..) | (_, _, None, None) => choice,
        (_, _, Some(slot), _) | (_, _, None, Some(slot)) => Choice::Slot(slot),
    }
}

/// The value that a reply has there; words are read elsewhere.
pub fn value(reply: &Features, slot: Slot) -> Option<Id> {
    let index = reply.values.binary_search_by_key(&slot, |(slot, _)| *slot).ok()?;
    Some(reply.values[index].1)
}

/// Chooses among what nobody knows by name.
fn unknown(replies: &[&Features], taker: &Taker, mut refused: Vec<Refused>) -> (Choice, Option<Tier>) {
    let page = Page::of(replies, taker);
    let whole = Partition::of(replies.iter().map(|reply| value(reply, Slot::Body)));
    let (mut candidates, mut variants) = (Vec::new(), HashSet::new());
    for seen in seen(replies, taker) {
        let present = seen.values.iter().flatten().count();
        if present * ONE_IN < seen.values.len() * (ONE_IN - 1) {
            refused.push(Refused { slot: seen.slot, why: Why::Missing });
            continue;
        }
        let first = seen.values.iter().flatten().next();
        if seen.values.iter().flatten().all(|value| Some(value) == first) {
            continue;
        }
        let partition = Partition::of(seen.values.iter().copied());
        match judge(&seen, partition.clone(), page, replies, taker) {
            // a digest of the body says no more than the body does
            Ok(candidate) if is_digest(candidate.slot, taker) && partition == whole => {
                let support = if page == Page::Any { Support::Needed } else { Support::Own };
                candidates.push(Candidate { tier: Tier::Whole, support, ..candidate });
            }
            Ok(candidate) => candidates.push(candidate),
            Err(why) => {
                if matches!(why, Why::Means(what) if what == Meaning::Variant as u8 || what == Meaning::Worker as u8) {
                    variants.insert(partition);
                }
                refused.push(Refused { slot: seen.slot, why });
            }
        }
    }
    candidates.retain(|candidate| {
        let goes_with = candidate.tier != Tier::Named && variants.contains(&candidate.partition);
        if goes_with {
            refused.push(Refused { slot: candidate.slot, why: Why::GoesWith });
        }
        !goes_with
    });
    let unsupported = unsupported(&mut candidates, replies, taker);
    refused.extend(unsupported.iter().map(|one| Refused { slot: one.slot, why: Why::Unsupported }));
    match pick(&plainest(candidates), &unsupported, &refused) {
        Some((choice, tier)) => (choice, Some(tier)),
        None => (Choice::Nothing(refused), None),
    }
}

/// Everything that the replies have but what is known by name.
fn seen(replies: &[&Features], taker: &Taker) -> Vec<Seen> {
    let mut slots: BTreeMap<Slot, Vec<Option<Id>>> = BTreeMap::new();
    for (index, reply) in replies.iter().enumerate() {
        for (slot, value) in reply.values.iter().filter(|(slot, _)| !matches!(slot, Slot::Known(_))) {
            slots.entry(*slot).or_insert_with(|| vec![None; replies.len()])[index] = Some(*value);
        }
    }
    let mut seen: Vec<Seen> = slots.into_iter().map(|(slot, values)| Seen { slot, values, beside: None }).collect();
    seen.extend(places::find(replies, taker).into_iter().map(|place| Seen {
        slot: place.slot,
        values: place.values,
        beside: Some((place.before, place.after)),
    }));
    seen
}
