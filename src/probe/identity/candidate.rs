//! Candidates: what may tell instances apart, and how much speaks for it.

use std::collections::HashSet;

use super::{
    discovery::{Why, value},
    features::{BODY, Features, Id, Slot, Taker, is_file_etag},
    meaning::{self, Meaning, Shape},
    partition::{Habit, Partition},
    text::Anchor,
};

/// How much speaks for a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Its name says that it is about instances.
    Named,
    /// Its values look like names of hosts.
    Shaped,
    /// Nothing but how it varies.
    Opaque,
    /// A digest of everything: only if nothing else varies.
    Whole,
}

/// Whether a feature may be taken as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It may.
    Own,
    /// A page shows such things at random, too: only with a feature of another kind that divides the replies alike.
    Needed,
}

/// A feature that may tell instances apart.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What it is.
    pub slot: Slot,
    /// How it divides the replies.
    pub partition: Partition,
    /// How much speaks for it.
    pub tier: Tier,
    /// Whether that is enough.
    pub support: Support,
    /// How plainly it would be read, smaller is better.
    pub order: (bool, bool, bool, u8, u8),
}

/// Whether a feature came back often enough, and nothing new keeps coming.
pub fn is_settled(habit: Habit, tier: Tier, number: bool) -> bool {
    let Habit { present, values, returns, returned, once } = habit;
    if values < 2 || returned < 2 {
        return false;
    }
    match tier {
        Tier::Named | Tier::Shaped if !number => present >= 6 && returns >= 3 && once * 4 <= present * 3,
        Tier::Named | Tier::Shaped => present >= 8 && returns >= 4 && once * 4 <= present,
        Tier::Opaque | Tier::Whole => present >= 10 && returns >= 5 && once * 4 <= present,
    }
}

/// A feature and its values.
pub struct Seen {
    /// What it is.
    pub slot: Slot,
    /// Its value in each reply.
    pub values: Vec<Option<Id>>,
    /// The words around it, where it is a word.
    pub beside: Option<(Vec<Id>, Option<Id>)>,
}

impl Seen {
    /// What its name or the words around it let one expect.
    fn meaning(&self, taker: &Taker) -> Meaning {
        match self.slot {
            Slot::Header(name) | Slot::Cookie(name) => meaning::of_name(taker.text(name)),
            // a session's cookie may well have a route in it
            Slot::Route(name, _) => match meaning::of_name(taker.text(name)) {
                Meaning::Unknown | Meaning::Noise => Meaning::Instance,
                other => other,
            },
            Slot::Json(pointer) => meaning::of_pointer(taker.text(pointer)),
            Slot::Known(_) | Slot::Word(..) | Slot::Body => {
                let Some((before, after)) = &self.beside else { return Meaning::Unknown };
                let before: Vec<&str> = before.iter().map(|word| taker.text(*word)).collect();
                meaning::of_context(&before, after.map(|word| taker.text(word)))
            }
        }
    }

    /// Whether its values may be taken for names of hosts: by what they are, or by what introduces them.
    fn names_hosts(&self, values: &[&str], taker: &Taker) -> bool {
        let introduced = match (self.slot, &self.beside) {
            (Slot::Json(pointer), _) => meaning::is_name_in(taker.text(pointer)),
            (_, Some((before, _))) => {
                let before: Vec<&str> = before.iter().map(|word| taker.text(*word)).collect();
                meaning::is_introduced(&before)
            }
            _ => false,
        };
        introduced || meaning::are_hosts(values)
    }
}

/// What the replies are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Files.
    File,
    /// A few words of plain text, and nothing else.
    Short,
    /// Anything else.
    Any,
}

impl Page {
    /// What these replies are.
    pub fn of(replies: &[&Features], taker: &Taker) -> Page {
        let whole = Partition::of(replies.iter().map(|reply| value(reply, Slot::Body))).habit();
        let is_short = |reply: &&Features| {
            let json = reply.values.iter().any(|(slot, _)| matches!(slot, Slot::Json(_)));
            !json && value(reply, Slot::Body).is_some_and(|body| !taker.text(body).starts_with(BODY))
        };
        // a file is the same when it is asked for again
        if replies.iter().all(|reply| reply.is_file) && whole.once * 4 <= replies.len() * 3 {
            Page::File
        } else if replies.iter().all(is_short) {
            Page::Short
        } else {
            Page::Any
        }
    }
}

/// Whether a value is a part of the body.
pub fn in_body(slot: Slot) -> bool {
    matches!(slot, Slot::Word(..) | Slot::Json(_) | Slot::Body)
}

/// Takes those that lack support out of the candidates.
pub fn unsupported(candidates: &mut Vec<Candidate>, replies: &[&Features], taker: &Taker) -> Vec<Candidate> {
    let etags = || {
        let values: Vec<_> =
            replies.iter().map(|reply| reply.values.iter().find(|(slot, _)| is_etag(*slot, taker))).collect();
        let files = values.iter().all(|etag| etag.is_some_and(|(_, etag)| is_file_etag(taker.text(*etag))));
        files.then(|| Partition::of(values.into_iter().map(|etag| etag.map(|(_, etag)| *etag))))
    };
    let files = etags();
    let others: HashSet<Partition> = candidates
        .iter()
        .filter(|other| other.support == Support::Own && !in_body(other.slot) && !is_digest(other.slot, taker))
        .map(|other| other.partition.clone())
        .collect();
    let lacks = |one: &mut Candidate| {
        let file = files.as_ref().is_some_and(|files| files.refines(&one.partition));
        one.support == Support::Needed && !file && !others.contains(&one.partition)
    };
    candidates.extract_if(.., lacks).collect()
}

fn is_etag(slot: Slot, taker: &Taker) -> bool {
    matches!(slot, Slot::Header(name) if taker.text(name) == "etag")
}

/// Whether a header is made of the body.
pub fn is_digest(slot: Slot, taker: &Taker) -> bool {
    let Slot::Header(name) = slot else { return false };
    ["etag", "md5", "digest", "checksum", "hash"].iter().any(|digest| taker.text(name).contains(digest))
}

/// Whether a feature that varies may tell instances apart.
pub fn judge(
    seen: &Seen,
    partition: Partition,
    page: Page,
    replies: &[&Features],
    taker: &Taker,
) -> Result<Candidate, Why> {
    let habit = partition.habit();
    if habit.values == habit.present && habit.present > 2 {
        return Err(Why::New);
    }
    let values: HashSet<Id> = seen.values.iter().flatten().copied().collect();
    let values: Vec<&str> = values.into_iter().map(|value| taker.text(value)).collect();
    let shape = meaning::shape(&values);
    let meaning = match seen.meaning(taker) {
        // a time or a counter next to it does not look like a host
        Meaning::Noise if shape == Shape::Host && matches!(seen.slot, Slot::Word(..)) => Meaning::Unknown,
        meaning => meaning,
    };
    let is_attribute = |value: &Id| taker.is_attribute(*value);
    if matches!(seen.slot, Slot::Word(..))
        && seen.values.iter().flatten().all(is_attribute)
        && !matches!(meaning, Meaning::Variant | Meaning::Worker)
        && !matches!(shape, Shape::Other(_))
        || values.iter().all(|value| meaning::is_clock(value))
    {
        return Err(Why::Means(Meaning::Noise as u8));
    }
    if let Shape::Other(means) = shape {
        return Err(Why::Means(means as u8));
    }
    if !matches!(meaning, Meaning::Instance | Meaning::Unknown) {
        return Err(Why::Means(meaning as u8));
    }
    let of_a_file = page == Page::File && matches!(seen.slot, Slot::Word(..) | Slot::Body | Slot::Json(_));
    let number = shape == Shape::Number;
    if number && meaning != Meaning::Instance && !of_a_file {
        return Err(Why::Number);
    }
    let tier = match (seen.slot, meaning, shape) {
        (Slot::Body, ..) => Tier::Whole,
        (_, Meaning::Instance, _) => Tier::Named,
        (_, _, Shape::Host) => Tier::Shaped,
        _ => Tier::Opaque,
    };
    if !is_settled(habit, tier, number) || (tier == Tier::Opaque && !is_own(seen, replies)) {
        return Err(Why::Unsettled);
    }
    let plain = |value: &&str| value.chars().all(|c| c.is_alphanumeric() || "-_.:".contains(c)) && value.len() <= 64;
    let (kind, steps) = match seen.slot {
        Slot::Known(_) | Slot::Header(_) => (0, 0),
        Slot::Json(_) => (1, 0),
        Slot::Route(..) => (2, 0),
        Slot::Cookie(_) => (3, 0),
        Slot::Word(anchor, steps) => {
            let edge = !matches!(anchor, Anchor::Word(_));
            let tag = matches!(anchor, Anchor::Word(word) if taker.text(word).starts_with('<'));
            (4, 2 * steps.unsigned_abs() + u8::from(steps < 0) + 3 * u8::from(tag) + 20 * u8::from(edge))
        }
        Slot::Body => (5, u8::from(values.iter().any(|value| value.starts_with(BODY)))),
    };
    let order = (number, shape != Shape::Host, !values.iter().all(plain), kind, steps);
    let is_named = tier == Tier::Named || (shape == Shape::Host && seen.names_hosts(&values, taker));
    let support = match (in_body(seen.slot), page) {
        (true, Page::Any) if !is_named => Support::Needed,
        _ => Support::Own,
    };
    Ok(Candidate { slot: seen.slot, partition, tier, support, order })
}

/// Whether each value of a word stands in those bodies alone that have it there. Where a part of a page is longer at
/// times, another of its words takes the place.
fn is_own(seen: &Seen, replies: &[&Features]) -> bool {
    const FAR: u8 = 3;
    let Slot::Word(_, steps) = seen.slot else { return true };
    let values: HashSet<Id> = seen.values.iter().flatten().copied().collect();
    let mut looked_at = HashSet::new();
    let bodies =
        replies.iter().zip(&seen.values).filter(|(reply, _)| looked_at.insert(std::sync::Arc::as_ptr(&reply.words)));
    let own = |words: &[Id], value: Option<Id>| words.iter().all(|word| Some(*word) == value || !values.contains(word));
    steps.unsigned_abs() <= FAR && bodies.into_iter().all(|(reply, value)| own(&reply.words, *value))
}
