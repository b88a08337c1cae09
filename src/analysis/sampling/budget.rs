//! The budget: which part of the accepted chance of a false verdict each decision may use. The parts add up to one.

/// To rule out independent draws.
pub const INDEPENDENT: f64 = 0.4;
/// To rule out other regular orders than the one that is named, or all of them. Where one instance answers all and there
/// is no order, it goes to the order in which new values of something are placed,
pub const REGULAR: f64 = 0.2;
/// a part for each thing whose values are varied. Whoever looks for an order divides it again, as for any other.
pub const PLACED: f64 = REGULAR / 5.0;
/// To say that cookies pin,
pub const STICKINESS: f64 = 0.05;
/// and to say it of each of so many that are tried alone.
pub const ALONE: f64 = 0.05 / MOST_ALONE as f64;
/// Cookies that are tried alone, at most: those that were set first.
pub const MOST_ALONE: usize = 8;
/// To say that a connection is what is balanced.
pub const CONNECTION: f64 = 0.1;
/// For each of the two hypotheses on load, of which one is true.
pub const LOAD: f64 = 0.05;
/// For experiments over paths, headers, addresses and slow requests.
pub const EXPERIMENTS: f64 = 0.2;

/// Each part and what it is for, in words.
pub const PARTS: [(f64, &str); 5] = [
    (INDEPENDENT, "picks at random"),
    (REGULAR, "other regular orders"),
    (STICKINESS + MOST_ALONE as f64 * ALONE, "cookies that pin"),
    (CONNECTION, "picks once a connection"),
    (EXPERIMENTS, "experiments"),
];
