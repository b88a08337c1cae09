//! The recogniser: names the instance behind each reply, and names earlier ones again when it knows better.

use std::collections::{HashMap, HashSet};

use crate::model::trace::{Action, SeriesName, without_hidden};

use super::{
    super::client::Reply,
    discovery::{Choice, choose, value},
    features::{BODY, Features, Id, Slot, Taker},
    finder::{Between, Finder},
    known::{self, Known},
    memo::Memo,
    partition::Partition,
    refusal::{self, Detail},
    told::Identity,
};

/// Replies that are compared, at most.
const MOST: usize = 250;
/// Replies up to which each is a reason to look again; later, an eighth more of them.
const EACH: usize = 16;
/// Replies after which a probe may give up.
const LAST_LOOK: usize = 40;
/// Replies after which a known name that varies and comes back is not doubted any more.
const NO_DOUBT: usize = 12;

/// Where a request stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its series,
    pub series: &'a SeriesName,
    /// the path of which this is,
    pub path: &'a str,
    /// its place there,
    pub n: u32,
    /// and what it is for.
    pub action: Action,
}

/// What a reply tells.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// The name in this reply.
    Name(Option<String>),
    /// The names of all replies so far, this one's last: by another identity than before.
    Again(Vec<Again>),
}

/// The name of a request, known anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// Its series.
    pub series: SeriesName,
    /// Its place there.
    pub n: u32,
    /// Who answered it.
    pub name: Option<String>,
}

/// Recognises instances.
#[derive(Debug)]
pub struct Recogniser {
    state: State,
    /// What it goes by, in words.
    by: Option<String>,
    /// Why it goes by nothing.
    refused: Option<String>,
}

#[derive(Debug)]
enum State {
    Told(Identity, Memo),
    Looking(Box<Looking>),
    Settled(Option<Settled>),
}

impl Recogniser {
    /// One that goes by what it is told, or else finds out.
    pub fn new(told: Option<Identity>) -> Recogniser {
        let by = told.as_ref().map(Identity::to_string);
        let looking = || State::Looking(Box::new(Looking::new()));
        Recogniser { state: told.map_or_else(looking, |told| State::Told(told, Memo::default())), by, refused: None }
    }

    /// What it goes by, in words.
    pub fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// Why it goes by nothing, in words.
    pub fn why_not(&self) -> Option<String> {
        match &self.state {
            State::Looking(looking) => looking.why_not().map(|words| without_hidden(&words)),
            _ => self.refused.clone(),
        }
    }

    /// Reads who sent a reply.
    pub fn read(&mut self, place: Place<'_>, reply: &Reply) -> Read {
        let looking = match &mut self.state {
            State::Told(identity, memo) if identity.reads_the_body() => {
                return Read::Name(memo.read(&reply.body, || identity.read(reply)));
            }
            State::Told(identity, _) => return Read::Name(identity.read(reply)),
            State::Settled(None) => return Read::Name(None),
            State::Settled(Some(settled)) => return Read::Name(settled.read(place, reply)),
            State::Looking(looking) => looking,
        };
        let changed = looking.take(place, reply);
        let ends = looking.ends();
        if changed {
            self.by = looking.in_words(reply).map(|words| without_hidden(&words));
        }
        let read = match changed || ends {
            true => Read::Again(looking.again()),
            false => Read::Name(looking.name(looking.kept.len() - 1)),
        };
        if ends {
            self.refused = looking.why_not().map(|words| without_hidden(&words));
            self.state = State::Settled(looking.settle());
        }
        read
    }
}

/// A reply that is kept until it is settled who sends replies.
#[derive(Debug)]
struct Kept {
    series: u16,
    n: u32,
    /// Whether it is compared with others.
    plain: bool,
    /// Whether it is the same page.
    same: bool,
    features: Features,
}

/// Still comparing.
#[derive(Debug)]
struct Looking {
    known: Vec<Known>,
    taker: Taker,
    series: Vec<SeriesName>,
    /// The path of the plain request.
    path: Option<String>,
    kept: Vec<Kept>,
    choice: Choice,
    /// The last success to the plain request.
    sample: Option<Reply>,
    /// The values that the same page has, in order.
    values: Vec<Id>,
    /// At so many replies it looks again.
    next: usize,
}

impl Looking {
    fn new() -> Looking {
        Looking {
            known: known::all(),
            taker: Taker::default(),
            series: Vec::new(),
            path: None,
            kept: Vec::new(),
            choice: Choice::Nothing(Vec::new()),
            sample: None,
            values: Vec::new(),
            next: 0,
        }
    }

    /// Takes a reply in, and says whether names change by it.
    fn take(&mut self, place: Place<'_>, reply: &Reply) -> bool {
        let series = self.series.iter().position(|name| name == place.series).unwrap_or_else(|| {
            self.series.push(place.series.clone());
            self.series.len() - 1
        });
        if is_plain(place) && self.path.is_none() {
            self.path = Some(place.path.to_owned());
        }
        let same = is_same(place) && self.path.as_deref() == Some(place.path);
        let plain = same && is_plain(place);
        let features = self.taker.take(reply, &self.known);
        if plain && features.success {
            self.sample = Some(reply.clone());
        }
        self.kept.push(Kept { series: series as u16, n: place.n, plain, same, features });
        let is_news = plain || self.path.is_none();
        let due = self.kept.len() >= self.next || self.plain().count() == LAST_LOOK;
        if (is_news && due) || self.ends() {
            let before = self.slot();
            self.look();
            self.next = self.kept.len() + if self.kept.len() < EACH { 1 } else { self.kept.len() / 8 };
            if before != self.slot() {
                return true;
            }
        }
        if let (Some(slot), true) = (self.slot(), same) {
            self.learn(slot, self.kept.len() - 1);
        }
        false
    }

    fn look(&mut self) {
        let plain: Vec<&Features> = self.plain().map(|kept| &kept.features).collect();
        let all: Vec<&Features> = self.kept.iter().map(|kept| &kept.features).collect();
        self.choice = choose(&plain, &all, &self.known, &self.taker);
        self.values.clear();
        if let Some(slot) = self.slot() {
            let same: Vec<usize> = (0..self.kept.len()).filter(|index| self.kept[*index].same).collect();
            same.into_iter().for_each(|index| self.learn(slot, index));
        }
    }

    fn learn(&mut self, slot: Slot, index: usize) {
        if let Some(value) = self.value(slot, index)
            && !self.values.contains(&value)
        {
            self.values.push(value);
        }
    }

    fn plain(&self) -> impl Iterator<Item = &Kept> {
        self.kept.iter().filter(|kept| kept.plain)
    }

    fn slot(&self) -> Option<Slot> {
        match self.choice {
            Choice::Slot(slot) => Some(slot),
            Choice::Several(..) | Choice::Nothing(_) => None,
        }
    }

    /// Whether any plain reply was a success, so that the others count for nothing.
    fn any_success(&self) -> bool {
        self.plain().any(|kept| kept.features.success)
    }

    fn value(&self, slot: Slot, index: usize) -> Option<Id> {
        let Kept { features, .. } = self.kept.get(index)?;
        let is_known = matches!(slot, Slot::Known(_));
        if !is_known && !features.success && self.any_success() {
            return None;
        }
        match slot {
            Slot::Word(anchor, steps) => {
                features.word(anchor, steps).filter(|word| !self.taker.text(*word).starts_with('<'))
            }
            slot => value(features, slot),
        }
    }

    /// Who sent a reply that was kept.
    fn name(&self, index: usize) -> Option<String> {
        let slot = self.slot()?;
        let value = self.value(slot, index)?;
        let place = self.values.iter().position(|known| *known == value);
        if place.is_none() && !trusts(slot, &self.known) {
            return None;
        }
        name(self.taker.text(value), place.map_or(0, |place| place + 1))
    }

    fn again(&self) -> Vec<Again> {
        let again = self.kept.iter().enumerate().map(|(index, kept)| Again {
            series: self.series[usize::from(kept.series)].clone(),
            n: kept.n,
            name: self.name(index),
        });
        again.collect()
    }

    /// Whether enough was compared.
    fn ends(&self) -> bool {
        if self.kept.len() >= MOST || self.taker.is_full() {
            return true;
        }
        let Some(slot @ Slot::Known(_)) = self.slot().filter(|_| self.kept.len() >= NO_DOUBT) else { return false };
        let habit = Partition::of(self.plain().map(|kept| value(&kept.features, slot))).habit();
        habit.returned > 1 && habit.returns >= NO_DOUBT / 2
    }

    fn in_words(&self, reply: &Reply) -> Option<String> {
        let slot = self.slot()?;
        let finder = Finder::of(slot, &self.known, &self.taker)?;
        Some(finder.in_words(reply, self.between(slot)))
    }

    fn between(&self, slot: Slot) -> Between {
        Between::of(slot, self.plain().map(|kept| &kept.features))
    }

    fn why_not(&self) -> Option<String> {
        let answers = self.plain().count();
        let why = refusal::in_words(&self.choice, answers, &|slot, detail| {
            let values: HashSet<Id> = (0..self.kept.len())
                .filter(|index| self.kept[*index].plain)
                .filter_map(|index| self.value(slot, index))
                .collect();
            let named = Finder::of(slot, &self.known, &self.taker).map(|finder| match (&self.sample, detail) {
                (Some(reply), Detail::Told) => finder.in_words(reply, self.between(slot)),
                _ => finder.to_string(),
            });
            (named.unwrap_or_default(), values.len())
        })?;
        let failed = answers > 1 && !self.any_success();
        Some(if failed { format!("{why}; no answer has a 2xx status") } else { why })
    }

    fn settle(&self) -> Option<Settled> {
        let slot = self.slot()?;
        let values = self.values.iter().enumerate();
        let values = values.filter_map(|(index, value)| {
            let text = self.taker.text(*value);
            Some((text.to_owned(), name(text, index + 1)?))
        });
        Some(Settled {
            finder: Finder::of(slot, &self.known, &self.taker)?,
            memo: Memo::default(),
            trust: match trusts(slot, &self.known) {
                true => Trust::Anywhere,
                false => Trust::Page { path: self.path.clone().unwrap_or_default(), success: self.any_success() },
            },
            names: values.collect(),
        })
    }
}

/// A plain request, as from a new client.
fn is_plain(place: Place<'_>) -> bool {
    *place.series == SeriesName::WithoutJar && place.action == Action::Get
}

/// One that brings the same page, because nothing of the request differs.
fn is_same(place: Place<'_>) -> bool {
    let same = matches!(place.series, SeriesName::WithoutJar | SeriesName::OneConnection | SeriesName::Meanwhile);
    same && place.action == Action::Get
}

/// Whether a value is a name wherever it comes from: the instance itself says that it is one.
fn trusts(slot: Slot, known: &[Known]) -> bool {
    match slot {
        Slot::Known(index) => known.get(usize::from(index)).is_some_and(|known| known.strength > known::Strength::Weak),
        _ => false,
    }
}

/// How a value is shown: a body that is no name has a number.
fn name(value: &str, number: usize) -> Option<String> {
    match value.starts_with(BODY) {
        true => Some(format!("body-{number}")),
        false => Some(value.to_owned()).filter(|value| !value.is_empty()),
    }
}

/// Whose values are names.
#[derive(Debug)]
enum Trust {
    /// Those of any reply.
    Anywhere,
    /// Those of the plain request's replies; elsewhere only what was seen there.
    Page { path: String, success: bool },
}

/// What it goes by, once that is settled.
#[derive(Debug)]
struct Settled {
    finder: Finder,
    memo: Memo,
    trust: Trust,
    /// The names by their values, where they are not trusted anywhere.
    names: HashMap<String, String>,
}

impl Settled {
    fn read(&mut self, place: Place<'_>, reply: &Reply) -> Option<String> {
        let Trust::Page { path, success } = &self.trust else { return recall(&self.finder, &mut self.memo, reply) };
        if *success && !reply.status.is_success() {
            return None;
        }
        let value = recall(&self.finder, &mut self.memo, reply)?;
        if let Some(name) = self.names.get(&value) {
            return Some(name.clone());
        }
        // an instance that is drawn rarely
        if !is_same(place) || path != place.path {
            return None;
        }
        let name = name(&value, self.names.len() + 1)?;
        self.names.insert(value, name.clone());
        Some(name)
    }
}

fn recall(finder: &Finder, memo: &mut Memo, reply: &Reply) -> Option<String> {
    match finder.reads_the_body() {
        true => memo.read(&reply.body, || finder.read(reply)),
        false => finder.read(reply),
    }
}
