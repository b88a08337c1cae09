//! Connections: judges if the balancer picks once per request or once per connection.

use std::collections::BTreeSet;

use crate::{
    analysis::{
        affinity::{
            evidence::ConnectionEvidence,
            pinning::{Pinning, judge_pinning},
        },
        case::Case,
        sampling::budget::{self, Decision},
        series::sequence::are_several,
        verdict::{Algorithm, BalancesPer, Rejection, Test},
    },
    model::trace::{Connection, InstanceId, Series, SeriesName},
};

/// The finding from requests over one connection.
pub struct ConnectionFinding {
    pub per: BalancesPer,
    pub ruled_out: Option<Rejection>,
    pub evidence: Option<ConnectionEvidence>,
}

impl ConnectionFinding {
    fn new(per: BalancesPer, evidence: Option<ConnectionEvidence>) -> ConnectionFinding {
        ConnectionFinding { per, ruled_out: None, evidence }
    }
}

/// Returns true if the series over one connection shows enough, or the target reuses no connection.
pub fn enough_on_one_connection(case: &Case) -> bool {
    let Some(series) = case.trace().series(&SeriesName::OneConnection) else { return true };
    let picks = on_one_connection(series);
    let tried = series.requests.len() >= MAX_TRIES_TO_REUSE;
    match judge_pinning(case, &picks) {
        // a balancer that picks once a connection never leaves an instance on it
        _ if are_several(&picks) => true,
        Pinning::Stays { p, .. } => p < budget::spend(case.alpha(), Decision::Connection) || (picks.len() < 2 && tried),
        _ => picks.len() >= 2 || tried,
    }
}

/// The number of requests after which a target that never had two on one connection counts as one that closes each. It
/// is more than two, because a connection may come back to its pool a moment too late for the next request.
const MAX_TRIES_TO_REUSE: usize = 12;

/// The instances that answered on the connection that served most requests. A port may come again, for another connection.
fn on_one_connection(series: &Series) -> Vec<InstanceId> {
    let by_port = series.requests.chunk_by(|one, next| one.port == next.port);
    let named = by_port.filter(|requests| requests[0].port.is_some()).map(|requests| {
        let named: Vec<InstanceId> = requests.iter().filter_map(|request| request.instance).collect();
        named
    });
    named.max_by_key(Vec::len).unwrap_or_default()
}

/// The unit of the balancer's picks, by requests over one reused connection, or else by those over several.
pub fn judge_connections(case: &Case) -> ConnectionFinding {
    let over_one = |series: &&Series| {
        series.conditions.connection == Connection::Reused
            && matches!(series.name, SeriesName::OneConnection | SeriesName::WithoutJar)
            && series.conditions.concurrency == 1
    };
    for series in case.trace().series.iter().filter(over_one) {
        let picks = on_one_connection(series);
        let requests = picks.len();
        if requests == 0 {
            continue;
        }
        if requests == 1 {
            return ConnectionFinding::new(BalancesPer::Undetermined, Some(ConnectionEvidence::NotKept));
        }
        if are_several(&picks) {
            let instances = picks.iter().collect::<BTreeSet<_>>().len();
            let evidence = ConnectionEvidence::PicksEachRequest { requests, instances };
            return ConnectionFinding::new(BalancesPer::Request, Some(evidence));
        }
        if let Pinning::Stays { p, .. } = judge_pinning(case, &picks)
            && p < budget::spend(case.alpha(), Decision::Connection)
            && series.name == SeriesName::OneConnection
        {
            let evidence = ConnectionEvidence::PicksOncePerConnection { requests, p };
            let stays = Rejection { algorithm: Algorithm::Random, test: Test::OverOneConnectionOneAlone, p };
            let finding = ConnectionFinding::new(BalancesPer::Connection, Some(evidence));
            return ConnectionFinding { ruled_out: Some(stays), ..finding };
        }
    }
    ConnectionFinding::new(BalancesPer::Undetermined, None)
}
