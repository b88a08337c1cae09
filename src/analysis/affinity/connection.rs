//! Connections: how often the balancer picks, once a request or once a connection.

use std::collections::BTreeSet;

use crate::model::trace::{Connection, InstanceId, Series, SeriesName};

use crate::analysis::{
    affinity::pinning::{Pinned, pinned},
    case::Case,
    math::log_prob::in_words,
    sampling::budget,
    verdict::{Algorithm, BalancesPer, RuledOut},
};

/// What was found of connections.
pub struct Per {
    pub per: BalancesPer,
    pub ruled_out: Option<RuledOut>,
    pub evidence: Vec<String>,
}

/// Whether the series over one connection shows enough, or no connection is kept.
pub fn enough_on_one_connection(case: &Case) -> bool {
    let Some(series) = case.trace().series(&SeriesName::OneConnection) else { return true };
    let picks = on_one_connection(series);
    let tried = series.requests.len() >= KEPT_TRIES;
    match pinned(case, &picks) {
        // whoever picks once a connection never leaves an instance on it
        _ if several(&picks) => true,
        Pinned::Yes { p, .. } => p < case.alpha() * budget::CONNECTION || (picks.len() < 2 && tried),
        _ => picks.len() >= 2 || tried,
    }
}

/// Requests after which a target that never had two on one connection counts as one that keeps none. More than two,
/// because a connection may come back to its pool a moment too late for the next request.
const KEPT_TRIES: usize = 12;

/// Who answered the requests of the connection that served most of them. A port may come again, for another connection.
fn on_one_connection(series: &Series) -> Vec<InstanceId> {
    let by_port = series.requests.chunk_by(|one, next| one.port == next.port);
    let named = by_port.filter(|requests| requests[0].port.is_some()).map(|requests| {
        let named: Vec<InstanceId> = requests.iter().filter_map(|request| request.instance).collect();
        named
    });
    named.max_by_key(Vec::len).unwrap_or_default()
}

fn several(picks: &[InstanceId]) -> bool {
    picks.windows(2).any(|pair| pair[0] != pair[1])
}

/// How often the balancer picks, by requests over one kept connection, or else by those over several.
pub fn balances_per(case: &Case) -> Per {
    let unknown = |evidence| Per { per: BalancesPer::Undetermined, ruled_out: None, evidence };
    let kept = case.trace().series.iter().filter(|series| {
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
        if several(&picks) {
            let instances = picks.iter().collect::<BTreeSet<_>>().len();
            return Per {
                per: BalancesPer::Request,
                ruled_out: None,
                evidence: vec![format!(
                    "{} requests over one connection went to {instances} instances: it picks for every request",
                    picks.len()
                )],
            };
        }
        match pinned(case, &picks) {
            Pinned::Yes { p, .. }
                if p < case.alpha() * budget::CONNECTION && series.name == SeriesName::OneConnection =>
            {
                return Per {
                    per: BalancesPer::Connection,
                    ruled_out: Some(RuledOut {
                        algorithm: Algorithm::Random,
                        test: "over one connection one instance alone",
                        p,
                    }),
                    evidence: vec![format!(
                        "{} requests over one connection all went to one instance, by chance {}: it picks once a connection",
                        picks.len(),
                        in_words(p)
                    )],
                };
            }
            _ => {}
        }
    }
    unknown(Vec::new())
}
