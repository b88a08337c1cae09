//! Stickiness: does a cookie pin a client to its instance, and which one does.

use crate::model::trace::{InstanceId, SeenCookie, Series, SeriesName, Withheld};

use crate::analysis::{
    affinity::{
        cookie_mechanism,
        pinning::{Pinned, pinned},
    },
    case::Case,
    math::log_prob::in_words,
    sampling::budget,
    session,
    verdict::{Algorithm, RuledOut, Stickiness, StickyCookie},
};

/// What was found of stickiness.
pub struct Sticky {
    pub stickiness: Stickiness,
    pub cookie: Option<StickyCookie>,
    pub ruled_out: Vec<RuledOut>,
    pub evidence: Vec<String>,
}

/// Who answered the requests with which a cookie was sent, and before them the one that set it.
fn with_cookies(series: &Series) -> Vec<InstanceId> {
    let first = series.requests.iter().position(|request| request.cookies_sent > 0).unwrap_or(series.requests.len());
    series.requests[first..].iter().filter_map(|request| request.instance).collect()
}

/// Whether the series with a jar shows enough: it left its instance, or stayed long enough, or has no cookie to send.
pub fn enough_with_jar(case: &Case) -> bool {
    let Some(series) = case.trace().series(&SeriesName::WithJar) else { return true };
    let picks = with_cookies(series);
    match pinned(case, &picks) {
        Pinned::No { .. } => true,
        Pinned::Unknown => picks.len() >= 2 || series.requests.len() >= 3,
        pinned => pinned.surely(case.alpha()),
    }
}

/// Whether a series with one cookie alone shows enough.
pub fn enough_alone(case: &Case, name: &SeriesName) -> bool {
    let Some(series) = case.trace().series(name) else { return true };
    let picks = all_picks(series);
    match pinned(case, &picks) {
        Pinned::No { .. } => true,
        Pinned::Unknown => picks.len() >= 2,
        pinned => pinned.alone(case.alpha()).is_some(),
    }
}

fn all_picks(series: &Series) -> Vec<InstanceId> {
    series.requests.iter().filter_map(|request| request.instance).collect()
}

/// Whether a browser would have sent the cookie, were its attributes others.
fn is_held_back(cookie: &SeenCookie) -> bool {
    matches!(cookie.withheld, Some(Withheld::Secure | Withheld::Path(_) | Withheld::Domain(_)))
}

/// The cookies to be tried alone: those that were sent, if together they pin and there are several; and where nothing
/// pins, those that a browser holds back.
pub fn candidate_cookies(case: &Case) -> Vec<String> {
    let Some(series) = case.trace().series(&SeriesName::WithJar) else { return Vec::new() };
    let named = |cookies: Vec<&SeenCookie>| {
        cookies.into_iter().map(|cookie| cookie.name.clone()).take(budget::MOST_ALONE).collect::<Vec<_>>()
    };
    match pinned(case, &with_cookies(series)) {
        pinned if pinned.surely(case.alpha()) => {
            let sent: Vec<_> = series.cookies.iter().filter(|cookie| cookie.withheld.is_none()).collect();
            if sent.len() > 1 { named(sent) } else { Vec::new() }
        }
        _ => named(series.cookies.iter().filter(|cookie| is_held_back(cookie)).collect()),
    }
}

/// The name of the cookie that pins, where there is one.
pub fn sticky_cookie(case: &Case) -> Option<String> {
    let series = case.trace().series(&SeriesName::WithJar)?;
    match pinned(case, &with_cookies(series)).surely(case.alpha()) {
        true => Some(which(case, series).first()?.name.clone()),
        false => None,
    }
}

/// Does a cookie pin, and which.
pub fn find(case: &Case) -> Sticky {
    let nothing =
        |stickiness, evidence: Vec<String>| Sticky { stickiness, cookie: None, ruled_out: Vec::new(), evidence };
    let Some(series) = case.trace().series(&SeriesName::WithJar) else {
        return nothing(Stickiness::Undetermined, Vec::new());
    };
    if series.requests.iter().all(|request| request.instance.is_none()) {
        return nothing(Stickiness::Undetermined, Vec::new());
    }
    let picks = with_cookies(series);
    let held_back = held_back(case, series);
    if picks.is_empty() && series.requests.iter().any(|request| request.cookies_sent > 0) {
        let said = "nobody is named by the answers to requests with cookies, so what a cookie does is not seen";
        return nothing(Stickiness::Undetermined, vec![said.to_owned()]);
    }
    if picks.is_empty() {
        let said = match series.cookies.first() {
            _ if series.requests.len() < 2 => return nothing(Stickiness::Undetermined, Vec::new()),
            None => "no cookie was set, so none can keep a client on its instance".to_owned(),
            Some(cookie) => session::withheld(cookie),
        };
        let said = if held_back.is_empty() { vec![said] } else { held_back };
        return nothing(Stickiness::None, said);
    }
    let sent = picks.len();
    match pinned(case, &picks) {
        Pinned::No { instances } => {
            let said = format!(
                "{sent} requests with cookies went to {instances} instances: no cookie that a browser sends keeps a \
                 client on its instance"
            );
            nothing(Stickiness::None, [vec![said], held_back].concat())
        }
        Pinned::Unknown => {
            nothing(Stickiness::Undetermined, vec!["one instance answers with and without cookies".to_owned()])
        }
        Pinned::Unsure { moves } => nothing(
            Stickiness::Undetermined,
            vec![format!(
                "{sent} requests with cookies moved to another instance {moves} times: too seldom for free picks, too \
                 often for a cookie that keeps a client"
            )],
        ),
        Pinned::Yes { p, .. } if p >= case.alpha() * budget::STICKINESS => nothing(
            Stickiness::Undetermined,
            vec![format!("{sent} requests with cookies stayed on one instance, too few: by chance {}", in_words(p))],
        ),
        Pinned::Yes { p, moves } => {
            let cookies = which(case, series);
            let names: Vec<&str> = cookies.iter().map(|cookie| cookie.name.as_str()).collect();
            let keeps = match names.as_slice() {
                [] => "a cookie keeps a client on its instance".to_owned(),
                [name] => format!("the cookie {name} keeps a client on its instance"),
                [first, rest @ ..] => {
                    format!("the cookies {first} and {} keep a client on its instance", rest.join(", "))
                }
            };
            let went = match moves {
                0 => "all went to one instance".to_owned(),
                1 => "went to one instance, and after a while to another".to_owned(),
                moves => format!("moved to another instance only {moves} times"),
            };
            let said = format!("{keeps}: {sent} requests with cookies {went}, by chance {}", in_words(p));
            let described = the_one(&cookies).map(|cookie| cookie_mechanism::describe(case, cookie));
            let stays = RuledOut { algorithm: Algorithm::Random, test: "with cookies one instance alone", p };
            let (cookie, out, more) = match described {
                Some((cookie, out, more)) => (Some(cookie), out, more),
                None => (None, Vec::new(), Vec::new()),
            };
            Sticky {
                stickiness: Stickiness::Cookie,
                cookie,
                ruled_out: [vec![stays], out].concat(),
                evidence: [vec![said], more].concat(),
            }
        }
    }
}

/// The cookies that pin: the only one there is, or those that pin alone.
fn which<'a>(case: &Case, with_jar: &'a Series) -> Vec<&'a SeenCookie> {
    let sent: Vec<_> = with_jar.cookies.iter().filter(|cookie| cookie.withheld.is_none()).collect();
    if let [only] = sent.as_slice() {
        return vec![only];
    }
    sent.into_iter().filter(|cookie| pins_alone(case, cookie).is_some()).collect()
}

/// The cookie to be named: some balancers set the same value under two names, for browsers old and new.
fn the_one<'a>(cookies: &[&'a SeenCookie]) -> Option<&'a SeenCookie> {
    let (first, others) = cookies.split_first()?;
    let last = |cookie: &SeenCookie| cookie.issued.last().map(|issued| issued.value);
    let same = |other: &&SeenCookie| last(first).is_some() && last(other) == last(first);
    others.iter().all(same).then_some(*first)
}

/// By which chance a cookie alone would seem to pin, where it does.
fn pins_alone(case: &Case, cookie: &SeenCookie) -> Option<f64> {
    let series = case.trace().series(&SeriesName::CookieAlone(cookie.name.clone()))?;
    pinned(case, &all_picks(series)).alone(case.alpha())
}

/// Cookies that would keep a client on its instance if its browser sent them.
fn held_back(case: &Case, with_jar: &Series) -> Vec<String> {
    let would = |cookie: &SeenCookie| {
        let p = pins_alone(case, cookie).filter(|_| is_held_back(cookie))?;
        Some(format!(
            "the cookie {} would keep a client on its instance (sent all the same, by chance {}), but {}",
            cookie.name,
            in_words(p),
            session::withheld(cookie)
        ))
    };
    with_jar.cookies.iter().filter_map(would).collect()
}
