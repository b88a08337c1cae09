//! Places: the words of bodies that are not the same in each, found by what stands around them.
//!
//! A page has words that every copy of it has just once. A word that varies is known by the nearest of these, before it
//! and after it, however long the other parts of the page are.

use std::{collections::HashMap, sync::Arc};

use super::{
    features::{Features, Id, Slot, Taker},
    text::{Anchor, FARTHEST},
};

/// Places that are looked at, at most.
const MOST: usize = 1500;
/// Of so many replies one may be another page.
pub const ONE_IN: usize = 20;

/// The bodies that differ, and which reply has which.
struct Bodies<'a> {
    different: Vec<&'a Arc<[Id]>>,
    of: Vec<usize>,
    weights: Vec<usize>,
}

/// A word that may vary.
#[derive(Debug, Clone)]
pub struct Place {
    /// Where it stands.
    pub slot: Slot,
    /// Its value in each reply.
    pub values: Vec<Option<Id>>,
    /// The words before it, the nearest first,
    pub before: Vec<Id>,
    /// and the one after it.
    pub after: Option<Id>,
}

/// The words that vary, each by the words next to it that do not.
pub fn find(replies: &[&Features], taker: &Taker) -> Vec<Place> {
    let bodies = Bodies::of(replies);
    if bodies.different.len() < 2 {
        return Vec::new();
    }
    let usual = bodies.usual_counts(taker.texts());
    let mut counts = vec![0_u16; taker.texts()];
    let mut found: HashMap<Slot, (Vec<Id>, Option<Id>)> = HashMap::new();
    for words in &bodies.different {
        words.iter().for_each(|word| counts[*word as usize] = counts[*word as usize].saturating_add(1));
        let is_anchor = |at: usize| counts[words[at] as usize] == 1 && usual[words[at] as usize] == 1;
        for at in 0..words.len() {
            let word = words[at] as usize;
            if usual[word] == counts[word] || !is_name(taker, words[at]) {
                continue;
            }
            let behind = |fits: &dyn Fn(Id) -> bool| {
                (1..=FARTHEST).find_map(|steps| match at.checked_sub(steps) {
                    Some(anchor) if is_anchor(anchor) && fits(words[anchor]) => {
                        Some((Anchor::Word(words[anchor]), steps as i8))
                    }
                    Some(_) => None,
                    None => Some((Anchor::Start, steps as i8)).filter(|_| steps == at + 1),
                })
            };
            let ahead = (1..=FARTHEST).find_map(|steps| match words.get(at + steps) {
                Some(anchor) => is_anchor(at + steps).then_some((Anchor::Word(*anchor), -(steps as i8))),
                None => Some((Anchor::End, -(steps as i8))).filter(|_| at + steps == words.len()),
            });
            // a word says more than a tag does
            let beside = [behind(&|_| true), behind(&|word| is_name(taker, word)), ahead];
            for (anchor, steps) in beside.into_iter().flatten() {
                if found.len() < MOST {
                    let same = |at: &usize| usual[words[*at] as usize] == counts[words[*at] as usize];
                    let before = (at.saturating_sub(4)..at).rev().filter(same).map(|at| words[at]).collect();
                    found.entry(Slot::Word(anchor, steps)).or_insert_with(|| (before, words.get(at + 1).copied()));
                }
            }
        }
        words.iter().for_each(|word| counts[*word as usize] = 0);
    }
    let mut places: Vec<Place> = found
        .into_iter()
        .map(|(slot, (before, after))| Place { slot, values: Vec::with_capacity(replies.len()), before, after })
        .collect();
    places.sort_unstable_by_key(|place| place.slot);
    bodies.read(taker, &mut places);
    places
}

/// Whether a word may be a value: a tag and what was left out are none.
fn is_name(taker: &Taker, word: Id) -> bool {
    let text = taker.text(word);
    !text.is_empty() && !text.starts_with('<')
}

impl<'a> Bodies<'a> {
    fn of(replies: &[&'a Features]) -> Bodies<'a> {
        let mut known = HashMap::new();
        let mut bodies = Bodies { different: Vec::new(), of: Vec::new(), weights: Vec::new() };
        for reply in replies {
            let index = *known.entry(Arc::as_ptr(&reply.words)).or_insert_with(|| {
                bodies.different.push(&reply.words);
                bodies.weights.push(0);
                bodies.different.len() - 1
            });
            bodies.weights[index] += 1;
            bodies.of.push(index);
        }
        bodies
    }

    /// How often each word stands in a body, where nearly all agree; 0 elsewhere.
    fn usual_counts(&self, texts: usize) -> Vec<u16> {
        let mut usual = vec![(0_u16, 0_usize); texts];
        let mut agree = vec![0_usize; texts];
        // first a majority's candidate, then whether it has one
        for pass in 0..2 {
            for (words, weight) in self.different.iter().zip(&self.weights) {
                for (word, count) in counted(words) {
                    let (candidate, lead) = &mut usual[word as usize];
                    match pass {
                        0 if *candidate == count => *lead += weight,
                        0 if *lead >= *weight => *lead -= weight,
                        0 => (*candidate, *lead) = (count, weight - *lead),
                        _ if *candidate == count => agree[word as usize] += weight,
                        _ => {}
                    }
                }
            }
        }
        let all: usize = self.weights.iter().sum();
        let enough = |agree: usize| agree * ONE_IN >= all * (ONE_IN - 1);
        usual.iter().zip(agree).map(|((count, _), agree)| if enough(agree) { *count } else { 0 }).collect()
    }

    /// Reads the values of all places in all replies.
    fn read(&self, taker: &Taker, places: &mut [Place]) {
        const NOWHERE: u32 = u32::MAX;
        const SEVERAL: u32 = u32::MAX - 1;
        let mut at = vec![NOWHERE; taker.texts()];
        let mut rows: Vec<Vec<Option<Id>>> = Vec::with_capacity(self.different.len());
        for words in &self.different {
            for (index, word) in words.iter().enumerate() {
                let place = &mut at[*word as usize];
                *place = if *place == NOWHERE { index as u32 } else { SEVERAL };
            }
            let value = |slot: Slot| {
                let Slot::Word(anchor, steps) = slot else { return None };
                let from = match anchor {
                    Anchor::Start => -1,
                    Anchor::End => words.len() as i64,
                    Anchor::Word(word) => Some(at[word as usize]).filter(|place| *place < SEVERAL)?.into(),
                };
                let word = words.get(usize::try_from(from + i64::from(steps)).ok()?).copied()?;
                is_name(taker, word).then_some(word)
            };
            rows.push(places.iter().map(|place| value(place.slot)).collect());
            words.iter().for_each(|word| at[*word as usize] = NOWHERE);
        }
        for (index, place) in places.iter_mut().enumerate() {
            place.values.extend(self.of.iter().map(|body| rows[*body][index]));
        }
    }
}

fn counted(words: &[Id]) -> Vec<(Id, u16)> {
    let mut sorted = words.to_vec();
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).map(|same| (same[0], same.len().min(usize::from(u16::MAX)) as u16)).collect()
}
