//! Cursors: the memory of a balancer between picks. A cursor outlives the tables of routes, and it keeps places by
//! ordinal, so that replicas which come and go do not make a round lose its place.

use std::collections::BTreeMap;

/// The memory of a balancer between picks.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    /// The ordinal of the replica that a round picked last.
    pub(super) last: Option<u64>,
    turns: u64,
    /// The debt of a round over different weights to each replica, by ordinal: the debts add up to zero while the
    /// replicas stay the same.
    pub(super) owed: BTreeMap<u64, i64>,
}

impl Cursor {
    /// Counts a pick and returns the number of picks before it.
    pub fn take_turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns - 1
    }
}
