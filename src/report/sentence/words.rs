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

/// Weights in words, such as `in the proportion 3:1`.
pub fn in_proportion(weights: &[u32]) -> String {
    const MOST: usize = 20;
    let each: Vec<String> = weights.iter().map(u32::to_string).collect();
    match (weights.iter().min(), weights.iter().max()) {
        (Some(least), Some(most)) if weights.len() > MOST => format!("in proportions from {least} to {most}"),
        _ => format!("in the proportion {}", each.join(":")),
    }
}
