//! Features: whatever of a reply might tell instances apart, without the reply.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use http::{HeaderMap, header};
use indexmap::IndexSet;
use serde_json::Value;

use crate::model::trace;

use super::{
    super::client::Reply,
    known::{self, Known},
    meaning,
    text::{Anchor, attributes, tokens},
    told::{json, scalar},
};

/// Characters of a value that are looked at.
pub const LONGEST_VALUE: usize = 200;
/// Fields of a JSON body that are looked at,
const MOST_FIELDS: usize = 300;
/// down to this depth.
const DEEPEST: usize = 8;
/// Words of a body that are looked at: those of some 250 KiB.
const MOST_WORDS: usize = 50_000;
/// The longest body that is a name.
const LONGEST_NAME: usize = 40;
/// The longest body that is compared as a whole, in bytes: where reading a longer one ends is chance.
const LONGEST_WHOLE: usize = 200 << 10;
/// What all texts together may take, in bytes; more is not looked at.
const MOST_MEMORY: usize = 16 << 20;
/// What begins the text that stands for a body which is no name.
pub const BODY: char = '\u{1}';

/// A text that is kept once.
pub type Id = u32;

/// Where a value stands in a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot {
    /// One of the known names, by its place among them.
    Known(u8),
    /// Another header.
    Header(Id),
    /// The value of a cookie that is set.
    Cookie(Id),
    /// The part of such a value that may name a route.
    Route(Id, Mark),
    /// A scalar of a JSON body, by its pointer.
    Json(Id),
    /// A word of the body.
    Word(Anchor<Id>, i8),
    /// The body as a whole.
    Body,
}

/// What divides a route from the rest of a cookie's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mark {
    /// `SESSION.route` or `SESSION!route`: after the last one.
    After(char),
    /// `route~SESSION` or `route|…`: before the first one.
    Before(char),
}

/// The marks, by which values of cookies are divided.
pub const MARKS: [Mark; 4] = [Mark::After('.'), Mark::After('!'), Mark::Before('~'), Mark::Before('|')];

impl Mark {
    /// The part that may name a route.
    pub fn route(self, value: &str) -> Option<&str> {
        let (route, rest) = match self {
            Mark::After(mark) => value.rsplit_once(mark).map(|(rest, route)| (route, rest)),
            Mark::Before(mark) => value.split_once(mark),
        }?;
        (!route.is_empty() && !rest.is_empty()).then_some(route)
    }
}

/// The features of one reply.
#[derive(Debug, Clone)]
pub struct Features {
    /// Whether it was a success: the bodies of others say nothing of instances.
    pub success: bool,
    /// The values, each slot once.
    pub values: Vec<(Slot, Id)>,
    /// The words of the body.
    pub words: Arc<[Id]>,
    /// Whether the body is a file.
    pub is_file: bool,
}

impl Features {
    /// The word that stands so many words after the anchor, or before it.
    pub fn word(&self, anchor: Anchor<Id>, steps: i8) -> Option<Id> {
        let words = &self.words;
        let from = match anchor {
            Anchor::Start => -1,
            Anchor::End => words.len() as isize,
            Anchor::Word(anchor) => {
                let mut places = words.iter().enumerate().filter(|(_, word)| **word == anchor);
                let (place, _) = places.next().filter(|_| places.next().is_none())?;
                place as isize
            }
        };
        words.get(usize::try_from(from + isize::from(steps)).ok()?).copied()
    }
}

/// Takes features from replies; what they have in common is kept once.
#[derive(Debug, Default)]
pub struct Taker {
    texts: IndexSet<Box<str>>,
    bodies: HashMap<u64, Arc<[Id]>>,
    /// Words that stand elsewhere than in attributes.
    outside: HashSet<Id>,
    memory: usize,
}

impl Taker {
    /// Whether what was taken fills the memory that there is for it.
    pub fn is_full(&self) -> bool {
        self.memory > MOST_MEMORY
    }

    /// The text behind an id.
    pub fn text(&self, id: Id) -> &str {
        self.texts.get_index(id as usize).map_or("", |text| text)
    }

    /// How many texts there are: ids are below.
    pub fn texts(&self) -> usize {
        self.texts.len()
    }

    /// Whether a word stands nowhere but in the attributes of tags.
    pub fn is_attribute(&self, word: Id) -> bool {
        !self.outside.contains(&word)
    }

    fn id(&mut self, text: &str) -> Id {
        if let Some(index) = self.texts.get_index_of(text) {
            return index as Id;
        }
        self.memory += text.len() + 48;
        self.texts.insert_full(text.into()).0 as Id
    }

    /// The features of a reply.
    pub fn take(&mut self, reply: &Reply, known: &[Known]) -> Features {
        let success = reply.status.is_success();
        // a server that shows the client's port shows the connection
        let port = reply.port.map(|port| port.to_string());
        let own = |text: &str| port.as_deref().is_some_and(|port| text == port || text.ends_with(&format!(":{port}")));
        let mut values = Vec::new();
        let json = json(reply).filter(|_| success);
        for (place, name) in known.iter().enumerate() {
            let in_head = matches!(name.how, super::told::Identity::Header(_));
            if let Some(value) = name.how.read_with(reply, json.as_ref()).filter(|_| success || in_head) {
                values.push((Slot::Known(place as u8), self.id(&shown(&value))));
            }
        }
        self.take_headers(&reply.headers, &own, &mut values);
        let mut words = Arc::default();
        if success && !reply.body.is_empty() {
            let mut hasher = DefaultHasher::new();
            reply.body.hash(&mut hasher);
            let hash = hasher.finish();
            let text = reply.text();
            if let Some(json @ (Value::Object(_) | Value::Array(_))) = &json {
                let mut fields = Vec::new();
                scalars(json, &mut String::new(), 0, &mut fields);
                for (pointer, value) in
                    fields.iter().filter(|(pointer, value)| !own(value) && !known::is_known_field(pointer))
                {
                    values.push((Slot::Json(self.id(pointer)), self.id(&shown(value))));
                }
            }
            words = self.words(&text, hash, &own);
            let is_whole = reply.cut.is_none() && reply.body.len() <= LONGEST_WHOLE;
            if is_whole && !words.iter().any(|word| self.text(*word).is_empty()) {
                let whole = body_name(&text, hash);
                values.push((Slot::Body, self.id(&whole)));
            }
        }
        values.sort_unstable();
        values.dedup_by_key(|(slot, _)| *slot);
        Features { success, values, words, is_file: is_file(&reply.headers) }
    }

    fn take_headers(&mut self, headers: &HeaderMap, own: &dyn Fn(&str) -> bool, values: &mut Vec<(Slot, Id)>) {
        for name in headers.keys() {
            let text = name.as_str();
            if meaning::is_plain_header(text) || known::is_known_header(text) {
                continue;
            }
            if let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !own(value)) {
                values.push((Slot::Header(self.id(text)), self.id(&shown(value))));
            }
        }
        for (name, value) in cookies(headers) {
            let name = self.id(&name);
            values.push((Slot::Cookie(name), self.id(&shown(&value))));
            for mark in MARKS {
                if let Some(route) = mark.route(&value) {
                    values.push((Slot::Route(name, mark), self.id(&shown(route))));
                }
            }
        }
    }

    fn words(&mut self, text: &str, hash: u64, own: &dyn Fn(&str) -> bool) -> Arc<[Id]> {
        if let Some(words) = self.bodies.get(&hash) {
            return words.clone();
        }
        if text.as_bytes().iter().take(1024).any(|byte| *byte == 0) {
            return Arc::default();
        }
        let attributes = attributes(text);
        let mut next = attributes.iter().peekable();
        let ids = tokens(text).take(MOST_WORDS).map(|token| {
            let id = self.id(&shown(if own(token.text) { "" } else { token.text }));
            while next.next_if(|attribute| attribute.end <= token.at).is_some() {}
            if next.peek().is_none_or(|attribute| token.at < attribute.start) {
                self.outside.insert(id);
            }
            id
        });
        let words: Arc<[Id]> = ids.collect();
        self.memory += words.len() * 4 + 64;
        self.bodies.insert(hash, words.clone());
        words
    }
}

/// Whether a reply is a file: it says when that was changed, which is not now as for a page that is made anew.
fn is_file(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let etag = text(header::ETAG).is_some_and(is_file_etag);
    text(header::LAST_MODIFIED).is_some_and(|changed| etag || text(header::DATE) != Some(changed))
}

/// Whether an ETag is made of a file's time and size, and not of what is in it: `"65f3c1a0-2a"`.
pub fn is_file_etag(etag: &str) -> bool {
    let parts = etag.trim_start_matches("W/").trim_matches('"').split('-');
    let is_part = |part: &str| (1..=16).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.clone().count() > 1 && parts.clone().all(is_part)
}

/// A value as it is kept and shown.
pub fn shown(value: &str) -> String {
    value.trim().chars().take(LONGEST_VALUE).collect()
}

/// What stands for a body: itself, where it is short and may be shown, else its hash.
fn body_name(text: &str, hash: u64) -> String {
    let short = text.trim();
    let is_name = !short.is_empty()
        && short.chars().count() <= LONGEST_NAME
        && !short.chars().any(|c| trace::is_hidden(c) || c == '<');
    if is_name { short.to_owned() } else { format!("{BODY}{hash:016x}") }
}

/// The same for a reply.
pub fn body(reply: &Reply) -> String {
    let mut hasher = DefaultHasher::new();
    reply.body.hash(&mut hasher);
    body_name(&reply.text(), hasher.finish())
}

/// The names and values of the cookies that a reply sets.
pub fn cookies(headers: &HeaderMap) -> Vec<(String, String)> {
    let lines = headers.get_all(header::SET_COOKIE).iter();
    let pairs = lines.filter_map(|line| {
        let line = String::from_utf8_lossy(line.as_bytes());
        let (name, value) = line.split(';').next()?.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
    });
    pairs.filter(|(name, value)| !name.is_empty() && !value.is_empty()).collect()
}

fn scalars(value: &Value, pointer: &mut String, depth: usize, found: &mut Vec<(String, String)>) {
    if found.len() >= MOST_FIELDS || depth > DEEPEST {
        return;
    }
    let mut below = |key: &str, value: &Value| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        scalars(value, pointer, depth + 1, found);
        pointer.truncate(length);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| below(key, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| below(&index.to_string(), item)),
        scalar_value => {
            if let Some(text) = scalar(scalar_value).filter(|text| !text.trim().is_empty()) {
                found.push((pointer.clone(), text));
            }
        }
    }
}
