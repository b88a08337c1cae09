//! The verdict: what a trace proves of a balancer, and the facts that speak for it.

mod algorithm;
pub mod assumption;
pub mod candidates;
pub mod consistency;
pub mod evidence;
pub mod expected_counts;
mod facets;
mod name_order;
mod rejection;
mod types;

pub use algorithm::{Algorithm, Reach, RoundShares};
pub use facets::{BalancesPer, Order, Stickiness, StickyBy};
pub use name_order::natural_order_key;
pub use rejection::{Rejection, Test};
pub use types::{InstanceHits, StickyCookie, Verdict};
