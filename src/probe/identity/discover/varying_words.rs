//! The words of bodies that vary, found by the words around them.
//!
//! A page has words that every copy of it has exactly once; they serve as anchors. A word that varies is known by the
//! nearest anchor before it and after it, however long the other parts of the page are.

use std::{collections::HashMap, sync::Arc};

use super::super::feature::{Anchor, FeatureExtractor, Features, MAX_STEPS, Slot, TextId};

/// The greatest number of slots of words that are compared.
const MAX_SLOTS: usize = 1500;
/// One of this number of replies may be another page.
pub const ONE_IN: usize = 20;
/// The number of words before a word that may give it a meaning.
const MAX_BEFORE: usize = 4;

#[derive(Debug, Clone)]
pub struct VaryingWord {
    pub slot: Slot,
    /// The word in each reply.
    pub values: Vec<Option<TextId>>,
    pub surroundings: Surroundings,
}

#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The words before it that do not vary, the nearest first.
    pub before: Vec<TextId>,
    pub after: Option<TextId>,
}

/// The words that vary, each in the slots that the words around it give.
pub fn varying_words(replies: &[&Features], extractor: &FeatureExtractor) -> Vec<VaryingWord> {
    let bodies = Bodies::new(replies);
    if bodies.different.len() < 2 {
        return Vec::new();
    }
    let usual = bodies.usual_counts(extractor.text_count());
    let mut counts = vec![0_u16; extractor.text_count()];
    let mut found: HashMap<Slot, Surroundings> = HashMap::new();
    for words in &bodies.different {
        words.iter().for_each(|word| counts[*word as usize] = counts[*word as usize].saturating_add(1));
        let page = Page { words, counts: &counts, usual: &usual, extractor };
        for at in 0..words.len() {
            if page.is_usual(at) || !can_be_name(extractor, words[at]) {
                continue;
            }
            for (anchor, steps) in page.anchors(at) {
                if found.len() < MAX_SLOTS {
                    found.entry(Slot::Word(anchor, steps)).or_insert_with(|| page.surroundings(at));
                }
            }
        }
        words.iter().for_each(|word| counts[*word as usize] = 0);
    }
    let mut varying: Vec<VaryingWord> = found
        .into_iter()
        .map(|(slot, surroundings)| VaryingWord { slot, values: Vec::with_capacity(replies.len()), surroundings })
        .collect();
    varying.sort_unstable_by_key(|word| word.slot);
    bodies.read(extractor, &mut varying);
    varying
}

/// Returns whether a word can be a name: a tag cannot, and neither can a word that was left out.
fn can_be_name(extractor: &FeatureExtractor, word: TextId) -> bool {
    let text = extractor.text(word);
    !text.is_empty() && !text.starts_with('<')
}

/// The words of one body, beside what is usual for the page.
struct Page<'a> {
    words: &'a [TextId],
    /// The number of times that each word stands in this body.
    counts: &'a [u16],
    /// The number of times that each word usually stands in a body.
    usual: &'a [u16],
    extractor: &'a FeatureExtractor,
}

impl Page<'_> {
    /// Returns whether the word stands here as often as in the other bodies.
    fn is_usual(&self, at: usize) -> bool {
        let word = self.words[at] as usize;
        self.usual[word] == self.counts[word]
    }

    /// Returns whether the word stands exactly once here and in the other bodies.
    fn is_anchor(&self, at: usize) -> bool {
        let word = self.words[at] as usize;
        self.counts[word] == 1 && self.usual[word] == 1
    }

    /// The nearest anchor before a word, the nearest one that is no tag, because a word means more than a tag does, and
    /// the nearest anchor after it.
    fn anchors(&self, at: usize) -> impl Iterator<Item = (Anchor<TextId>, i8)> {
        let text_before = self.anchor_before(at, |word| can_be_name(self.extractor, word));
        [self.anchor_before(at, |_| true), text_before, self.anchor_after(at)].into_iter().flatten()
    }

    fn anchor_before(&self, at: usize, fits: impl Fn(TextId) -> bool) -> Option<(Anchor<TextId>, i8)> {
        (1..=MAX_STEPS).find_map(|steps| match at.checked_sub(steps) {
            Some(before) if self.is_anchor(before) && fits(self.words[before]) => {
                Some((Anchor::Word(self.words[before]), steps as i8))
            }
            Some(_) => None,
            None => Some((Anchor::Start, steps as i8)).filter(|_| steps == at + 1),
        })
    }

    fn anchor_after(&self, at: usize) -> Option<(Anchor<TextId>, i8)> {
        (1..=MAX_STEPS).find_map(|steps| match self.words.get(at + steps) {
            Some(after) => self.is_anchor(at + steps).then_some((Anchor::Word(*after), -(steps as i8))),
            None => Some((Anchor::End, -(steps as i8))).filter(|_| at + steps == self.words.len()),
        })
    }

    fn surroundings(&self, at: usize) -> Surroundings {
        let before = (at.saturating_sub(MAX_BEFORE)..at).rev().filter(|before| self.is_usual(*before));
        Surroundings {
            before: before.map(|before| self.words[before]).collect(),
            after: self.words.get(at + 1).copied(),
        }
    }
}

/// The bodies that differ, and the body of each reply.
struct Bodies<'a> {
    different: Vec<&'a Arc<[TextId]>>,
    /// The index of each reply's body.
    of_reply: Vec<usize>,
    /// The number of replies that have each body.
    weights: Vec<usize>,
}

impl<'a> Bodies<'a> {
    fn new(replies: &[&'a Features]) -> Bodies<'a> {
        let mut indices = HashMap::new();
        let mut bodies = Bodies { different: Vec::new(), of_reply: Vec::new(), weights: Vec::new() };
        for reply in replies {
            let index = *indices.entry(Arc::as_ptr(&reply.words)).or_insert_with(|| {
                bodies.different.push(&reply.words);
                bodies.weights.push(0);
                bodies.different.len() - 1
            });
            bodies.weights[index] += 1;
            bodies.of_reply.push(index);
        }
        bodies
    }

    /// The number of times that each word stands in a body, where nearly all bodies agree; 0 elsewhere.
    fn usual_counts(&self, texts: usize) -> Vec<u16> {
        let candidates = self.majority_candidates(texts);
        let mut agree = vec![0_usize; texts];
        for (words, weight) in self.different.iter().zip(&self.weights) {
            for (word, count) in word_counts(words) {
                if candidates[word as usize] == count {
                    agree[word as usize] += weight;
                }
            }
        }
        let all: usize = self.weights.iter().sum();
        let is_enough = |agree: usize| agree * ONE_IN >= all * (ONE_IN - 1);
        candidates.iter().zip(agree).map(|(count, agree)| if is_enough(agree) { *count } else { 0 }).collect()
    }

    /// The count of each word that a majority of bodies has if any count has one (Boyer and Moore's majority vote).
    fn majority_candidates(&self, texts: usize) -> Vec<u16> {
        let mut votes = vec![(0_u16, 0_usize); texts];
        for (words, weight) in self.different.iter().zip(&self.weights) {
            for (word, count) in word_counts(words) {
                let (candidate, lead) = &mut votes[word as usize];
                if *candidate == count {
                    *lead += weight;
                } else if *lead >= *weight {
                    *lead -= weight;
                } else {
                    (*candidate, *lead) = (count, weight - *lead);
                }
            }
        }
        votes.into_iter().map(|(candidate, _)| candidate).collect()
    }

    /// Reads the values of all slots in all replies.
    fn read(&self, extractor: &FeatureExtractor, varying: &mut [VaryingWord]) {
        let mut places = vec![Place::None; extractor.text_count()];
        let mut rows: Vec<Vec<Option<TextId>>> = Vec::with_capacity(self.different.len());
        for words in &self.different {
            for (index, word) in words.iter().enumerate() {
                let place = &mut places[*word as usize];
                *place = if *place == Place::None { Place::At(index as u32) } else { Place::Several };
            }
            let value = |word: &VaryingWord| {
                let value = value_at(words, &places, word.slot)?;
                can_be_name(extractor, value).then_some(value)
            };
            rows.push(varying.iter().map(value).collect());
            words.iter().for_each(|word| places[*word as usize] = Place::None);
        }
        for (index, word) in varying.iter_mut().enumerate() {
            word.values.extend(self.of_reply.iter().map(|body| rows[*body][index]));
        }
    }
}

/// The place of a word in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    None,
    At(u32),
    Several,
}

/// The word in a slot of a body; `places` has the place of each word.
fn value_at(words: &[TextId], places: &[Place], slot: Slot) -> Option<TextId> {
    let Slot::Word(anchor, steps) = slot else { return None };
    let from = match anchor {
        Anchor::Start => -1,
        Anchor::End => words.len() as i64,
        Anchor::Word(word) => match places[word as usize] {
            Place::At(index) => index.into(),
            Place::None | Place::Several => return None,
        },
    };
    words.get(usize::try_from(from + i64::from(steps)).ok()?).copied()
}

/// The number of times that each word stands in a body.
fn word_counts(words: &[TextId]) -> Vec<(TextId, u16)> {
    let mut sorted = words.to_vec();
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).map(|same| (same[0], same.len().min(usize::from(u16::MAX)) as u16)).collect()
}
