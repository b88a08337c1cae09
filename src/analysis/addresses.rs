//! The comparison of the verdicts on several addresses of one name: behind each may stand a balancer of its own.

use std::collections::BTreeSet;

use crate::{
    analysis::{
        expect::all_shown,
        verdict::{Algorithm, Verdict},
    },
    model::trace::Trace,
};

/// The result of comparing several verdicts in one respect. Its name in JSON is its name in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Agreement {
    /// All verdicts say the same.
    Same,
    /// Two verdicts exclude one another.
    Different,
    Undetermined,
}

impl Agreement {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The comparison of the verdicts on several addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressComparison {
    /// The agreement about the algorithm.
    pub algorithm: Agreement,
    /// The agreement about the names of the instances.
    pub instances: Agreement,
}

/// Compares the verdicts on several addresses, each with its trace.
pub fn compare_addresses(judged: &[(&Trace, &Verdict)]) -> AddressComparison {
    AddressComparison { algorithm: compare(judged, compare_algorithms), instances: compare(judged, compare_instances) }
}

type Judged<'a> = (&'a Trace, &'a Verdict);

/// Compares all pairs: they differ if one pair does, and are the same if each pair is. A guess about the names proves
/// nothing.
fn compare(judged: &[Judged], pair: fn(Judged, Judged) -> Agreement) -> Agreement {
    if judged.len() < 2 || judged.iter().any(|(_, verdict)| verdict.condition().is_some()) {
        return Agreement::Undetermined;
    }
    let pairs = judged.iter().enumerate().flat_map(|(at, one)| judged[..at].iter().map(move |other| (*other, *one)));
    let found: Vec<Agreement> = pairs.map(|(one, other)| pair(one, other)).collect();
    if found.contains(&Agreement::Different) {
        Agreement::Different
    } else if found.contains(&Agreement::Undetermined) {
        Agreement::Undetermined
    } else {
        Agreement::Same
    }
}

/// Two patterns differ only where neither verdict has the other's among its candidates.
fn compare_algorithms((_, one): Judged, (_, other): Judged) -> Agreement {
    let (first, second) = (one.algorithm, other.algorithm);
    if first == Algorithm::Undetermined || second == Algorithm::Undetermined {
        Agreement::Undetermined
    } else if first == second {
        Agreement::Same
    } else if one.candidates.contains(&second) || other.candidates.contains(&first) {
        Agreement::Undetermined
    } else {
        Agreement::Different
    }
}

/// Two sets of names are compared only where both are complete, and read from the same feature of the answers.
fn compare_instances((trace, one): Judged, (other_trace, other): Judged) -> Agreement {
    let names = |verdict: &Verdict| -> BTreeSet<String> {
        verdict.instances.iter().map(|instance| instance.name.clone()).collect()
    };
    let (first, second) = (names(one), names(other));
    let are_complete = all_shown(one) && all_shown(other);
    match first == second {
        _ if !are_complete || trace.identified_by != other_trace.identified_by => Agreement::Undetermined,
        true => Agreement::Same,
        false => Agreement::Different,
    }
}
