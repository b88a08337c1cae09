//! The error budget: the part of the accepted chance of a false verdict (`alpha`) that each decision may spend.
//!
//! A decision is wrong by chance only where the hypothesis that it rejects is true, so the chance that a verdict is
//! false is at most the sum over the hypotheses that are true together. Several pairs exclude each other: load decides
//! or it does not, made-up values of a cookie stay or move, and a cookie pins or it does not. The test below goes
//! through every state that a balancer can be in and finds the sum to be at most alpha in each.

/// A decision that may be wrong by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum Decision {
    /// Picks are no independent draws, because one instance answers everything.
    IndependentDraws,
    /// Picks are no independent draws, because counts are even. Where requests overlap, no order is looked for.
    EvenCounts,
    /// Picks are no independent draws, because every pick follows a ring.
    Ring,
    /// The same for each of the [`OTHER_ORDERS`] that every pick may follow.
    OtherOrder,
    /// The same for a ring or one of the others, where requests without an answer have their places in it.
    OrderWithFailures,
    /// The same where instances that came seldom are taken for stray answers.
    OrderWithStrays,
    /// Picks are no independent draws, because a regular order of which others take turns predicts them better: a part for
    /// all instances, and one for those that did not come seldom.
    DisturbedOrder,
    /// Picks are no independent draws, because requests at once go to different instances.
    RequestsAtOnce,
    /// Picks are no independent draws, because each depends on those before it in some way.
    Dependence,
    /// Picks are no independent draws, because rounds of which the instances change hold every pick.
    ChangingInstances,
    /// The answers of other instances are too many for stray answers.
    StrayAnswers,
    /// Picks follow no other regular order than the one that is named, or none at all. This part is divided by
    /// [`REGULAR_CLAIMS`].
    RegularOrders,
    /// New values of one key were placed in turn. Looking for the turns divides this part again, as for any order.
    KeyPlacement,
    /// New values of the cookie that pins were placed in turn.
    CookiePlacement,
    /// Cookies pin: it is rejected that the client is free.
    Stickiness,
    /// One cookie pins when it is sent alone: a part for each of [`MOST_ALONE`] cookies.
    CookieAlone,
    /// Cookies do not pin: it is rejected that a pinned client moves in up to 2 % of its requests. A part for the jar, and
    /// one for each of [`MOST_ALONE`] cookies.
    MovesWithCookies,
    /// The balancer picks once a connection: it is rejected that requests on one connection are free.
    Connection,
    /// The balancer picks for each request: it is rejected that requests on one connection move in up to 2 % of all
    /// cases, because an instance fails.
    PicksEachRequest,
    /// The values of one key decide, or play no part.
    Key,
    /// The same value of a key led to different instances: it is rejected that a value moves in up to 2 % of its
    /// requests, because an instance fails.
    KeyMoves,
    /// Made-up values of the cookie that pins stay with their instances, or they move.
    MadeUpValues,
    /// Values of the cookie lead back to the instance that issued them.
    IssuedValues,
    /// New values of the cookie were not placed in turn.
    NotInTurn,
    /// A part of the cookie's value leads to the instance that it names.
    ValuePart,
    /// Busy instances are avoided, or get their share.
    Load,
}

/// The most cookies that are sent alone: those that were set first.
pub const MOST_ALONE: usize = 8;

/// The kinds of orders, besides a ring, that every pick may follow: whole rounds, workers in turn, an order that repeats,
/// and weighted rounds.
pub const OTHER_ORDERS: usize = 4;

/// The claims about one sequence that reject a regular order that may be true: another order, a weight of this order, and
/// that there is none.
pub const REGULAR_CLAIMS: usize = 3;

/// The largest number of keys of which new values may be placed.
const KEYS: f64 = 5.0;

impl Decision {
    /// The part of alpha that the decision may spend, each time it is made.
    pub const fn share(self) -> f64 {
        match self {
            // most series that are named show a ring or one instance
            Decision::IndependentDraws => 0.24,
            Decision::EvenCounts => 0.16,
            Decision::Ring => 0.105,
            Decision::OtherOrder => 0.024 / OTHER_ORDERS as f64,
            Decision::OrderWithFailures => 0.01 / (1 + OTHER_ORDERS) as f64,
            Decision::OrderWithStrays => 0.005 / (1 + OTHER_ORDERS) as f64,
            Decision::DisturbedOrder => 0.005,
            Decision::RequestsAtOnce | Decision::Dependence | Decision::ChangingInstances => 0.002,
            Decision::StrayAnswers => BudgetPart::StrayAnswers.limit(),
            Decision::RegularOrders => BudgetPart::RegularOrders.limit(),
            Decision::KeyPlacement | Decision::CookiePlacement => BudgetPart::RegularOrders.limit() / KEYS,
            Decision::Stickiness => 0.05,
            Decision::CookieAlone => 0.05 / MOST_ALONE as f64,
            Decision::MovesWithCookies => 0.005,
            Decision::Connection | Decision::PicksEachRequest => BudgetPart::Connections.limit(),
            Decision::Key => 0.0175,
            Decision::KeyMoves => 0.005,
            Decision::MadeUpValues | Decision::IssuedValues | Decision::NotInTurn | Decision::ValuePart => 0.01,
            Decision::Load => 0.03,
        }
    }
}

/// The part of alpha that a decision may spend.
pub fn spend(alpha: f64, decision: Decision) -> f64 {
    alpha * decision.share()
}

/// The parts of alpha that the kinds of orders may spend that every pick follows.
#[derive(Debug, Clone, Copy)]
pub struct OrderBudget {
    pub ring: f64,
    /// The part of each other kind.
    pub other: f64,
}

impl OrderBudget {
    /// The parts for orders of all picks.
    pub fn of_all_picks(alpha: f64) -> OrderBudget {
        OrderBudget { ring: spend(alpha, Decision::Ring), other: spend(alpha, Decision::OtherOrder) }
    }

    /// The same part for each kind.
    pub fn of_decision(alpha: f64, decision: Decision) -> OrderBudget {
        let each = spend(alpha, decision);
        OrderBudget { ring: each, other: each }
    }
}

/// The part of alpha that one claim about regular orders may spend.
pub fn spend_on_regular_claim(alpha: f64) -> f64 {
    spend(alpha, Decision::RegularOrders) / REGULAR_CLAIMS as f64
}

/// Returns true if the probability `p` is small enough for a decision.
pub fn is_sure(p: f64, alpha: f64, decision: Decision) -> bool {
    p < spend(alpha, decision)
}

/// The parts of alpha that a reader is shown. Together they are 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum BudgetPart {
    RandomPicks,
    StrayAnswers,
    RegularOrders,
    Cookies,
    Connections,
    Experiments,
}

impl BudgetPart {
    /// The most that all decisions of this part spend together.
    pub const fn limit(self) -> f64 {
        match self {
            BudgetPart::RandomPicks => 0.4,
            BudgetPart::StrayAnswers => 0.02,
            BudgetPart::RegularOrders => 0.2,
            BudgetPart::Cookies => 0.1,
            BudgetPart::Connections => 0.1,
            BudgetPart::Experiments => 0.18,
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray as _;

    use super::*;

    /// The way in which a cookie pins.
    #[derive(Clone, Copy, PartialEq)]
    enum Mechanism {
        Inserted,
        Hash,
        Learned,
    }

    /// Whether requests on one connection stay on an instance.
    #[derive(Clone, Copy, PartialEq)]
    enum Connections {
        Stay,
        Move,
    }

    /// Whether requests are sent one after the other, so that their order is the balancer's.
    #[derive(Clone, Copy, PartialEq)]
    enum VisibleOrder {
        Whole,
        None,
    }

    /// A state of a balancer, as far as it decides which hypotheses are true.
    #[derive(Clone, Copy)]
    struct State {
        one_instance: bool,
        /// The keys that decide by a hash; a table would place new values in turn, which is then no error.
        hashed_keys: usize,
        /// The mechanism of the cookie that pins, if one does. Where one instance answers all free requests, the values
        /// of the cookie are a key.
        pins: Option<Mechanism>,
        connections: Connections,
        order: VisibleOrder,
    }

    fn part(decision: Decision) -> BudgetPart {
        match decision {
            Decision::IndependentDraws
            | Decision::EvenCounts
            | Decision::Ring
            | Decision::OtherOrder
            | Decision::OrderWithFailures
            | Decision::OrderWithStrays
            | Decision::DisturbedOrder
            | Decision::RequestsAtOnce
            | Decision::Dependence
            | Decision::ChangingInstances => BudgetPart::RandomPicks,
            Decision::StrayAnswers => BudgetPart::StrayAnswers,
            Decision::RegularOrders | Decision::KeyPlacement => BudgetPart::RegularOrders,
            Decision::CookiePlacement | Decision::Stickiness | Decision::CookieAlone | Decision::MovesWithCookies => {
                BudgetPart::Cookies
            }
            Decision::Connection | Decision::PicksEachRequest => BudgetPart::Connections,
            Decision::Key
            | Decision::KeyMoves
            | Decision::MadeUpValues
            | Decision::IssuedValues
            | Decision::NotInTurn
            | Decision::ValuePart
            | Decision::Load => BudgetPart::Experiments,
        }
    }

    /// The number of times that a decision rejects a hypothesis that is true in this state.
    fn times(decision: Decision, state: State) -> usize {
        // the address, the query, the path, a header; and a cookie where free requests all go to one instance
        let keys = 4 + usize::from(state.one_instance);
        let ordered = usize::from(state.order == VisibleOrder::Whole);
        match decision {
            Decision::EvenCounts => usize::from(state.order == VisibleOrder::None),
            Decision::Ring | Decision::RequestsAtOnce | Decision::Dependence | Decision::ChangingInstances => ordered,
            Decision::OtherOrder => OTHER_ORDERS * ordered,
            Decision::OrderWithFailures | Decision::OrderWithStrays => (1 + OTHER_ORDERS) * ordered,
            Decision::DisturbedOrder => 2 * ordered,
            Decision::IndependentDraws | Decision::StrayAnswers | Decision::Load => 1,
            Decision::Connection => usize::from(state.connections == Connections::Move),
            Decision::PicksEachRequest => usize::from(state.connections == Connections::Stay),
            Decision::RegularOrders => usize::from(!state.one_instance),
            Decision::KeyPlacement => state.hashed_keys,
            Decision::CookiePlacement => usize::from(state.pins == Some(Mechanism::Hash)),
            Decision::Stickiness => usize::from(state.pins.is_none()),
            // each cookie is free or it pins; with more that pin less is spent, because the part of a move is smaller
            Decision::CookieAlone => MOST_ALONE - usize::from(state.pins.is_some()),
            // in the jar, and alone
            Decision::MovesWithCookies => 2 * usize::from(state.pins.is_some()),
            // and a hash of the path, by what the query and the path show together
            Decision::Key => keys + 1,
            Decision::KeyMoves => keys,
            Decision::MadeUpValues | Decision::IssuedValues => usize::from(state.pins.is_some()),
            Decision::NotInTurn => usize::from(matches!(state.pins, Some(Mechanism::Learned | Mechanism::Hash))),
            Decision::ValuePart => usize::from(matches!(state.pins, Some(Mechanism::Inserted | Mechanism::Learned))),
        }
    }

    fn states() -> Vec<State> {
        let pins = [None, Some(Mechanism::Inserted), Some(Mechanism::Hash), Some(Mechanism::Learned)];
        let of = |(connections, order)| {
            let several = pins.map(|pins| State { one_instance: false, hashed_keys: 0, pins, connections, order });
            let one = (0..=KEYS as usize).map(move |hashed_keys| State {
                one_instance: true,
                hashed_keys,
                pins: None,
                connections,
                order,
            });
            several.into_iter().chain(one)
        };
        let connections = [Connections::Stay, Connections::Move].into_iter();
        let each = connections.flat_map(|stay| [VisibleOrder::Whole, VisibleOrder::None].map(|order| (stay, order)));
        each.flat_map(of).collect()
    }

    #[test]
    fn no_state_of_a_balancer_spends_more_than_alpha() {
        for state in states() {
            let spent = |decision: &Decision| decision.share() * times(*decision, state) as f64;
            let sum: f64 = Decision::VARIANTS.iter().map(spent).sum();
            assert!(sum <= 1.0 + 1e-12, "{sum}");
            for shown in BudgetPart::VARIANTS {
                let of_part = Decision::VARIANTS.iter().filter(|decision| part(**decision) == *shown);
                let sum: f64 = of_part.map(spent).sum();
                assert!(sum <= shown.limit() + 1e-12, "{shown:?}: {sum}");
            }
        }
    }

    #[test]
    fn the_parts_that_are_shown_add_up_to_one() {
        assert!((BudgetPart::VARIANTS.iter().map(|part| part.limit()).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
