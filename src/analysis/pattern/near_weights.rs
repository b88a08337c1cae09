//! Near weights: the weights that so many regular picks may hide, because they are nearly the same.
//!
//! An order that spreads each weight over its round, as the smooth one of nginx, that of earliest deadlines, and a clumped
//! one do, strays from equal weights by one pick after a while that is the longer the nearer the weights are. The bounds
//! below hold for each of these orders and every place in it; a test in `tests/it/simulation` tries all small weights.
//! Rounds that serve all instances until the smaller weights are used up hide more, and are named as not modelled.

/// Nearly equal weights, as another explanation of equal counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NearWeights {
    /// Weights may differ, and by how much is not known.
    Possible,
    /// Weights of which the largest is more than this many times the smallest would have shown.
    CloserThan(f64),
}

/// The picks that regular rounds may be away from equal weights at both ends of a window.
const AWAY_IN_ROUNDS: f64 = 3.0;

/// The weights that a ring of `k` instances may hide, of which every one of `picks` picks was seen.
pub fn in_ring(k: usize, picks: usize) -> NearWeights {
    bound(k, 1.0, (picks + 1).saturating_sub(2 * k))
}

/// The weights that rounds of `k` instances in changing orders may hide, or counts of which none is more than one above
/// another.
pub fn in_rounds(k: usize, picks: usize) -> NearWeights {
    bound(k, AWAY_IN_ROUNDS, picks.saturating_sub(2 * k))
}

/// The number of picks after which a ring of `k` instances hides no weights of which the largest is this many times the
/// smallest. `None` for equal weights, which no number of picks tells from near ones.
pub fn ring_picks_needed(k: usize, ratio: f64) -> Option<usize> {
    (ratio > 1.0).then(|| (2 * k - 1) + (k as f64 / (ratio - 1.0)).ceil() as usize)
}

fn bound(k: usize, away: f64, spare: usize) -> NearWeights {
    match spare {
        0 => NearWeights::Possible,
        _ => NearWeights::CloserThan(1.0 + away * k as f64 / spare as f64),
    }
}

/// The bounds of the share of each of `k` instances whose weights are closer than 1 to `ratio`.
pub fn share_between(k: usize, ratio: f64) -> (f64, f64) {
    let others = k as f64 - 1.0;
    (1.0 / (1.0 + others * ratio), ratio / (ratio + others))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_falls_with_the_number_of_picks() {
        assert_eq!(in_ring(2, 3), NearWeights::Possible);
        // 50:49 alternates for 99 picks
        let NearWeights::CloserThan(ratio) = in_ring(2, 99) else { panic!() };
        assert!(ratio > 50.0 / 49.0 && ratio < 1.022, "{ratio}");
        assert_eq!(ring_picks_needed(2, 1.01), Some(203));
        assert_eq!(ring_picks_needed(2, 1.0), None);
    }

    #[test]
    fn the_shares_of_near_weights_lie_around_even_ones() {
        let (least, most) = share_between(2, 50.0 / 49.0);
        assert!((least - 49.0 / 99.0).abs() < 1e-9 && (most - 50.0 / 99.0).abs() < 1e-9);
    }
}
