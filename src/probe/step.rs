//! Steps: what a series sends at each of its places.

use http::Method;

use crate::model::trace::{Action, SeriesName};

use super::{client::Content, prober::Series, script::Script};

/// What is sent at one place of a series.
pub struct Step<'a> {
    /// What it is for.
    pub action: Action,
    /// GET, POST, …
    pub method: Method,
    /// Path and query.
    pub path: &'a str,
    /// Its content.
    pub content: Option<&'a Content>,
}

impl<'a> Step<'a> {
    /// Request `n` of a series, from 1.
    pub fn of(series: &'a Series, n: u32) -> Step<'a> {
        let get = |action, path| Step { action, method: Method::GET, path, content: None };
        match &series.script {
            None => get(Action::Get, &series.path),
            // without a jar nobody is ever logged in: only the check
            Some(script) if series.name == SeriesName::WithJar => match n {
                1 => get(Action::Open, &series.path),
                2 => Step {
                    action: Action::Login,
                    method: script.login.method.clone(),
                    path: &script.login.path,
                    content: script.login.content.as_ref(),
                },
                _ => Step::check(script),
            },
            Some(script) => Step::check(script),
        }
    }

    fn check(script: &'a Script) -> Step<'a> {
        let check = &script.check;
        Step { action: Action::Get, method: check.method.clone(), path: &check.path, content: check.content.as_ref() }
    }
}
