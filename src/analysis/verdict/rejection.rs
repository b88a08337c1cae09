//! The algorithms that a verdict rules out, each by a test.

use super::algorithm::Algorithm;

/// An algorithm that is ruled out by a test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rejection {
    pub algorithm: Algorithm,
    pub test: Test,
    /// The largest probability of what was seen, over the algorithm's parameters.
    pub p: f64,
}

/// The test that an algorithm did not pass. Its name in JSON is the text in its attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub enum Test {
    #[strum(serialize = "one instance alone")]
    OneAlone,
    #[strum(serialize = "several instances")]
    SeveralInstances,
    #[strum(serialize = "even counts")]
    EvenCounts,
    #[strum(serialize = "fixed cycle")]
    FixedCycle,
    #[strum(serialize = "whole rounds")]
    WholeRounds,
    #[strum(serialize = "interleaved cycles")]
    InterleavedCycles,
    #[strum(serialize = "repeating order")]
    RepeatingOrder,
    #[strum(serialize = "whole weighted rounds")]
    WholeWeightedRounds,
    #[strum(serialize = "unequal rounds")]
    UnequalRounds,
    #[strum(serialize = "more regular than chance")]
    MoreRegularThanChance,
    #[strum(serialize = "too regular")]
    TooRegular,
    #[strum(serialize = "requests at once go to different instances")]
    RequestsAtOnceDiffer,
    #[strum(serialize = "rounds until others take over")]
    RoundsUntilOthersTakeOver,
    #[strum(serialize = "independent draws foretell better")]
    DrawsPredictBetter,
    #[strum(serialize = "with cookies one instance alone")]
    WithCookiesOneAlone,
    #[strum(serialize = "made-up values of the cookie stay")]
    MadeUpValuesStay,
    #[strum(serialize = "made-up values of the cookie move")]
    MadeUpValuesMove,
    #[strum(serialize = "over one connection one instance alone")]
    OverOneConnectionOneAlone,
    #[strum(serialize = "each value has its own instance")]
    EachValueHasItsInstance,
    #[strum(serialize = "new values came in turn")]
    NewValuesInTurn,
    #[strum(serialize = "busy instances are avoided")]
    BusyAvoided,
    #[strum(serialize = "busy instances get their share")]
    BusyGetTheirShare,
    #[strum(serialize = "another answers while it is busy")]
    AnotherAnswersWhileBusy,
    #[strum(serialize = "a busy instance gets everything")]
    BusyGetsEverything,
}

impl Test {
    /// The name of the test in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
