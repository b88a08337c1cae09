//! The locator: reads the chosen value from a reply that is not stored, and describes its place in words.

use regex::Regex;

use super::{
    super::http::Reply,
    feature::{
        Anchor, FeatureExtractor, Features, Separator, Slot, body_value, cookie_values, shorten, word_at, words,
    },
    identity_flag::Identity,
    known_names::KnownName,
};

/// The place of a value, by texts that stand for themselves.
#[derive(Debug, Clone)]
pub enum Locator {
    /// A place that `--identity` can name, too.
    Explicit(Identity),
    /// The value of a cookie that the reply sets, or the part of it that may name a route.
    Cookie(String, Option<Separator>),
    /// The word that stands `n` words after the anchor or, for a negative `n`, before it.
    Word(Anchor<String>, i8),
    /// The value is the whole body.
    Body,
}

impl Locator {
    pub fn new(slot: Slot, known: &[KnownName], extractor: &FeatureExtractor) -> Option<Locator> {
        let text = |id| extractor.text(id).to_owned();
        Some(match slot {
            Slot::KnownName(index) => Locator::Explicit(known.get(usize::from(index))?.identity.clone()),
            Slot::Header(name) => Locator::Explicit(Identity::Header(text(name).parse().ok()?)),
            Slot::Json(pointer) => Locator::Explicit(Identity::Json(text(pointer))),
            Slot::Cookie(name) => Locator::Cookie(text(name), None),
            Slot::Route(name, mark) => Locator::Cookie(text(name), Some(mark)),
            Slot::Word(Anchor::Word(word), steps) => Locator::Word(Anchor::Word(text(word)), steps),
            Slot::Word(Anchor::Start, steps) => Locator::Word(Anchor::Start, steps),
            Slot::Word(Anchor::End, steps) => Locator::Word(Anchor::End, steps),
            Slot::Body => Locator::Body,
        })
    }

    /// The value in a reply, if the reply has one.
    pub fn read(&self, reply: &Reply) -> Option<String> {
        match self {
            Locator::Explicit(identity) => identity.read(reply).map(|value| shorten(&value)),
            Locator::Cookie(name, separator) => {
                let (_, value) = cookie_values(&reply.headers).into_iter().find(|(set, _)| set == name)?;
                match separator {
                    Some(separator) => separator.route(&value).map(shorten),
                    None => Some(shorten(&value)),
                }
            }
            Locator::Word(anchor, steps) => {
                let body = reply.text();
                word_at(&body, anchor, *steps).map(|word| shorten(word.text))
            }
            Locator::Body => (!reply.body.is_empty()).then(|| body_value(reply)),
        }
    }

    /// Returns whether the value depends on nothing but the body.
    pub fn is_in_body(&self) -> bool {
        match self {
            Locator::Explicit(identity) => identity.is_in_body(),
            Locator::Word(..) | Locator::Body => true,
            Locator::Cookie(..) => false,
        }
    }

    /// The place in words, with the text for `--identity` where that can name it, too. `reply` is one that has the
    /// value.
    pub fn describe(&self, reply: &Reply, gap: Gap) -> String {
        match self {
            Locator::Word(anchor, steps) => {
                let words = describe_word(anchor, *steps);
                let body = reply.text();
                match (gap, text_beside(&body, anchor, *steps)) {
                    (Gap::Constant, Some(beside)) => {
                        let side = if *steps > 0 { "after" } else { "before" };
                        let words = format!("the word {side} \"{}\" in the body", beside.trim());
                        let pattern = pattern(&beside, *steps).filter(|pattern| {
                            let found = pattern.parse().ok().and_then(|identity: Identity| identity.read(reply));
                            found.is_some() && found == self.read(reply)
                        });
                        pattern.map_or(words.clone(), |pattern| format!("{words} ({pattern})"))
                    }
                    _ => words,
                }
            }
            Locator::Cookie(..) => format!("{self}, which is set only for clients without it"),
            locator => locator.to_string(),
        }
    }
}

/// The variation of the words between an anchor and a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// All replies have the same words there.
    Constant,
    Varying,
}

impl Gap {
    pub fn new<'a>(slot: Slot, replies: impl Iterator<Item = &'a Features>) -> Gap {
        let Slot::Word(Anchor::Word(anchor), steps) = slot else { return Gap::Varying };
        let mut all = replies.filter_map(|reply| {
            let at = reply.words.iter().position(|word| *word == anchor)?;
            let word = at.checked_add_signed(steps.into())?;
            let (from, to) = if steps > 0 { (at + 1, word) } else { (word + 1, at) };
            reply.words.get(from..to)
        });
        let first = all.next();
        if all.all(|other| Some(other) == first) { Gap::Constant } else { Gap::Varying }
    }
}

/// The text from an anchor, included, to the word, where it is short enough to be shown.
fn text_beside(body: &str, anchor: &Anchor<String>, steps: i8) -> Option<String> {
    const MAX_CHARS: usize = 40;
    let Anchor::Word(anchor) = anchor else { return None };
    let word = word_at(body, &Anchor::Word(anchor.clone()), steps)?;
    let place = words(body).find(|word| word.text == anchor)?;
    let text = if steps > 0 {
        &body[place.at..word.at]
    } else {
        &body[word.at + word.text.len()..place.at + place.text.len()]
    };
    let fits = text.chars().count() <= MAX_CHARS && !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    fits.then(|| text.split_inclusive(char::is_whitespace).map(|part| part.replace(char::is_whitespace, " ")).collect())
}

/// The text for `--identity` that finds a word beside this text.
fn pattern(beside: &str, steps: i8) -> Option<String> {
    if beside.contains('\'') {
        return None;
    }
    let words: Vec<String> = beside.split(' ').map(regex::escape).collect();
    let mut beside = words.join(r"\s");
    while beside.contains(r"\s\s") {
        beside = beside.replace(r"\s\s", r"\s");
    }
    let beside = beside.replace(r"\s", r"\s+");
    const WORD: &str = r"([\w.:@-]+)";
    let pattern = if steps > 0 { format!("{beside}{WORD}") } else { format!("{WORD}{beside}") };
    Regex::new(&pattern).is_ok().then(|| format!("regex:{pattern}"))
}

fn describe_word(anchor: &Anchor<String>, steps: i8) -> String {
    let nth = match steps.unsigned_abs() {
        1 => String::new(),
        2 => "second ".to_owned(),
        3 => "third ".to_owned(),
        n => format!("{n}th "),
    };
    match (anchor, steps > 0) {
        (Anchor::Word(word), true) => format!("the {nth}word after \"{word}\" in the body"),
        (Anchor::Word(word), false) => format!("the {nth}word before \"{word}\" in the body"),
        (Anchor::Start, _) if nth.is_empty() => "the first word of the body".to_owned(),
        (Anchor::End, _) if nth.is_empty() => "the last word of the body".to_owned(),
        (Anchor::Start, _) => format!("the {nth}word of the body"),
        (Anchor::End, _) => format!("the {nth}word from the end of the body"),
    }
}

impl std::fmt::Display for Locator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Locator::Explicit(identity) => write!(f, "{identity}"),
            Locator::Cookie(name, None) => write!(f, "the cookie {name}"),
            Locator::Cookie(name, Some(Separator::Last(_))) => write!(f, "the end of the cookie {name}"),
            Locator::Cookie(name, Some(Separator::First(_))) => write!(f, "the beginning of the cookie {name}"),
            Locator::Word(anchor, steps) => f.write_str(&describe_word(anchor, *steps)),
            Locator::Body => f.write_str("the whole body"),
        }
    }
}
