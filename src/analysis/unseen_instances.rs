//! Elsewhere: instances that answered the same question, but not in the series that the pattern is read from.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::trace::{Connection, InstanceId, Series, SeriesName, Trace};

use crate::analysis::{
    affinity::keys::{KEYS, Told, Values},
    case::Case,
    pattern::finding::not_single,
    sampling::budget,
    verdict::{Algorithm, Hits, Verdict, evidence::Evidence, natural},
};

/// Adds what other series show of instances to a verdict that the first one decided.
pub fn amend(case: &Case, verdict: &mut Verdict) {
    let Some(free) = case.trace().series(&SeriesName::WithoutJar) else { return };
    let seen: BTreeSet<InstanceId> = free.requests.iter().filter_map(|request| request.instance).collect();
    let others = |answers: &[InstanceId]| answers.iter().filter(|id| !seen.contains(id)).count();
    match verdict.algorithm {
        Algorithm::Single => {
            let same = answers(case.trace(), |series| here(series, free));
            // what is slow may be another service's
            let mut busy = answers(case.trace(), |series| series.name == SeriesName::Slow);
            if !busy.iter().any(|id| seen.contains(id)) {
                busy.clear();
            }
            busy.extend(answers(case.trace(), |series| series.name == SeriesName::Meanwhile));
            match (others(&same), others(&busy)) {
                (0, 0) => alone_everywhere(case, verdict, free),
                (0, helped) => busy_ones(verdict, helped, busy.len()),
                (others, _) => several_after_all(case.trace(), verdict, free, others, same.len()),
            }
        }
        Algorithm::RoundRobin
        | Algorithm::WeightedRoundRobin
        | Algorithm::Random
        | Algorithm::LeastConnections
        | Algorithm::FirstAvailable
        | Algorithm::Undetermined => beside(case.trace(), verdict, free),
        // there, who answers depends on what the series varies
        Algorithm::SourceHash | Algorithm::UriHash | Algorithm::HeaderHash => {}
    }
}

/// Who answered the series of which this is true.
fn answers(trace: &Trace, of: impl Fn(&Series) -> bool) -> Vec<InstanceId> {
    let requests = trace.series.iter().filter(|series| of(series)).flat_map(|series| &series.requests);
    requests.filter_map(|request| request.instance).collect()
}

/// One instance answered the first series, and others elsewhere.
fn several_after_all(trace: &Trace, verdict: &mut Verdict, free: &Series, others: usize, of: usize) {
    verdict.evidence.retain(
        |said| !matches!(said, Evidence::Sentence(said) if said.starts_with("this cannot tell a single instance")),
    );
    verdict.evidence.push(Evidence::Sentence(format!(
        "but others answered {others} of {of} such requests in other series: instances with much smaller shares, one \
         that took over, a cookie that leads there, or a cache that answered for them"
    )));
    let decided = |key| matches!(Values::of(trace, key).map(|values| values.told()), Some(Told::Changes));
    for key in KEYS.into_iter().filter(|key| decided(*key)) {
        verdict.candidates.retain(|one| *one != key.hash());
    }
    open(verdict);
    count_in(verdict, unseen(trace, verdict, free));
}

/// Nothing is named, and no way to spread requests is ruled out.
fn open(verdict: &mut Verdict) {
    let spread = [Algorithm::RoundRobin, Algorithm::WeightedRoundRobin, Algorithm::Random, Algorithm::LeastConnections];
    for possible in spread {
        if !verdict.candidates.contains(&possible) {
            verdict.candidates.push(possible);
        }
    }
    verdict.ruled_out.retain(|out| !spread.contains(&out.algorithm));
    verdict.algorithm = Algorithm::Undetermined;
}

/// The other series say as well that there is one instance. Connections of which each may have been one pick do not.
fn alone_everywhere(case: &Case, verdict: &mut Verdict, free: &Series) {
    if free.conditions.connection == Connection::Reused || free.requests.iter().any(|one| one.instance.is_none()) {
        return;
    }
    let others =
        answers(case.trace(), |series| same_question(series, free) && series.name != SeriesName::OneConnection);
    if !others.is_empty() {
        let answers = others.len() + free.requests.len();
        let unseen = 1.0 - (case.alpha() * budget::INDEPENDENT).powf(1.0 / answers as f64);
        verdict.evidence.push(Evidence::Sentence(format!(
            "with the other series it answered {answers} such requests, in which one that gets more than {:.0} % would \
             have shown itself",
            (unseen * 100.0).ceil()
        )));
    }
}

/// Others answered while requests were held: the load moved them there, or these went to another service.
fn busy_ones(verdict: &mut Verdict, others: usize, of: usize) {
    verdict.evidence.push(Evidence::Sentence(format!(
        "but others answered {others} of {of} requests while some were held: instances that are asked when this one is \
         busy, or those of another service"
    )));
    open(verdict);
}

/// Instances that the first series has not shown, beside those that it has.
fn beside(trace: &Trace, verdict: &mut Verdict, free: &Series) {
    let unseen = unseen(trace, verdict, free);
    if unseen.is_empty() {
        return;
    }
    let answers: usize = unseen.iter().map(|(_, hits)| hits).sum();
    let names: Vec<&str> = unseen.iter().map(|(name, _)| name.as_str()).collect();
    let by_weight = Algorithm::WeightedRoundRobin;
    // their turn may come in a later part of a long round
    if verdict.algorithm == Algorithm::RoundRobin && !verdict.candidates.contains(&by_weight) {
        verdict.candidates.push(by_weight);
    }
    let but = match verdict.algorithm {
        Algorithm::Undetermined => "",
        _ => ": what is said of the order and of shares holds for those that answered",
    };
    verdict.evidence.push(Evidence::Sentence(format!(
        "but {} answered {answers} {} in other series and none in this one{but}",
        named(&names),
        if answers == 1 { "request" } else { "requests" },
    )));
    count_in(verdict, unseen);
}

/// Names of instances that the verdict has not, and how often they answered, with or without a cookie.
fn unseen(trace: &Trace, verdict: &Verdict, free: &Series) -> Vec<(String, usize)> {
    let mut hits: BTreeMap<InstanceId, usize> = BTreeMap::new();
    answers(trace, |series| here(series, free)).into_iter().for_each(|id| *hits.entry(id).or_default() += 1);
    let name = |id: InstanceId| trace.instances[usize::from(id.0)].name.clone();
    let named = hits.into_iter().map(|(id, hits)| (name(id), hits));
    let mut unseen: Vec<(String, usize)> =
        named.filter(|(name, _)| verdict.instances.iter().all(|instance| instance.name != *name)).collect();
    unseen.sort_by_key(|(name, _)| natural(name));
    unseen
}

/// Counts them among the instances, so there is not one alone.
fn count_in(verdict: &mut Verdict, unseen: Vec<(String, usize)>) {
    let none = |(name, _)| Hits { name, hits: 0, weight: None, share: None, expected: None };
    verdict.instances.extend(unseen.into_iter().map(none));
    verdict.sort_instances();
    verdict.candidates.retain(|one| *one != Algorithm::Single);
    if verdict.ruled_out.iter().all(|out| out.algorithm != Algorithm::Single) {
        verdict.ruled_out.push(not_single());
    }
}

/// Whether a series asked for the same page, whoever asked.
fn here(series: &Series, free: &Series) -> bool {
    series.conditions.path == free.conditions.path || same_question(series, free)
}

fn named(names: &[&str]) -> String {
    const MOST: usize = 4;
    match names.len() {
        0..=MOST => names.join(", "),
        more => format!("{more} other instances"),
    }
}

/// Whether a series asks what the first one did, as far as a balancer without a hash sees.
fn same_question(series: &Series, free: &Series) -> bool {
    let bare = |path: &str| path.split('?').next().unwrap_or_default().to_owned();
    match &series.name {
        SeriesName::WithJar | SeriesName::Source(_) | SeriesName::Header(_) => {
            series.conditions.path == free.conditions.path
        }
        SeriesName::OneConnection => series.conditions.connection == Connection::Reused,
        SeriesName::Path(path) => bare(path) == bare(&free.conditions.path),
        SeriesName::WithoutJar
        | SeriesName::CookieAlone(_)
        | SeriesName::CookieIssued(_)
        | SeriesName::CookieMadeUp(_)
        | SeriesName::CookieHead(_)
        | SeriesName::CookieTail(_)
        | SeriesName::Slow
        | SeriesName::Meanwhile => false,
    }
}
