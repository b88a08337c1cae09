//! Connection reuse: the requests of a series that were picks.
//!
//! A balancer that picks once per connection picks nothing more while the connection lasts, so that the requests over
//! it show the same pick again and again. The first request of each connection is a pick either way.

use std::collections::BTreeMap;

use crate::model::trace::{Connection, InstanceId, Series};

/// The unit for which the balancer picks an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PicksPer {
    /// Each request is a pick, or had a connection of its own.
    Request,
    /// Some connections led to several instances, but too few of them for a statement about all.
    Unclear,
    /// Each connection led to one instance alone.
    Connection {
        /// The connections on which some request was answered.
        connections: usize,
    },
}

/// The unit that the connections of a series show.
pub fn picks_per(series: &Series) -> PicksPer {
    if series.conditions.connection == Connection::Fresh {
        return PicksPer::Request;
    }
    // of each connection: the first instance, the number of requests, whether another instance answered too
    let mut connections: BTreeMap<_, (InstanceId, usize, bool)> = BTreeMap::new();
    for request in &series.requests {
        let Some(instance) = request.instance else { continue };
        // a trace without ports counts as one connection
        let (first, requests, moved) = connections.entry(request.port).or_insert((instance, 0, false));
        *requests += 1;
        *moved |= *first != instance;
    }
    let several = connections.values().filter(|(_, requests, _)| *requests > 1).count();
    let moved = connections.values().filter(|(_, _, moved)| *moved).count();
    match (several, moved) {
        (0, _) => PicksPer::Request,
        (_, 0) => PicksPer::Connection { connections: connections.len() },
        _ if moved * 2 > several => PicksPer::Request,
        _ => PicksPer::Unclear,
    }
}

/// The picks of a series in the order of sending: `None` for a request without an answer. A request that only repeats the
/// pick of its connection is left out.
pub fn picks(series: &Series) -> Vec<Option<InstanceId>> {
    let all = || series.requests.iter();
    match picks_per(series) {
        PicksPer::Request | PicksPer::Unclear => all().map(|request| request.instance).collect(),
        PicksPer::Connection { .. } => {
            let mut known = std::collections::BTreeSet::new();
            let tells = all().filter(|request| request.instance.is_none() || known.insert(request.port));
            tells.map(|request| request.instance).collect()
        }
    }
}
