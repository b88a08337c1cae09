//! Findings: what one sequence shows of the algorithm.

use crate::model::trace::InstanceId;

use crate::analysis::verdict::{Algorithm, Order, RuledOut};

/// What keeps an order from holding for every pick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Disturbed {
    /// Other clients take about this share of the turns.
    ByOthers(f64),
    /// Several counters, instances that come and go, requests without an answer, or others: that cannot be told.
    Somehow,
}

/// What a sequence shows of the algorithm.
#[derive(Debug, Clone)]
pub struct Finding {
    pub algorithm: Algorithm,
    pub candidates: Vec<Algorithm>,
    pub ruled_out: Vec<RuledOut>,
    pub order: Option<Order>,
    pub cycle: Vec<InstanceId>,
    pub repeats_after: Option<usize>,
    /// How often each instance comes in a round, where that is known.
    pub weights: Vec<(InstanceId, u32)>,
    /// Between which bounds each instance's share lies, where picks are independent.
    pub shares: Vec<(InstanceId, (f64, f64))>,
    /// Whether the shares of independent draws may be even.
    pub even: Option<bool>,
    /// Of a regular order that not every pick follows.
    pub disturbed: Option<Disturbed>,
    /// A round robin would need more foreign turns than this share to look so.
    pub regular_beyond: Option<f64>,
    pub evidence: Vec<String>,
}

/// Nothing is named, for this reason.
pub fn undetermined(why: String) -> Finding {
    Finding {
        algorithm: Algorithm::Undetermined,
        candidates: Vec::new(),
        ruled_out: Vec::new(),
        order: None,
        cycle: Vec::new(),
        repeats_after: None,
        weights: Vec::new(),
        shares: Vec::new(),
        even: None,
        disturbed: None,
        regular_beyond: None,
        evidence: vec![why],
    }
}

/// Several instances answered, so there is not one alone.
pub fn not_single() -> RuledOut {
    RuledOut { algorithm: Algorithm::Single, test: "several instances", p: 0.0 }
}
