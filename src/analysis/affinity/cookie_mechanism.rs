//! Cookie mechanisms: the way in which the cookie that pins works, by values that the balancer issued to other clients
//! and by values that the probe made up, each sent alone.
//!
//! A balancer that *inserts* the cookie follows only values that it issued. A balancer that *hashes* the cookie follows
//! any value, whichever instance issued it. A balancer that *learns* the cookie remembers the instance that issued each
//! value, or the instance to which it sent each new one.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    analysis::{
        affinity::{
            evidence::{CookieEvidence, MadeUpEvidence, Part, ValueEvidence},
            failures::MAX_SHARE_OF_FAILURES,
            keys::{KeyEffect, Values},
            placement, vendor,
        },
        case::Case,
        math::log_prob::{ln_extreme, probability},
        sampling::budget::{Decision, is_sure},
        verdict::{Algorithm, Rejection, StickyBy, StickyCookie, Test},
    },
    model::trace::{CookieValue, InstanceId, IssuedValue, ObservedCookie, Request, Series, SeriesName, Trace},
};

/// The number of made-up values that are sent first.
const FIRST_VALUES: u32 = 6;
/// The number of made-up values where the first ones stay with their instances: enough to show the placement of new
/// values.
const ALL_VALUES: u32 = 26;
/// The most passes over few values.
const PASSES_OF_FEW: usize = 14;
/// The most passes over many values.
const PASSES: usize = 6;
/// The most values of which only a part is sent.
const MOST_PARTS: usize = 8;
/// The most passes over parts of values.
const PASSES_OF_PARTS: usize = 10;
/// The most issued values that are sent: enough to distinguish two equal instances.
const MOST_ISSUED: usize = 30;

/// The number that stands for a value or a part of it; equal values have equal numbers.
type Number = fn(&IssuedValue) -> Option<u16>;

/// The stability of values: each of them stays with its instance, or they move.
enum ValueStability {
    /// Each value stays with its instance; free picks would look so with probability `p`.
    Stable { p: f64, moves: usize },
    /// Values move; failures alone would look so with probability `p`.
    Unstable { p: f64, moves: usize, further: usize },
    /// One instance answers all values.
    OneInstance,
    /// The requests are too few.
    Unknown,
}

fn judge_stability(case: &Case, values: &Values) -> ValueStability {
    match values.effect(case.alpha(), Decision::MadeUpValues) {
        KeyEffect::Decides { p } if is_sure(p, case.alpha(), Decision::MadeUpValues) => {
            ValueStability::Stable { p, moves: 0 }
        }
        KeyEffect::StaysMostly { p, moves } => ValueStability::Stable { p, moves },
        KeyEffect::Inconsistent { p, moves, further } => ValueStability::Unstable { p, moves, further },
        KeyEffect::NoEffect { .. } => ValueStability::OneInstance,
        KeyEffect::Decides { .. }
        | KeyEffect::OwnSets { .. }
        | KeyEffect::MovesSometimes { .. }
        | KeyEffect::TooFew => ValueStability::Unknown,
    }
}

/// The values of a cookie to send next, each once and in random order; empty when the trace shows enough.
pub fn next_values(case: &Case, cookie: &str) -> Vec<SeriesName> {
    let value = |n| CookieValue { name: cookie.to_owned(), n };
    let made_up = |range: std::ops::RangeInclusive<u32>| range.map(|n| SeriesName::CookieMadeUp(value(n))).collect();
    let Some(values) = made_up_values(case.trace(), cookie) else { return made_up(1..=FIRST_VALUES) };
    let passes = count_passes(case.trace(), cookie, is_made_up);
    let (moves, _) = values.moves();
    let few = values.count() <= FIRST_VALUES as usize;
    match judge_stability(case, &values) {
        ValueStability::Unstable { .. } => next_parts(case, cookie),
        _ if few && passes < 2 => made_up(1..=FIRST_VALUES),
        _ if few && moves == 0 => made_up(FIRST_VALUES + 1..=ALL_VALUES),
        _ if few && passes < PASSES_OF_FEW => made_up(1..=FIRST_VALUES),
        ValueStability::Unknown if !few && passes < PASSES => made_up(1..=ALL_VALUES),
        ValueStability::Stable { moves: 0, .. } if !few && count_passes(case.trace(), cookie, is_issued) == 0 => {
            let mut known = BTreeSet::new();
            let fresh = issued_values(case.trace(), cookie)
                .iter()
                .filter(|issued| known.insert(issued.value))
                .take(MOST_ISSUED);
            fresh.map(|issued| SeriesName::CookieIssued(value(issued.n))).collect()
        }
        _ => Vec::new(),
    }
}

/// The values to send next: an issued part that may name an instance, with the rest made up.
fn next_parts(case: &Case, cookie: &str) -> Vec<SeriesName> {
    let Some(part) = naming_part(case.trace(), cookie) else { return Vec::new() };
    let asked = count_passes(case.trace(), cookie, is_part);
    let is_shown = |values: Values| asked >= PASSES_OF_PARTS || values.are_enough(case.alpha(), Decision::ValuePart);
    if part_values(case.trace(), cookie).is_some_and(is_shown) {
        return Vec::new();
    }
    // as many of each instance as of any other
    let mut by_part: BTreeMap<Option<u16>, Vec<u32>> = BTreeMap::new();
    issued_values(case.trace(), cookie)
        .iter()
        .for_each(|issued| by_part.entry(part_number(part)(issued)).or_default().push(issued.n));
    let each = (MOST_PARTS / by_part.len().max(1)).max(1);
    let chosen = by_part.into_values().flat_map(|ns| ns.into_iter().take(each)).take(MOST_PARTS.max(2));
    chosen.map(|n| series_with(part, CookieValue { name: cookie.to_owned(), n })).collect()
}

/// The properties of the cookie that pins.
pub struct CookieDescription {
    pub cookie: StickyCookie,
    pub ruled_out: Vec<Rejection>,
    pub evidence: Vec<CookieEvidence>,
}

/// Describes the cookie that pins, and how it does.
pub fn describe_cookie(case: &Case, cookie: &ObservedCookie) -> CookieDescription {
    let known = identify_cookie(case.trace(), &cookie.name);
    let CookieMechanism { by, ruled_out, mut evidence } = find_cookie_mechanism(case, cookie);
    let name = || cookie.name.clone();
    evidence.extend(known.vendor.map(|vendor| CookieEvidence::MadeBy { cookie: name(), vendor }));
    let flaws = known.flaws.iter().cloned();
    evidence.extend(flaws.map(|flaw| CookieEvidence::Flawed { cookie: name(), flaw }));
    CookieDescription { cookie: StickyCookie { by, ..known }, ruled_out: ruled_out.into_iter().collect(), evidence }
}

/// The properties of a cookie, without its mechanism.
pub fn identify_cookie(trace: &Trace, name: &str) -> StickyCookie {
    let kept = trace.series(&SeriesName::WithJar).map_or(&[][..], |series| &series.cookies);
    let seen = kept.iter().find(|seen| seen.name == name);
    let attributes = seen.and_then(|seen| seen.attributes.clone());
    StickyCookie {
        name: name.to_owned(),
        by: None,
        vendor: seen.and_then(|seen| vendor::identify_vendor(name, seen.form.as_deref()?)),
        flaws: attributes.as_ref().map_or(Vec::new(), |set| vendor::find_flaws(set, &trace.target.url)),
        attributes,
    }
}

/// The cookies, three at most, whose value may decide though one instance answers all clients without a cookie.
pub fn cookies_to_vary(trace: &Trace) -> Vec<String> {
    let Some(series) = trace.series(&SeriesName::WithJar) else { return Vec::new() };
    series.cookies.iter().filter(|seen| seen.form.is_some()).map(|seen| seen.name.clone()).take(3).collect()
}

/// The mechanism of a cookie, with its evidence.
#[derive(Default)]
struct CookieMechanism {
    by: Option<StickyBy>,
    ruled_out: Option<Rejection>,
    evidence: Vec<CookieEvidence>,
}

/// The mechanism and the fact that shows it.
type CookieMechanismFact = (Option<StickyBy>, CookieEvidence);

fn find_cookie_mechanism(case: &Case, cookie: &ObservedCookie) -> CookieMechanism {
    let trace = case.trace();
    let name = cookie.name.as_str();
    let Some(made_up) = made_up_values(trace, name) else { return CookieMechanism::default() };
    let (cookie_name, values) = (name.to_owned(), made_up.answered());
    let out = |algorithm, test, p| Some(Rejection { algorithm, test, p });
    let facts = |first, (by, second): CookieMechanismFact, ruled_out| CookieMechanism {
        by,
        ruled_out,
        evidence: vec![first, second],
    };
    let fact = |by, only| CookieMechanism { by, ruled_out: None, evidence: vec![only] };
    match judge_stability(case, &made_up) {
        ValueStability::Stable { p, moves: 0 } => facts(
            CookieEvidence::MadeUp(MadeUpEvidence::Stay { cookie: cookie_name, values, p }),
            explain_stable_values(case, name, &made_up),
            out(Algorithm::Random, Test::MadeUpValuesStay, p),
        ),
        ValueStability::Stable { p, moves } => {
            fact(None, CookieEvidence::MadeUp(MadeUpEvidence::StayMostly { cookie: cookie_name, moves, p }))
        }
        ValueStability::Unstable { p, moves, further } => facts(
            CookieEvidence::MadeUp(MadeUpEvidence::Move { cookie: cookie_name, moves, of: further, p }),
            explain_unstable_values(case, cookie),
            out(Algorithm::HeaderHash, Test::MadeUpValuesMove, p),
        ),
        ValueStability::OneInstance => {
            let names = names_the_instance(trace, issued_values(trace, name), value_number);
            let by = names.then_some(StickyBy::Inserted);
            fact(by, CookieEvidence::MadeUp(MadeUpEvidence::OneInstance { cookie: cookie_name, values }))
        }
        ValueStability::Unknown => {
            fact(None, CookieEvidence::MadeUp(MadeUpEvidence::TooFew { cookie: cookie_name, values }))
        }
    }
}

/// Explains values that all stay: by a hash, or by a table that learns them.
fn explain_stable_values(case: &Case, name: &str, made_up: &Values) -> CookieMechanismFact {
    let trace = case.trace();
    let fact = |by, fact| (by, CookieEvidence::Values(fact));
    let in_turn = |new: &Values| placement::find_round_robin(case, new, Decision::CookiePlacement).is_some();
    let issued = Values::from_requests(series(trace, name, is_issued).filter_map(|series| with_issuer(trace, series)));
    let effect = issued.as_ref().map(|issued| issued.effect(case.alpha(), Decision::IssuedValues));
    if let Some(KeyEffect::Decides { p }) = effect
        && is_sure(p, case.alpha(), Decision::IssuedValues)
    {
        // a balancer that reads the instance in a value, and takes a hash of others, does not place new ones in turn
        return if in_turn(made_up) {
            fact(Some(StickyBy::Learned), ValueEvidence::IssuedAreLearned { p })
        } else {
            fact(None, ValueEvidence::IssuedLeadBack { p })
        };
    }
    // a value that another client was given is new to a hash, and to a table that only looks at requests
    let new = Values::from_requests(series(trace, name, |_| true).map(|series| series.requests.clone()));
    let new = new.as_ref().unwrap_or(made_up);
    if in_turn(new) {
        return fact(Some(StickyBy::Learned), ValueEvidence::NewPlacedInTurn);
    }
    let follows_issued = issued.as_ref().is_none_or(|issued| issued_may_lead_back(case, issued));
    match placement::rule_out_round_robin(case, new) {
        Some(p) if !follows_issued => fact(Some(StickyBy::Hash), ValueEvidence::NewNotInTurn { p }),
        Some(_) | None => fact(None, ValueEvidence::HashOrTable),
    }
}

/// Returns true if issued values may lead back to the instance that issued them, but for failures: then the balancer may
/// read the instance in them.
fn issued_may_lead_back(case: &Case, issued: &Values) -> bool {
    let (moves, further) = issued.moves();
    moves as f64 <= further as f64 * MAX_SHARE_OF_FAILURES
        || !is_sure(
            probability(ln_extreme(moves, further, MAX_SHARE_OF_FAILURES)),
            case.alpha(),
            Decision::IssuedValues,
        )
}

/// Explains made-up values that move: issued values name the instance, or the balancer learns them.
fn explain_unstable_values(case: &Case, cookie: &ObservedCookie) -> CookieMechanismFact {
    let trace = case.trace();
    let name = &cookie.name;
    let given = issued_values(trace, name);
    if names_the_instance(trace, given, value_number) {
        return (Some(StickyBy::Inserted), CookieEvidence::Values(ValueEvidence::ValueNamesInstance));
    }
    let part = naming_part(trace, name);
    let effect = part_values(trace, name).map(|values| values.effect(case.alpha(), Decision::ValuePart));
    let ignored = match (part, effect) {
        (Some(part), Some(KeyEffect::Decides { p })) if is_sure(p, case.alpha(), Decision::ValuePart) => {
            return (Some(StickyBy::Inserted), CookieEvidence::Values(ValueEvidence::PartNamesInstance { part, p }));
        }
        (Some(part), Some(KeyEffect::Inconsistent { .. })) => Some(part),
        (Some(_), _) => return (None, CookieEvidence::Values(ValueEvidence::PartNotTested)),
        (None, _) => None,
    };
    let unlike = given.iter().map(|issued| issued.value).collect::<BTreeSet<_>>().len() == given.len();
    if unlike && given.len() > 1 && vendor::is_application_session(name) {
        // its name is a hint, and proves nothing
        return (None, CookieEvidence::Values(ValueEvidence::ApplicationSession { cookie: name.clone(), ignored }));
    }
    (None, CookieEvidence::Values(ValueEvidence::LearnedOrCipher { ignored }))
}

/// The part of the values that names an instance, where the whole does not.
fn naming_part(trace: &Trace, cookie: &str) -> Option<Part> {
    let given = issued_values(trace, cookie);
    let found = [Part::Tail, Part::Head].into_iter().find(|part| names_the_instance(trace, given, part_number(*part)));
    found.filter(|_| !names_the_instance(trace, given, value_number))
}

/// The number that stands for a part of a value.
fn part_number(part: Part) -> Number {
    match part {
        Part::Head => |issued| issued.head,
        Part::Tail => |issued| issued.tail,
    }
}

/// The number that stands for the whole value.
fn value_number(issued: &IssuedValue) -> Option<u16> {
    Some(issued.value)
}

/// The name of the series that sends a value of which only this part is issued.
fn series_with(part: Part, value: CookieValue) -> SeriesName {
    match part {
        Part::Head => SeriesName::CookieHead(value),
        Part::Tail => SeriesName::CookieTail(value),
    }
}

/// Returns true if the numbers that stand for values distinguish instances: one instance always gives the same, and no
/// two instances give the same.
fn names_the_instance(trace: &Trace, issued: &[IssuedValue], number: Number) -> bool {
    let mut by_instance: BTreeMap<InstanceId, Vec<u16>> = BTreeMap::new();
    for one in issued {
        let (Some(instance), Some(number)) = (issuer(trace, one.n).and_then(|request| request.instance), number(one))
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

/// The number of passes over the values of one sort.
fn count_passes(trace: &Trace, cookie: &str, sort: fn(&SeriesName) -> bool) -> usize {
    series(trace, cookie, sort).map(|series| series.requests.len()).max().unwrap_or(0)
}

/// The values of which a part was sent, each with the request to which the whole was issued.
fn part_values(trace: &Trace, cookie: &str) -> Option<Values> {
    Values::from_requests(series(trace, cookie, is_part).filter_map(|series| with_issuer(trace, series)))
}

/// The series with values of a cookie, of one sort.
fn series<'a>(trace: &'a Trace, cookie: &'a str, sort: fn(&SeriesName) -> bool) -> impl Iterator<Item = &'a Series> {
    let of_it = move |name: &SeriesName| name.cookie_value().is_some_and(|value| value.name == cookie);
    trace.series.iter().filter(move |series| sort(&series.name) && of_it(&series.name))
}

fn made_up_values(trace: &Trace, cookie: &str) -> Option<Values> {
    Values::from_requests(series(trace, cookie, is_made_up).map(|series| series.requests.clone()))
}

/// The values of a cookie that clients without a jar got.
fn issued_values<'a>(trace: &'a Trace, cookie: &str) -> &'a [IssuedValue] {
    let free = trace.series(&SeriesName::WithoutJar);
    let seen = free.and_then(|series| series.cookies.iter().find(|seen| seen.name == cookie));
    seen.map_or(&[], |seen| &seen.issued)
}

fn issuer(trace: &Trace, n: u32) -> Option<&Request> {
    let free = &trace.series(&SeriesName::WithoutJar)?.requests;
    free.binary_search_by_key(&n, |request| request.n).ok().map(|index| &free[index])
}

/// The requests with a value, and before them the request to which the value was issued.
fn with_issuer(trace: &Trace, series: &Series) -> Option<Vec<Request>> {
    let n = series.name.cookie_value()?.n;
    Some([vec![issuer(trace, n)?.clone()], series.requests.clone()].concat())
}
