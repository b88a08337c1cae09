//! Candidates: what a strategy sees of the replicas among which it picks.

/// A replica that may be picked.
pub trait Candidate {
    /// The replica's place in the order; candidates are sorted by it.
    fn ordinal(&self) -> u64;
    /// The number of requests that the replica is working on.
    fn in_flight(&self) -> usize;
    /// The replica's URL, as Traefik would name it.
    fn url(&self) -> &str;
    /// The replica's share beside the others'.
    fn weight(&self) -> i64;
}
