//! Kept connections: which of their requests were picks.
//!
//! Who picks once a connection picks nothing more while it lasts, so that requests over it say the same again and again.
//! The first request of each connection is a pick either way.

use std::collections::BTreeMap;

use crate::model::trace::{Connection, InstanceId, Series};

/// Whether requests over one connection are picks of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// They are, or every request had a connection of its own.
    EachPicks,
    /// Some connections led to several instances, too few to say so of all.
    SomeMove,
    /// Every connection led to one instance alone.
    EachStays {
        /// Connections that were answered.
        connections: usize,
    },
}

/// What the connections of a series show.
pub fn kept(series: &Series) -> Kept {
    if series.conditions.connection == Connection::Fresh {
        return Kept::EachPicks;
    }
    // of each: who answered first, how many requests, whether somebody else answered too
    let mut connections: BTreeMap<_, (InstanceId, usize, bool)> = BTreeMap::new();
    for request in &series.requests {
        let Some(instance) = request.instance else { continue };
        // a trace without ports had one connection, as far as anybody knows
        let (first, requests, moved) = connections.entry(request.port).or_insert((instance, 0, false));
        *requests += 1;
        *moved |= *first != instance;
    }
    let several = connections.values().filter(|(_, requests, _)| *requests > 1).count();
    let moved = connections.values().filter(|(_, _, moved)| *moved).count();
    match (several, moved) {
        (0, _) => Kept::EachPicks,
        (_, 0) => Kept::EachStays { connections: connections.len() },
        _ if moved * 2 > several => Kept::EachPicks,
        _ => Kept::SomeMove,
    }
}

/// The picks of a series in the order of sending: `None` for a request without an answer, and nothing for one that tells
/// no more than the one before it on its connection.
pub fn picks(series: &Series) -> Vec<Option<InstanceId>> {
    let all = || series.requests.iter();
    match kept(series) {
        Kept::EachPicks | Kept::SomeMove => all().map(|request| request.instance).collect(),
        Kept::EachStays { .. } => {
            let mut known = std::collections::BTreeSet::new();
            let tells = all().filter(|request| request.instance.is_none() || known.insert(request.port));
            tells.map(|request| request.instance).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU16, time::Duration};

    use super::*;
    use crate::{
        analysis::{
            ALPHA,
            pattern::{finding::Finding, select},
            series::sequence::Sequence,
            verdict::Algorithm,
        },
        model::trace::{Action, Conditions, Jar, Request, SeriesName},
    };

    /// Requests over kept connections, as pairs of connection and instance.
    fn series(concurrency: u32, requests: impl IntoIterator<Item = (u16, u16)>) -> Series {
        let request = |(n, (connection, instance))| Request {
            port: NonZeroU16::new(connection + 1),
            instance: Some(InstanceId(instance)),
            status: NonZeroU16::new(200),
            ..Request::sent(n, Action::Get, Duration::ZERO, Duration::ZERO)
        };
        Series {
            name: SeriesName::WithoutJar,
            conditions: Conditions {
                jar: Jar::None,
                connection: Connection::Reused,
                path: "/".to_owned(),
                source: None,
                header: None,
                concurrency,
            },
            requests: (1..).zip(requests).map(request).collect(),
            cookies: Vec::new(),
            others: Vec::new(),
        }
    }

    fn find(series: &Series) -> Finding {
        select::of(series, ALPHA)
    }

    #[test]
    fn even_counts_over_connections_that_stay_are_no_round_robin_of_requests() {
        // 32 connections, each for good at one of 8 instances, and 64 requests over each
        let even = series(32, (0..2048).map(|n| (n % 32, n % 8)));
        assert_eq!(kept(&even), Kept::EachStays { connections: 32 });
        let found = find(&even);
        assert_eq!(found.algorithm, Algorithm::Undetermined, "{:?}", found.evidence);
        assert!(found.evidence.iter().any(|sentence| sentence.contains("32 kept connections")), "{:?}", found.evidence);
        // as many requests, of which each is a pick
        let moving = series(32, (0..2048).map(|n| (n % 32, (n / 32 + n) % 8)));
        assert_eq!(kept(&moving), Kept::EachPicks);
        assert_eq!(find(&moving).algorithm, Algorithm::RoundRobin);
    }

    #[test]
    fn one_instance_is_as_sure_as_there_are_connections() {
        let over = |connections: u16| find(&series(8, (0..1000).map(|n| (n % connections, 0))));
        let few = over(8);
        assert_eq!(few.algorithm, Algorithm::Undetermined);
        assert!(few.evidence[0].contains("all 1000 requests, but they went over 8 connections"), "{:?}", few.evidence);
        let many = over(128);
        assert_eq!(many.algorithm, Algorithm::Single);
        assert!(many.evidence[0].contains("all 128 connections"), "{:?}", many.evidence);
    }

    #[test]
    fn connections_one_after_the_other_show_the_order_of_their_picks() {
        // a server that ends each after ten requests
        let in_turn = series(1, (0..600).map(|n| (n / 10, n / 10 % 5)));
        assert_eq!(Sequence::of(&in_turn).len(), 60);
        let found = find(&in_turn);
        assert_eq!((found.algorithm, found.cycle.len()), (Algorithm::RoundRobin, 5), "{:?}", found.evidence);
    }

    #[test]
    fn where_some_connections_stay_and_some_move_nothing_is_said() {
        // even, but only every fourth connection ever moved
        let some = series(32, (0..2048).map(|n| (n % 32, if n % 4 == 0 { n / 32 % 4 } else { n % 4 })));
        assert_eq!(kept(&some), Kept::SomeMove);
        assert_eq!(find(&some).algorithm, Algorithm::Undetermined);
    }

    #[test]
    fn connections_of_one_request_each_are_as_good_as_fresh_ones() {
        let each = series(8, (0..504).map(|n| (n, n % 8)));
        assert_eq!((kept(&each), find(&each).algorithm), (Kept::EachPicks, Algorithm::RoundRobin));
    }
}
