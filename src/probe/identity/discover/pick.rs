//! The pick: one of the candidates is taken, or none where they contradict each other.

use std::collections::HashMap;

use super::{
    super::{
        choice::{Choice, RefusalReason, RefusedFeature, Tier},
        feature::{Partition, Slot},
    },
    candidate::Candidate,
};

/// The probability below which two features that leave out combinations of their values have one cause.
const ONE_CAUSE: f64 = 1e-3;

/// Of the candidates that divide the replies alike, the one that is read most plainly; if any of them is known to name
/// instances, this one names the same. The result is sorted by the
/// evidence for the candidates, the best first.
pub fn plainest(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut groups: HashMap<Partition, Candidate> = HashMap::new();
    for candidate in candidates {
        match groups.get_mut(&candidate.partition) {
            Some(best) => {
                let certainty = best.certainty.min(candidate.certainty);
                if rank(&candidate) < rank(best) {
                    *best = candidate;
                }
                best.certainty = certainty;
            }
            None => _ = groups.insert(candidate.partition.clone(), candidate),
        }
    }
    let mut groups: Vec<Candidate> = groups.into_values().collect();
    groups.sort_by_key(rank);
    groups
}

fn rank(candidate: &Candidate) -> impl Ord + use<> {
    (candidate.tier, candidate.order, candidate.slot)
}

/// Chooses one of the `groups`, or two where they contradict each other, and returns the tier of the choice.
/// `unsupported` are the candidates that lack the support that they need.
pub fn pick(groups: &[Candidate], unsupported: &[Candidate], refused: &[RefusedFeature]) -> Option<(Choice, Tier)> {
    let choice = best(groups, refused)?;
    let Choice::Slot(slot, _) = choice else {
        return Some((choice, groups.first()?.tier));
    };
    let chosen = groups.iter().find(|group| group.slot == slot)?;
    // where little more than how it varies speaks for the choice, another candidate may contradict it
    let is_weak = matches!(chosen.tier, Tier::Shaped | Tier::Opaque);
    let others = groups.iter().filter(|other| is_weak && !matches!(other.tier, Tier::Whole | Tier::Data));
    let mut others = others.chain(unsupported.iter().filter(|_| chosen.tier == Tier::Opaque));
    let contradicting = others.find(|other| other.slot != Slot::Body && other.partition.crosses(&chosen.partition));
    Some((contradicting.map_or(choice, |other| Choice::Several(slot, other.slot)), chosen.tier))
}

fn best(groups: &[Candidate], refused: &[RefusedFeature]) -> Option<Choice> {
    for tiers in [&[Tier::Named, Tier::Shaped][..], &[Tier::Named], &[Tier::Shaped]] {
        let reasoned = within(groups, tiers);
        match (finest(&reasoned), reasoned.as_slice()) {
            (Some(choice), _) => return Some(choice),
            (None, [one, .., other]) if tiers.len() == 1 => return Some(Choice::Several(one.slot, other.slot)),
            _ => {}
        }
    }
    let opaque = within(groups, &[Tier::Opaque]);
    if let Some(choice) = finest(&opaque) {
        return Some(choice);
    }
    let whole = within(groups, &[Tier::Whole]);
    if let Some((one, other)) = crossing(&opaque) {
        // the pages of several instances differ in many words, each of which may stand on several of the pages
        let have_one_cause = one.partition.p_independent(&other.partition) < ONE_CAUSE;
        let refining = whole.iter().find(|whole| opaque.iter().all(|one| whole.partition.refines(&one.partition)));
        return Some(match refining.filter(|_| have_one_cause) {
            Some(whole) => Choice::Slot(whole.slot, whole.certainty),
            None => Choice::Several(one.slot, other.slot),
        });
    }
    // where a part of the body names no instance, the whole body names none either
    let is_part = |refused: &RefusedFeature| {
        matches!(refused.slot, Slot::Word(..) | Slot::Json(_)) && refused.reason != RefusalReason::Missing
    };
    if let Some(whole) = whole.first().filter(|_| !refused.iter().any(is_part)) {
        return Some(Choice::Slot(whole.slot, whole.certainty));
    }
    let data = within(groups, &[Tier::Data]);
    finest(&data).or_else(|| crossing(&data).map(|(one, other)| Choice::Several(one.slot, other.slot)))
}

fn within<'a>(groups: &'a [Candidate], tiers: &[Tier]) -> Vec<&'a Candidate> {
    groups.iter().filter(|one| tiers.contains(&one.tier)).collect()
}

/// The candidate whose partition refines those of all the others.
fn finest(candidates: &[&Candidate]) -> Option<Choice> {
    let refines_all = |one: &&&Candidate| candidates.iter().all(|other| one.partition.refines(&other.partition));
    candidates.iter().find(refines_all).map(|finest| Choice::Slot(finest.slot, finest.certainty))
}

/// Of the pairs of candidates of which neither refines the other, the pair that looks most independent.
fn crossing<'a>(candidates: &[&'a Candidate]) -> Option<(&'a Candidate, &'a Candidate)> {
    let independence = |(one, other): &(&Candidate, &Candidate)| one.partition.p_independent(&other.partition);
    let pairs =
        candidates.iter().enumerate().flat_map(|(at, one)| candidates[..at].iter().map(move |other| (*other, *one)));
    pairs
        .filter(|(one, other)| one.partition.crosses(&other.partition))
        .max_by(|a, b| independence(a).total_cmp(&independence(b)))
}
