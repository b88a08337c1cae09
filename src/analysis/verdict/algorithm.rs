//! The algorithms that a verdict can name.

use strum::VariantArray as _;

/// A way to pick the next instance, as it shows from outside. Its name in JSON is that of the variant in kebab case.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr, strum::EnumString, strum::VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Algorithm {
    /// One instance answers everything.
    Single,
    /// Every round holds each instance once.
    RoundRobin,
    /// Rounds hold some instances more often than others.
    WeightedRoundRobin,
    /// Picks are independent draws.
    Random,
    /// The least busy instance is picked.
    LeastConnections,
    /// The first instance is picked that can take the request.
    FirstAvailable,
    /// The client's address decides.
    SourceHash,
    /// The path decides.
    UriHash,
    /// A header decides.
    HeaderHash,
    /// None of these is known to be the pattern.
    Undetermined,
}

impl Algorithm {
    /// The name that the algorithm has in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Every algorithm that a balancer can have.
    pub fn all() -> impl Iterator<Item = Algorithm> {
        Algorithm::VARIANTS.iter().copied().filter(|algorithm| *algorithm != Algorithm::Undetermined)
    }

    /// Whether instances are picked in rounds.
    pub fn goes_round(self) -> bool {
        match self {
            Algorithm::RoundRobin | Algorithm::WeightedRoundRobin => true,
            Algorithm::Single
            | Algorithm::Random
            | Algorithm::LeastConnections
            | Algorithm::FirstAvailable
            | Algorithm::SourceHash
            | Algorithm::UriHash
            | Algorithm::HeaderHash
            | Algorithm::Undetermined => false,
        }
    }

    /// Which part of the instances one client sees without a cookie.
    pub fn reach(self) -> Reach {
        match self {
            Algorithm::RoundRobin | Algorithm::WeightedRoundRobin | Algorithm::Random | Algorithm::LeastConnections => {
                Reach::Every
            }
            Algorithm::Single => Reach::One,
            Algorithm::FirstAvailable
            | Algorithm::SourceHash
            | Algorithm::UriHash
            | Algorithm::HeaderHash
            | Algorithm::Undetermined => Reach::Some,
        }
    }
}

/// The instances that one client reaches with the same request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Sooner or later each of them.
    Every,
    /// The only one.
    One,
    /// Those that the client, its request or the load leads to.
    Some,
}
