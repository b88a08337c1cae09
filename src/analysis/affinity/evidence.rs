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
    /// Values issued to other clients led back, while clients without cookies are answered in turn.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnlyInstance {
    /// It answers the free series as well, or nothing else does.
    Same,
    /// Another instance than for the free series answers other paths, which may be another service's.
    AnotherForPaths,
    AnotherThanFree,
}

/// One fact about a key. `values` counts the values of which some answer names an instance.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyEvidence {
    /// Each value always led to the same of several instances; chance would do that with probability `p`.
    Decides {
        key_name: KeyName,
        answers: usize,
        values: usize,
        instances: usize,
        p: f64,
    },
    /// Each value did so, but the values are so few that each may have a rule of its own.
    DecidesOrRules {
        key_name: KeyName,
        values: usize,
        p: f64,
    },
    /// Each value did so, but the requests are too few to be sure.
    DecidesTooFew {
        key_name: KeyName,
        answers: usize,
        values: usize,
        instances: usize,
        p: f64,
    },
    OneInstance {
        key_name: KeyName,
        values: usize,
        only: OnlyInstance,
    },
    /// The same value led to different instances.
    Inconsistent {
        key_name: KeyName,
        values: usize,
    },
    TooFew {
        key_name: KeyName,
        values: usize,
        asked: usize,
    },
    NoUriHash {
        p: f64,
    },
    /// The pattern of requests without such a value.
    PatternWithoutValue(Algorithm),
    ClientStaysByAddress,
    /// New values were given to the instances in turn, which a hash does with probability `p`.
    PlacedInTurn {
        key_name: KeyName,
        p: f64,
    },
    /// A table that places new values at random would look like a hash.
    TableLooksTheSame,
}
