//! Stickiness: judges if a cookie pins a client to its instance, and finds the cookie that does.

use crate::{
    analysis::{
        affinity::{
            cookie_mechanism::{self, CookieDescription},
            evidence::CookieEvidence,
            pinning::{Pinning, judge_pinning},
        },
        case::Case,
        sampling::budget::{self, Decision},
        verdict::{Algorithm, Rejection, Stickiness, StickyCookie, Test},
    },
    model::trace::{InstanceId, ObservedCookie, Series, SeriesName, WithholdReason},
};

/// The finding from the series with a cookie jar.
pub struct StickinessFinding {
    pub stickiness: Stickiness,
    pub cookie: Option<StickyCookie>,
    pub ruled_out: Vec<Rejection>,
    pub evidence: Vec<CookieEvidence>,
}

/// The instances that answered requests with a cookie, and before them the instance that set it.
fn picks_with_cookies(series: &Series) -> Vec<InstanceId> {
    let first = series.requests.iter().position(|request| request.cookies_sent > 0).unwrap_or(series.requests.len());
    series.requests[first..].iter().filter_map(|request| request.instance).collect()
}

/// Returns true if the series with a jar shows enough: it left its instance, or stayed long enough, or has no cookie to
/// send.
pub fn enough_with_jar(case: &Case) -> bool {
    let Some(series) = case.trace().series(&SeriesName::WithJar) else { return true };
    let picks = picks_with_cookies(series);
    match judge_pinning(case, &picks) {
        Pinning::Moves { .. } => true,
        Pinning::NothingToCompare => picks.len() >= 2 || series.requests.len() >= 3,
        pinned => pinned.is_sure(case.alpha()),
    }
}

/// Returns true if a series with one cookie alone shows enough.
pub fn enough_alone(case: &Case, name: &SeriesName) -> bool {
    let Some(series) = case.trace().series(name) else { return true };
    let picks = all_picks(series);
    match judge_pinning(case, &picks) {
        Pinning::Moves { .. } => true,
        Pinning::NothingToCompare => picks.len() >= 2,
        pinned => pinned.p_alone(case.alpha()).is_some(),
    }
}

fn all_picks(series: &Series) -> Vec<InstanceId> {
    series.requests.iter().filter_map(|request| request.instance).collect()
}

/// Returns true if a browser would send the cookie if its attributes were others.
fn is_held_back(cookie: &ObservedCookie) -> bool {
    match cookie.withheld {
        Some(
            WithholdReason::Secure | WithholdReason::Path(_) | WithholdReason::Domain(_) | WithholdReason::Refused(_),
        ) => true,
        Some(WithholdReason::Expired | WithholdReason::Invalid) | None => false,
    }
}

/// The cookies to be tried alone: those that were sent, if together they pin and there are several; and where nothing
/// pins, those that a browser holds back.
pub fn candidate_cookies(case: &Case) -> Vec<String> {
    let Some(series) = case.trace().series(&SeriesName::WithJar) else { return Vec::new() };
    let named = |cookies: Vec<&ObservedCookie>| {
        cookies.into_iter().map(|cookie| cookie.name.clone()).take(budget::MOST_ALONE).collect::<Vec<_>>()
    };
    match judge_pinning(case, &picks_with_cookies(series)) {
        pinned if pinned.is_sure(case.alpha()) => {
            let sent: Vec<_> = series.cookies.iter().filter(|cookie| cookie.withheld.is_none()).collect();
            if sent.len() > 1 { named(sent) } else { Vec::new() }
        }
        _ => named(series.cookies.iter().filter(|cookie| is_held_back(cookie)).collect()),
    }
}

/// The name of the cookie that pins, where there is one.
pub fn sticky_cookie(case: &Case) -> Option<String> {
    let series = case.trace().series(&SeriesName::WithJar)?;
    let pins = judge_pinning(case, &picks_with_cookies(series)).is_sure(case.alpha());
    if pins { Some(pinning_cookies(case, series).first()?.name.clone()) } else { None }
}

impl StickinessFinding {
    fn without_cookie(stickiness: Stickiness, evidence: Vec<CookieEvidence>) -> StickinessFinding {
        StickinessFinding { stickiness, cookie: None, ruled_out: Vec::new(), evidence }
    }
}

/// The finding about the cookie that pins a client, if one does.
pub fn find_stickiness(case: &Case) -> StickinessFinding {
    let open = |evidence| StickinessFinding::without_cookie(Stickiness::Undetermined, evidence);
    let Some(series) = case.trace().series(&SeriesName::WithJar) else { return open(Vec::new()) };
    if series.requests.iter().all(|request| request.instance.is_none()) {
        return open(Vec::new());
    }
    let picks = picks_with_cookies(series);
    if picks.is_empty() {
        return without_named_picks(case, series);
    }
    let requests = picks.len();
    match judge_pinning(case, &picks) {
        Pinning::Moves { instances } => {
            let spread = CookieEvidence::Spread { requests, instances };
            let evidence = [vec![spread], held_back_cookies(case, series)].concat();
            StickinessFinding::without_cookie(Stickiness::None, evidence)
        }
        Pinning::NothingToCompare => open(vec![CookieEvidence::OneInstance]),
        Pinning::Unclear { moves } => open(vec![CookieEvidence::MovedSometimes { requests, moves }]),
        Pinning::Stays { p, .. } if p >= budget::spend(case.alpha(), Decision::Stickiness) => {
            open(vec![CookieEvidence::StayedTooFew { requests, p }])
        }
        Pinning::Stays { p, moves } => pinned_by_cookie(case, series, requests, moves, p),
    }
}

/// The finding where no answer to a request with a cookie names its instance.
fn without_named_picks(case: &Case, series: &Series) -> StickinessFinding {
    let open = |evidence| StickinessFinding::without_cookie(Stickiness::Undetermined, evidence);
    if series.requests.iter().any(|request| request.cookies_sent > 0) {
        return open(vec![CookieEvidence::NoInstance]);
    }
    if series.requests.len() < 2 {
        return open(Vec::new());
    }
    let held_back = held_back_cookies(case, series);
    let reason = match series.cookies.first() {
        None => CookieEvidence::NoCookieSet,
        Some(cookie) => CookieEvidence::Withheld { cookie: cookie.name.clone(), reason: cookie.withheld.clone() },
    };
    let evidence = if held_back.is_empty() { vec![reason] } else { held_back };
    StickinessFinding::without_cookie(Stickiness::None, evidence)
}

/// The finding where requests with cookies stay, which free picks do with probability `p`.
fn pinned_by_cookie(case: &Case, series: &Series, requests: usize, moves: usize, p: f64) -> StickinessFinding {
    let cookies = pinning_cookies(case, series);
    let names = cookies.iter().map(|cookie| cookie.name.clone()).collect();
    let described = cookie_to_name(&cookies).map(|cookie| cookie_mechanism::describe_cookie(case, cookie));
    let stays = Rejection { algorithm: Algorithm::Random, test: Test::WithCookiesOneAlone, p };
    let mut finding = StickinessFinding {
        stickiness: Stickiness::Cookie,
        cookie: None,
        ruled_out: vec![stays],
        evidence: vec![CookieEvidence::Pins { cookies: names, requests, moves, p }],
    };
    if let Some(CookieDescription { cookie, ruled_out, evidence }) = described {
        finding.cookie = Some(cookie);
        finding.ruled_out.extend(ruled_out);
        finding.evidence.extend(evidence);
    }
    finding
}

/// The cookies that pin: the only one there is, or those that pin alone.
fn pinning_cookies<'a>(case: &Case, with_jar: &'a Series) -> Vec<&'a ObservedCookie> {
    let sent: Vec<_> = with_jar.cookies.iter().filter(|cookie| cookie.withheld.is_none()).collect();
    if let [only] = sent.as_slice() {
        return vec![only];
    }
    sent.into_iter().filter(|cookie| pins_alone(case, cookie).is_some()).collect()
}

/// The cookie to be named: some balancers set the same value under two names, for browsers old and new.
fn cookie_to_name<'a>(cookies: &[&'a ObservedCookie]) -> Option<&'a ObservedCookie> {
    let (first, others) = cookies.split_first()?;
    let last = |cookie: &ObservedCookie| cookie.issued.last().map(|issued| issued.value);
    let same = |other: &&ObservedCookie| last(first).is_some() && last(other) == last(first);
    others.iter().all(same).then_some(*first)
}

/// The probability by which a cookie alone would seem to pin, where it does.
fn pins_alone(case: &Case, cookie: &ObservedCookie) -> Option<f64> {
    let series = case.trace().series(&SeriesName::CookieAlone(cookie.name.clone()))?;
    judge_pinning(case, &all_picks(series)).p_alone(case.alpha())
}

/// The cookies that would keep a client on its instance if its browser sent them.
fn held_back_cookies(case: &Case, with_jar: &Series) -> Vec<CookieEvidence> {
    let would_pin = |cookie: &ObservedCookie| {
        let p = pins_alone(case, cookie).filter(|_| is_held_back(cookie))?;
        Some(CookieEvidence::WouldPin { cookie: cookie.name.clone(), p, reason: cookie.withheld.clone() })
    };
    with_jar.cookies.iter().filter_map(would_pin).collect()
}
