//! The verdict: what a trace proves of a balancer.

use crate::model::trace::Attributes;

pub mod candidates;
pub mod evidence;
pub mod expected;

use evidence::Evidence;

/// A way to pick the next instance, as it shows from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// One instance answers everything.
    Single,
    /// Every round holds each instance once.
    RoundRobin,
    /// Rounds in which some instances occur more often than others.
    WeightedRoundRobin,
    /// Independent draws.
    Random,
    /// The least busy instance.
    LeastConnections,
    /// The first instance that can take the request.
    FirstAvailable,
    /// By the client's address.
    SourceHash,
    /// By the path.
    UriHash,
    /// By a header.
    HeaderHash,
    /// None of these could be told.
    Undetermined,
}

impl Algorithm {
    /// The name it has in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Single => "single",
            Algorithm::RoundRobin => "round-robin",
            Algorithm::WeightedRoundRobin => "weighted-round-robin",
            Algorithm::Random => "random",
            Algorithm::LeastConnections => "least-connections",
            Algorithm::FirstAvailable => "first-available",
            Algorithm::SourceHash => "source-hash",
            Algorithm::UriHash => "uri-hash",
            Algorithm::HeaderHash => "header-hash",
            Algorithm::Undetermined => "undetermined",
        }
    }
}

/// An algorithm that was ruled out, and how surely.
#[derive(Debug, Clone, PartialEq)]
pub struct RuledOut {
    /// Which.
    pub algorithm: Algorithm,
    /// By which test.
    pub test: &'static str,
    /// The largest probability, over the algorithm's parameters, of what was seen.
    pub p: f64,
}

/// How the order of a round changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Every round is the same.
    Fixed,
    /// Each round has an order of its own.
    Changing,
    /// Several counters go round the same ring and take turns.
    Interleaved,
}

impl Order {
    /// The name it has in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Order::Fixed => "fixed",
            Order::Changing => "changing",
            Order::Interleaved => "interleaved",
        }
    }
}

/// What keeps a client on its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stickiness {
    /// Nothing.
    None,
    /// A cookie.
    Cookie,
    /// Its address.
    Source,
    /// It could not be told.
    Undetermined,
}

impl Stickiness {
    /// The name it has in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Stickiness::None => "none",
            Stickiness::Cookie => "cookie",
            Stickiness::Source => "source",
            Stickiness::Undetermined => "undetermined",
        }
    }
}

/// How a cookie keeps a client on its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StickyBy {
    /// The balancer inserts it: its value says which instance.
    Inserted,
    /// The balancer takes a hash of its value, whoever set it.
    Hash,
    /// The balancer remembers whom each value belongs to.
    Learned,
}

impl StickyBy {
    /// The name it has in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            StickyBy::Inserted => "inserted",
            StickyBy::Hash => "hash",
            StickyBy::Learned => "learned",
        }
    }
}

/// The cookie that keeps a client on its instance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StickyCookie {
    /// Its name.
    pub name: String,
    /// How it does, where that could be told.
    pub by: Option<StickyBy>,
    /// Whose it is, by name and form.
    pub maker: Option<&'static str>,
    /// What its `Set-Cookie` line said.
    pub attributes: Option<Attributes>,
    /// What is wrong with that.
    pub flaws: Vec<String>,
}

/// How often the balancer picks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BalancesPer {
    /// For every request.
    Request,
    /// Once a connection.
    Connection,
    /// It could not be told.
    Undetermined,
}

impl BalancesPer {
    /// The name it has in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            BalancesPer::Request => "request",
            BalancesPer::Connection => "connection",
            BalancesPer::Undetermined => "undetermined",
        }
    }
}

/// How often an instance answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Hits {
    /// Its name.
    pub name: String,
    /// Answers in the series without a cookie jar.
    pub hits: usize,
    /// Its share of a round, where there are rounds.
    pub weight: Option<u32>,
    /// Between which bounds its share lies, where picks are independent.
    pub share: Option<(f64, f64)>,
    /// The least and the most hits that the pattern allows, or that chance does but for [`ASTRAY`](super::ASTRAY).
    pub expected: Option<(usize, usize)>,
}

impl Hits {
    /// An instance of which only the number of answers is known.
    pub fn without_share(name: String, hits: usize) -> Hits {
        Hits { name, hits, weight: None, share: None, expected: None }
    }
}

/// What a trace proves.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The pattern that was seen.
    pub algorithm: Algorithm,
    /// Every mechanism that would produce it, the pattern's own first.
    pub candidates: Vec<Algorithm>,
    /// What would not.
    pub ruled_out: Vec<RuledOut>,
    /// How likely it is that something was ruled out wrongly: the sum of its probabilities.
    pub chance: f64,
    /// The chance of a false verdict that was accepted.
    pub alpha: f64,
    /// Who answered, and how often.
    pub instances: Vec<Hits>,
    /// How the order of a round changes, where there are rounds.
    pub order: Option<Order>,
    /// The names in their order, where it is fixed.
    pub cycle: Vec<String>,
    /// After how many requests the order repeats, where that was seen.
    pub repeats_after: Option<usize>,
    /// Whether the shares of independent draws may be even.
    pub even: Option<bool>,
    /// The share of the turns of a regular order that other clients took, where that is known.
    pub background_share: Option<f64>,
    /// Where picks look independent: a round robin would look so only if others took more than this share of its turns.
    pub regular_beyond: Option<f64>,
    /// What keeps a client on its instance.
    pub stickiness: Stickiness,
    /// The cookie that does.
    pub sticky_cookie: Option<StickyCookie>,
    /// How often the balancer picks.
    pub balances_per: BalancesPer,
    /// Sentences, each with its figures.
    pub evidence: Vec<Evidence>,
}

/// A key by which `web-10` comes after `web-9`.
pub fn natural(name: &str) -> (String, u64) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (stem.to_owned(), name[stem.len()..].parse().unwrap_or(0))
}
