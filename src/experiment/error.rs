//! Why a campaign ends early.

use std::net::IpAddr;

use crate::probe::Unreachable;

/// Why a campaign ends before its last experiment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CampaignError {
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error("--from {0} is no address of this machine")]
    ForeignSource(IpAddr),
    /// Only a target on loopback can be asked from addresses that nobody named.
    #[error("there are no addresses to vary for this target")]
    NoSources,
    #[error("--experiments header needs --vary-header NAME")]
    NoHeader,
    #[error("--experiments slow needs --slow-path PATH")]
    NoSlowPath,
}

impl CampaignError {
    /// What can be done about it.
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
