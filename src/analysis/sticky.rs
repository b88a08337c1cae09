//! Stickiness: does a cookie pin a client to its instance, and which one does.

use std::collections::BTreeSet;

use crate::model::trace::{InstanceId, SeenCookie, Series, SeriesName, Trace, Withheld};

use super::{
    algorithm, budget, chance,
    chance::{in_words, ln_extreme, probability},
    cookies,
    sequence::Sequence,
    session,
    verdict::{Algorithm, Order, RuledOut, Stickiness, StickyCookie},
};

/// What was found of stickiness.
pub struct Sticky {
    pub stickiness: Stickiness,
    pub cookie: Option<StickyCookie>,
    pub ruled_out: Vec<RuledOut>,
    pub evidence: Vec<String>,
}

/// What the requests of one series show, where each of them had the chance to be pinned.
pub enum Pinned {
    /// They went to several instances.
    No { instances: usize },
    /// They stayed but for so many moves, which chance would do with this probability.
    Yes { p: f64, moves: usize },
    /// They moved too seldom for free picks, too often for pinned ones, or there are too few to say.
    Unsure { moves: usize },
    /// There is nothing to compare with: without cookies, too, one instance answered.
    Unknown,
}

/// A pinned client moves when its instance goes, which is seldom: hardly more often than in this share of requests.
const MOVES: f64 = 0.02;
/// Requests below which a move is not put down to that.
const FEWEST_BETWEEN_MOVES: usize = 10;

/// Whether these picks of one client were pinned.
pub fn pinned(trace: &Trace, picks: &[InstanceId], alpha: f64) -> Pinned {
    let instances = picks.iter().collect::<BTreeSet<_>>().len();
    let moves = picks.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let free = trace.series(&SeriesName::WithoutJar).map(|free| (free, Sequence::of(free).end(COMPARED)));
    let Some((free, sequence)) = free.filter(|(_, sequence)| sequence.counts().len() > 1 && !picks.is_empty()) else {
        return if moves > 0 { Pinned::No { instances } } else { Pinned::Unknown };
    };
    // the first pick is free; each further one stays by chance at most as often as this
    let stays = staying(free, &sequence, alpha);
    let further = picks.len() - 1;
    let p = probability(ln_extreme(moves, further, 1.0 - stays));
    if moves == 0 {
        return Pinned::Yes { p, moves };
    }
    let share = moves as f64 / further as f64;
    // one may look after every request, and picks the moment
    let p = if share < 1.0 - stays { (p * picks.len() as f64).min(1.0) } else { 1.0 };
    let by_failures = if share > MOVES { probability(ln_extreme(moves, further, MOVES)) } else { 1.0 };
    if p < alpha * budget::STICKINESS {
        Pinned::Yes { p, moves }
    } else if further < FEWEST_BETWEEN_MOVES || by_failures < 1e-3 {
        Pinned::No { instances }
    } else {
        Pinned::Unsure { moves }
    }
}

impl Pinned {
    /// Whether cookies may be said to pin.
    fn surely(&self, alpha: f64) -> bool {
        matches!(self, Pinned::Yes { p, .. } if *p < alpha * budget::STICKINESS)
    }

    /// The same of a cookie alone, by which chance.
    fn alone(&self, alpha: f64) -> Option<f64> {
        match self {
            Pinned::Yes { p, .. } if *p < alpha * budget::ALONE => Some(*p),
            _ => None,
        }
    }
}

/// The largest chance with which a free client may be answered again by the instance it had before; nothing where one
/// instance answers all.
pub fn staying_of(trace: &Trace, alpha: f64) -> Option<f64> {
    let free = trace.series(&SeriesName::WithoutJar)?;
    let sequence = Sequence::of(free);
    (sequence.counts().len() > 1).then(|| staying(free, &sequence, alpha))
}

/// Picks of a free client that another is compared with, the last ones: more would tell little more and take long.
const COMPARED: usize = 2500;

/// The largest chance with which a free client may be answered again by the instance it had before.
fn staying(free: &Series, sequence: &Sequence, alpha: f64) -> f64 {
    let found = algorithm::find(Some(free), Some(sequence), alpha, &|_| String::new());
    stays(sequence, found.algorithm, found.order, alpha)
}

/// The same where the pattern is known.
pub fn stays(sequence: &Sequence, algorithm: Algorithm, order: Option<Order>, alpha: f64) -> f64 {
    let share = |hits, tries| chance::largest_share(hits, tries, alpha);
    let picks = sequence.len();
    let most = sequence.counts().iter().map(|(_, count)| *count).max().unwrap_or(0);
    if algorithm == Algorithm::RoundRobin && matches!(order, Some(Order::Fixed | Order::Changing)) {
        // a round robin gives each its share exactly; others' traffic may shift who comes next, not how often
        return most as f64 / picks as f64;
    }
    let pairs = sequence.stretches.iter().flat_map(|stretch| stretch.windows(2));
    let (mut again, mut neighbours) = (0, 0);
    for pair in pairs {
        again += usize::from(pair[0] == pair[1]);
        neighbours += 1;
    }
    share(most, picks).max(share(again, neighbours))
}

/// Who answered the requests with which a cookie was sent, and before them the one that set it.
fn with_cookies(series: &Series) -> Vec<InstanceId> {
    let first = series.requests.iter().position(|request| request.cookies_sent > 0).unwrap_or(series.requests.len());
    series.requests[first..].iter().filter_map(|request| request.instance).collect()
}

/// Whether the series with a jar shows enough: it left its instance, or stayed long enough, or has no cookie to send.
pub fn enough_with_jar(trace: &Trace, alpha: f64) -> bool {
    let Some(series) = trace.series(&SeriesName::WithJar) else { return true };
    let picks = with_cookies(series);
    match pinned(trace, &picks, alpha) {
        Pinned::No { .. } => true,
        Pinned::Unknown => picks.len() >= 2 || series.requests.len() >= 3,
        pinned => pinned.surely(alpha),
    }
}

/// Whether a series with one cookie alone shows enough.
pub fn enough_alone(trace: &Trace, name: &SeriesName, alpha: f64) -> bool {
    let Some(series) = trace.series(name) else { return true };
    let picks = all_picks(series);
    match pinned(trace, &picks, alpha) {
        Pinned::No { .. } => true,
        Pinned::Unknown => picks.len() >= 2,
        pinned => pinned.alone(alpha).is_some(),
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
pub fn candidate_cookies(trace: &Trace, alpha: f64) -> Vec<String> {
    let Some(series) = trace.series(&SeriesName::WithJar) else { return Vec::new() };
    let named = |cookies: Vec<&SeenCookie>| {
        cookies.into_iter().map(|cookie| cookie.name.clone()).take(budget::MOST_ALONE).collect::<Vec<_>>()
    };
    match pinned(trace, &with_cookies(series), alpha) {
        pinned if pinned.surely(alpha) => {
            let sent: Vec<_> = series.cookies.iter().filter(|cookie| cookie.withheld.is_none()).collect();
            if sent.len() > 1 { named(sent) } else { Vec::new() }
        }
        _ => named(series.cookies.iter().filter(|cookie| is_held_back(cookie)).collect()),
    }
}

/// The name of the cookie that pins, where there is one.
pub fn sticky_cookie(trace: &Trace, alpha: f64) -> Option<String> {
    let series = trace.series(&SeriesName::WithJar)?;
    match pinned(trace, &with_cookies(series), alpha).surely(alpha) {
        true => Some(which(trace, series, alpha).first()?.name.clone()),
        false => None,
    }
}

/// Does a cookie pin, and which.
pub fn find(trace: &Trace, alpha: f64) -> Sticky {
    let nothing =
        |stickiness, evidence: Vec<String>| Sticky { stickiness, cookie: None, ruled_out: Vec::new(), evidence };
    let Some(series) = trace.series(&SeriesName::WithJar) else {
        return nothing(Stickiness::Undetermined, Vec::new());
    };
    if series.requests.iter().all(|request| request.instance.is_none()) {
        return nothing(Stickiness::Undetermined, Vec::new());
    }
    let picks = with_cookies(series);
    let held_back = held_back(trace, series, alpha);
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
    match pinned(trace, &picks, alpha) {
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
        Pinned::Yes { p, .. } if p >= alpha * budget::STICKINESS => nothing(
            Stickiness::Undetermined,
            vec![format!("{sent} requests with cookies stayed on one instance, too few: by chance {}", in_words(p))],
        ),
        Pinned::Yes { p, moves } => {
            let cookies = which(trace, series, alpha);
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
            let described = the_one(&cookies).map(|cookie| cookies::describe(trace, cookie, alpha));
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
fn which<'a>(trace: &Trace, with_jar: &'a Series, alpha: f64) -> Vec<&'a SeenCookie> {
    let sent: Vec<_> = with_jar.cookies.iter().filter(|cookie| cookie.withheld.is_none()).collect();
    if let [only] = sent.as_slice() {
        return vec![only];
    }
    sent.into_iter().filter(|cookie| pins_alone(trace, cookie, alpha).is_some()).collect()
}

/// The cookie to be named: some balancers set the same value under two names, for browsers old and new.
fn the_one<'a>(cookies: &[&'a SeenCookie]) -> Option<&'a SeenCookie> {
    let (first, others) = cookies.split_first()?;
    let last = |cookie: &SeenCookie| cookie.issued.last().map(|issued| issued.value);
    let same = |other: &&SeenCookie| last(first).is_some() && last(other) == last(first);
    others.iter().all(same).then_some(*first)
}

/// By which chance a cookie alone would seem to pin, where it does.
fn pins_alone(trace: &Trace, cookie: &SeenCookie, alpha: f64) -> Option<f64> {
    let series = trace.series(&SeriesName::CookieAlone(cookie.name.clone()))?;
    pinned(trace, &all_picks(series), alpha).alone(alpha)
}

/// Cookies that would keep a client on its instance if its browser sent them.
fn held_back(trace: &Trace, with_jar: &Series, alpha: f64) -> Vec<String> {
    let would = |cookie: &SeenCookie| {
        let p = pins_alone(trace, cookie, alpha).filter(|_| is_held_back(cookie))?;
        Some(format!(
            "the cookie {} would keep a client on its instance (sent all the same, by chance {}), but {}",
            cookie.name,
            in_words(p),
            session::withheld(cookie)
        ))
    };
    with_jar.cookies.iter().filter_map(would).collect()
}
