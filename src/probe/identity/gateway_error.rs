//! Errors of gateways: a balancer that reaches no instance, or lets a request through to none, answers in its own name, which
//! is no instance's.

use std::collections::HashSet;

use http::StatusCode;

/// Returns whether a gateway may have made an answer with this status itself.
pub fn is_gateway_error(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// The reason why answers that give a name leave instances unknown, in words.
pub const ONLY_GATEWAY_ERRORS: &str = "only errors of a gateway (429, 502, 503 or 504) give a name";

/// The names of the instances that gave another answer than an error of a gateway.
#[derive(Debug, Default)]
pub struct OrdinaryNames {
    names: HashSet<String>,
    /// True if an error of a gateway had a name that no other answer had before.
    has_refused: bool,
}

impl OrdinaryNames {
    pub fn new(names: impl Iterator<Item = String>) -> OrdinaryNames {
        OrdinaryNames { names: names.collect(), has_refused: false }
    }

    /// The name in an answer, if an instance has it: an error of a gateway names an instance only where that instance
    /// gave another answer before.
    pub fn admit(&mut self, status: StatusCode, name: Option<String>) -> Option<String> {
        let name = name?;
        if is_gateway_error(status) {
            let is_ordinary = self.names.contains(&name);
            self.has_refused |= !is_ordinary;
            return is_ordinary.then_some(name);
        }
        if !self.names.contains(&name) {
            self.names.insert(name.clone());
        }
        Some(name)
    }

    /// The reason why no instance is known, if it is that errors of gateways alone gave names.
    pub fn explain_refusal(&self) -> Option<String> {
        (self.names.is_empty() && self.has_refused).then(|| ONLY_GATEWAY_ERRORS.to_owned())
    }
}
