//! Strategies: how the next replica is picked. Pure: the replicas that may be picked, the cursor and a source of
//! randomness in, an index out. Health and stickiness stand outside.

use std::{collections::BTreeMap, net::IpAddr};

use rand::{Rng, RngExt};

/// How the next replica is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// 1-2-3-1-2-3: strictly in the order of numbers. Traefik's `wrr` gives each round the same replicas in an order
    /// that changes; this one can be followed by eye.
    #[default]
    RoundRobin,
    /// Round robin over replicas of different weights: each has its share of a round, spread over it as evenly as can
    /// be (nginx's smooth weighted round robin). Nobody asks for it by this name; weights make it of round robin.
    WeightedRoundRobin,
    /// Every replica with the same chance.
    Random,
    /// Of two replicas picked at random, the one with fewer requests in flight (Mitzenmacher 2001). As in Traefik, two
    /// equal picks become neighbours, and a tie goes to the first.
    PowerOfTwo,
    /// Highest random weight on the client's address (Thaler and Ravishankar 1998), with Traefik's FNV-1a-64 score.
    HighestRandomWeight,
}

impl Strategy {
    /// The name it has on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Strategy::RoundRobin => "round-robin",
            Strategy::WeightedRoundRobin => "weighted-round-robin",
            Strategy::Random => "random",
            Strategy::PowerOfTwo => "p2c",
            Strategy::HighestRandomWeight => "hrw",
        }
    }

    /// The label that asks for it, for the balancer of this name. Traefik has no random picks, so that label is ours.
    pub fn label(self, balancer: &str) -> (String, String) {
        let traefiks =
            |value: &str| (format!("traefik.http.services.{balancer}.loadbalancer.strategy"), value.to_owned());
        match self {
            Strategy::RoundRobin | Strategy::WeightedRoundRobin => traefiks("wrr"),
            Strategy::PowerOfTwo => traefiks("p2c"),
            Strategy::HighestRandomWeight => traefiks("hrw"),
            Strategy::Random => ("lbctl.strategy".to_owned(), "random".to_owned()),
        }
    }

    /// What becomes of it over these replicas: those of no weight get no requests from a strategy that minds weights.
    pub fn over<C: Candidate>(self, mut candidates: Vec<C>) -> (Strategy, Vec<C>) {
        if matches!(self, Strategy::RoundRobin | Strategy::HighestRandomWeight) {
            candidates.retain(|candidate| candidate.weight() > 0);
        }
        let differ = candidates.windows(2).any(|pair| pair[0].weight() != pair[1].weight());
        match self {
            Strategy::RoundRobin if differ => (Strategy::WeightedRoundRobin, candidates),
            _ => (self, candidates),
        }
    }
}

/// A replica that may be picked.
pub trait Candidate {
    /// Its place in the order; candidates are sorted by it.
    fn ordinal(&self) -> u64;
    /// Requests it is working on.
    fn in_flight(&self) -> usize;
    /// Its URL, as Traefik would name it.
    fn url(&self) -> &str;
    /// Its share beside the others'.
    fn weight(&self) -> i64;
}

/// What a strategy remembers between picks.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    last: Option<u64>,
    turns: u64,
    /// What replicas of different weights, by ordinal, are owed: it adds up to nothing while they stay the same.
    owed: BTreeMap<u64, i64>,
}

impl Cursor {
    /// Counts a pick and returns how many there were before it.
    pub fn take_turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns - 1
    }
}

impl Strategy {
    /// Picks one of `candidates`, which are sorted by ordinal; `None` when there are none.
    ///
    /// Round robin goes on after the ordinal it picked last, so that replicas which come and go do not make it lose its
    /// place. With weights, a replica that is left out for a while keeps what it is owed.
    pub fn pick<C: Candidate>(
        self,
        cursor: &mut Cursor,
        candidates: &[C],
        client: IpAddr,
        random: &mut impl Rng,
    ) -> Option<usize> {
        let count = candidates.len();
        if count == 0 {
            return None;
        }
        Some(match self {
            Strategy::RoundRobin => {
                let after = cursor.last.map_or(0, |last| candidates.partition_point(|c| c.ordinal() <= last));
                let index = if after == count { 0 } else { after };
                cursor.last = Some(candidates[index].ordinal());
                // weights that come back start anew
                cursor.owed.clear();
                index
            }
            Strategy::WeightedRoundRobin => smooth_weighted(cursor, candidates),
            Strategy::Random => random.random_range(0..count),
            Strategy::PowerOfTwo => {
                let first = random.random_range(0..count);
                let second = random.random_range(0..count);
                let second = if first == second { (first + 1) % count } else { second };
                match candidates[second].in_flight() < candidates[first].in_flight() {
                    true => second,
                    false => first,
                }
            }
            Strategy::HighestRandomWeight => highest_random_weight(candidates, client),
        })
    }
}

/// Each is owed its weight more; the one that is owed the most is picked, the first of equals, and pays for all.
fn smooth_weighted<C: Candidate>(cursor: &mut Cursor, candidates: &[C]) -> usize {
    let mut total: i64 = 0;
    let mut best = (0, i64::MIN);
    for (index, candidate) in candidates.iter().enumerate() {
        let weight = candidate.weight();
        total = total.saturating_add(weight);
        let owed = cursor.owed.entry(candidate.ordinal()).or_default();
        *owed = owed.saturating_add(weight);
        if *owed > best.1 {
            best = (index, *owed);
        }
    }
    let picked = candidates[best.0].ordinal();
    cursor.owed.entry(picked).and_modify(|owed| *owed = owed.saturating_sub(total));
    cursor.last = Some(picked);
    best.0
}

fn highest_random_weight<C: Candidate>(candidates: &[C], client: IpAddr) -> usize {
    let client = client.to_string();
    let score = |candidate: &C| {
        let hash = fnv1a_64(client.bytes().chain(candidate.url().bytes()));
        // as Traefik: 1 / -ln(hash / 2^64) * weight
        -1.0 / (hash as f64 / 2f64.powi(64)).ln() * candidate.weight() as f64
    };
    let mut best = (0, f64::NEG_INFINITY);
    for (index, candidate) in candidates.iter().enumerate() {
        let score = score(candidate);
        if score > best.1 {
            best = (index, score);
        }
    }
    best.0
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo).
fn fnv1a_64(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::Ipv4Addr;

    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    /// Ordinal, requests in flight, URL, weight.
    struct Server(u64, usize, String, i64);

    impl Candidate for Server {
        fn ordinal(&self) -> u64 {
            self.0
        }
        fn in_flight(&self) -> usize {
            self.1
        }
        fn url(&self) -> &str {
            &self.2
        }
        fn weight(&self) -> i64 {
            self.3
        }
    }

    fn servers(ordinals: impl IntoIterator<Item = u64>) -> Vec<Server> {
        ordinals.into_iter().map(|n| Server(n, 0, format!("http://10.0.0.{n}:80"), 1)).collect()
    }

    fn weighted(weights: &[(u64, i64)]) -> Vec<Server> {
        weights.iter().map(|&(n, weight)| Server(n, 0, format!("http://10.0.0.{n}:80"), weight)).collect()
    }

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));

    fn picks(strategy: Strategy, cursor: &mut Cursor, servers: &[Server], count: usize) -> Vec<u64> {
        let mut random = StdRng::seed_from_u64(7);
        (0..count).map(|_| servers[strategy.pick(cursor, servers, CLIENT, &mut random).unwrap()].0).collect()
    }

    #[test]
    fn round_robin_counts_and_keeps_its_place() {
        let mut cursor = Cursor::default();
        let rr = Strategy::RoundRobin;
        assert_eq!(picks(rr, &mut cursor, &servers(1..=3), 7), [1, 2, 3, 1, 2, 3, 1]);
        // two more: it goes on with 2
        assert_eq!(picks(rr, &mut cursor, &servers(1..=5), 6), [2, 3, 4, 5, 1, 2]);
        // 3 is down: 4 is next
        assert_eq!(picks(rr, &mut cursor, &servers([1, 2, 4]), 3), [4, 1, 2]);
        // all but 1 are gone
        assert_eq!(picks(rr, &mut cursor, &servers([1]), 2), [1, 1]);
    }

    #[test]
    fn weights_are_spread_over_the_round() {
        let wrr = Strategy::WeightedRoundRobin;
        // as nginx says of its own, for 5:1:1
        let servers = weighted(&[(1, 5), (2, 1), (3, 1)]);
        assert_eq!(picks(wrr, &mut Cursor::default(), &servers, 14), [1, 1, 2, 1, 3, 1, 1, 1, 1, 2, 1, 3, 1, 1]);
        // and equal weights are the plain round
        assert_eq!(picks(wrr, &mut Cursor::default(), &weighted(&[(1, 2), (2, 2)]), 4), [1, 2, 1, 2]);
        let huge = weighted(&[(1, i64::MAX), (2, i64::MAX)]);
        assert_eq!(picks(wrr, &mut Cursor::default(), &huge, 3).len(), 3);
    }

    #[test]
    fn a_weighted_round_goes_on_while_replicas_come_and_go() {
        let (wrr, mut cursor) = (Strategy::WeightedRoundRobin, Cursor::default());
        assert_eq!(picks(wrr, &mut cursor, &weighted(&[(1, 3), (2, 1)]), 2), [1, 1]);
        // 2 is left out for one request, and gets its turn afterwards
        assert_eq!(picks(wrr, &mut cursor, &weighted(&[(1, 3)]), 1), [1]);
        assert_eq!(picks(wrr, &mut cursor, &weighted(&[(1, 3), (2, 1)]), 4), [2, 1, 1, 1]);
        // one more: each still gets its share
        let mut six = picks(wrr, &mut cursor, &weighted(&[(1, 3), (2, 1), (3, 2)]), 6);
        six.sort_unstable();
        assert_eq!(six, [1, 1, 1, 2, 3, 3]);
    }

    #[test]
    fn weights_matter_where_traefik_minds_them() {
        let over = |strategy: Strategy, weights: &[(u64, i64)]| {
            let (strategy, servers) = strategy.over(weighted(weights));
            (strategy, servers.into_iter().map(|server| server.0).collect::<Vec<_>>())
        };
        let mixed = [(1, 0), (2, 1), (3, 3), (4, -1)];
        assert_eq!(over(Strategy::RoundRobin, &mixed), (Strategy::WeightedRoundRobin, vec![2, 3]));
        assert_eq!(over(Strategy::RoundRobin, &mixed[..2]), (Strategy::RoundRobin, vec![2]));
        assert_eq!(over(Strategy::RoundRobin, &[(1, 2), (2, 2)]), (Strategy::RoundRobin, vec![1, 2]));
        assert_eq!(over(Strategy::HighestRandomWeight, &mixed), (Strategy::HighestRandomWeight, vec![2, 3]));
        for strategy in [Strategy::PowerOfTwo, Strategy::Random] {
            assert_eq!(over(strategy, &mixed), (strategy, vec![1, 2, 3, 4]));
        }
    }

    #[test]
    fn highest_random_weight_minds_weights() {
        let servers = weighted(&[(1, 1), (2, 9)]);
        let mut random = StdRng::seed_from_u64(7);
        let mut pick = |client: u8| {
            let client = IpAddr::V4(Ipv4Addr::new(10, 1, 1, client));
            Strategy::HighestRandomWeight.pick(&mut Cursor::default(), &servers, client, &mut random).unwrap()
        };
        let light = (0..=255).filter(|&client| pick(client) == 0).count();
        // a tenth of them, give or take four standard deviations
        assert!((7..=45).contains(&light), "{light}");
    }

    #[test]
    fn nothing_is_picked_from_nothing() {
        for strategy in [
            Strategy::RoundRobin,
            Strategy::WeightedRoundRobin,
            Strategy::Random,
            Strategy::PowerOfTwo,
            Strategy::HighestRandomWeight,
        ] {
            let picked = strategy.pick(&mut Cursor::default(), &servers([]), CLIENT, &mut StdRng::seed_from_u64(1));
            assert_eq!(picked, None);
        }
    }

    #[test]
    fn random_is_even() {
        let picks = picks(Strategy::Random, &mut Cursor::default(), &servers(1..=5), 10_000);
        for n in 1..=5 {
            let hits = picks.iter().filter(|&&pick| pick == n).count();
            // six standard deviations around 2000
            assert!((1760..=2240).contains(&hits), "{n}: {hits}");
        }
    }

    #[test]
    fn power_of_two_never_takes_the_busiest_of_all() {
        let mut servers = servers(1..=3);
        servers[1].1 = 9;
        assert!(!picks(Strategy::PowerOfTwo, &mut Cursor::default(), &servers, 1000).contains(&2));
    }

    #[test]
    fn highest_random_weight_keeps_a_client_and_spreads_clients() {
        let servers = servers(1..=5);
        let mut random = StdRng::seed_from_u64(7);
        let mut pick = |client: u8| {
            let client = IpAddr::V4(Ipv4Addr::new(10, 1, 1, client));
            let hrw = Strategy::HighestRandomWeight;
            servers[hrw.pick(&mut Cursor::default(), &servers, client, &mut random).unwrap()].0
        };
        let first: Vec<u64> = (0..100).map(&mut pick).collect();
        let again: Vec<u64> = (0..100).map(&mut pick).collect();
        assert_eq!(first, again);
        for n in 1..=5 {
            assert!(first.contains(&n), "no client went to {n}");
        }
    }

    #[test]
    fn fnv1a_is_the_published_one() {
        assert_eq!(fnv1a_64("foobar".bytes()), 0x8594_4171_f739_67e8);
    }
}
