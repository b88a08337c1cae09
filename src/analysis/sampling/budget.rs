//! The error budget: the part of the accepted chance of a false verdict (`alpha`) that each decision may spend.
//!
//! A decision is wrong by chance only where the hypothesis that it rejects is true, so the chance that a verdict is
//! false is at most the sum over the hypotheses that are true together. Several pairs exclude each other: load decides
//! or it does not, made-up values of a cookie stay or move, and a cookie pins or it does not. The test below goes
//! through every state that a balancer can be in and finds the sum to be at most alpha in each.

/// A decision that may be wrong by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum Decision {
    /// Picks are no independent draws.
    IndependentDraws,
    /// Picks follow no other regular order than the one that is named, or none at all.
    RegularOrders,
    /// New values of one key were placed in turn. Looking for the turns divides this part again, as for any order.
    KeyPlacement,
    /// New values of the cookie that pins were placed in turn.
    CookiePlacement,
    /// Cookies pin.
    Stickiness,
    /// One cookie pins when it is sent alone: a part for each of [`MOST_ALONE`] cookies.
    CookieAlone,
    /// The balancer picks once a connection.
    Connection,
    /// The values of one key decide, or play no part.
    Key,
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

/// The largest number of keys of which new values may be placed.
const KEYS: f64 = 5.0;

impl Decision {
    /// The part of alpha that the decision may spend, each time it is made.
    pub const fn share(self) -> f64 {
        match self {
            Decision::IndependentDraws => 0.4,
            Decision::RegularOrders => BudgetPart::RegularOrders.limit(),
            Decision::KeyPlacement | Decision::CookiePlacement => BudgetPart::RegularOrders.limit() / KEYS,
            Decision::Stickiness => 0.05,
            Decision::CookieAlone => 0.05 / MOST_ALONE as f64,
            Decision::Connection => 0.1,
            Decision::Key
            | Decision::MadeUpValues
            | Decision::IssuedValues
            | Decision::NotInTurn
            | Decision::ValuePart => 0.025,
            Decision::Load => 0.05,
        }
    }
}

/// The part of alpha that a decision may spend.
pub fn spend(alpha: f64, decision: Decision) -> f64 {
    alpha * decision.share()
}

/// Returns true if the probability `p` is small enough for a decision.
pub fn is_sure(p: f64, alpha: f64, decision: Decision) -> bool {
    p < spend(alpha, decision)
}

/// The parts of alpha that a reader is shown. Together they are 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum BudgetPart {
    RandomPicks,
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
            BudgetPart::RegularOrders => 0.2,
            BudgetPart::Cookies => 0.1,
            BudgetPart::Connections => 0.1,
            BudgetPart::Experiments => 0.2,
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

    /// A state of the balancer, as far as it decides which hypotheses are true.
    #[derive(Clone, Copy)]
    struct State {
        /// True if one instance answers all free requests. Only then can the address, the path or a header decide.
        one_instance: bool,
        /// The keys that decide by a hash; a table would place new values in turn, which is then no error.
        hashed_keys: usize,
        /// The mechanism of the cookie that pins, if one does. Where one instance answers all free requests, the values
        /// of the cookie are a key.
        pins: Option<Mechanism>,
    }

    fn part(decision: Decision) -> BudgetPart {
        match decision {
            Decision::IndependentDraws => BudgetPart::RandomPicks,
            Decision::RegularOrders | Decision::KeyPlacement => BudgetPart::RegularOrders,
            Decision::CookiePlacement | Decision::Stickiness | Decision::CookieAlone => BudgetPart::Cookies,
            Decision::Connection => BudgetPart::Connections,
            Decision::Key
            | Decision::MadeUpValues
            | Decision::IssuedValues
            | Decision::NotInTurn
            | Decision::ValuePart
            | Decision::Load => BudgetPart::Experiments,
        }
    }

    /// The number of times that a decision rejects a hypothesis that is true in this state.
    fn times(decision: Decision, state: State) -> usize {
        match decision {
            Decision::IndependentDraws | Decision::Connection | Decision::Load => 1,
            Decision::RegularOrders => usize::from(!state.one_instance),
            Decision::KeyPlacement => state.hashed_keys,
            Decision::CookiePlacement | Decision::IssuedValues => usize::from(state.pins == Some(Mechanism::Hash)),
            Decision::Stickiness => usize::from(state.pins.is_none()),
            Decision::CookieAlone => MOST_ALONE,
            // the address, the query, the path, a header; and a cookie where free requests all go to one instance
            Decision::Key => 4 + usize::from(state.one_instance),
            Decision::MadeUpValues => usize::from(state.pins.is_some()),
            Decision::NotInTurn => usize::from(state.pins == Some(Mechanism::Learned)),
            Decision::ValuePart => usize::from(state.pins == Some(Mechanism::Inserted)),
        }
    }

    fn states() -> Vec<State> {
        let several = [None, Some(Mechanism::Inserted), Some(Mechanism::Hash), Some(Mechanism::Learned)]
            .map(|pins| State { one_instance: false, hashed_keys: 0, pins });
        let one = (0..=KEYS as usize).map(|hashed_keys| State { one_instance: true, hashed_keys, pins: None });
        several.into_iter().chain(one).collect()
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
