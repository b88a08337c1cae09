//! Logarithms of probabilities, because the probabilities themselves are too small to handle.

/// ln(n!), by summation: n is a number of instances, so small.
pub fn ln_factorial(n: usize) -> f64 {
    (2..=n).map(|k| (k as f64).ln()).sum()
}

/// The logarithm of the number of ways to choose `k` of `n`, where `k` is at most `n`.
pub fn ln_choose(n: usize, k: usize) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// The probability of `hits` hits or more in `tries` tries, each of which hits with the probability `share`, from 0 to 1.
pub fn binomial_tail(hits: usize, tries: usize, share: f64) -> f64 {
    let term = |count: usize, share: f64| if count == 0 { 0.0 } else { count as f64 * share.ln() };
    let ln = |hits: usize| ln_choose(tries, hits) + term(hits, share) + term(tries - hits, 1.0 - share);
    (hits..=tries).map(|hits| ln(hits).exp()).sum::<f64>().clamp(f64::MIN_POSITIVE, 1.0)
}

/// The log-probability of a sequence with these counts under the independent draws that fit it best, which no other
/// independent draws exceed: Σ cᵢ ln(cᵢ / Σc).
pub fn ln_best_independent(counts: &[usize]) -> f64 {
    let total: usize = counts.iter().sum();
    counts.iter().filter(|&&count| count > 0).map(|&count| count as f64 * (count as f64 / total as f64).ln()).sum()
}

/// The logarithm of the mean of probabilities, from their logarithms.
pub fn ln_mean(lns: &[f64]) -> f64 {
    let best = lns.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if best == f64::NEG_INFINITY {
        return best;
    }
    best + (lns.iter().map(|ln| (ln - best).exp()).sum::<f64>() / lns.len() as f64).ln()
}

/// A probability from its logarithm. A bound above 1 becomes 1, and a tiny probability never becomes zero.
pub fn probability(ln: f64) -> f64 {
    ln.exp().clamp(f64::MIN_POSITIVE, 1.0)
}

/// The largest share that an event may have if it was seen `hits` times in `tries` tries, but for a chance of `alpha`:
/// Chernoff's bound, solved for the share.
pub fn largest_share(hits: usize, tries: usize, alpha: f64) -> f64 {
    if tries == 0 {
        return 1.0;
    }
    let seen = hits as f64 / tries as f64;
    let excess = |share: f64| tries as f64 * divergence(seen, share) - (1.0 / alpha).ln();
    let (mut low, mut high) = (seen, 1.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if excess(middle) < 0.0 { low = middle } else { high = middle }
    }
    high
}

/// The logarithm of Chernoff's bound on the probability of `hits` hits in `tries` tries, or of more extreme ones on the
/// same side of `share`.
pub fn ln_extreme(hits: usize, tries: usize, share: f64) -> f64 {
    if tries == 0 { 0.0 } else { -(tries as f64) * divergence(hits as f64 / tries as f64, share) }
}

/// Kullback-Leibler divergence between two coins.
fn divergence(p: f64, q: f64) -> f64 {
    let term = |p: f64, q: f64| if p == 0.0 { 0.0 } else { p * (p / q).ln() };
    term(p, q) + term(1.0 - p, 1.0 - q)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_may_be_larger_than_it_looked() {
        assert_eq!(largest_share(0, 0, 1e-6), 1.0);
        assert!((largest_share(0, 14, 1e-6) - (1.0 - 1e-6_f64.powf(1.0 / 14.0))).abs() < 1e-9);
        assert!((0.4..0.5).contains(&largest_share(20, 100, 1e-6)));
        assert!(largest_share(10, 10, 1e-6) > 0.999_999);
    }

    #[test]
    fn a_tail_is_exact() {
        assert!((binomial_tail(7, 8, 0.5) - 9.0 / 256.0).abs() < 1e-12);
        assert_eq!((binomial_tail(0, 8, 0.5), binomial_tail(2, 2, 1.0)), (1.0, 1.0));
    }

    #[test]
    fn even_draws_fit_even_counts_best() {
        let ln = ln_best_independent(&[5, 5]);
        assert!((ln - 10.0 * 0.5f64.ln()).abs() < 1e-12);
        assert!((ln_factorial(5) - 120f64.ln()).abs() < 1e-12);
    }
}
