//! The effects of connections, in words.

use crate::{analysis::ConnectionEvidence, report::odds::odds_in_words};

use super::words::times;

pub fn sentence(fact: &ConnectionEvidence) -> String {
    match *fact {
        ConnectionEvidence::NotKept => {
            "the target keeps no connection open, so requests over one cannot be compared".to_owned()
        }
        ConnectionEvidence::PicksEachRequest { requests, instances } => {
            format!("{requests} requests over one connection went to {instances} instances: it picks for every request")
        }
        ConnectionEvidence::PicksOncePerConnection { requests, p } => format!(
            "{requests} requests over one connection all went to one instance, by chance {}: it picks once a connection",
            odds_in_words(p)
        ),
        ConnectionEvidence::MovedSometimes { requests, moves } => format!(
            "{requests} requests over one connection moved to another instance {}, which an instance that fails explains as \
             well: whether it picks once a connection is open",
            times(moves)
        ),
    }
}
