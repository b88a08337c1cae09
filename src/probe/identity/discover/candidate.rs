//! Candidates: features that may distinguish instances, each with the strength of its evidence.

use std::{collections::HashSet, sync::Arc};

use crate::model::trace::NameCertainty;

use super::{
    super::{
        choice::{RefusalReason, Tier, is_settled},
        feature::{Anchor, BODY_MARK, FeatureExtractor, Features, Partition, Slot, TextId},
        vocabulary::{self, NameMeaning, Shape},
    },
    feature_values::FeatureValues,
};

/// The greatest distance from its anchor of a word whose only evidence is the way in which it varies.
const MAX_OPAQUE_STEPS: u8 = 3;
/// The length of the longest value that is plain to read, in bytes.
const MAX_PLAIN_LENGTH: usize = 64;

/// A feature that may distinguish instances.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub slot: Slot,
    pub partition: Partition,
    pub tier: Tier,
    /// The certainty that the feature names instances.
    pub certainty: NameCertainty,
    pub support: Support,
    /// The rank of the feature by how plainly it is read.
    pub order: Order,
}

/// The support that a feature needs from other features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// The feature needs no support.
    Own,
    /// The feature is taken only together with a feature of another kind that divides the replies alike, because a page
    /// shows such things at random, too.
    Needed,
}

/// The rank of a feature by how plainly it is read. The fields are compared in this order, and smaller is plainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order {
    is_number: bool,
    is_no_host: bool,
    has_odd_characters: bool,
    kind: u8,
    steps: u8,
}

/// The kind of page that the replies are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// Files, which stay the same from one request to the next.
    File,
    /// A few words of plain text.
    ShortText,
    Any,
}

impl PageKind {
    pub fn new(replies: &[&Features], extractor: &FeatureExtractor) -> PageKind {
        let whole = Partition::new(replies.iter().map(|reply| reply.value(Slot::Body))).recurrence();
        let is_short = |reply: &&Features| {
            let json = reply.values().iter().any(|(slot, _)| matches!(slot, Slot::Json(_)));
            !json && reply.value(Slot::Body).is_some_and(|body| !extractor.text(body).starts_with(BODY_MARK))
        };
        if replies.iter().all(|reply| reply.is_file) && whole.once * 4 <= replies.len() * 3 {
            PageKind::File
        } else if replies.iter().all(is_short) {
            PageKind::ShortText
        } else {
            PageKind::Any
        }
    }
}

/// Makes a candidate of a feature that varies, or returns the reason why it cannot distinguish instances.
pub fn assess(
    feature: &FeatureValues,
    partition: Partition,
    page: PageKind,
    replies: &[&Features],
    extractor: &FeatureExtractor,
) -> Result<Candidate, RefusalReason> {
    let recurrence = partition.recurrence();
    if recurrence.values == recurrence.present && recurrence.present > 2 {
        return Err(RefusalReason::AlwaysNew);
    }
    let values: HashSet<TextId> = feature.values.iter().flatten().copied().collect();
    let values: Vec<&str> = values.into_iter().map(|value| extractor.text(value)).collect();
    let shape = vocabulary::shape(&values);
    let meaning = meaning(feature, shape, &values, extractor)?;
    let is_number = shape == Shape::Number;
    let is_of_file = page == PageKind::File && feature.slot.is_in_body();
    if is_number && !matches!(meaning, NameMeaning::Instance(_)) && !is_of_file {
        return Err(RefusalReason::Number);
    }
    let tier = match (feature.slot, meaning, shape) {
        (Slot::Body, ..) => Tier::Whole,
        (_, NameMeaning::Instance(_), _) => Tier::Named,
        (_, NameMeaning::Data, _) => Tier::Data,
        (_, _, Shape::Host) => Tier::Shaped,
        _ => Tier::Opaque,
    };
    if !is_settled(recurrence, tier, is_number)
        || (matches!(tier, Tier::Opaque | Tier::Data) && !is_own_word(feature, replies))
    {
        return Err(RefusalReason::Unsettled);
    }
    let is_named = tier == Tier::Named || (shape == Shape::Host && feature.names_hosts(&values, extractor));
    let needs_support = feature.slot.is_in_body() && page == PageKind::Any && !is_named;
    let support = if needs_support { Support::Needed } else { Support::Own };
    let order = Order::new(feature.slot, shape, &values, extractor);
    let is_own_name = shape == Shape::Host
        && (feature.is_own_name(extractor) || (vocabulary::are_hosts(&values) && is_whole_body(feature, replies)));
    let certainty = match meaning {
        NameMeaning::Instance(NameCertainty::Known) => NameCertainty::Known,
        NameMeaning::Instance(_) | NameMeaning::Unknown if is_own_name => NameCertainty::Known,
        _ => NameCertainty::Guessed,
    };
    Ok(Candidate { slot: feature.slot, partition, tier, certainty, support, order })
}

/// Returns whether the replies have nothing in their bodies but the value.
fn is_whole_body(feature: &FeatureValues, replies: &[&Features]) -> bool {
    replies.iter().zip(&feature.values).all(|(reply, value)| value.is_none() || reply.value(Slot::Body) == *value)
}

/// The meaning of a feature, if it can be an instance.
fn meaning(
    feature: &FeatureValues,
    shape: Shape,
    values: &[&str],
    extractor: &FeatureExtractor,
) -> Result<NameMeaning, RefusalReason> {
    let is_word = matches!(feature.slot, Slot::Word(..));
    let meaning = match feature.meaning(extractor) {
        // a time or a counter beside the word does not look like a host
        NameMeaning::Noise if shape == Shape::Host && is_word => NameMeaning::Unknown,
        meaning => meaning,
    };
    let is_attribute = is_word && feature.values.iter().flatten().all(|value| extractor.is_attribute(*value));
    let means_something =
        matches!(meaning, NameMeaning::Variant | NameMeaning::Worker) || matches!(shape, Shape::Other(_));
    if (is_attribute && !means_something) || values.iter().all(|value| vocabulary::is_clock(value)) {
        return Err(RefusalReason::Means(NameMeaning::Noise));
    }
    match (shape, meaning) {
        (Shape::Other(other), _) => Err(RefusalReason::Means(other)),
        (_, NameMeaning::Instance(_) | NameMeaning::Data | NameMeaning::Unknown) => Ok(meaning),
        (_, other) => Err(RefusalReason::Means(other)),
    }
}

impl Order {
    fn new(slot: Slot, shape: Shape, values: &[&str], extractor: &FeatureExtractor) -> Order {
        let (kind, steps) = match slot {
            Slot::KnownName(_) | Slot::Header(_) => (0, 0),
            Slot::Json(_) => (1, 0),
            Slot::Route(..) => (2, 0),
            Slot::Cookie(_) => (3, 0),
            Slot::Word(anchor, steps) => {
                let is_edge = !matches!(anchor, Anchor::Word(_));
                let is_tag = matches!(anchor, Anchor::Word(word) if extractor.text(word).starts_with('<'));
                let steps = 2 * steps.unsigned_abs() + u8::from(steps < 0);
                (4, steps + 3 * u8::from(is_tag) + 20 * u8::from(is_edge))
            }
            Slot::Body => (5, u8::from(values.iter().any(|value| value.starts_with(BODY_MARK)))),
        };
        Order {
            is_number: shape == Shape::Number,
            is_no_host: shape != Shape::Host,
            has_odd_characters: !values.iter().all(|value| is_plain(value)),
            kind,
            steps,
        }
    }
}

fn is_plain(value: &str) -> bool {
    value.chars().all(|c| c.is_alphanumeric() || "-_.:".contains(c)) && value.len() <= MAX_PLAIN_LENGTH
}

/// Returns whether each value of a word stands only in those bodies that have it in this slot. Where a part of a page
/// is longer at times, another of its words takes the place of the value.
fn is_own_word(feature: &FeatureValues, replies: &[&Features]) -> bool {
    let Slot::Word(_, steps) = feature.slot else { return true };
    let values: HashSet<TextId> = feature.values.iter().flatten().copied().collect();
    let mut checked = HashSet::new();
    let mut bodies = replies.iter().zip(&feature.values).filter(|(reply, _)| checked.insert(Arc::as_ptr(&reply.words)));
    let is_own = |words: &[TextId], value: Option<TextId>| {
        words.iter().all(|word| Some(*word) == value || !values.contains(word))
    };
    steps.unsigned_abs() <= MAX_OPAQUE_STEPS && bodies.all(|(reply, value)| is_own(&reply.words, *value))
}
