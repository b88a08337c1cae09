//! The recogniser: names the instance behind each reply, and renames the earlier ones when it has learned better.

use crate::model::trace::without_hidden;

use super::{
    super::http::Reply,
    body_cache::BodyCache,
    identity_flag::Identity,
    learning::Learning,
    name_reader::NameReader,
    request::{NewName, RequestContext},
};

/// The name that a reply gives to its instance, or the names that it gives to all.
#[derive(Debug, PartialEq, Eq)]
pub enum Recognition {
    /// The name of the instance that sent this reply.
    Name(Option<String>),
    /// The new names for all replies so far, this one included, because another feature is chosen than before.
    NewNames(Vec<NewName>),
}

/// Recognises instances by their replies.
#[derive(Debug)]
pub struct Recogniser {
    state: State,
    /// The feature by which instances are recognised, in words.
    identified_by: Option<String>,
    /// The reason why instances are not recognised, in words, once the comparison is over.
    unidentified: Option<String>,
}

#[derive(Debug)]
enum State {
    /// The user has named the place of the name.
    Explicit(Identity, BodyCache),
    /// Replies are still compared with each other.
    Learning(Box<Learning>),
    /// The comparison is over: one feature distinguishes instances, or none does.
    Settled(Option<NameReader>),
}

impl Recogniser {
    /// A recogniser that reads the explicit identity or, without one, learns from the replies.
    pub fn new(explicit: Option<Identity>) -> Recogniser {
        let identified_by = explicit.as_ref().map(Identity::to_string);
        let state = match explicit {
            Some(identity) => State::Explicit(identity, BodyCache::default()),
            None => State::Learning(Box::new(Learning::new())),
        };
        Recogniser { state, identified_by, unidentified: None }
    }

    /// The feature by which instances are recognised, in words.
    pub fn identified_by(&self) -> Option<&str> {
        self.identified_by.as_deref()
    }

    /// The reason why instances are not recognised, in words.
    pub fn unidentified(&self) -> Option<String> {
        match &self.state {
            State::Learning(learning) => learning.explain_refusal().map(|words| without_hidden(&words)),
            _ => self.unidentified.clone(),
        }
    }

    /// Recognises the instance that sent a reply.
    pub fn recognise(&mut self, request: RequestContext<'_>, reply: &Reply) -> Recognition {
        let learning = match &mut self.state {
            State::Explicit(identity, cache) if identity.is_in_body() => {
                return Recognition::Name(cache.get_or_read(&reply.body, || identity.read(reply)));
            }
            State::Explicit(identity, _) => return Recognition::Name(identity.read(reply)),
            State::Settled(None) => return Recognition::Name(None),
            State::Settled(Some(reader)) => return Recognition::Name(reader.read(request, reply)),
            State::Learning(learning) => learning,
        };
        let changed = learning.add(request, reply);
        let ends = learning.is_finished();
        if changed {
            self.identified_by = learning.describe_choice(reply).map(|words| without_hidden(&words));
        }
        let recognition = if changed || ends {
            Recognition::NewNames(learning.new_names())
        } else {
            Recognition::Name(learning.last_name())
        };
        if ends {
            self.unidentified = learning.explain_refusal().map(|words| without_hidden(&words));
            self.state = State::Settled(learning.name_reader());
        }
        recognition
    }
}
