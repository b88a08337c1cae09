//! Elsewhere: instances that answered the same question, but not in the series that the pattern is read from.

use std::collections::{BTreeMap, BTreeSet};

use crate::trace::{Connection, InstanceId, Series, SeriesName, Trace};

use super::{
    algorithm::ONE_ALONE,
    budget,
    hashes::{KEYS, Told, Values},
    verdict::{Algorithm, Hits, RuledOut, Verdict, natural},
};

/// Adds what other series show of instances to a verdict that the first one decided.
pub fn amend(trace: &Trace, verdict: &mut Verdict, alpha: f64) {
    let Some(free) = trace.series(&SeriesName::WithoutJar) else { return };
    let seen: BTreeSet<InstanceId> = free.requests.iter().filter_map(|request| request.instance).collect();
    let answers = |of: &dyn Fn(&Series) -> bool| -> Vec<InstanceId> {
        let requests = trace.series.iter().filter(|series| of(series)).flat_map(|series| &series.requests);
        // a cookie may decide as well
        requests.filter(|request| request.cookies_sent == 0).filter_map(|request| request.instance).collect()
    };
    let same = answers(&|series| same_question(series, free));
    let others = same.iter().filter(|id| !seen.contains(id)).count();
    match verdict.algorithm {
        Algorithm::Single if others > 0 => several_after_all(trace, verdict, others, same.len()),
        Algorithm::Single => {
            alone_everywhere(verdict, seen.len(), same.len() + free.requests.len(), alpha);
            let busy = answers(&|series| matches!(series.name, SeriesName::Slow | SeriesName::Meanwhile));
            busy_ones(verdict, busy.iter().filter(|id| !seen.contains(id)).count(), busy.len());
        }
        Algorithm::RoundRobin
        | Algorithm::WeightedRoundRobin
        | Algorithm::Random
        | Algorithm::LeastConnections
        | Algorithm::FirstAvailable
        | Algorithm::Undetermined => {
            count_in(trace, verdict, free);
        }
        // there, who answers depends on what the series varies
        Algorithm::SourceHash | Algorithm::UriHash | Algorithm::HeaderHash => {}
    }
}

/// One instance answered the first series, and others elsewhere.
fn several_after_all(trace: &Trace, verdict: &mut Verdict, others: usize, of: usize) {
    verdict.evidence.retain(|said| !said.starts_with("this cannot tell a single instance"));
    verdict.evidence.push(format!(
        "but others answered {others} of {of} such requests in other series: instances with much smaller shares, one \
         that took over, or a cache that answered for them"
    ));
    let decided = |key| matches!(Values::of(trace, key).map(|values| values.told()), Some(Told::Changes));
    for key in KEYS.into_iter().filter(|key| decided(*key)) {
        verdict.candidates.retain(|one| *one != key.hash());
    }
    verdict.candidates.retain(|one| *one != Algorithm::Single);
    open(verdict);
    verdict.ruled_out.push(RuledOut { algorithm: Algorithm::Single, test: "several instances", p: 0.0 });
}

/// Nothing is named, and no way to spread requests is ruled out.
fn open(verdict: &mut Verdict) {
    let spread = [Algorithm::RoundRobin, Algorithm::WeightedRoundRobin, Algorithm::Random, Algorithm::LeastConnections];
    for possible in spread {
        if !verdict.candidates.contains(&possible) {
            verdict.candidates.push(possible);
        }
    }
    verdict.ruled_out.retain(|out| out.test != ONE_ALONE);
    verdict.algorithm = Algorithm::Undetermined;
}

/// The other series say as well that there is one instance.
fn alone_everywhere(verdict: &mut Verdict, instances: usize, answers: usize, alpha: f64) {
    let shown = verdict.instances.iter().map(|instance| instance.hits).sum::<usize>();
    if instances == 1 && answers > shown {
        let unseen = 1.0 - (alpha * budget::INDEPENDENT).powf(1.0 / answers as f64);
        verdict.evidence.push(format!(
            "with the other series it answered {answers} such requests, in which one that gets more than {:.0} % would \
             have shown itself",
            (unseen * 100.0).ceil()
        ));
    }
}

/// Others answered while requests were held: the load moved them there, or these went to another service.
fn busy_ones(verdict: &mut Verdict, others: usize, of: usize) {
    if others > 0 {
        verdict.evidence.push(format!(
            "but others answered {others} of {of} requests while some were held: instances that are asked when this one \
             is busy, or those of another service"
        ));
        open(verdict);
    }
}

/// Instances that the first series has not shown, with or without a cookie.
fn count_in(trace: &Trace, verdict: &mut Verdict, free: &Series) {
    let here = |series: &&Series| series.conditions.path == free.conditions.path || same_question(series, free);
    let mut hits: BTreeMap<InstanceId, usize> = BTreeMap::new();
    let requests = trace.series.iter().filter(here).flat_map(|series| &series.requests);
    requests.filter_map(|request| request.instance).for_each(|id| *hits.entry(id).or_default() += 1);
    let name = |id: &InstanceId| trace.instances[usize::from(id.0)].name.clone();
    let unseen = hits.iter().map(|(id, hits)| (name(id), *hits));
    let unseen: Vec<(String, usize)> =
        unseen.filter(|(name, _)| verdict.instances.iter().all(|instance| instance.name != *name)).collect();
    if unseen.is_empty() {
        return;
    }
    let answers: usize = unseen.iter().map(|(_, hits)| hits).sum();
    let mut names: Vec<String> = unseen.into_iter().map(|(name, _)| name).collect();
    names.sort_by_key(|name| natural(name));
    verdict.evidence.push(format!(
        "but {} answered {answers} {} in other series and none in this one: what is said of the order and of shares \
         holds for those that answered",
        named(&names),
        if answers == 1 { "request" } else { "requests" },
    ));
    let none = |name| Hits { name, hits: 0, weight: None, share: None, expected: None };
    verdict.instances.extend(names.into_iter().map(none));
    verdict.sort_instances();
}

fn named(names: &[String]) -> String {
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
