//! Strategies: the ways to pick the next replica of a service, and their consequences.
//!
//! A new strategy is a variant of [`Strategy`]. The compiler then asks for its arm in each method below and in
//! `proxy::balance`, which picks by it; the tests below ask for its name, and that it leaves [`TRAEFIK_ONLY`] if it is
//! there. The command line, the labels and the JSON follow from this file.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// A strategy to pick the next replica of a service. Its text, on the command line and in JSON, is in kebab case.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    strum::Display,
    strum::IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Strategy {
    /// 1-2-3-1-2-3: strictly in the order of numbers. Traefik's `wrr` gives each round the same replicas in an order
    /// that changes; this one can be followed by eye. Replicas of different weights have their shares of each round.
    #[default]
    RoundRobin,
    /// Every replica has the same chance.
    Random,
    /// Of two replicas picked at random, the one with fewer requests in flight (Mitzenmacher 2001).
    #[serde(rename = "p2c")]
    #[strum(serialize = "p2c")]
    PowerOfTwo,
    /// The replica with the highest random weight for the client's address (Thaler and Ravishankar 1998).
    #[serde(rename = "hrw")]
    #[strum(serialize = "hrw")]
    HighestRandomWeight,
}

/// Traefik's strategies that the bundled proxy does not have.
pub const TRAEFIK_ONLY: [&str; 1] = ["leasttime"];

impl Strategy {
    /// The strategy in one line, for the help of the command line.
    pub fn summary(self) -> &'static str {
        match self {
            Strategy::RoundRobin => "1-2-3-1-2-3, strictly in order",
            Strategy::Random => "Every replica with the same chance",
            Strategy::PowerOfTwo => "The less busy of two picked at random",
            Strategy::HighestRandomWeight => "By the client's address (highest random weight)",
        }
    }

    /// Traefik's name for the strategy, where Traefik has it.
    pub fn traefik_name(self) -> Option<&'static str> {
        match self {
            Strategy::RoundRobin => Some("wrr"),
            Strategy::Random => None,
            Strategy::PowerOfTwo => Some("p2c"),
            Strategy::HighestRandomWeight => Some("hrw"),
        }
    }

    /// The strategy with this name in Traefik, in any case.
    pub fn from_traefik_name(name: &str) -> Option<Strategy> {
        let is_it = |strategy: &Strategy| strategy.traefik_name().is_some_and(|known| known.eq_ignore_ascii_case(name));
        Strategy::VARIANTS.iter().copied().find(is_it)
    }

    /// Returns true if a client's address decides, so that all requests of one client go to the same replica.
    pub fn hashes_client(self) -> bool {
        match self {
            Strategy::HighestRandomWeight => true,
            Strategy::RoundRobin | Strategy::Random | Strategy::PowerOfTwo => false,
        }
    }

    /// Returns true if requests of one client, sent one after the other, come to every replica in the end.
    pub fn reaches_every_replica(self) -> bool {
        match self {
            Strategy::RoundRobin | Strategy::Random | Strategy::PowerOfTwo => true,
            Strategy::HighestRandomWeight => false,
        }
    }

    /// Returns true if a replica of this weight gets requests. As in Traefik, some strategies ignore weights.
    pub fn serves_weight(self, weight: i64) -> bool {
        match self {
            Strategy::RoundRobin | Strategy::HighestRandomWeight => weight > 0,
            Strategy::Random | Strategy::PowerOfTwo => true,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_strategy_has_one_name_in_text_and_in_json() {
        let names: Vec<String> = Strategy::VARIANTS.iter().map(Strategy::to_string).collect();
        assert_eq!(names, ["round-robin", "random", "p2c", "hrw"]);
        for (strategy, name) in Strategy::VARIANTS.iter().zip(names) {
            assert_eq!(serde_json::to_value(strategy).unwrap(), name);
        }
    }

    #[test]
    fn what_the_proxy_has_is_not_traefiks_alone() {
        assert!(TRAEFIK_ONLY.iter().all(|name| Strategy::from_traefik_name(name).is_none()));
    }
}
