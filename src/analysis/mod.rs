//! The analysis: from a trace to a verdict. It is pure: no I/O, no clock, no async.
//!
//! ```text
//! case.rs      a trace, alpha, and what the free series shows, computed once
//! facts.rs     what every question of the analysis found in a case
//! judge.rs     facts → pattern → candidates → verdict, once
//!
//! series/      a series as the balancer saw it: picks in the order of its turns, with gaps
//! math/        logarithms of probabilities, independent draws, weights in lowest terms
//! pattern/     which pattern the picks of one series show
//!   select               asks, in this order:
//!   one_instance, counts   where there is no order to look at
//!   strict_order           orders that every pick follows: cycle, periodic, interleaved_workers
//!   failing_instances      the same with turns of instances that fail
//!   with_background        orders of which others take turns: the models compete (ring, rounds, weighted, …)
//!   random                 independent draws
//!   membership_change      rounds of which the instances change
//! affinity/    what keeps a client on its instance: cookies, keys (address, path, header), connections
//! load/        whether busy instances are avoided
//! unseen_instances  instances that only other series show
//! session      whether every reload saw the login
//! sampling/    when a series is long enough, and the error budget
//! expect/      what a verdict is held against
//! verdict/     the types of a verdict, its evidence, and its candidates
//! ```
//!
//! Every statement is a hypothesis that was rejected, with the probability of what was seen if the hypothesis were true.
//!
//! A new algorithm is a variant of [`Algorithm`], a model in `pattern/` with a variant of `Pattern`, and a row in
//! `verdict::candidates`; the compiler names the other places that must know of it.

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
    evidence::{
        ConnectionEvidence, CookieEvidence, KeyEvidence, MadeUpEvidence, OnlyInstance, Part, Subject, ValueEvidence,
    },
    keys::{Key, enough_values},
    stickiness::{candidate_cookies, enough_alone, enough_with_jar, sticky_cookie},
    vendor::{Flaw, Vendor},
};
pub use case::Case;
pub use expect::{Comparison, ExpectError, Expectation, Outcome, Strictness, VerdictPart, passed};
pub use judge::{is_single_unexplained, judge};
pub use load::{
    Avoidance, LoadEvidence, UnclearReason, busy_get_their_share, enough_load, limit_may_explain, quick_requests,
};
pub use pattern::evidence as pattern_evidence;
pub use sampling::{
    budget::BudgetPart,
    sizes::{Sample, SamplePurpose, fewest_requests, samples},
    stop::{Sampling, decide_sampling, request_limit},
};
pub use session::{
    ServiceSettings, Session, SessionCause, SessionEvidence, SessionKeeper, SessionVerdict, judge_session,
};
pub use unseen_instances::{PatternScope, UnseenEvidence};
pub use verdict::{
    Algorithm, BalancesPer, InstanceHits, Order, Reach, Rejection, RoundShares, Stickiness, StickyBy, StickyCookie,
    Verdict, evidence::Evidence, expected_counts::OUTLIER_CHANCE, natural_order_key,
};

/// The chance of a false verdict that is accepted by default: one in a million.
pub const ALPHA: f64 = 1e-6;
