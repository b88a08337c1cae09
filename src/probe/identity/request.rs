//! The request that a reply answers, and the new name that its instance may get.

use crate::model::trace::{Action, SeriesName};

/// The request that a reply answers.
#[derive(Debug, Clone, Copy)]
pub struct RequestContext<'a> {
    pub series: &'a SeriesName,
    pub path: &'a str,
    /// The number of the request in its series, from 1.
    pub n: u32,
    pub action: Action,
}

impl RequestContext<'_> {
    /// Returns whether the request is like that of a new client: only the replies to such requests are compared with
    /// each other.
    pub fn is_plain(self) -> bool {
        *self.series == SeriesName::WithoutJar && self.action == Action::Get
    }

    /// Returns whether the request differs in nothing from a plain one but in the connection or the moment, so that an
    /// instance answers with the same page.
    pub fn is_like_plain(self) -> bool {
        let same = matches!(self.series, SeriesName::WithoutJar | SeriesName::OneConnection | SeriesName::Meanwhile);
        same && self.action == Action::Get
    }
}

/// The new name of the instance that answered a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewName {
    pub series: SeriesName,
    /// The number of the request in its series.
    pub n: u32,
    pub name: Option<String>,
}
