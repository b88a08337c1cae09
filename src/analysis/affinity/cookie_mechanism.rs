//! Cookies: how the one that pins works, by values that others were given and values that nobody was given, each sent
//! alone.
//!
//! Who inserts a cookie takes no other value for it than those it gave; who hashes it takes any, and heeds not who gave
//! it; who learns it knows whom each value came from, or whom it gave each new one.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::trace::{CookieValue, InstanceId, Issued, Request, SeenCookie, Series, SeriesName, Trace};

use crate::analysis::{
    affinity::keys::{Told, Values, is_sure},
    affinity::pinning,
    affinity::placement::in_turn,
    affinity::vendor,
    case::Case,
    math::log_prob::{in_words, ln_extreme, probability},
    pattern::select,
    series::sequence::Sequence,
    verdict::{Algorithm, Order, RuledOut, StickyBy, StickyCookie},
};

/// Made-up values to begin with,
const FEW: u32 = 6;
/// and so many where these are kept: enough to see how new ones are placed.
const MANY: u32 = 26;
/// Passes over few values, at most,
const PASSES_OF_FEW: usize = 8;
/// and over many, or over parts of values.
const PASSES: usize = 6;
/// Values of which a part is kept, at most.
const PARTS: usize = 12;
/// Values that others were given, at most: enough to tell two equal instances apart.
const MOST_ISSUED: usize = 30;
/// A round robin of which nobody else was seen to take turns loses fewer of them than this share.
const FOREIGN: f64 = 0.05;
/// Where a value is kept, and instances fail or go, fewer answers than this share move.
const FAILS: f64 = 0.1;

/// A part of a value, as the number that stands for it.
type Part = fn(&Issued) -> Option<u16>;

/// The series that send a value of which one part is kept.
type Named = fn(CookieValue) -> SeriesName;

/// What may name an instance, in words and as a number.
const WHOLE: (&str, Part) = ("its value", |issued| Some(issued.value));
const TAIL: (&str, Part) = ("the end of its value", |issued| issued.tail);
const HEAD: (&str, Part) = ("the beginning of its value", |issued| issued.head);

/// Whether values are kept on an instance.
enum Keeps {
    /// They are; by chance free picks would look so.
    Yes { p: f64, moves: usize },
    /// They are not; failures alone would look so by this chance.
    No { p: f64, moves: usize, further: usize },
    /// One instance answers, whichever they are.
    One,
    /// Too few to say.
    Open,
}

fn keeps(case: &Case, values: &Values) -> Keeps {
    let (moves, further) = values.moves();
    if values.hits().len() < 2 {
        return if values.named() > 1 { Keeps::One } else { Keeps::Open };
    }
    let Some(stays) = pinning::staying_of(case).filter(|_| further > 0) else { return Keeps::Open };
    let share = moves as f64 / further as f64;
    // it is looked at after each pass
    let p = |expected: f64| probability(ln_extreme(moves, further, expected) + (PASSES_OF_FEW as f64).ln());
    match share {
        share if share < 1.0 - stays && is_sure(p(1.0 - stays), case.alpha()) => {
            Keeps::Yes { p: p(1.0 - stays), moves }
        }
        share if share > FAILS && is_sure(p(FAILS), case.alpha()) => Keeps::No { p: p(FAILS), moves, further },
        _ => Keeps::Open,
    }
}

/// The values of a cookie to be asked for next, each once and in an order drawn by lot; none when they tell enough.
pub fn next_values(case: &Case, cookie: &str) -> Vec<SeriesName> {
    let value = |n| CookieValue { name: cookie.to_owned(), n };
    let made_up = |range: std::ops::RangeInclusive<u32>| range.map(|n| SeriesName::CookieMadeUp(value(n))).collect();
    let Some(values) = made_up_values(case.trace(), cookie) else { return made_up(1..=FEW) };
    let passes = passes_of(case.trace(), cookie, is_made_up);
    let (moves, _) = values.moves();
    let few = values.asked() <= FEW as usize;
    match keeps(case, &values) {
        Keeps::No { .. } => next_parts(case, cookie),
        _ if few && passes < 2 => made_up(1..=FEW),
        _ if few && moves == 0 => made_up(FEW + 1..=MANY),
        _ if few && passes < PASSES_OF_FEW => made_up(1..=FEW),
        Keeps::Open if !few && passes < PASSES => made_up(1..=MANY),
        Keeps::Yes { moves: 0, .. } if !few && passes_of(case.trace(), cookie, is_issued) == 0 => {
            let mut known = BTreeSet::new();
            let fresh =
                issued(case.trace(), cookie).iter().filter(|issued| known.insert(issued.value)).take(MOST_ISSUED);
            fresh.map(|issued| SeriesName::CookieIssued(value(issued.n))).collect()
        }
        _ => Vec::new(),
    }
}

/// Values that nobody was given but for the part that seems to name an instance.
fn next_parts(case: &Case, cookie: &str) -> Vec<SeriesName> {
    let Some((part, name)) = naming_part(case.trace(), cookie) else { return Vec::new() };
    let asked = passes_of(case.trace(), cookie, is_part);
    let told = part_values(case.trace(), cookie).map(|values| values.told());
    match told {
        Some(Told::Decides { p }) if is_sure(p, case.alpha()) || asked >= PASSES => return Vec::new(),
        Some(Told::Decides { .. }) | None => {}
        Some(_) => return Vec::new(),
    }
    // as many of each instance as of any other
    let mut by_part: BTreeMap<Option<u16>, Vec<u32>> = BTreeMap::new();
    issued(case.trace(), cookie).iter().for_each(|issued| by_part.entry((part.1)(issued)).or_default().push(issued.n));
    let each = (PARTS / by_part.len().max(1)).max(1);
    let chosen = by_part.into_values().flat_map(|ns| ns.into_iter().take(each)).take(PARTS.max(2));
    chosen.map(|n| name(CookieValue { name: cookie.to_owned(), n })).collect()
}

/// What is known of the cookie that pins, and sentences on how it does.
pub fn describe(case: &Case, cookie: &SeenCookie) -> (StickyCookie, Vec<RuledOut>, Vec<String>) {
    let described = described(case.trace(), &cookie.name);
    let How { by, ruled_out, mut said } = how(case, cookie);
    if let Some(maker) = described.maker {
        said.push(format!("name and form of the cookie {} are those of {maker}", cookie.name));
    }
    said.extend(described.flaws.iter().map(|flaw| format!("the cookie {} {flaw}", cookie.name)));
    (StickyCookie { by, ..described }, ruled_out, said)
}

/// What is known of a cookie but for how it pins.
pub fn described(trace: &Trace, name: &str) -> StickyCookie {
    let kept = trace.series(&SeriesName::WithJar).map_or(&[][..], |series| &series.cookies);
    let seen = kept.iter().find(|seen| seen.name == name);
    let attributes = seen.and_then(|seen| seen.attributes.clone());
    StickyCookie {
        name: name.to_owned(),
        by: None,
        maker: seen.and_then(|seen| vendor::of(name, seen.form.as_deref()?)),
        flaws: attributes.as_ref().map_or(Vec::new(), |set| vendor::flaws(set, &trace.target.url)),
        attributes,
    }
}

/// Cookies whose value may decide though clients without one are all answered by one instance, at most three.
pub fn cookies_to_vary(trace: &Trace) -> Vec<String> {
    let Some(series) = trace.series(&SeriesName::WithJar) else { return Vec::new() };
    series.cookies.iter().filter(|seen| seen.form.is_some()).map(|seen| seen.name.clone()).take(3).collect()
}

/// How it pins.
#[derive(Default)]
struct How {
    by: Option<StickyBy>,
    ruled_out: Vec<RuledOut>,
    said: Vec<String>,
}

fn how(case: &Case, cookie: &SeenCookie) -> How {
    let name = cookie.name.as_str();
    let Some(made_up) = made_up_values(case.trace(), name) else { return How::default() };
    let count = made_up.named();
    let told = |(by, more): (Option<StickyBy>, String), out: Option<RuledOut>, said: String| How {
        by,
        ruled_out: out.into_iter().collect(),
        said: [said, more].into_iter().filter(|said| !said.is_empty()).collect(),
    };
    match keeps(case, &made_up) {
        Keeps::Yes { p, moves: 0 } => {
            let said = format!(
                "each of {count} made-up values of {name} led to the same instance every time, by chance {}",
                in_words(p)
            );
            let out = RuledOut { algorithm: Algorithm::Random, test: "made-up values of the cookie stay", p };
            told(keeps_any(case, name, &made_up), Some(out), said)
        }
        Keeps::Yes { p, moves } => {
            let said = format!(
                "made-up values of {name} stayed with their instances but for {moves} moves, by chance {}: a hash, or a \
                 table that learns them; as instances came or went meanwhile, which of them is open",
                in_words(p)
            );
            told((None, String::new()), None, said)
        }
        Keeps::No { p, moves, further } => {
            let said = format!(
                "made-up values of {name} moved to another instance {moves} of {further} times, so it is no hash of it \
                 (which would do so {})",
                in_words(p)
            );
            let out = RuledOut { algorithm: Algorithm::HeaderHash, test: "made-up values of the cookie move", p };
            told(keeps_its_own(case, cookie), Some(out), said)
        }
        Keeps::One => {
            let said = format!("all {count} made-up values of {name} led to one instance");
            let names = names_the_instance(case.trace(), issued(case.trace(), name), WHOLE.1);
            told((names.then_some(StickyBy::Inserted), String::new()), None, said)
        }
        Keeps::Open => told((None, String::new()), None, format!("{count} made-up values of {name} told too little")),
    }
}

/// Any value is kept: by a hash, or by a table that learns it.
fn keeps_any(case: &Case, name: &str, made_up: &Values) -> (Option<StickyBy>, String) {
    let replayed =
        Values::from(series(case.trace(), name, is_issued).filter_map(|series| with_issuer(case.trace(), series)));
    let issuer = match replayed.as_ref().map(Values::told) {
        Some(Told::Decides { p }) if is_sure(p, case.alpha()) => Some(p),
        _ => None,
    };
    // a balancer that makes a value and then hashes it would look the same, but for clients without one it would not go
    // round
    if let Some(p) = issuer.filter(|_| goes_round(case)) {
        let said = format!(
            "values that others were given led to whoever gave them, by chance {}: the balancer learns them",
            in_words(p)
        );
        return (Some(StickyBy::Learned), said);
    }
    // whatever others were given is new to a hash, and to a table that heeds requests alone
    let new = Values::from(series(case.trace(), name, |_| true).map(|series| series.requests.clone()));
    let new = new.as_ref().unwrap_or(made_up);
    if in_turn(case, new).is_some() {
        let said = "new values were placed in turn, so the balancer learns whom it gave each to".to_owned();
        return (Some(StickyBy::Learned), said);
    }
    if let Some(p) = issuer {
        let said = format!(
            "values that others were given led to whoever gave them, by chance {}: the balancer learns them, or it makes \
             each itself and places it by a hash",
            in_words(p)
        );
        return (None, said);
    }
    match not_in_turn(case, new) {
        Some(p) => {
            let said = format!(
                "new values were not placed in turn as clients without cookies are (in turn they would look so {}), so \
                 a hash of the value decides",
                in_words(p)
            );
            (Some(StickyBy::Hash), said)
        }
        None => (None, "a hash of the value decides, or a table that learns whom each was given to".to_owned()),
    }
}

/// Whether clients without cookies are answered in turn.
fn goes_round(case: &Case) -> bool {
    let Some(free) = case.trace().series(&SeriesName::WithoutJar) else { return false };
    let found = select::find_in_series(free, case.alpha());
    matches!(found.algorithm(), Algorithm::RoundRobin | Algorithm::WeightedRoundRobin)
}

/// By which chance new values that were placed by the round robin of free clients would look so little in turn.
fn not_in_turn(case: &Case, new: &Values) -> Option<f64> {
    let free = case.trace().series(&SeriesName::WithoutJar)?;
    let found = select::find_in_series(free, case.alpha());
    if found.order != Some(Order::Fixed) || found.algorithm() != Algorithm::RoundRobin || found.background.is_some() {
        return None;
    }
    let k = found.cycle.len().max(Sequence::from_series(free).counts().len());
    let placed: Vec<InstanceId> = new.placed().iter().filter_map(|request| request.instance).collect();
    // in a ring of k, none comes again before k - 1 others have
    let early = |index: usize| placed[(index + 1).saturating_sub(k)..index].contains(&placed[index]);
    let seen = (1..placed.len()).filter(|&index| early(index)).count();
    let tries = placed.len().saturating_sub(1).max(1);
    let p = probability(ln_extreme(seen, tries, FOREIGN));
    (seen as f64 / tries as f64 > FOREIGN && is_sure(p, case.alpha())).then_some(p)
}

/// Only values that were given are kept: because they name the instance, or because the balancer learns them.
fn keeps_its_own(case: &Case, cookie: &SeenCookie) -> (Option<StickyBy>, String) {
    let name = &cookie.name;
    let given = issued(case.trace(), name);
    if names_the_instance(case.trace(), given, WHOLE.1) {
        let said = "its value is the same for all clients of an instance, and names it";
        return (Some(StickyBy::Inserted), said.to_owned());
    }
    let part = naming_part(case.trace(), name).map(|((words, _), _)| words);
    let leads = part_values(case.trace(), name).map(|values| values.told());
    if let (Some(words), Some(Told::Decides { p })) = (part, &leads)
        && is_sure(*p, case.alpha())
    {
        let said = format!(
            "{words} is the same for all clients of an instance, and leads there whatever the rest is, by chance {}",
            in_words(*p)
        );
        return (Some(StickyBy::Inserted), said);
    }
    let not_read = match (part, leads) {
        (Some(words), Some(Told::Changes)) => format!("{words} names the instance, but does not lead there; "),
        (Some(_), _) => return (None, "whether the balancer reads a part of its value was not seen".to_owned()),
        (None, _) => String::new(),
    };
    let unlike = given.iter().map(|issued| issued.value).collect::<BTreeSet<_>>().len() == given.len();
    if unlike && given.len() > 1 && vendor::is_of_an_app(name) {
        let said = format!("{not_read}each client has a session {name} of its own: the balancer learns whose it is");
        (Some(StickyBy::Learned), said)
    } else {
        let said = format!(
            "{not_read}either the balancer learns whom each value was given to, or the value names the instance in cipher"
        );
        (None, said)
    }
}

/// The part of the values that names an instance, where the whole does not, and the series that keep it alone.
fn naming_part(trace: &Trace, cookie: &str) -> Option<((&'static str, Part), Named)> {
    let given = issued(trace, cookie);
    let parts: [(_, Named); 2] = [(TAIL, SeriesName::CookieTail), (HEAD, SeriesName::CookieHead)];
    let found = parts.into_iter().find(|((_, part), _)| names_the_instance(trace, given, *part));
    found.filter(|_| !names_the_instance(trace, given, WHOLE.1))
}

/// Whether a part of the values tells instances apart: one instance always gives the same, and no two the same.
fn names_the_instance(trace: &Trace, issued: &[Issued], part: Part) -> bool {
    let mut by_instance: BTreeMap<InstanceId, Vec<u16>> = BTreeMap::new();
    for one in issued {
        let (Some(instance), Some(number)) = (issuer(trace, one.n).and_then(|request| request.instance), part(one))
        else {
            return false;
        };
        by_instance.entry(instance).or_default().push(number);
    }
    let same = by_instance.values().all(|numbers| numbers.iter().all(|number| *number == numbers[0]));
    let again = by_instance.values().any(|numbers| numbers.len() > 1);
    let apart = by_instance.values().map(|numbers| numbers[0]).collect::<BTreeSet<_>>().len() == by_instance.len();
    by_instance.len() > 1 && same && again && apart
}

fn is_made_up(name: &SeriesName) -> bool {
    matches!(name, SeriesName::CookieMadeUp(_))
}

fn is_issued(name: &SeriesName) -> bool {
    matches!(name, SeriesName::CookieIssued(_))
}

fn is_part(name: &SeriesName) -> bool {
    matches!(name, SeriesName::CookieHead(_) | SeriesName::CookieTail(_))
}

/// How often the values of one sort were asked for.
fn passes_of(trace: &Trace, cookie: &str, sort: fn(&SeriesName) -> bool) -> usize {
    series(trace, cookie, sort).map(|series| series.requests.len()).max().unwrap_or(0)
}

/// Values of which a part was kept, each with whom the whole was given by.
fn part_values(trace: &Trace, cookie: &str) -> Option<Values> {
    Values::from(series(trace, cookie, is_part).filter_map(|series| with_issuer(trace, series)))
}

/// The series with values of a cookie, of one sort.
fn series<'a>(trace: &'a Trace, cookie: &'a str, sort: fn(&SeriesName) -> bool) -> impl Iterator<Item = &'a Series> {
    let of_it = move |name: &SeriesName| name.cookie_value().is_some_and(|value| value.name == cookie);
    trace.series.iter().filter(move |series| sort(&series.name) && of_it(&series.name))
}

fn made_up_values(trace: &Trace, cookie: &str) -> Option<Values> {
    Values::from(series(trace, cookie, is_made_up).map(|series| series.requests.clone()))
}

/// What clients without a jar were given.
fn issued<'a>(trace: &'a Trace, cookie: &str) -> &'a [Issued] {
    let free = trace.series(&SeriesName::WithoutJar);
    let seen = free.and_then(|series| series.cookies.iter().find(|seen| seen.name == cookie));
    seen.map_or(&[], |seen| &seen.issued)
}

fn issuer(trace: &Trace, n: u32) -> Option<&Request> {
    let free = &trace.series(&SeriesName::WithoutJar)?.requests;
    free.binary_search_by_key(&n, |request| request.n).ok().map(|index| &free[index])
}

/// The requests with a value, and before them the one that it was given to.
fn with_issuer(trace: &Trace, series: &Series) -> Option<Vec<Request>> {
    let n = series.name.cookie_value()?.n;
    Some([vec![issuer(trace, n)?.clone()], series.requests.clone()].concat())
}
