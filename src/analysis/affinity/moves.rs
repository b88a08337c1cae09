//! Moves: judges if the requests of one client change their instance too often for something that keeps the client on it.

use crate::{
    analysis::{
        affinity::failures::MAX_SHARE_OF_FAILURES,
        math::log_prob::{ln_extreme, probability},
    },
    model::trace::InstanceId,
};

/// The requests of one client that could have moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moves {
    /// The number of requests that went to another instance than the one before.
    pub moves: usize,
    /// The number of requests with one before them.
    pub further: usize,
}

impl Moves {
    /// Counts the moves of these answers, in the order of sending.
    pub fn count(answers: &[InstanceId]) -> Moves {
        let moves = answers.windows(2).filter(|pair| pair[0] != pair[1]).count();
        Moves { moves, further: answers.len().saturating_sub(1) }
    }

    /// The probability that a client that is kept moves as often as this, by Chernoff's bound. It holds after whichever
    /// request one looks.
    pub fn p_if_kept(self) -> f64 {
        let Moves { moves, further } = self;
        if moves as f64 <= MAX_SHARE_OF_FAILURES * further as f64 {
            return 1.0;
        }
        probability(ln_extreme(moves, further, MAX_SHARE_OF_FAILURES) + (further as f64).ln())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failover_is_no_move_of_a_free_client() {
        assert!(Moves { moves: 1, further: 3 }.p_if_kept() > 0.05);
        assert!(Moves { moves: 2, further: 40 }.p_if_kept() > 0.05);
        assert_eq!(Moves { moves: 0, further: 40 }.p_if_kept(), 1.0);
        // a ring moves each time, and draws of two every second
        assert!(Moves { moves: 7, further: 7 }.p_if_kept() < 1e-9);
        assert!(Moves { moves: 10, further: 20 }.p_if_kept() < 1e-8);
    }
}
