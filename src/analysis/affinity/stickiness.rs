//! Stickiness: judges if a cookie pins a client to its instance, and finds the cookie that does.

use crate::{
    analysis::{
        affinity::{
            cookie_mechanism::{self, CookieDescription},
            evidence::CookieEvidence,
            treatment::{Effect, Treatment, answers_with_cookies},
        },
        case::Case,
        sampling::budget,
        verdict::{Algorithm, Rejection, Stickiness, StickyCookie, Test},
    },
    model::trace::{ObservedCookie, Series, SeriesName, WithholdReason},
};

/// The requests after which a target that has set no cookie is not expected to set one.
const FEWEST_WITHOUT_COOKIES: usize = 3;

/// The finding from the series with a cookie jar.
pub struct StickinessFinding {
    pub stickiness: Stickiness,
    pub cookie: Option<StickyCookie>,
    pub ruled_out: Vec<Rejection>,
    pub evidence: Vec<CookieEvidence>,
}

/// Returns true if the series with a jar shows enough: its client moves, or looks kept, or has no cookie to send.
pub fn enough_with_jar(case: &Case) -> bool {
    let Some(series) = case.trace().series(&SeriesName::WithJar) else { return true };
    match Treatment::Jar.effect(case) {
        Effect::Moves { .. } | Effect::OneInstance { .. } | Effect::Group { .. } => true,
        Effect::NoAnswers => series.requests.len() >= FEWEST_WITHOUT_COOKIES,
        Effect::NothingToCompare => answers_with_cookies(series).len() >= 2,
        Effect::Unclear { .. } => Treatment::Jar.looks_kept(case),
    }
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

/// The cookies to be sent alone: those that were sent, if the client looks kept and there are several; and where it does
/// not, those that a browser holds back.
pub fn cookies_to_send_alone(case: &Case) -> Vec<String> {
    let Some(series) = case.trace().series(&SeriesName::WithJar) else { return Vec::new() };
    let named = |cookies: Vec<&ObservedCookie>| {
        cookies.into_iter().map(|cookie| cookie.name.clone()).take(budget::MOST_ALONE).collect::<Vec<_>>()
    };
    match Treatment::Jar.effect(case) {
        Effect::NothingToCompare => Vec::new(),
        Effect::Moves { .. } | Effect::NoAnswers => {
            named(series.cookies.iter().filter(|cookie| is_held_back(cookie)).collect())
        }
        Effect::OneInstance { .. } | Effect::Group { .. } | Effect::Unclear { .. } => {
            let sent: Vec<_> = sent_cookies(series).collect();
            if sent.len() > 1 { named(sent) } else { Vec::new() }
        }
    }
}

fn sent_cookies(with_jar: &Series) -> impl Iterator<Item = &ObservedCookie> {
    with_jar.cookies.iter().filter(|cookie| cookie.withheld.is_none())
}

/// The name of the cookie that pins, where there is one.
pub fn sticky_cookie(case: &Case) -> Option<String> {
    let series = case.trace().series(&SeriesName::WithJar)?;
    match Treatment::Jar.effect(case) {
        Effect::OneInstance { .. } => match pinning_cookies(case, series) {
            Pinning::Alone(cookies) => Some(cookies.first()?.name.clone()),
            Pinning::Together(_) | Pinning::Unknown => None,
        },
        _ => None,
    }
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
    match Treatment::Jar.effect(case) {
        Effect::NoAnswers => without_named_picks(case, series),
        Effect::Moves { requests, instances } => {
            let spread = CookieEvidence::Spread { requests, instances };
            let evidence = [vec![spread], held_back_cookies(case, series)].concat();
            StickinessFinding::without_cookie(Stickiness::None, evidence)
        }
        Effect::NothingToCompare => open(vec![CookieEvidence::OneInstance]),
        Effect::Unclear { requests, moves: 0, p } => open(vec![CookieEvidence::StayedTooFew { requests, p }]),
        Effect::Unclear { requests, moves, .. } => open(vec![CookieEvidence::MovedSometimes { requests, moves }]),
        Effect::Group { requests, instances, of, p } => {
            open(vec![CookieEvidence::KeptToGroup { requests, instances, of, p }])
        }
        Effect::OneInstance { requests, moves, p } => pinned_by_cookie(case, series, requests, moves, p),
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

/// The finding where requests with cookies stay, which they would do with probability `p` if cookies played no part.
fn pinned_by_cookie(case: &Case, series: &Series, requests: usize, moves: usize, p: f64) -> StickinessFinding {
    let pinning = pinning_cookies(case, series);
    let (alone, together) = match &pinning {
        Pinning::Alone(cookies) => (cookies.as_slice(), &[][..]),
        Pinning::Together(cookies) => (&[][..], cookies.as_slice()),
        Pinning::Unknown => (&[][..], &[][..]),
    };
    let names = |cookies: &[&ObservedCookie]| cookies.iter().map(|cookie| cookie.name.clone()).collect::<Vec<_>>();
    let described = cookie_to_name(alone).map(|cookie| cookie_mechanism::describe_cookie(case, cookie));
    let stays = Rejection { algorithm: Algorithm::Random, test: Test::WithCookiesOneAlone, p };
    let mut finding = StickinessFinding {
        stickiness: Stickiness::Cookie,
        cookie: None,
        ruled_out: vec![stays],
        evidence: vec![CookieEvidence::Pins { cookies: names(alone), requests, moves, p }],
    };
    if !together.is_empty() {
        finding.evidence.push(CookieEvidence::PinTogether { cookies: names(together) });
    }
    if let Some(CookieDescription { cookie, ruled_out, evidence }) = described {
        finding.cookie = Some(cookie);
        finding.ruled_out.extend(ruled_out);
        finding.evidence.extend(evidence);
    }
    finding
}

/// The cookies that pin.
enum Pinning<'a> {
    /// Each of them does so alone.
    Alone(Vec<&'a ObservedCookie>),
    /// None of them does so alone.
    Together(Vec<&'a ObservedCookie>),
    Unknown,
}

/// The cookies that pin: the only one there is, or those that pin alone, or all of them where each alone lets the client
/// move.
fn pinning_cookies<'a>(case: &Case, with_jar: &'a Series) -> Pinning<'a> {
    let sent: Vec<_> = sent_cookies(with_jar).collect();
    if let [only] = sent.as_slice() {
        return Pinning::Alone(vec![only]);
    }
    let alone = |cookie: &&ObservedCookie| p_alone(case, cookie).is_some();
    let moves = |cookie: &&ObservedCookie| matches!(effect_alone(case, cookie), Effect::Moves { .. });
    let pin: Vec<_> = sent.iter().copied().filter(alone).collect();
    if !pin.is_empty() {
        Pinning::Alone(pin)
    } else if sent.iter().all(moves) {
        Pinning::Together(sent)
    } else {
        Pinning::Unknown
    }
}

/// The cookie to be named: some balancers set the same value under two names, for browsers old and new.
fn cookie_to_name<'a>(cookies: &[&'a ObservedCookie]) -> Option<&'a ObservedCookie> {
    let (first, others) = cookies.split_first()?;
    let last = |cookie: &ObservedCookie| cookie.issued.last().map(|issued| issued.value);
    let same = |other: &&ObservedCookie| last(first).is_some() && last(other) == last(first);
    others.iter().all(same).then_some(*first)
}

fn effect_alone(case: &Case, cookie: &ObservedCookie) -> Effect {
    Treatment::Cookie(cookie.name.clone()).effect(case)
}

/// The probability by which a cookie alone would seem to pin, where it does.
fn p_alone(case: &Case, cookie: &ObservedCookie) -> Option<f64> {
    match effect_alone(case, cookie) {
        Effect::OneInstance { p, .. } => Some(p),
        _ => None,
    }
}

/// The cookies that would keep a client on its instance if its browser sent them.
fn held_back_cookies(case: &Case, with_jar: &Series) -> Vec<CookieEvidence> {
    let would_pin = |cookie: &ObservedCookie| {
        let p = p_alone(case, cookie).filter(|_| is_held_back(cookie))?;
        Some(CookieEvidence::WouldPin { cookie: cookie.name.clone(), p, reason: cookie.withheld.clone() })
    };
    with_jar.cookies.iter().filter_map(would_pin).collect()
}
