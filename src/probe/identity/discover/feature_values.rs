//! The features of the replies, each with its value in every reply.

use std::collections::BTreeMap;

use super::{
    super::{
        feature::{FeatureExtractor, Features, Slot, TextId},
        vocabulary::{self, NameMeaning},
    },
    varying_words::{ONE_IN, Surroundings, varying_words},
};

pub struct FeatureValues {
    pub slot: Slot,
    /// The value in each reply.
    pub values: Vec<Option<TextId>>,
    /// The words around it, where it is a word of the body.
    pub surroundings: Option<Surroundings>,
}

/// All features of the replies but the known names.
pub fn collect(replies: &[&Features], extractor: &FeatureExtractor) -> Vec<FeatureValues> {
    let mut slots: BTreeMap<Slot, Vec<Option<TextId>>> = BTreeMap::new();
    for (index, reply) in replies.iter().enumerate() {
        for (slot, value) in reply.values().iter().filter(|(slot, _)| !matches!(slot, Slot::KnownName(_))) {
            slots.entry(*slot).or_insert_with(|| vec![None; replies.len()])[index] = Some(*value);
        }
    }
    let mut all: Vec<FeatureValues> =
        slots.into_iter().map(|(slot, values)| FeatureValues { slot, values, surroundings: None }).collect();
    all.extend(varying_words(replies, extractor).into_iter().map(|word| FeatureValues {
        slot: word.slot,
        values: word.values,
        surroundings: Some(word.surroundings),
    }));
    all
}

impl FeatureValues {
    /// Returns whether more replies lack the feature than can be other pages.
    pub fn is_missing(&self) -> bool {
        let present = self.values.iter().flatten().count();
        present * ONE_IN < self.values.len() * (ONE_IN - 1)
    }

    /// Returns whether two replies have different values.
    pub fn varies(&self) -> bool {
        let first = self.values.iter().flatten().next();
        self.values.iter().flatten().any(|value| Some(value) != first)
    }

    /// The meaning that the feature's name or the words around it give to it.
    pub fn meaning(&self, extractor: &FeatureExtractor) -> NameMeaning {
        match self.slot {
            Slot::Header(name) => vocabulary::meaning_of_name(extractor.text(name)),
            Slot::Cookie(name) => vocabulary::meaning_of_cookie(extractor.text(name)),
            Slot::Route(name, _) => vocabulary::meaning_of_route(extractor.text(name)),
            Slot::Json(pointer) => vocabulary::meaning_of_pointer(extractor.text(pointer)),
            Slot::KnownName(_) | Slot::Word(..) | Slot::Body => {
                let Some(Surroundings { before, after }) = &self.surroundings else { return NameMeaning::Unknown };
                let before: Vec<&str> = before.iter().map(|word| extractor.text(*word)).collect();
                vocabulary::meaning_of_context(&before, after.map(|word| extractor.text(word)))
            }
        }
    }

    /// Returns whether a server gives its own name here: it introduces itself, or it is the object of which the field is a
    /// part.
    pub fn is_own_name(&self, extractor: &FeatureExtractor) -> bool {
        match (self.slot, &self.surroundings) {
            (Slot::Json(pointer), _) => vocabulary::is_field_of_instance(extractor.text(pointer)),
            (_, Some(Surroundings { before, .. })) => {
                let before: Vec<&str> = before.iter().map(|word| extractor.text(*word)).collect();
                vocabulary::is_self_introduction(&before)
            }
            _ => false,
        }
    }

    /// Returns whether the values are names of hosts, because only hosts have such names or because a word introduces
    /// them.
    pub fn names_hosts(&self, values: &[&str], extractor: &FeatureExtractor) -> bool {
        let introduced = match (self.slot, &self.surroundings) {
            (Slot::Json(pointer), _) => vocabulary::is_name_field(extractor.text(pointer)),
            (_, Some(Surroundings { before, .. })) => {
                let before: Vec<&str> = before.iter().map(|word| extractor.text(*word)).collect();
                vocabulary::is_introduced(&before)
            }
            _ => false,
        };
        introduced || vocabulary::are_hosts(values)
    }
}
