//! The verdict: what a trace proves of a balancer, and the facts that speak for it.

mod algorithm;
pub mod candidates;
pub mod evidence;
pub mod expected;
mod facets;
mod name_order;
mod ruled_out;
mod types;

pub use algorithm::{Algorithm, Reach};
pub use facets::{BalancesPer, Order, Stickiness, StickyBy};
pub use name_order::natural;
pub use ruled_out::{RuledOut, Test};
pub use types::{Hits, StickyCookie, Verdict};
