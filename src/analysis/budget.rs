//! The budget: which part of the accepted chance of a false verdict each decision may use. The parts add up to one.

/// To rule out independent draws.
pub const INDEPENDENT: f64 = 0.4;
/// To rule out other regular orders than the one that is named, or all of them.
pub const REGULAR: f64 = 0.2;
/// To call a cookie the one that pins.
pub const STICKINESS: f64 = 0.1;
/// To say that a connection is what is balanced.
pub const CONNECTION: f64 = 0.1;
// what is left, a fifth, is for experiments over paths, headers, addresses and slow requests
