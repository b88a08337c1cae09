//! Weights as whole numbers.

/// Weights without a common divisor, in the same order.
pub fn lowest_terms(weights: &[u32]) -> Vec<u32> {
    let divisor = weights.iter().copied().fold(0, greatest_common_divisor).max(1);
    weights.iter().map(|weight| weight / divisor).collect()
}

/// The greatest common divisor, by Euclid's algorithm.
fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_no_common_divisor() {
        assert_eq!(lowest_terms(&[6, 2, 4]), [3, 1, 2]);
        assert_eq!(lowest_terms(&[0, 0]), [0, 0]);
    }
}
