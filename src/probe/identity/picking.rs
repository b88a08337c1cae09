//! Picking: which of the candidates is taken.

use std::collections::HashMap;

use super::{
    candidate::{Candidate, Tier},
    discovery::{Choice, Refused, Why},
    features::Slot,
    partition::Partition,
};

/// Of those that divide the replies alike, the one that is read most plainly.
pub fn plainest(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut groups: HashMap<Partition, Candidate> = HashMap::new();
    for candidate in candidates {
        let key = |candidate: &Candidate| (candidate.tier, candidate.order, candidate.slot);
        match groups.get_mut(&candidate.partition) {
            Some(best) if key(&candidate) < key(best) => *best = candidate,
            Some(_) => {}
            None => _ = groups.insert(candidate.partition.clone(), candidate),
        }
    }
    let mut groups: Vec<Candidate> = groups.into_values().collect();
    groups.sort_by_key(|candidate| (candidate.tier, candidate.order, candidate.slot));
    groups
}

/// Chooses among them, and says what speaks for the choice; `unsupported` are those that were not taken for want of it.
pub fn pick(groups: &[Candidate], unsupported: &[Candidate], refused: &[Refused]) -> Option<(Choice, Tier)> {
    let choice = first(groups, refused)?;
    let Choice::Slot(slot) = choice else {
        return Some((choice, groups.first()?.tier));
    };
    let chosen = groups.iter().find(|group| group.slot == slot)?;
    // nothing but how it varies speaks for either of them, or little more
    let others =
        groups.iter().filter(|other| matches!(chosen.tier, Tier::Shaped | Tier::Opaque) && other.tier != Tier::Whole);
    let mut others = others.chain(unsupported.iter().filter(|_| chosen.tier == Tier::Opaque));
    let across = others.find(|other| other.slot != Slot::Body && other.partition.is_across(&chosen.partition));
    Some((across.map_or(choice, |other| Choice::Several(slot, other.slot)), chosen.tier))
}

fn first(groups: &[Candidate], refused: &[Refused]) -> Option<Choice> {
    let within = |tiers: &[Tier]| groups.iter().filter(|one| tiers.contains(&one.tier)).collect::<Vec<_>>();
    let finest = |of: &[&Candidate]| {
        let finest = of.iter().find(|one| of.iter().all(|other| one.partition.refines(&other.partition)))?;
        Some(Choice::Slot(finest.slot))
    };
    for tiers in [&[Tier::Named, Tier::Shaped][..], &[Tier::Named], &[Tier::Shaped]] {
        let reasoned = within(tiers);
        match (finest(&reasoned), reasoned.as_slice()) {
            (Some(choice), _) => return Some(choice),
            (None, [one, .., other]) if tiers.len() == 1 => return Some(Choice::Several(one.slot, other.slot)),
            _ => {}
        }
    }
    let opaque = within(&[Tier::Opaque]);
    if let Some(choice) = finest(&opaque) {
        return Some(choice);
    }
    let whole = within(&[Tier::Whole]);
    if let Some((one, other)) = across(&opaque) {
        // the pages of several instances differ in many words, of which each may be on several of them
        let one_thing = one.partition.apart(&other.partition) < 1e-3;
        let refining = whole.iter().find(|whole| opaque.iter().all(|one| whole.partition.refines(&one.partition)));
        return Some(match refining.filter(|_| one_thing) {
            Some(whole) => Choice::Slot(whole.slot),
            None => Choice::Several(one.slot, other.slot),
        });
    }
    // where a part of it is none, all of it is none
    let in_body =
        |refused: &Refused| matches!(refused.slot, Slot::Word(..) | Slot::Json(_)) && refused.why != Why::Missing;
    whole.first().filter(|_| !refused.iter().any(in_body)).map(|whole| Choice::Slot(whole.slot))
}

/// Two of them of which neither is finer, those that have the most to do with each other last.
fn across<'a>(candidates: &[&'a Candidate]) -> Option<(&'a Candidate, &'a Candidate)> {
    let pairs =
        candidates.iter().enumerate().flat_map(|(at, one)| candidates[..at].iter().map(move |other| (*other, *one)));
    pairs
        .filter(|(one, other)| one.partition.is_across(&other.partition))
        .max_by(|a, b| a.0.partition.apart(&a.1.partition).total_cmp(&b.0.partition.apart(&b.1.partition)))
}
