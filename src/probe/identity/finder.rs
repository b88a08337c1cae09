//! Finders: how a discovered identity is read from a reply, and how it is said in words.

use regex::Regex;

use super::{
    super::client::Reply,
    features::{self, Features, Mark, Slot, Taker, shown},
    known::Known,
    text::{Anchor, tokens, word_at},
    told::Identity,
};

/// A way to read a value from a reply.
#[derive(Debug, Clone)]
pub enum Finder {
    /// As it could be told.
    Plain(Identity),
    /// The value of a cookie that is set, or a part of it.
    Cookie(String, Option<Mark>),
    /// A word of the body.
    Word(Anchor<String>, i8),
    /// The body as a whole.
    Body,
}

impl Finder {
    /// The finder for a slot.
    pub fn of(slot: Slot, known: &[Known], taker: &Taker) -> Option<Finder> {
        let text = |id| taker.text(id).to_owned();
        Some(match slot {
            Slot::Known(index) => Finder::Plain(known.get(usize::from(index))?.how.clone()),
            Slot::Header(name) => Finder::Plain(Identity::Header(text(name).parse().ok()?)),
            Slot::Json(pointer) => Finder::Plain(Identity::Json(text(pointer))),
            Slot::Cookie(name) => Finder::Cookie(text(name), None),
            Slot::Route(name, mark) => Finder::Cookie(text(name), Some(mark)),
            Slot::Word(Anchor::Word(word), steps) => Finder::Word(Anchor::Word(text(word)), steps),
            Slot::Word(Anchor::Start, steps) => Finder::Word(Anchor::Start, steps),
            Slot::Word(Anchor::End, steps) => Finder::Word(Anchor::End, steps),
            Slot::Body => Finder::Body,
        })
    }

    /// The value in a reply, if it has one.
    pub fn read(&self, reply: &Reply) -> Option<String> {
        match self {
            Finder::Plain(identity) => identity.read(reply).map(|value| shown(&value)),
            Finder::Cookie(name, mark) => {
                let (_, value) = features::cookies(&reply.headers).into_iter().find(|(set, _)| set == name)?;
                match mark {
                    Some(mark) => mark.route(&value).map(shown),
                    None => Some(shown(&value)),
                }
            }
            Finder::Word(anchor, steps) => {
                let body = reply.text();
                word_at(&body, anchor, *steps).map(|word| shown(word.text))
            }
            Finder::Body => (!reply.body.is_empty()).then(|| features::body(reply)),
        }
    }

    /// Whether what it reads is all in the body.
    pub fn reads_the_body(&self) -> bool {
        match self {
            Finder::Plain(identity) => identity.reads_the_body(),
            Finder::Word(..) | Finder::Body => true,
            Finder::Cookie(..) => false,
        }
    }

    /// The same in words, with what `--identity` takes where that could say the same. `reply` is one that has it, and
    /// `between` says whether what stands between an anchor and a word is the same in all.
    pub fn in_words(&self, reply: &Reply, between: Between) -> String {
        match self {
            Finder::Word(anchor, steps) => {
                let said = word_in_words(anchor, *steps);
                let body = reply.text();
                match (between, next_to(&body, anchor, *steps)) {
                    (Between::Same, Some(beside)) => {
                        let side = if *steps > 0 { "after" } else { "before" };
                        let said = format!("the word {side} \"{}\" in the body", beside.trim());
                        let pattern = pattern(&beside, *steps).filter(|pattern| {
                            let told = pattern.parse().ok().and_then(|told: Identity| told.read(reply));
                            told.is_some() && told == self.read(reply)
                        });
                        pattern.map_or(said.clone(), |pattern| format!("{said} ({pattern})"))
                    }
                    _ => said,
                }
            }
            Finder::Cookie(..) => format!("{self}, which is set only for clients without it"),
            finder => finder.to_string(),
        }
    }
}

/// What stands between an anchor and a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// The same words in every reply.
    Same,
    /// Words that vary.
    Varies,
}

impl Between {
    /// What stands between, in these replies.
    pub fn of<'a>(slot: Slot, replies: impl Iterator<Item = &'a Features>) -> Between {
        let Slot::Word(Anchor::Word(anchor), steps) = slot else { return Between::Varies };
        let mut all = replies.filter_map(|reply| {
            let at = reply.words.iter().position(|word| *word == anchor)?;
            let word = at.checked_add_signed(steps.into())?;
            let (from, to) = if steps > 0 { (at + 1, word) } else { (word + 1, at) };
            reply.words.get(from..to)
        });
        let first = all.next();
        if all.all(|other| Some(other) == first) { Between::Same } else { Between::Varies }
    }
}

/// What stands between an anchor, included, and the word, where it is short enough to be shown.
fn next_to(body: &str, anchor: &Anchor<String>, steps: i8) -> Option<String> {
    const LONGEST: usize = 40;
    let Anchor::Word(anchor) = anchor else { return None };
    let word = word_at(body, &Anchor::Word(anchor.clone()), steps)?;
    let place = tokens(body).find(|token| token.text == anchor)?;
    let text = if steps > 0 {
        &body[place.at..word.at]
    } else {
        &body[word.at + word.text.len()..place.at + place.text.len()]
    };
    let fits = text.chars().count() <= LONGEST && !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    fits.then(|| text.split_inclusive(char::is_whitespace).map(|part| part.replace(char::is_whitespace, " ")).collect())
}

/// What `--identity` takes for a word next to a text.
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

fn word_in_words(anchor: &Anchor<String>, steps: i8) -> String {
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

impl std::fmt::Display for Finder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Finder::Plain(identity) => write!(f, "{identity}"),
            Finder::Cookie(name, None) => write!(f, "the cookie {name}"),
            Finder::Cookie(name, Some(Mark::After(_))) => write!(f, "the end of the cookie {name}"),
            Finder::Cookie(name, Some(Mark::Before(_))) => write!(f, "the beginning of the cookie {name}"),
            Finder::Word(anchor, steps) => f.write_str(&word_in_words(anchor, *steps)),
            Finder::Body => f.write_str("the whole body"),
        }
    }
}
