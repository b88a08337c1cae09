//! The analysis: from a trace to a verdict. It is pure: no I/O, no clock, no async.
//!
//! ```text
//! case.rs      a trace, alpha, and the pattern of the free series, computed once
//! facts.rs     the finding of every question of the analysis in a case
//! judge.rs     facts → pattern → candidates → verdict, once
//!
//! series/      a series as the balancer saw it: picks in the order of its turns, with gaps
//! math/        logarithms of probabilities, independent draws, weights in lowest terms
//! pattern/     the pattern that the picks of one series show
//!   select               tries, in this order:
//!   one_instance, counts   where there is no order to look at
//!   strict_order           orders that every pick follows: cycle, periodic, interleaved_workers
//!   rare_instances         the same without instances whose answers may be stray
//!   failing_instances      the same with turns of instances that fail
//!   with_background        orders of which others take turns: the models compete (ring, rounds, weighted, …)
//!   random                 independent draws
//!   membership_change      rounds of which the instances change
//!   at_once                groups of requests at once, where the order stays open
//! affinity/    the ties of a client to its instance
//!   treatment, comparison  a cookie or a connection keeps a client: exact tests of passes by lot
//!   keys, permutation      an address, a path, a header or a cookie decides: exact tests of shuffled passes
//!   moves, failures        nothing keeps a client, or a value moves: more often than failures explain
//!   stickiness, connection, cookie_mechanism, placement  the statements that follow
//! load/        busy instances, and if they are avoided
//! unseen_instances  instances that only other series show
//! session      the login, and if every reload saw it
//! sampling/    the length of a series, and the error budget
//! addresses    the comparison of the verdicts on several addresses of one name
//! expect/      expectations that a verdict is compared with
//! verdict/     the types of a verdict, its evidence and its candidates, and the last look at what contradicts itself
//! ```
//!
//! Every statement of a verdict rejects a hypothesis, with the probability of the observations if the hypothesis were
//! true.
//!
//! A new algorithm is a variant of [`Algorithm`] with its arm in each method there, a model in `pattern/` with a variant of
//! `Pattern`, and a row in `verdict::candidates`; the compiler names these places. The others ask the methods of
//! [`Algorithm`], such as [`Algorithm::reach`].

mod addresses;
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

pub use addresses::{AddressComparison, Agreement, compare_addresses};
pub use affinity::{
    comparison::BLOCK,
    connection::enough_on_one_connection,
    cookie_mechanism::{cookies_to_vary, next_values},
    evidence::{
        ConnectionEvidence, CookieEvidence, EffectEvidence, KeyEvidence, KeyName, MadeUpEvidence, OnlyInstance, Part,
        StayScope, ValueEvidence,
    },
    key_facts::key_decides,
    keys::{Key, enough_values},
    next_comparison::treatments_to_compare,
    stickiness::{enough_with_jar, sticky_cookie},
    treatment::Treatment,
    vendor::Flaw,
};
pub use case::Case;
pub use expect::{Comparison, ExpectError, Expectation, Outcome, Strictness, VerdictPart, combined_outcome};
pub use judge::{is_single_unexplained, judge};
pub use load::{
    Avoidance, LoadEvidence, UnclearReason, enough_load, limit_may_explain, need_requests_afterwards, quick_requests,
};
pub use pattern::{
    at_once::{enough_groups, groups_to_send},
    evidence as pattern_evidence,
    unmodelled::UnmodelledMechanism,
};
pub use sampling::{
    budget::BudgetPart,
    sizes::{Sample, SamplePurpose, fewest_requests, samples},
    stop::{SampleState, decide_sampling, request_limit},
};
pub use session::{ServiceSettings, Session, SessionCause, SessionEvidence, SessionVerdict, judge_session};
pub use unseen_instances::{PatternScope, UnseenEvidence};
pub use verdict::{
    Algorithm, BalancesPer, InstanceHits, Order, Reach, RoundShares, Stickiness, StickyBy, StickyCookie, Verdict,
    assumption::{Assumption, Claim, ClaimTest},
    consistency::find_contradictions,
    evidence::Evidence,
    expected_counts::OUTLIER_CHANCE,
    natural_order_key,
};

/// The chance of a false verdict that is accepted by default: one in a million.
pub const ALPHA: f64 = 1e-6;
