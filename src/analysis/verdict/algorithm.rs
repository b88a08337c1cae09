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

    /// The algorithms that spread the same request of one client over all instances.
    pub fn spreading() -> impl Iterator<Item = Algorithm> {
        Algorithm::all().filter(|algorithm| algorithm.reach() == Reach::Every)
    }

    /// The shares that a round gives to instances; `None` where instances are not picked in rounds.
    pub fn round_shares(self) -> Option<RoundShares> {
        match self {
            Algorithm::RoundRobin => Some(RoundShares::Equal),
            Algorithm::WeightedRoundRobin => Some(RoundShares::Weighted),
            Algorithm::Single
            | Algorithm::Random
            | Algorithm::LeastConnections
            | Algorithm::FirstAvailable
            | Algorithm::SourceHash
            | Algorithm::UriHash
            | Algorithm::HeaderHash
            | Algorithm::Undetermined => None,
        }
    }

    /// Returns true if instances are picked in rounds.
    pub fn goes_round(self) -> bool {
        self.round_shares().is_some()
    }

    /// Returns true if chance or load decides how often each instance answers, so that counts are a sample of the shares.
    pub fn counts_are_a_sample(self) -> bool {
        match self {
            Algorithm::Random | Algorithm::LeastConnections => true,
            Algorithm::Single
            | Algorithm::RoundRobin
            | Algorithm::WeightedRoundRobin
            | Algorithm::FirstAvailable
            | Algorithm::SourceHash
            | Algorithm::UriHash
            | Algorithm::HeaderHash
            | Algorithm::Undetermined => false,
        }
    }

    /// Returns true if a balancer that looks at load may show this pattern over several instances while none is busy.
    pub fn leaves_load_open(self) -> bool {
        match self {
            Algorithm::RoundRobin | Algorithm::WeightedRoundRobin | Algorithm::Random | Algorithm::Undetermined => true,
            Algorithm::Single
            | Algorithm::LeastConnections
            | Algorithm::FirstAvailable
            | Algorithm::SourceHash
            | Algorithm::UriHash
            | Algorithm::HeaderHash => false,
        }
    }

    /// The part of the instances that one client reaches without a cookie.
    pub fn reach(self) -> Reach {
        match self {
            Algorithm::RoundRobin | Algorithm::WeightedRoundRobin | Algorithm::Random | Algorithm::LeastConnections => {
                Reach::Every
            }
            Algorithm::Single => Reach::One,
            Algorithm::FirstAvailable => Reach::ByLoad,
            Algorithm::SourceHash | Algorithm::UriHash | Algorithm::HeaderHash => Reach::ByKey,
            Algorithm::Undetermined => Reach::Unknown,
        }
    }
}

/// The shares that a round gives to instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundShares {
    /// Each instance comes once in a round.
    Equal,
    /// Each instance comes as often as its weight asks for.
    Weighted,
}

/// The instances that one client reaches with the same request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Each instance, sooner or later.
    Every,
    /// The only instance.
    One,
    /// The instances that the load leads to.
    ByLoad,
    /// The instance that a key of the request leads to.
    ByKey,
    /// The pattern has no name, so this is not known.
    Unknown,
}
