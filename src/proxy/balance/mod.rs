//! Balancing: picks the replica of a balancer that gets the next request.
//!
//! Picking is pure: the replicas that may be picked, the cursor, the client and a source of randomness in, an index
//! out. Health and stickiness stand outside. Each strategy has a file of its own. A new one is a file here, and an arm
//! in [`Balance::pick`]; if it goes by a measure of a replica that no strategy has used before, `upstream.rs` takes it.

mod cursor;
mod p2c;
mod random;
mod rendezvous;
mod round_robin;
mod weighted_round_robin;

use std::net::IpAddr;

use rand::Rng;

use crate::model::Strategy;

use super::upstream::WeightedUpstream;

pub use cursor::Cursor;

/// A strategy over the replicas of one balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    strategy: Strategy,
    weights: Weights,
}

/// The weights of the replicas of a balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weights {
    Equal,
    Different,
}

impl Balance {
    /// A strategy over these candidates, and those of them that get requests by it.
    pub fn over(strategy: Strategy, mut candidates: Vec<WeightedUpstream>) -> (Balance, Vec<WeightedUpstream>) {
        candidates.retain(|candidate| strategy.serves_weight(candidate.weight));
        let differ = candidates.windows(2).any(|pair| pair[0].weight != pair[1].weight);
        let weights = if differ { Weights::Different } else { Weights::Equal };
        (Balance { strategy, weights }, candidates)
    }

    /// Picks one of `candidates`, which are sorted by ordinal; `None` if there are none.
    pub fn pick(
        self,
        cursor: &mut Cursor,
        candidates: &[WeightedUpstream],
        client: IpAddr,
        random: &mut impl Rng,
    ) -> Option<usize> {
        if candidates.is_empty() {
            return None;
        }
        Some(match (self.strategy, self.weights) {
            (Strategy::RoundRobin, Weights::Equal) => round_robin::pick(cursor, candidates),
            (Strategy::RoundRobin, Weights::Different) => weighted_round_robin::pick(cursor, candidates),
            (Strategy::Random, _) => random::pick(candidates.len(), random),
            (Strategy::PowerOfTwo, _) => p2c::pick(candidates, random),
            (Strategy::HighestRandomWeight, _) => rendezvous::pick(candidates, client),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{net::Ipv4Addr, sync::Arc};

    use rand::{SeedableRng, rngs::StdRng};
    use strum::VariantArray;

    use super::*;
    use crate::proxy::upstream::Upstream;

    fn servers(ordinals: impl IntoIterator<Item = u64>) -> Vec<WeightedUpstream> {
        weighted(&ordinals.into_iter().map(|n| (n, 1)).collect::<Vec<_>>())
    }

    /// Replicas by ordinal and weight.
    fn weighted(weights: &[(u64, i64)]) -> Vec<WeightedUpstream> {
        let server = |&(n, weight): &(u64, i64)| {
            let address = format!("10.0.0.{n}:80").parse().unwrap();
            let upstream = Arc::new(Upstream::new(format!("web-{n}").into(), "web".into(), n, address, 1));
            WeightedUpstream { upstream, weight }
        };
        weights.iter().map(server).collect()
    }

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));

    const RR: Balance = Balance { strategy: Strategy::RoundRobin, weights: Weights::Equal };
    const WRR: Balance = Balance { strategy: Strategy::RoundRobin, weights: Weights::Different };

    fn by(strategy: Strategy) -> Balance {
        Balance { strategy, weights: Weights::Equal }
    }

    fn picks(balance: Balance, cursor: &mut Cursor, servers: &[WeightedUpstream], count: usize) -> Vec<u64> {
        let mut random = StdRng::seed_from_u64(7);
        (0..count).map(|_| servers[balance.pick(cursor, servers, CLIENT, &mut random).unwrap()].ordinal()).collect()
    }

    #[test]
    fn round_robin_counts_and_keeps_its_place() {
        let mut cursor = Cursor::default();
        assert_eq!(picks(RR, &mut cursor, &servers(1..=3), 7), [1, 2, 3, 1, 2, 3, 1]);
        // two more: it goes on with 2
        assert_eq!(picks(RR, &mut cursor, &servers(1..=5), 6), [2, 3, 4, 5, 1, 2]);
        // 3 is down: 4 is next
        assert_eq!(picks(RR, &mut cursor, &servers([1, 2, 4]), 3), [4, 1, 2]);
        // all but 1 are gone
        assert_eq!(picks(RR, &mut cursor, &servers([1]), 2), [1, 1]);
    }

    #[test]
    fn weights_are_spread_over_the_round() {
        // as nginx says of its own, for 5:1:1
        let servers = weighted(&[(1, 5), (2, 1), (3, 1)]);
        assert_eq!(picks(WRR, &mut Cursor::default(), &servers, 14), [1, 1, 2, 1, 3, 1, 1, 1, 1, 2, 1, 3, 1, 1]);
        // and equal weights are the plain round
        assert_eq!(picks(WRR, &mut Cursor::default(), &weighted(&[(1, 2), (2, 2)]), 4), [1, 2, 1, 2]);
        let huge = weighted(&[(1, i64::MAX), (2, i64::MAX)]);
        assert_eq!(picks(WRR, &mut Cursor::default(), &huge, 3).len(), 3);
    }

    #[test]
    fn a_weighted_round_goes_on_while_replicas_come_and_go() {
        let mut cursor = Cursor::default();
        assert_eq!(picks(WRR, &mut cursor, &weighted(&[(1, 3), (2, 1)]), 2), [1, 1]);
        // 2 is left out for one request, and gets its turn afterwards
        assert_eq!(picks(WRR, &mut cursor, &weighted(&[(1, 3)]), 1), [1]);
        assert_eq!(picks(WRR, &mut cursor, &weighted(&[(1, 3), (2, 1)]), 4), [2, 1, 1, 1]);
        // one more: each still gets its share
        let mut six = picks(WRR, &mut cursor, &weighted(&[(1, 3), (2, 1), (3, 2)]), 6);
        six.sort_unstable();
        assert_eq!(six, [1, 1, 1, 2, 3, 3]);
    }

    #[test]
    fn weights_matter_where_traefik_minds_them() {
        let over = |strategy: Strategy, weights: &[(u64, i64)]| {
            let (balance, servers) = Balance::over(strategy, weighted(weights));
            (balance, servers.into_iter().map(|server| server.ordinal()).collect::<Vec<_>>())
        };
        let mixed = [(1, 0), (2, 1), (3, 3), (4, -1)];
        assert_eq!(over(Strategy::RoundRobin, &mixed), (WRR, vec![2, 3]));
        assert_eq!(over(Strategy::RoundRobin, &mixed[..2]), (RR, vec![2]));
        assert_eq!(over(Strategy::RoundRobin, &[(1, 2), (2, 2)]), (RR, vec![1, 2]));
        let expected = [
            (Strategy::HighestRandomWeight, vec![2, 3]),
            (Strategy::PowerOfTwo, vec![1, 2, 3, 4]),
            (Strategy::Random, vec![1, 2, 3, 4]),
        ];
        for (strategy, picked) in expected {
            let (balance, servers) = over(strategy, &mixed);
            assert_eq!((balance.strategy, servers), (strategy, picked));
        }
    }

    #[test]
    fn highest_random_weight_minds_weights() {
        let servers = weighted(&[(1, 1), (2, 9)]);
        let mut random = StdRng::seed_from_u64(7);
        let mut pick = |client: u8| {
            let client = IpAddr::V4(Ipv4Addr::new(10, 1, 1, client));
            by(Strategy::HighestRandomWeight).pick(&mut Cursor::default(), &servers, client, &mut random).unwrap()
        };
        let light = (0..=255).filter(|&client| pick(client) == 0).count();
        // a tenth of them, give or take four standard deviations
        assert!((7..=45).contains(&light), "{light}");
    }

    #[test]
    fn nothing_is_picked_from_nothing() {
        for balance in Strategy::VARIANTS.iter().map(|&strategy| by(strategy)).chain([WRR]) {
            let picked = balance.pick(&mut Cursor::default(), &servers([]), CLIENT, &mut StdRng::seed_from_u64(1));
            assert_eq!(picked, None);
        }
    }

    #[test]
    fn random_is_even() {
        let picks = picks(by(Strategy::Random), &mut Cursor::default(), &servers(1..=5), 10_000);
        for n in 1..=5 {
            let hits = picks.iter().filter(|&&pick| pick == n).count();
            // six standard deviations around 2000
            assert!((1760..=2240).contains(&hits), "{n}: {hits}");
        }
    }

    #[test]
    fn power_of_two_never_takes_the_busiest_of_all() {
        let servers = servers(1..=3);
        let _busy = [(); 9].map(|()| servers[1].upstream.admit().unwrap());
        assert!(!picks(by(Strategy::PowerOfTwo), &mut Cursor::default(), &servers, 1000).contains(&2));
    }

    #[test]
    fn highest_random_weight_keeps_a_client_and_spreads_clients() {
        let servers = servers(1..=5);
        let mut random = StdRng::seed_from_u64(7);
        let mut pick = |client: u8| {
            let client = IpAddr::V4(Ipv4Addr::new(10, 1, 1, client));
            let hrw = by(Strategy::HighestRandomWeight);
            servers[hrw.pick(&mut Cursor::default(), &servers, client, &mut random).unwrap()].ordinal()
        };
        let first: Vec<u64> = (0..100).map(&mut pick).collect();
        let again: Vec<u64> = (0..100).map(&mut pick).collect();
        assert_eq!(first, again);
        for n in 1..=5 {
            assert!(first.contains(&n), "no client went to {n}");
        }
    }
}
