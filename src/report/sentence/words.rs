//! Words that several sentences share.

/// A share in words, such as `about 12 %`.
pub fn about(share: f64) -> String {
    if share < 0.005 { "less than 1 %".to_owned() } else { format!("about {:.0} %", share * 100.0) }
}

/// A share in per cent, rounded up.
pub fn per_cent_up(share: f64) -> String {
    format!("{:.0} %", (share * 100.0).ceil())
}

/// A number of times in words, such as `once` or `3 times`.
pub fn times(n: usize) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

/// A ratio in words, such as `1 : 1.05`, in as many digits as its distance from 1 needs, rounded up.
pub fn ratio_in_words(ratio: f64) -> String {
    let digits = (2.0 - (ratio - 1.0).max(1e-9).log10()).floor().clamp(1.0, 9.0);
    let scale = 10f64.powf(digits);
    format!("1 : {}", (ratio * scale - 1e-9).ceil() / scale)
}

/// A number of requests in two digits, rounded up.
pub fn about_count(count: usize) -> usize {
    let scale = 10_usize.pow(count.max(1).ilog10().saturating_sub(1));
    count.div_ceil(scale) * scale
}

/// Weights in words, such as `in the proportion 3:1`.
pub fn in_proportion(weights: &[u32]) -> String {
    const MOST: usize = 20;
    let each: Vec<String> = weights.iter().map(u32::to_string).collect();
    match (weights.iter().min(), weights.iter().max()) {
        (Some(least), Some(most)) if weights.len() > MOST => format!("in proportions from {least} to {most}"),
        _ => format!("in the proportion {}", each.join(":")),
    }
}

/// A number of moves to another instance, such as `1 move`.
pub fn number_of_moves(moves: usize) -> String {
    if moves == 1 { "1 move".to_owned() } else { format!("{moves} moves") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_and_counts_are_rounded_up() {
        assert_eq!(ratio_in_words(1.0 + 2.0 / 43.0), "1 : 1.047");
        assert_eq!(ratio_in_words(1.238_1), "1 : 1.24");
        assert_eq!(ratio_in_words(1.0 + 2.0 / 1997.0), "1 : 1.0011");
        assert_eq!(ratio_in_words(2.5), "1 : 2.5");
        assert_eq!(
            (about_count(606), about_count(7), about_count(99), about_count(1_000_000)),
            (610, 7, 99, 1_000_000)
        );
    }
}
