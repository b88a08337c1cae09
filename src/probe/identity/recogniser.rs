//! The recogniser: names the instance behind each reply, and renames the earlier ones when it has learned better.

use crate::model::trace::{NameFeature, without_hidden};

use super::{
    super::http::Reply,
    body_cache::BodyCache,
    gateway_error::OrdinaryNames,
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
    /// The feature by which instances are recognised.
    identified_by: Option<NameFeature>,
    /// The names so far, once the feature is settled.
    ordinary_names: OrdinaryNames,
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

impl State {
    /// The name in a reply, by the feature that is settled.
    fn read(&mut self, request: RequestContext<'_>, reply: &Reply) -> Option<String> {
        match self {
            State::Explicit(identity, cache) if identity.is_in_body() => {
                cache.get_or_read(&reply.body, || identity.read(reply))
            }
            State::Explicit(identity, _) => identity.read(reply),
            State::Settled(reader) => reader.as_mut()?.read(request, reply),
            State::Learning(_) => None,
        }
    }
}

impl Recogniser {
    /// A recogniser that reads the explicit identity or, without one, learns from the replies.
    pub fn new(explicit: Option<Identity>) -> Recogniser {
        let identified_by = explicit.as_ref().map(|identity| NameFeature::known(identity.to_string()));
        let state = match explicit {
            Some(identity) => State::Explicit(identity, BodyCache::default()),
            None => State::Learning(Box::new(Learning::new())),
        };
        Recogniser { state, identified_by, ordinary_names: OrdinaryNames::default(), unidentified: None }
    }

    /// The feature by which instances are recognised.
    pub fn identified_by(&self) -> Option<&NameFeature> {
        self.identified_by.as_ref()
    }

    /// The reason why instances are not recognised, in words.
    pub fn unidentified(&self) -> Option<String> {
        match &self.state {
            State::Learning(learning) => learning.explain_refusal().map(|words| without_hidden(&words)),
            _ => self.unidentified.clone().or_else(|| self.ordinary_names.explain_refusal()),
        }
    }

    /// Recognises the instance that sent a reply.
    pub fn recognise(&mut self, request: RequestContext<'_>, reply: &Reply) -> Recognition {
        let learning = match &mut self.state {
            State::Learning(learning) => learning,
            settled => {
                let name = settled.read(request, reply);
                return Recognition::Name(self.ordinary_names.admit(reply.status, name));
            }
        };
        let changed = learning.add(request, reply);
        let ends = learning.is_finished();
        if changed {
            self.identified_by = learning.describe_choice(reply);
        }
        let recognition = if changed || ends {
            Recognition::NewNames(learning.new_names())
        } else {
            Recognition::Name(learning.last_name())
        };
        if ends {
            self.unidentified = learning.explain_refusal().map(|words| without_hidden(&words));
            self.ordinary_names = learning.ordinary_names();
            self.state = State::Settled(learning.name_reader());
        }
        recognition
    }
}
