//! The analysis: trace in, verdict out. Pure: no I/O, no clock, no async.
//!
//! ```text
//! sequence     a series as the balancer saw it: picks in the order of its turns, with gaps
//!   kept         which requests were picks, where connections were kept
//! picks        the same with its instances numbered, and what is counted in it
//! chance       logarithms of probabilities
//! budget       which part of the accepted chance of a false verdict each decision may use
//! algorithm    which pattern, what else would produce it, and what is ruled out how surely: it asks
//!   exact        for orders that every pick follows: by
//!     order        rings, rounds, repetition
//!     weights      weighted rounds
//!   silent       for the same with turns of instances that fail
//!   disturbed    for orders of which others take some turns, or for none: by
//!     models       all that compete, which are
//!     ring         a ring of which others take turns
//!     rounds       rounds in an order of their own, of which others take turns
//!     counters     several counters on one ring
//!     weighted     weighted orders of which others take turns
//!     staggered    weighted orders that several counters follow
//!     regular      counts that stay together, picks that depend on those before them
//!     independent  independent draws
//!     draws        what is said of these
//!   pieces       for rounds of which the instances change, where nothing has a name
//! finding      what one sequence shows
//! sampling     whether a series needs more requests
//! sticky       does a cookie pin, and which
//! cookies      how the one that pins does
//! maker        whose it is, and what is wrong with it
//! connection   how often the balancer picks
//! session      was the login seen by every reload, and why not
//! hashes       does the client's address, the path or a header decide
//! load         are busy instances avoided
//! elsewhere    instances that the first series has not shown
//! experiments  what these add to a verdict
//! verdict      what all this amounts to
//! expected     how often each instance should have answered
//! samples      how many requests each experiment took and takes
//! expect       what a verdict is held against, and what becomes of it
//! ```
//!
//! Every statement is a hypothesis that was rejected, with the probability of seeing what was seen if it were true.

mod affinity;
mod case;
mod expect;
mod facts;
mod judge;
mod load;
mod math;
mod pattern;
mod sampling;
mod series;
mod session;
mod unseen_instances;
mod verdict;

pub use affinity::{
    connection::enough_on_one_connection,
    cookie_mechanism::{cookies_to_vary, next_values},
    evidence::{ConnectionEvidence, CookieEvidence, Part},
    key_facts::{KeyEvidence, OnlyInstance, Subject},
    keys::{Key, enough_values},
    stickiness::{candidate_cookies, enough_alone, enough_with_jar, sticky_cookie},
    vendor::{Flaw, Vendor},
};
pub use case::Case;
pub use expect::{Actual, Checked, ExpectError, Expectation, Outcome, Strictness, passed};
pub use judge::{judge, one_answers};
pub use load::{LoadEvidence, Strictly, Unclear, enough_load, gets_its_share, perhaps_a_limit, quick_requests};
pub use math::log_prob::in_words;
pub use pattern::evidence as pattern_evidence;
pub use sampling::{
    budget::BudgetPart,
    sizes::{Sample, Sampled, fewest, samples},
    stop::{Sampling, at_most, sampling},
};
pub use session::{Facts, KeptBy, Session, SessionCause, SessionEvidence, SessionVerdict, judge_session};
pub use unseen_instances::{PatternHolds, UnseenEvidence};
pub use verdict::{
    Algorithm, BalancesPer, Hits, Order, RuledOut, Stickiness, StickyBy, StickyCookie, Verdict, evidence::Evidence,
    expected::ASTRAY, natural,
};

/// The chance of a false verdict that is accepted by default: one in a million.
pub const ALPHA: f64 = 1e-6;
