//! The plan of a series: the conditions of its requests, and each request in turn.
//!
//! The record of the requests that were sent and of their answers is a [`trace::Series`].

use http::Method;

use crate::model::trace::{self, Action, Conditions, Connection, CookieJar, SeriesName};

use super::{http::Content, pace::Pauses, script::Script};

/// A series that is to be sent, or to be continued.
#[derive(Debug, Clone)]
pub struct SeriesPlan {
    /// The experiment that the series belongs to. A trace has one series of each name.
    pub name: SeriesName,
    /// The connections of the requests: a new one for each, or one for several.
    pub connection: Connection,
    /// The path and the query of the requests.
    pub path: String,
    /// With a script, the requests check the session instead of asking for `path`; and in the series with a cookie jar,
    /// the second request logs in.
    pub script: Option<Script>,
    /// The number of requests after which the series is complete; those of earlier calls count.
    pub most: u32,
    /// The number of requests that are under way at once.
    pub concurrency: u32,
    /// The pauses between the requests, where one follows the other.
    pub pauses: Pauses,
}

/// One request of a series.
pub struct Step<'a> {
    pub action: Action,
    pub method: Method,
    /// Path and query.
    pub path: &'a str,
    pub content: Option<&'a Content>,
}

impl SeriesPlan {
    /// Request `n` of the series, counted from 1.
    pub fn step(&self, n: u32) -> Step<'_> {
        let get = |action| Step { action, method: Method::GET, path: &self.path, content: None };
        match &self.script {
            None => get(Action::Get),
            // without a jar no client is ever logged in, so that there is nothing to send but the check
            Some(script) if self.name == SeriesName::WithJar => match n {
                1 => get(Action::Open),
                2 => Step {
                    action: Action::Login,
                    method: script.login.method.clone(),
                    path: &script.login.path,
                    content: script.login.content.as_ref(),
                },
                _ => check(script),
            },
            Some(script) => check(script),
        }
    }

    /// A record of the series without requests.
    pub fn empty_record(&self) -> trace::Series {
        trace::Series {
            name: self.name.clone(),
            conditions: Conditions {
                jar: match self.name {
                    SeriesName::WithJar | SeriesName::JarByLot => CookieJar::Kept,
                    _ => CookieJar::None,
                },
                connection: self.connection,
                path: self.script.as_ref().map_or(&self.path, |script| &script.check.path).clone(),
                source: self.name.source(),
                header: self.name.header().cloned(),
                concurrency: self.concurrency,
            },
            requests: Vec::new(),
            cookies: Vec::new(),
            others: Vec::new(),
        }
    }
}

/// The request that shows the session.
fn check(script: &Script) -> Step<'_> {
    let check = &script.check;
    Step { action: Action::Get, method: check.method.clone(), path: &check.path, content: check.content.as_ref() }
}

/// The text that request `n` of a series adds to its `User-Agent`, so that the probe's requests can be found in a lab's
/// log.
pub fn user_agent_tag(series: &SeriesName, n: u32) -> String {
    format!("{series}/{n}")
}
