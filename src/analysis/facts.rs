//! The facts of a case: the finding of each question of the analysis. They are gathered once, before a verdict is made
//! of them.

use std::collections::BTreeSet;

use crate::{
    analysis::{
        affinity::{
            connection::{self, ConnectionFinding},
            key_facts::{self, KeyDecision, KeyFact},
            stickiness::{self, StickinessFinding},
        },
        case::Case,
        load::{self, Load},
        pattern::{
            at_once,
            evidence::{PatternEvidence, SeriesEvidence},
            finding::Finding,
        },
        series::picks::Picks,
        unseen_instances::{OtherSeries, gather_other_series},
    },
    model::trace::InstanceId,
};

pub struct Facts {
    /// The finding from the free series.
    pub finding: Finding,
    pub stickiness: StickinessFinding,
    pub connections: ConnectionFinding,
    /// The facts of each key that was varied.
    pub keys: Vec<KeyFact>,
    pub load: Option<Load>,
    pub other_series: OtherSeries,
}

impl Facts {
    pub fn gather(case: &Case) -> Facts {
        let finding = case.free().map(|free| {
            let found = free.finding().clone();
            match at_once::judge_at_once(case, free) {
                Some(groups) => at_once::complete_finding(groups, found, &Picks::from_sequence(free.sequence())),
                None => found,
            }
        });
        let keys = key_facts::gather_keys(case);
        let counted = counted_names(case, &keys);
        let stickiness = stickiness::find_stickiness(case);
        Facts {
            finding: finding.unwrap_or_else(|| Finding::open(PatternEvidence::Series(SeriesEvidence::NoRequest))),
            connections: connection::judge_connections(case),
            load: load::observe_load(case, stickiness.stickiness),
            stickiness,
            other_series: gather_other_series(case, &counted),
            keys,
        }
    }

    /// The keys that decide which instance answers.
    pub fn deciding_keys(&self) -> impl Iterator<Item = (&KeyFact, &KeyDecision)> {
        self.keys.iter().filter_map(|key| Some((key, key.decision.as_ref()?)))
    }

    /// The keys that decide, of which new values were not seen to be placed in turn: a hash is taken of them, or a table
    /// remembers them.
    pub fn keys_without_table(&self) -> impl Iterator<Item = &KeyFact> {
        self.deciding_keys().filter(|(_, decision)| decision.placement.is_none()).map(|(fact, _)| fact)
    }
}

/// The names of the instances that answered the free series, and, where that shows any, of those that a deciding key led
/// to.
fn counted_names<'t>(case: &Case<'t>, keys: &[KeyFact]) -> BTreeSet<&'t str> {
    let trace = case.trace();
    let name = |id: InstanceId| trace.instance_name(id);
    let free = case.free().into_iter().flat_map(|free| free.answers().keys());
    let mut counted: BTreeSet<&str> = free.copied().map(name).collect();
    if !counted.is_empty() {
        let decided = keys.iter().filter(|key| key.decision.is_some());
        counted.extend(decided.flat_map(|key| key.hits.keys().copied()).map(name));
    }
    counted
}
