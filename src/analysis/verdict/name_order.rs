//! The order of names in which `web-10` comes after `web-9`.

/// A key by which `web-10` comes after `web-9`.
pub fn natural_order_key(name: &str) -> (String, u64) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (stem.to_owned(), name[stem.len()..].parse().unwrap_or(0))
}
