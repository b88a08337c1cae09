//! The evidence for a verdict, as typed facts with their figures. Each part of the analysis has an enum of its own for
//! its facts; `report` puts them into words.

use crate::analysis::{
    affinity::evidence::{ConnectionEvidence, CookieEvidence, KeyEvidence},
    load::LoadEvidence,
    pattern::evidence::PatternEvidence,
    unseen_instances::UnseenEvidence,
};

/// One fact that speaks for a verdict.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    Pattern(PatternEvidence),
    Cookie(CookieEvidence),
    Connection(ConnectionEvidence),
    Key(KeyEvidence),
    Load(LoadEvidence),
    Unseen(UnseenEvidence),
}
