//! Load: judges if busy instances are avoided.
//!
//! Slow requests keep instances busy, which their answers name, and quick requests are sent meanwhile. There are two
//! hypotheses. If load plays no part, busy instances get the share that they have without load. If load decides, a busy
//! instance is picked at most as often as when two picks at random both meet busy ones (power of two choices,
//! Mitzenmacher 2001). Each hypothesis is compared with models by likelihood ratios, which may be looked at after every
//! request (Ville 1939). Only one of the two is true, so the chance of a false verdict is that of one test.

mod effect;
pub mod evidence;
mod observe;
mod pick;
mod ratios;

pub use effect::{LimitOfOne, Load, LoadEffect};
pub use evidence::{Avoidance, LoadEvidence, UnclearReason};
pub use observe::{enough_load, limit_may_explain, need_requests_afterwards, observe_load, quick_requests};
