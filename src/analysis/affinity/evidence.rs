//! The effects of cookies, connections and keys, as facts with their figures. `p` is the probability of the fact by chance.

use crate::{
    analysis::{
        affinity::vendor::{Flaw, Vendor},
        verdict::Algorithm,
    },
    model::trace::WithholdReason,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Head,
    Tail,
}

/// One fact about cookies.
#[derive(Debug, Clone, PartialEq)]
pub enum CookieEvidence {
    /// No answer to a request with cookies names its instance.
    NoInstance,
    NoCookieSet,
    Withheld {
        cookie: String,
        reason: Option<WithholdReason>,
    },
    /// Requests with cookies went to several instances.
    Spread {
        requests: usize,
        instances: usize,
    },
    /// One instance answers with and without cookies.
    OneInstance,
    /// Requests with cookies moved too seldom for free picks and too often for pinned ones.
    MovedSometimes {
        requests: usize,
        moves: usize,
    },
    StayedTooFew {
        requests: usize,
        p: f64,
    },
    Pins {
        cookies: Vec<String>,
        requests: usize,
        moves: usize,
        p: f64,
    },
    /// Each of these cookies alone lets the client move; together they keep it.
    PinTogether {
        cookies: Vec<String>,
    },
    /// Requests with cookies went to a group of `instances` out of `of` instances; by chance with probability `p`.
    KeptToGroup {
        requests: usize,
        instances: usize,
        of: usize,
        p: f64,
    },
    /// A cookie would pin if a browser sent it.
    WouldPin {
        cookie: String,
        p: f64,
        reason: Option<WithholdReason>,
    },
    MadeUp(MadeUpEvidence),
    /// The values that stay with their instances.
    Values(ValueEvidence),

    // properties of the cookie for the reader
    MadeBy {
        cookie: String,
        vendor: Vendor,
    },
    Flawed {
        cookie: String,
        flaw: Flaw,
    },
}

/// One fact about values of the cookie that the probe made up.
#[derive(Debug, Clone, PartialEq)]
pub enum MadeUpEvidence {
    Stay {
        cookie: String,
        values: usize,
        p: f64,
    },
    StayMostly {
        cookie: String,
        moves: usize,
        p: f64,
    },
    /// Made-up values moved `moves` of `of` times; a hash would do so with probability `p`.
    Move {
        cookie: String,
        moves: usize,
        of: usize,
        p: f64,
    },
    OneInstance {
        cookie: String,
        values: usize,
    },
    TooFew {
        cookie: String,
        values: usize,
    },
}

/// One fact about how the balancer follows values of the cookie.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueEvidence {
    // every value stays
    /// Values issued to other clients led back, and new values were placed in turn.
    IssuedAreLearned {
        p: f64,
    },
    /// Values issued to other clients led back.
    IssuedLeadBack {
        p: f64,
    },
    NewPlacedInTurn,
    /// New values were not placed in turn; a table would do so with probability `p`.
    NewNotInTurn {
        p: f64,
    },
    HashOrTable,

    // only issued values stay
    ValueNamesInstance,
    PartNamesInstance {
        part: Part,
        p: f64,
    },
    PartNotTested,
    /// `ignored` is the part that names the instance and does not lead there.
    ApplicationSession {
        cookie: String,
        ignored: Option<Part>,
    },
    LearnedOrCipher {
        ignored: Option<Part>,
    },
}

/// One fact about requests over one connection.
#[derive(Debug, Clone, PartialEq)]
pub enum ConnectionEvidence {
    /// The target keeps no connection open.
    NotKept,
    PicksEachRequest {
        requests: usize,
        instances: usize,
    },
    PicksOncePerConnection {
        requests: usize,
        p: f64,
    },
    /// Requests over one connection moved too seldom for picks of their own and too often for one pick a connection.
    MovedSometimes {
        requests: usize,
        moves: usize,
    },
}

/// A key, as a report names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyName {
    Address,
    Query,
    Path,
    /// The cookie, by its name.
    Cookie(Option<String>),
    /// The header, by its name.
    Header(Option<String>),
}

/// The only instance that answered all values of a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OnlyInstance {
    /// It answers the free series as well, or nothing else does. A hash that sends a larger share of values than
    /// `hidden_share` to others would have shown them.
    Same {
        hidden_share: f64,
    },
    /// It answers the free series as well, and something on the way may hide the client's address.
    SameForAddresses,
    /// Another instance than for the free series answers other paths, which may be another service's.
    AnotherForPaths,
    AnotherThanFree,
}

/// The effect of the values of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum EffectEvidence {
    /// Each value always led to the same of several instances; chance would do that with probability `p`.
    Decides {
        answers: usize,
        instances: usize,
        p: f64,
    },
    /// Each value did so, but the values are so few that each may have a rule of its own.
    DecidesOrRules {
        p: f64,
    },
    /// Each value did so, but the requests are too few to be sure.
    DecidesTooFew {
        answers: usize,
        instances: usize,
        p: f64,
    },
    /// Each value stayed with its instance but for a few moves, which failures explain.
    StaysMostly {
        moves: usize,
        p: f64,
    },
    /// Each value has instances of its own, at most `most` of `instances`.
    OwnSets {
        answers: usize,
        instances: usize,
        most: usize,
        p: f64,
    },
    OneInstance(OnlyInstance),
    /// The same value led to different instances, `moves` of `further` times; failures would do so with probability `p`.
    Inconsistent {
        moves: usize,
        further: usize,
        p: f64,
    },
    /// The same value led to different instances, `moves` of `further` times, which failures may explain.
    MovesSometimes {
        moves: usize,
        further: usize,
    },
    /// Few of the values that were sent led to an instance with a name.
    TooFew {
        asked: usize,
    },
}

/// The requests for which a client stays on its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StayScope {
    /// The path of the target; others were not tried.
    ThisPath,
    /// The path of the target and others.
    AllPaths,
}

/// One fact about a key.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyEvidence {
    Effect {
        key_name: KeyName,
        /// The number of values of which some answer names an instance.
        values: usize,
        effect: EffectEvidence,
    },
    /// The pattern of requests without such a value.
    PatternWithoutValue(Algorithm),
    /// The address decides, and no other key that was varied does.
    ClientStaysByAddress(StayScope),
    /// Several keys decide.
    Together(Vec<KeyName>),
    /// New values were given to the instances in turn, which a hash does with probability `p`.
    PlacedInTurn { key_name: KeyName, p: f64 },
    /// A table would look like a hash if it placed new values at random, or in turn while others took more than the share
    /// `turns_beyond` of the turns.
    TableLooksTheSame { turns_beyond: Option<f64> },
}
