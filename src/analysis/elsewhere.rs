//! Elsewhere: instances that answered the same question, but not in the series that the pattern is read from.

use crate::trace::{Connection, InstanceId, Series, SeriesName, Trace};

use super::{
    algorithm::ONE_ALONE,
    hashes::{KEYS, Told, Values},
    verdict::{Algorithm, RuledOut, Verdict},
};

/// Takes back that one instance answers everything, where others answered in other series.
pub fn amend(trace: &Trace, verdict: &mut Verdict) {
    let Some(free) = trace.series(&SeriesName::WithoutJar) else { return };
    let Some(only) = free.requests.iter().find_map(|request| request.instance) else { return };
    if verdict.algorithm != Algorithm::Single {
        return;
    }
    let answers: Vec<InstanceId> = trace
        .series
        .iter()
        .filter(|series| same_question(series, free))
        .flat_map(|series| &series.requests)
        // a cookie may decide as well
        .filter(|request| request.cookies_sent == 0)
        .filter_map(|request| request.instance)
        .collect();
    let others = answers.iter().filter(|id| **id != only).count();
    if others == 0 {
        return;
    }
    verdict.evidence.retain(|said| !said.starts_with("this cannot tell a single instance"));
    verdict.evidence.push(format!(
        "but others answered {others} of {} such requests in other series: instances with much smaller shares, or one \
         that took over",
        answers.len()
    ));
    let decided = |key| matches!(Values::of(trace, key).map(|values| values.told()), Some(Told::Changes));
    for key in KEYS.into_iter().filter(|key| decided(*key)) {
        verdict.candidates.retain(|one| *one != key.hash());
    }
    verdict.candidates.retain(|one| *one != Algorithm::Single);
    for possible in [Algorithm::Random, Algorithm::WeightedRoundRobin, Algorithm::LeastConnections] {
        if !verdict.candidates.contains(&possible) {
            verdict.candidates.push(possible);
        }
    }
    // equal shares are what was ruled out
    verdict.ruled_out.retain(|out| out.test != ONE_ALONE);
    verdict.ruled_out.push(RuledOut { algorithm: Algorithm::Single, test: "several instances", p: 0.0 });
    verdict.algorithm = Algorithm::Undetermined;
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
        _ => false,
    }
}
