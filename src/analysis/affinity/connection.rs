//! Connections: judges if the balancer picks once per request or once per connection.

use std::collections::BTreeSet;

use crate::{
    analysis::{
        affinity::{
            evidence::ConnectionEvidence,
            moves::Moves,
            treatment::{Effect, Treatment, longest_connection},
        },
        case::Case,
        sampling::budget::{self, Decision},
        verdict::{Algorithm, BalancesPer, Rejection, Test},
    },
    model::trace::{Connection, SeriesName},
};

/// The number of requests after which a target that never had two on one connection counts as one that closes each. It
/// is more than two, because a connection may come back to its pool a moment too late for the next request.
const MAX_TRIES_TO_REUSE: usize = 12;

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

/// Returns true if the series over one connection shows enough: it moves, or looks kept, or the target reuses no
/// connection.
pub fn enough_on_one_connection(case: &Case) -> bool {
    let Some(series) = case.trace().series(&SeriesName::OneConnection) else { return true };
    let tried = series.requests.len() >= MAX_TRIES_TO_REUSE;
    let reused = longest_connection(series).len();
    match Treatment::Connection.effect(case) {
        Effect::Moves { .. } | Effect::OneInstance { .. } | Effect::Group { .. } => true,
        Effect::NoAnswers => tried,
        Effect::NothingToCompare => reused >= 2 || tried,
        Effect::Unclear { .. } => Treatment::Connection.looks_kept(case) || (reused < 2 && tried),
    }
}

/// The unit of the balancer's picks.
pub fn judge_connections(case: &Case) -> ConnectionFinding {
    let Some(series) = case.trace().series(&SeriesName::OneConnection) else { return judge_free_connection(case) };
    let effect = Treatment::Connection.effect(case);
    let reused = longest_connection(series).len();
    match effect {
        Effect::NoAnswers | Effect::Unclear { .. } | Effect::NothingToCompare if reused == 1 => {
            ConnectionFinding::new(BalancesPer::Undetermined, Some(ConnectionEvidence::NotKept))
        }
        Effect::Moves { requests, instances } => {
            let evidence = ConnectionEvidence::PicksEachRequest { requests, instances };
            ConnectionFinding::new(BalancesPer::Request, Some(evidence))
        }
        Effect::OneInstance { requests, p, .. } => {
            let evidence = ConnectionEvidence::PicksOncePerConnection { requests, p };
            let stays = Rejection { algorithm: Algorithm::Random, test: Test::OverOneConnectionOneAlone, p };
            let finding = ConnectionFinding::new(BalancesPer::Connection, Some(evidence));
            ConnectionFinding { ruled_out: Some(stays), ..finding }
        }
        Effect::Unclear { requests, moves: moves @ 1.., .. } => {
            let evidence = ConnectionEvidence::MovedSometimes { requests, moves };
            ConnectionFinding::new(BalancesPer::Undetermined, Some(evidence))
        }
        Effect::NoAnswers | Effect::NothingToCompare | Effect::Group { .. } | Effect::Unclear { .. } => {
            ConnectionFinding::new(BalancesPer::Undetermined, None)
        }
    }
}

/// The unit of picks by a free series that reused its connections: there is nothing to compare it with, so it can only
/// show that one connection leads to several instances.
fn judge_free_connection(case: &Case) -> ConnectionFinding {
    let nothing = ConnectionFinding::new(BalancesPer::Undetermined, None);
    let Some(free) = case.free().map(|free| free.series) else { return nothing };
    if free.conditions.connection != Connection::Reused || free.conditions.concurrency != 1 {
        return nothing;
    }
    let answers = longest_connection(free);
    if answers.len() == 1 {
        return ConnectionFinding::new(BalancesPer::Undetermined, Some(ConnectionEvidence::NotKept));
    }
    if !budget::is_sure(Moves::count(&answers).p_if_kept(), case.alpha(), Decision::PicksEachRequest) {
        return nothing;
    }
    let instances = answers.iter().collect::<BTreeSet<_>>().len();
    let evidence = ConnectionEvidence::PicksEachRequest { requests: answers.len(), instances };
    ConnectionFinding::new(BalancesPer::Request, Some(evidence))
}
