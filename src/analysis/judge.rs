//! The judge: gathers what a trace shows and makes one verdict of it.

use crate::model::trace::InstanceId;

use crate::analysis::{
    affinity::{connection, cookie},
    case::Case,
    experiments,
    pattern::finding::{Disturbed, undetermined},
    verdict::{Algorithm, Hits, RuledOut, Verdict, evidence::Evidence, expected, natural},
};

/// Judges a trace, with false verdicts by chance below `alpha`.
pub fn judge(case: &Case) -> Verdict {
    let free = case.free();
    let series = free.map(|free| free.series);
    let name = |id: InstanceId| case.trace().instances[usize::from(id.0)].name.clone();
    let found = free.map_or_else(|| undetermined("no request was sent".to_owned()), |free| free.finding().clone());
    let sticky = cookie::find(case);
    let per = connection::balances_per(case);

    let ours = series.into_iter().flat_map(|series| &series.requests).filter_map(|request| request.instance);
    let mut counts: std::collections::BTreeMap<_, usize> = Default::default();
    ours.for_each(|id| *counts.entry(id).or_default() += 1);
    let expected = free.map(|free| expected::counts(&found, free.series, free.sequence())).unwrap_or_default();
    let hits = |(id, hits)| Hits {
        name: name(id),
        hits,
        weight: found.weights.iter().find(|(one, _)| *one == id).map(|(_, weight)| *weight),
        share: found.shares.iter().find(|(one, _)| *one == id).map(|(_, share)| *share),
        expected: expected.get(&id).copied(),
    };
    let mut instances: Vec<Hits> = counts.into_iter().map(hits).collect();
    instances.sort_by_key(|instance| natural(&instance.name));

    let ruled_out: Vec<RuledOut> = found.ruled_out.into_iter().chain(sticky.ruled_out).chain(per.ruled_out).collect();
    let cycle = found.cycle.into_iter().map(name).collect();
    let mut verdict = Verdict {
        algorithm: found.algorithm,
        candidates: found.candidates,
        chance: ruled_out.iter().map(|out| out.p).sum::<f64>().min(1.0),
        alpha: case.alpha(),
        ruled_out,
        instances,
        order: found.order,
        cycle: from_the_first(cycle),
        repeats_after: found.repeats_after,
        even: found.even,
        disturbed: match found.disturbed {
            Some(Disturbed::ByOthers(share)) => Some(share),
            Some(Disturbed::Somehow) | None => None,
        },
        regular_beyond: found.regular_beyond,
        stickiness: sticky.stickiness,
        sticky_cookie: sticky.cookie,
        balances_per: per.per,
        evidence: found
            .evidence
            .into_iter()
            .chain(sticky.evidence)
            .chain(per.evidence)
            .map(Evidence::Sentence)
            .collect(),
    };
    experiments::amend(case, &mut verdict);
    verdict
}

/// Whether one instance answers plain requests, surely enough, and nothing that was varied has shown why.
pub fn one_answers(case: &Case) -> bool {
    case.free().is_some_and(|free| free.finding().algorithm == Algorithm::Single)
        && matches!(judge(case).algorithm, Algorithm::Single | Algorithm::Undetermined)
}

/// A cycle has no beginning; a reader's is the first name.
fn from_the_first(mut cycle: Vec<String>) -> Vec<String> {
    if let Some(first) = (0..cycle.len()).min_by_key(|&index| natural(&cycle[index])) {
        cycle.rotate_left(first);
    }
    cycle
}
