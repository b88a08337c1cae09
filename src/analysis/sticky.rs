//! Stickiness: does a cookie pin a client to its instance, which one does, and how often the balancer picks.

use std::collections::{BTreeMap, BTreeSet};

use crate::trace::{Connection, InstanceId, Series, SeriesName, Trace};

use super::{
    algorithm, budget, chance,
    chance::{in_words, probability},
    sequence::Sequence,
    session,
    verdict::{Algorithm, BalancesPer, Order, RuledOut, Stickiness},
};

/// What was found of stickiness.
pub struct Sticky {
    pub stickiness: Stickiness,
    pub cookie: Option<String>,
    pub ruled_out: Vec<RuledOut>,
    pub evidence: Vec<String>,
}

/// What was found of connections.
pub struct Per {
    pub per: BalancesPer,
    pub evidence: Vec<String>,
}

/// What the requests of one series show, where each of them had the chance to be pinned.
enum Pinned {
    /// They went to several instances.
    No { instances: usize },
    /// They stayed, which chance would do with this probability.
    Yes { p: f64 },
    /// There is nothing to compare with: without cookies, too, one instance answered.
    Unknown,
}

fn pinned(trace: &Trace, picks: &[InstanceId], alpha: f64) -> Pinned {
    let instances: BTreeSet<_> = picks.iter().collect();
    if instances.len() > 1 {
        return Pinned::No { instances: instances.len() };
    }
    let Some(free) = trace.series(&SeriesName::WithoutJar) else { return Pinned::Unknown };
    let sequence = Sequence::of(free);
    if sequence.counts().len() < 2 || picks.is_empty() {
        return Pinned::Unknown;
    }
    // the first pick is free; each further one stays by chance at most as often as this
    Pinned::Yes { p: probability((picks.len() - 1) as f64 * staying(free, &sequence, alpha).ln()) }
}

/// The largest chance with which a free client may be answered again by the instance it had before.
fn staying(free: &Series, sequence: &Sequence, alpha: f64) -> f64 {
    let share = |hits, tries| chance::largest_share(hits, tries, alpha);
    let picks = sequence.len();
    let most = sequence.counts().iter().map(|(_, count)| *count).max().unwrap_or(0);
    let found = algorithm::find(Some(free), Some(sequence), alpha, &|_| String::new());
    if found.algorithm == Algorithm::RoundRobin && matches!(found.order, Some(Order::Fixed | Order::Changing)) {
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
        Pinned::Yes { p } => p < alpha * budget::STICKINESS,
        Pinned::Unknown => picks.len() >= 2 || series.requests.len() >= 3,
    }
}

/// Whether a series with one cookie alone shows enough.
pub fn enough_alone(trace: &Trace, name: &SeriesName, alpha: f64) -> bool {
    let Some(series) = trace.series(name) else { return true };
    let picks: Vec<_> = series.requests.iter().filter_map(|request| request.instance).collect();
    match pinned(trace, &picks, alpha) {
        Pinned::No { .. } => true,
        Pinned::Yes { p } => p < alpha * budget::STICKINESS,
        Pinned::Unknown => picks.len() >= 2,
    }
}

/// Whether the series over one connection shows enough, or no connection is kept.
pub fn enough_on_one_connection(trace: &Trace, alpha: f64) -> bool {
    let Some(series) = trace.series(&SeriesName::OneConnection) else { return true };
    let picks = on_one_connection(series);
    match pinned(trace, &picks, alpha) {
        Pinned::No { .. } => true,
        Pinned::Yes { p } => p < alpha * budget::CONNECTION || (picks.len() < 2 && series.requests.len() >= KEPT_TRIES),
        Pinned::Unknown => picks.len() >= 2 || series.requests.len() >= KEPT_TRIES,
    }
}

/// Requests after which a target that never had two on one connection counts as one that keeps none. More than two,
/// because a connection may come back to its pool a moment too late for the next request.
const KEPT_TRIES: usize = 12;

/// Who answered the requests of the connection that served most of them.
fn on_one_connection(series: &Series) -> Vec<InstanceId> {
    let mut by_port: BTreeMap<u16, Vec<InstanceId>> = BTreeMap::new();
    for request in &series.requests {
        if let (Some(port), Some(instance)) = (request.port, request.instance) {
            by_port.entry(port).or_default().push(instance);
        }
    }
    by_port.into_values().max_by_key(Vec::len).unwrap_or_default()
}

/// The cookies to be tried alone: those that were sent, if together they pin and there are several.
pub fn candidate_cookies(trace: &Trace, sent: &[(String, String)], alpha: f64) -> Vec<String> {
    let Some(series) = trace.series(&SeriesName::WithJar) else { return Vec::new() };
    match pinned(trace, &with_cookies(series), alpha) {
        Pinned::Yes { p } if p < alpha * budget::STICKINESS && sent.len() > 1 => {
            sent.iter().map(|(name, _)| name.clone()).collect()
        }
        _ => Vec::new(),
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
    if picks.is_empty() {
        let said = match series.cookies.first() {
            _ if series.requests.len() < 2 => return nothing(Stickiness::Undetermined, Vec::new()),
            None => "no cookie was set, so none can keep a client on its instance".to_owned(),
            Some(cookie) => session::withheld(cookie),
        };
        return nothing(Stickiness::None, vec![said]);
    }
    match pinned(trace, &picks, alpha) {
        Pinned::No { instances } => nothing(
            Stickiness::None,
            vec![format!(
                "{} requests with cookies went to {instances} instances: no cookie keeps a client on its instance",
                picks.len()
            )],
        ),
        Pinned::Unknown => {
            nothing(Stickiness::Undetermined, vec!["one instance answers with and without cookies".to_owned()])
        }
        Pinned::Yes { p } if p >= alpha * budget::STICKINESS => nothing(
            Stickiness::Undetermined,
            vec![format!(
                "{} requests with cookies stayed on one instance, too few: by chance {}",
                picks.len(),
                in_words(p)
            )],
        ),
        Pinned::Yes { p } => {
            let cookie = which(trace, series, alpha);
            let said = match &cookie {
                Some(name) => format!("the cookie {name} keeps a client on its instance"),
                None => "a cookie keeps a client on its instance".to_owned(),
            };
            Sticky {
                stickiness: Stickiness::Cookie,
                cookie,
                ruled_out: vec![RuledOut { algorithm: Algorithm::Random, test: "with cookies one instance alone", p }],
                evidence: vec![format!(
                    "{said}: {} requests with cookies all went to one instance, by chance {}",
                    picks.len(),
                    in_words(p)
                )],
            }
        }
    }
}

/// The cookie that pins: the only one there is, or the only one that pins alone.
fn which(trace: &Trace, with_jar: &Series, alpha: f64) -> Option<String> {
    let sent: Vec<_> = with_jar.cookies.iter().filter(|cookie| cookie.withheld.is_none()).collect();
    if let [only] = sent.as_slice() {
        return Some(only.name.clone());
    }
    let pins = |series: &Series| {
        let picks: Vec<_> = series.requests.iter().filter_map(|request| request.instance).collect();
        matches!(pinned(trace, &picks, alpha), Pinned::Yes { p } if p < alpha * budget::STICKINESS)
    };
    let mut alone = trace.series.iter().filter_map(|series| match &series.name {
        SeriesName::CookieAlone(name) if pins(series) => Some(name.clone()),
        _ => None,
    });
    let first = alone.next()?;
    // two that pin alone: neither can be called the one
    alone.next().is_none().then_some(first)
}

/// How often the balancer picks, by requests over one kept connection, or else by those over several.
pub fn balances_per(trace: &Trace, alpha: f64) -> Per {
    let unknown = |evidence| Per { per: BalancesPer::Undetermined, evidence };
    let kept = trace.series.iter().filter(|series| {
        series.conditions.connection == Connection::Reused
            && matches!(series.name, SeriesName::OneConnection | SeriesName::WithoutJar)
            && series.conditions.concurrency == 1
    });
    for series in kept {
        let picks = on_one_connection(series);
        if picks.is_empty() {
            continue;
        }
        if picks.len() < 2 {
            return unknown(vec![
                "the target keeps no connection open, so requests over one cannot be compared".to_owned(),
            ]);
        }
        match pinned(trace, &picks, alpha) {
            Pinned::No { instances } => {
                return Per {
                    per: BalancesPer::Request,
                    evidence: vec![format!(
                        "{} requests over one connection went to {instances} instances: it picks for every request",
                        picks.len()
                    )],
                };
            }
            Pinned::Yes { p } if p < alpha * budget::CONNECTION && series.name == SeriesName::OneConnection => {
                return Per {
                    per: BalancesPer::Connection,
                    evidence: vec![format!(
                        "{} requests over one connection all went to one instance, by chance {}: it picks once a connection",
                        picks.len(),
                        in_words(p)
                    )],
                };
            }
            Pinned::Yes { .. } | Pinned::Unknown => {}
        }
    }
    unknown(Vec::new())
}
