//! Learning: compares the replies so far, and chooses the feature that distinguishes instances anew as more of them
//! arrive.

use std::collections::HashSet;

use crate::model::trace::{NameCertainty, NameFeature, SeriesName, without_hidden};

use super::{
    super::http::Reply,
    body_cache::BodyCache,
    choice::{Choice, Tier},
    discover::discover,
    feature::{FeatureExtractor, Features, Partition, Slot, TextId},
    gateway_error::{ONLY_GATEWAY_ERRORS, OrdinaryNames, is_gateway_error},
    known_name_choice::KnownNameChoice,
    known_names::{KnownName, Strength, known_names},
    locator::{Gap, Locator},
    name_reader::{NameReader, Trust, display_name},
    refusal::{self, Description, Detail},
    request::{NewName, RequestContext},
};

/// The greatest number of replies that are compared.
const MAX_REPLIES: usize = 250;
/// Up to this number of replies, each one is a reason to choose anew; later, an eighth more of them.
const CHOOSE_EACH: usize = 16;
/// The number of plain replies at which a probe may give up: at this one the choice must be up to date.
const PROBE_GIVES_UP: usize = 40;
/// The number of replies after which a known name that varies and comes back is no longer in doubt.
const MIN_CERTAIN: usize = 12;

#[derive(Debug)]
pub struct Learning {
    known: Vec<KnownName>,
    extractor: FeatureExtractor,
    /// The names of the series to which the replies belong.
    series: Vec<SeriesName>,
    /// The path of the plain request.
    path: Option<String>,
    replies: Vec<StoredReply>,
    choice: Choice,
    /// The last success that answered a plain request.
    sample: Option<Reply>,
    /// The values that the chosen feature has on the page, in the order of their first appearance.
    values: Vec<TextId>,
    /// The number of replies at which to choose anew.
    next_choice: usize,
}

/// A reply that is stored until one feature is known to distinguish instances.
#[derive(Debug)]
struct StoredReply {
    /// The index of the series' name.
    series: u16,
    n: u32,
    /// True if the reply answers a plain request and is compared with others.
    is_plain: bool,
    /// True if the reply is the page that a plain request gets.
    is_page: bool,
    /// True if a gateway may have made the reply itself.
    is_gateway_error: bool,
    features: Features,
}

impl Learning {
    pub fn new() -> Learning {
        Learning {
            known: known_names(),
            extractor: FeatureExtractor::default(),
            series: Vec::new(),
            path: None,
            replies: Vec::new(),
            choice: Choice::Nothing(Vec::new()),
            sample: None,
            values: Vec::new(),
            next_choice: 0,
        }
    }

    /// Adds a reply, and returns whether the choice has changed, so that all replies have other names.
    pub fn add(&mut self, request: RequestContext<'_>, reply: &Reply) -> bool {
        let series = self.series_index(request.series);
        if request.is_plain() && self.path.is_none() {
            self.path = Some(request.path.to_owned());
        }
        let is_page = request.is_like_plain() && self.path.as_deref() == Some(request.path);
        let is_plain = is_page && request.is_plain();
        let features = self.extractor.extract(reply, &self.known);
        if is_plain && features.success {
            self.sample = Some(reply.clone());
        }
        let is_gateway_error = is_gateway_error(reply.status);
        self.replies.push(StoredReply { series, n: request.n, is_plain, is_page, is_gateway_error, features });
        let is_relevant = is_plain || self.path.is_none();
        let is_due = self.replies.len() >= self.next_choice || self.plain().count() == PROBE_GIVES_UP;
        if (is_relevant && is_due) || self.is_finished() {
            let before = self.choice.chosen();
            self.choose();
            let count = self.replies.len();
            self.next_choice = count + if count < CHOOSE_EACH { 1 } else { count / 8 };
            if before != self.choice.chosen() {
                return true;
            }
        }
        if let (Some(slot), true) = (self.slot(), is_page) {
            self.learn_value(slot, self.replies.len() - 1);
        }
        false
    }

    fn series_index(&mut self, name: &SeriesName) -> u16 {
        let index = self.series.iter().position(|series| series == name).unwrap_or_else(|| {
            self.series.push(name.clone());
            self.series.len() - 1
        });
        index as u16
    }

    fn choose(&mut self) {
        let plain: Vec<&Features> = self.plain().map(|reply| &reply.features).collect();
        let all: Vec<&Features> = self.replies.iter().map(|reply| &reply.features).collect();
        self.choice = choose(&plain, &all, &self.known, &self.extractor);
        self.values.clear();
        if let Some(slot) = self.slot() {
            let pages: Vec<usize> = (0..self.replies.len()).filter(|index| self.replies[*index].is_page).collect();
            pages.into_iter().for_each(|index| self.learn_value(slot, index));
        }
    }

    fn learn_value(&mut self, slot: Slot, index: usize) {
        if let Some(value) = self.value(slot, index)
            && !self.values.contains(&value)
        {
            self.values.push(value);
        }
    }

    fn plain(&self) -> impl Iterator<Item = &StoredReply> {
        self.replies.iter().filter(|reply| reply.is_plain)
    }

    fn slot(&self) -> Option<Slot> {
        self.choice.chosen().map(|(slot, _)| slot)
    }

    /// Returns whether any plain reply was a success, so that the other ones count for nothing.
    fn any_success(&self) -> bool {
        self.plain().any(|reply| reply.features.success)
    }

    /// The value that a reply has in a slot.
    fn value(&self, slot: Slot, index: usize) -> Option<TextId> {
        let StoredReply { features, .. } = self.replies.get(index)?;
        let is_known = matches!(slot, Slot::KnownName(_));
        if !is_known && !features.success && self.any_success() {
            return None;
        }
        match slot {
            Slot::Word(anchor, steps) => {
                features.word(anchor, steps).filter(|word| !self.extractor.text(*word).starts_with('<'))
            }
            slot => features.value(slot),
        }
    }

    /// The name of the instance that sent the last reply.
    pub fn last_name(&self) -> Option<String> {
        self.name(self.replies.len().checked_sub(1)?)
    }

    fn name(&self, index: usize) -> Option<String> {
        let slot = self.slot()?;
        let value = self.value(slot, index)?;
        let position = self.values.iter().position(|known| *known == value);
        if position.is_none() && !self.is_trusted(slot) || self.is_name_of_gateway(slot, index, value) {
            return None;
        }
        display_name(self.extractor.text(value), position.map_or(0, |position| position + 1))
    }

    /// Returns whether no reply has the value but errors of gateways, this one among them.
    fn is_name_of_gateway(&self, slot: Slot, index: usize, value: TextId) -> bool {
        let is_ordinary =
            |other: usize| !self.replies[other].is_gateway_error && self.value(slot, other) == Some(value);
        self.replies[index].is_gateway_error && !(0..self.replies.len()).any(is_ordinary)
    }

    /// The names of the replies that are no errors of gateways.
    pub fn ordinary_names(&self) -> OrdinaryNames {
        let ordinary = (0..self.replies.len()).filter(|index| !self.replies[*index].is_gateway_error);
        OrdinaryNames::new(ordinary.filter_map(|index| self.name(index)))
    }

    /// The names of all replies by the present choice.
    pub fn new_names(&self) -> Vec<NewName> {
        let names = self.replies.iter().enumerate().map(|(index, reply)| NewName {
            series: self.series[usize::from(reply.series)].clone(),
            n: reply.n,
            name: self.name(index),
        });
        names.collect()
    }

    /// Returns whether enough replies were compared.
    pub fn is_finished(&self) -> bool {
        if self.replies.len() >= MAX_REPLIES || self.extractor.is_full() {
            return true;
        }
        let Some(slot @ Slot::KnownName(_)) = self.slot().filter(|_| self.replies.len() >= MIN_CERTAIN) else {
            return false;
        };
        let recurrence = Partition::new(self.plain().map(|reply| reply.features.value(slot))).recurrence();
        recurrence.returned > 1 && recurrence.returns >= MIN_CERTAIN / 2
    }

    /// The chosen feature; `reply` is a reply that has it.
    pub fn describe_choice(&self, reply: &Reply) -> Option<NameFeature> {
        let (slot, certainty) = self.choice.chosen()?;
        let words = without_hidden(&self.locator(slot)?.describe(reply, self.gap(slot)));
        Some(NameFeature { words, certainty })
    }

    /// The reason why no feature is chosen, in words; `None` if one is.
    pub fn explain_refusal(&self) -> Option<String> {
        let answers = self.plain().count();
        let Some(reason) = refusal::explain(&self.choice, answers, &|slot, detail| self.describe(slot, detail)) else {
            let is_silent = self.slot().is_some() && (0..self.replies.len()).all(|index| self.name(index).is_none());
            return is_silent.then(|| ONLY_GATEWAY_ERRORS.to_owned());
        };
        let failed = answers > 1 && !self.any_success();
        Some(if failed { format!("{reason}; no answer has a 2xx status") } else { reason })
    }

    fn describe(&self, slot: Slot, detail: Detail) -> Description {
        let values: HashSet<TextId> = (0..self.replies.len())
            .filter(|index| self.replies[*index].is_plain)
            .filter_map(|index| self.value(slot, index))
            .collect();
        let words = self.locator(slot).map(|locator| match (&self.sample, detail) {
            (Some(reply), Detail::PlaceAndFlag) => locator.describe(reply, self.gap(slot)),
            _ => locator.to_string(),
        });
        (words.unwrap_or_default(), values.len())
    }

    fn locator(&self, slot: Slot) -> Option<Locator> {
        Locator::new(slot, &self.known, &self.extractor)
    }

    fn gap(&self, slot: Slot) -> Gap {
        Gap::new(slot, self.plain().map(|reply| &reply.features))
    }

    /// The reader of the chosen feature, which takes the place of learning; `None` if no feature is chosen.
    pub fn name_reader(&self) -> Option<NameReader> {
        let slot = self.slot()?;
        let names = self.values.iter().enumerate().filter_map(|(index, value)| {
            let text = self.extractor.text(*value);
            Some((text.to_owned(), display_name(text, index + 1)?))
        });
        let trust = if self.is_trusted(slot) {
            Trust::Everywhere
        } else {
            Trust::Page { path: self.path.clone().unwrap_or_default(), success: self.any_success() }
        };
        Some(NameReader { locator: self.locator(slot)?, cache: BodyCache::default(), trust, names: names.collect() })
    }

    /// Returns whether the values in a slot are names in any reply: the instance itself gives them under a known name.
    fn is_trusted(&self, slot: Slot) -> bool {
        match slot {
            Slot::KnownName(index) => {
                self.known.get(usize::from(index)).is_some_and(|known| known.strength > Strength::Weak)
            }
            _ => false,
        }
    }
}

/// Chooses the feature that distinguishes instances: a known name if one varies, otherwise a discovered feature,
/// weighed against known names that do not vary. Replies to the plain request are compared, or all replies where those
/// have no known name.
fn choose(plain: &[&Features], all: &[&Features], known: &[KnownName], extractor: &FeatureExtractor) -> Choice {
    let of_plain = Some(KnownNameChoice::new(plain, known, extractor)).filter(KnownNameChoice::is_any);
    let names = of_plain.unwrap_or_else(|| KnownNameChoice::new(all, known, extractor));
    if let Some(slot) = names.varying {
        return Choice::Slot(slot, NameCertainty::Known);
    }
    if let (Some(slot), Strength::Strong) = (names.constant, names.strongest) {
        return Choice::Slot(slot, NameCertainty::Known);
    }
    // an error page may say anything
    let any_success = plain.iter().any(|reply| reply.success);
    let replies: Vec<&Features> = plain.iter().copied().filter(|reply| reply.success || !any_success).collect();
    let (choice, tier) = discover(&replies, extractor, names.refused);
    match (&choice, tier, names.constant, names.always_new) {
        // a JSON field is known by its own name, a word only by its neighbours
        (Choice::Slot(Slot::Json(_), NameCertainty::Known), Some(Tier::Named), ..) => choice,
        (Choice::Slot(slot, _), Some(_), Some(constant), _) if slot.is_in_body() && !matches!(slot, Slot::Json(_)) => {
            Choice::Several(constant, *slot)
        }
        (Choice::Slot(_, NameCertainty::Guessed), Some(Tier::Named), Some(slot), _) => {
            Choice::Slot(slot, NameCertainty::Known)
        }
        (_, Some(Tier::Named), ..) | (_, Some(Tier::Shaped), None, _) | (_, _, None, None) => choice,
        // a well-known name that stays the same decides over a feature whose name does not mean an instance
        (_, _, Some(slot), _) | (_, _, None, Some(slot)) => Choice::Slot(slot, NameCertainty::Known),
    }
}
