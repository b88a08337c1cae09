//! The reasons why a campaign ends early.

use std::net::IpAddr;

use crate::probe::Unreachable;

/// The reason why a campaign ends before its last experiment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CampaignError {
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error("--from {0} is no address of this machine")]
    ForeignSource(IpAddr),
    /// Only a target on loopback gets requests from addresses that the user did not name.
    #[error("there are no addresses to vary for this target")]
    NoSources,
    #[error("--experiments header needs --vary-header NAME")]
    NoHeader,
    #[error("--experiments slow needs --slow-path PATH")]
    NoSlowPath,
}

impl CampaignError {
    /// The next step that the user can take.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            CampaignError::NoSources => Some("--from names some"),
            CampaignError::Unreachable(_)
            | CampaignError::ForeignSource(_)
            | CampaignError::NoHeader
            | CampaignError::NoSlowPath => None,
        }
    }
}
