//! The name reader: reads the name of the instance from each reply, once one feature is known to distinguish instances.

use std::collections::HashMap;

use super::{super::http::Reply, body_cache::BodyCache, feature::BODY_MARK, locator::Locator, request::RequestContext};

/// Reads the name of an instance from a reply.
#[derive(Debug)]
pub struct NameReader {
    pub locator: Locator,
    pub cache: BodyCache,
    pub trust: Trust,
    /// The names of the values so far, for values that are not trusted everywhere.
    pub names: HashMap<String, String>,
}

/// The replies in which a value is a name.
#[derive(Debug)]
pub enum Trust {
    /// A value is a name in any reply.
    Everywhere,
    /// A value is a name in replies to the plain request for `path`, and in other replies if one of those had it. With
    /// `success`, a value is a name only in replies with a 2xx status.
    Page { path: String, success: bool },
}

impl NameReader {
    /// The name of the instance that sent a reply.
    pub fn read(&mut self, request: RequestContext<'_>, reply: &Reply) -> Option<String> {
        let Trust::Page { path, success } = &self.trust else {
            return read_cached(&self.locator, &mut self.cache, reply);
        };
        if *success && !reply.status.is_success() {
            return None;
        }
        let value = read_cached(&self.locator, &mut self.cache, reply)?;
        if let Some(name) = self.names.get(&value) {
            return Some(name.clone());
        }
        // a new value is an instance that is drawn rarely, or another page
        if !request.is_like_plain() || path != request.path {
            return None;
        }
        let name = display_name(&value, self.names.len() + 1)?;
        self.names.insert(value, name.clone());
        Some(name)
    }
}

fn read_cached(locator: &Locator, cache: &mut BodyCache, reply: &Reply) -> Option<String> {
    if locator.is_in_body() { cache.get_or_read(&reply.body, || locator.read(reply)) } else { locator.read(reply) }
}

/// The name of the instance with this value: a body that is no name gets a number.
pub fn display_name(value: &str, number: usize) -> Option<String> {
    if value.starts_with(BODY_MARK) {
        return Some(format!("body-{number}"));
    }
    Some(value.to_owned()).filter(|value| !value.is_empty())
}
