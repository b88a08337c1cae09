//! The evidence of one sequence of picks, as facts with their figures. `p` is always the probability of the fact if
//! instances were picked at random.

use crate::model::trace::InstanceId;

/// The unit that is counted where connections are reused: each request, or each connection if only its first request is
/// a pick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Requests,
    Connections,
}

/// A comparison of the shares of independent draws with even shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evenness {
    /// Even shares are ruled out.
    Uneven,
    /// The counts fit uneven shares better, but even ones are not ruled out.
    PerhapsUneven,
    Even,
}

/// A part of a sequence in which the same instances go round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub requests: usize,
    pub instances: usize,
}

/// A share of turns that other clients took, or the reason why there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BackgroundTurns {
    Share(f64),
    /// Some turns were taken, and their share is not known.
    Some,
}

/// The possible takers of the turns that were not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnTakers {
    Background,
    BackgroundOrWorkers,
}

/// The precision with which weights are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    Exact,
    Rough,
}

/// One fact about the picks of one sequence.
#[derive(Debug, Clone, PartialEq)]
pub enum PatternEvidence {
    /// One instance gave all answers that name one.
    OneInstance(OneInstanceEvidence),
    /// Requests overlapped, so only the counts of answers are known.
    Counts(CountsEvidence),
    /// An order without weights that every pick follows.
    Order(OrderEvidence),
    /// An order in which some instances come more often than others.
    Weights(WeightsEvidence),
    /// An order without weights of which other clients take turns.
    Background(BackgroundEvidence),
    Change(ChangeEvidence),
    /// The probability that picks at random would be as regular.
    Chance(ChanceEvidence),
    Draws(DrawsEvidence),
    /// Groups of requests at once.
    AtOnce(AtOnce),
    /// Answers that may have come from no regular member.
    Stray(StrayEvidence),
    Series(SeriesEvidence),
}

/// One instance gave all answers that name one.
#[derive(Debug, Clone, PartialEq)]
pub enum OneInstanceEvidence {
    /// One instance answered over so few connections that a pick for each connection may be chance.
    FewConnections {
        instance: InstanceId,
        answered: usize,
        connections: usize,
    },
    /// One instance answered, and failures came as regularly as turns of another.
    RegularFailures {
        instance: InstanceId,
    },
    /// One instance answered, and too many answers name none.
    ManyNameless {
        instance: InstanceId,
        picks: usize,
        nameless: usize,
    },
    TooFew {
        instance: InstanceId,
        picks: usize,
        p: f64,
    },
    Alone {
        instance: InstanceId,
        picks: usize,
        unit: Unit,
        nameless: usize,
        p: f64,
    },
    /// One instance answered, which has other reasons than that there is one; an instance with a smaller share than
    /// `unseen_share` may not have shown itself.
    OtherReasons {
        unit: Unit,
        unseen_share: f64,
    },
}

/// Requests overlapped, so only the counts of answers are known.
#[derive(Debug, Clone, PartialEq)]
pub enum CountsEvidence {
    SomeConnectionsMove,
    NotAllAgain { picks: usize, unit: Unit, instances: usize },
    Uneven { unit: Unit, instances: usize, least: usize, most: usize },
    EvenTooFew { unit: Unit, p: f64 },
    Even { picks: usize, unit: Unit, instances: usize, least: usize, most: usize },
    EvenByChance { p: f64 },
}

/// An order without weights that every pick follows.
#[derive(Debug, Clone, PartialEq)]
pub enum OrderEvidence {
    FixedCycleTooFew {
        requests: usize,
        instances: usize,
        p: f64,
    },
    FixedCycle {
        instances: usize,
        followed: usize,
    },
    /// Without load, the least busy instance is the next of a ring as well.
    LeastConnectionsLooksTheSame,
    /// Weights of which the largest is up to `ratio` times the smallest would look the same. Weights that differ by one
    /// per cent would show in this many requests.
    NearWeights {
        ratio: f64,
        requests: Option<usize>,
    },
    HardlyAnyAgain {
        requests: usize,
        instances: usize,
    },
    RoundsTooFew {
        requests: usize,
        instances: usize,
        rounds: usize,
        p: f64,
    },
    ChangingRounds {
        rounds: usize,
        instances: usize,
        repeats_after: Option<usize>,
    },
    /// A ring of which others take turns regularly, or regular workers: both fit.
    RegularTurnsOnRing {
        followed: usize,
    },
    WorkersInTurn {
        workers: usize,
        followed: usize,
    },
    /// Regular workers, or one counter that stays on each instance for `length` picks: both fit.
    WorkersOrClumps {
        workers: usize,
        length: usize,
        followed: usize,
    },
    RepeatsEvenly {
        period: usize,
    },
    NearWeightsWithOthersTurn,
}

/// An order in which some instances come more often than others.
#[derive(Debug, Clone, PartialEq)]
pub enum WeightsEvidence {
    Repeats {
        period: usize,
        weights: Vec<u32>,
        followed: usize,
    },
    NoOtherPeriodWithin {
        requests: usize,
    },
    /// The weights are sure after this many requests at the earliest.
    TooFew {
        requests: usize,
    },
    /// The order of rounds hardly changes, as if a few turns were those of others.
    HardlyChanging,
    Rounds {
        rounds: usize,
        length: usize,
        weights: Vec<u32>,
        changes: usize,
    },
    OneCounterOrSeveral,
    WithBackground {
        requests: usize,
        instances: usize,
        weights: Vec<u32>,
        precision: Precision,
        turns: BackgroundTurns,
        takers: TurnTakers,
    },
    OthersFitWithOtherTurns,
    Workers {
        workers: usize,
        weights: Vec<u32>,
    },
    OthersFit,
}

/// An order without weights of which other clients take turns.
#[derive(Debug, Clone, PartialEq)]
pub enum BackgroundEvidence {
    NoOrderYet {
        requests: usize,
        instances: usize,
    },
    UnknownRegularity {
        requests: usize,
        instances: usize,
        p: f64,
    },
    ChangingRoundsAndFailures {
        requests: usize,
        instances: usize,
    },
    /// `next` of `of` times the next request went to the next instance of the ring.
    Ring {
        instances: usize,
        next: u32,
        of: u32,
    },
    TurnsSkipped {
        share: f64,
    },
    Workers {
        workers: usize,
    },
    ChangingRounds {
        requests: usize,
        instances: usize,
        share: f64,
    },
    /// A ring of which another client takes turns in a rhythm of its own.
    TurnsInStep {
        requests: usize,
        instances: usize,
    },
    EvenButNotInTurn {
        requests: usize,
        instances: usize,
    },
    /// Weights of which the largest is less than `spread` times the smallest might look the same.
    NearWeightsLookTheSame {
        spread: f64,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum ChangeEvidence {
    SharesChanged {
        requests: usize,
    },
    /// `nameless` requests that no instance answered have `places` of their own in each round.
    Failures {
        nameless: usize,
        instances: usize,
        places: usize,
    },
    Stretches(Vec<Stretch>),
    Reasons,
}

/// The probability that picks at random would be as regular.
#[derive(Debug, Clone, PartialEq)]
pub enum ChanceEvidence {
    /// Picks at random would look so with this probability.
    Regular { p: f64 },
    /// Picks at random with the shares that were found would look so with this probability.
    Shares { p: f64 },
    /// Picks at random would have an order like that with this probability.
    Order { p: f64 },
}

#[derive(Debug, Clone, PartialEq)]
pub enum DrawsEvidence {
    /// `decided_after` is the number of requests that would decide if all went on like that; `None` where the requests
    /// speak for neither.
    RandomOrRegular {
        requests: usize,
        instances: usize,
        decided_after: Option<usize>,
    },
    NothingButChance {
        requests: usize,
        instances: usize,
    },
    Shares(Evenness),
    NoRoundRobinByEveryTurn {
        p: f64,
    },
    /// A round robin would look so only if others took more than `share` of its turns, or with `workers` or more.
    RoundRobinOnlyWithMore {
        share: f64,
        p: f64,
        workers: usize,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum StrayEvidence {
    /// An instance came so seldom that its answers may be stray.
    Rare { instance: InstanceId, answers: usize, of: usize },
    /// One instance gave all answers but so few that these may be stray.
    OneAndStray { answers: usize, of: usize },
}

#[derive(Debug, Clone, PartialEq)]
pub enum SeriesEvidence {
    NoRequest,
    /// No answer names its instance.
    NoInstance,
    ConnectionsCounted {
        connections: usize,
    },
    BackgroundTurns {
        turns: usize,
        of: usize,
    },
    Failures {
        failed: usize,
        sent: usize,
    },
    /// Answers without an instance, by their status.
    Nameless {
        by_status: Vec<(u16, usize)>,
        answers: usize,
    },
}

/// The groups of requests at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtOnce {
    /// The number of requests in a group.
    pub size: usize,
    /// The number of groups of which every answer names an instance.
    pub groups: usize,
    /// The number of groups of which each request went to another instance.
    pub different: usize,
    /// The chance that independent draws make so many of these.
    pub p: f64,
    pub effect: AtOnceEffect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtOnceEffect {
    /// Requests at once surely go to different instances.
    Different,
    /// Perhaps they do.
    PerhapsDifferent,
    /// They meet as independent draws would.
    AsDrawn,
}
