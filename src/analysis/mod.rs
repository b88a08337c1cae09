//! The analysis: trace in, verdict out. Pure: no I/O, no clock, no async.
//!
//! ```text
//! sequence   a series as the balancer saw it: picks in the order of its turns, with gaps
//! chance     logarithms of probabilities
//! order      is there a round, is it the same each time, after how many picks does it repeat
//! regular    how much better than independent draws a regular order explains the picks
//! algorithm  which pattern, what else would produce it, and what is ruled out how surely
//! sticky     does a cookie pin, and which; per request or per connection
//! session    was the login seen by every reload, and why not
//! verdict    what all this amounts to
//! ```
//!
//! Every statement is a hypothesis that was rejected, with the probability of seeing what was seen if it were true.

mod algorithm;
mod chance;
mod order;
mod regular;
mod sequence;
mod session;
mod sticky;
mod verdict;

pub use algorithm::{Sampling, sampling};
pub use session::{Facts, KeptBy, Session, SessionVerdict, judge_session};
pub use sticky::{candidate_cookies, enough_alone, enough_on_one_connection, enough_with_jar};
pub use verdict::{Algorithm, BalancesPer, Hits, Order, RuledOut, Stickiness, Verdict, judge};

/// The chance of a false verdict that is accepted by default: one in a million.
pub const ALPHA: f64 = 1e-6;
