//! The extractor: takes the features from replies, so that the replies need not be stored.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use http::{HeaderMap, header};
use indexmap::IndexSet;
use serde_json::Value;

use super::{
    super::{
        super::http::Reply,
        identity_flag::last_address,
        json::scalar,
        known_names::{self, KnownName},
        vocabulary,
    },
    body::{body_hash, value_of_text},
    cookies::cookie_values,
    slot::{Anchor, Separator, Slot, TextId},
    words::{attributes, words},
};

/// The number of characters of a value that count.
const MAX_VALUE_CHARS: usize = 200;
/// The number of fields of a JSON body that are read.
const MAX_FIELDS: usize = 300;
/// The deepest level of a JSON body that is read.
const MAX_DEPTH: usize = 8;
/// The number of words of a body that are read: those of some 250 KiB.
const MAX_WORDS: usize = 50_000;
/// The longest body that is compared as a whole, in bytes: where the reading of a longer one ends is chance.
const MAX_WHOLE_BODY: usize = 200 << 10;
/// The memory that all texts together may take, in bytes; later texts are not read.
const MAX_MEMORY: usize = 16 << 20;

#[derive(Debug, Clone)]
pub struct Features {
    /// True if the reply was a success: the body of an error does not identify an instance.
    pub success: bool,
    /// The values in the order of their slots, each slot once; words stand in `words`.
    values: Vec<(Slot, TextId)>,
    pub words: Arc<[TextId]>,
    /// True if the body is a file.
    pub is_file: bool,
}

impl Features {
    pub fn values(&self) -> &[(Slot, TextId)] {
        &self.values
    }

    /// The value in a slot that is no word.
    pub fn value(&self, slot: Slot) -> Option<TextId> {
        let index = self.values.binary_search_by_key(&slot, |(slot, _)| *slot).ok()?;
        Some(self.values[index].1)
    }

    /// The word that stands `steps` words after the anchor, or before it.
    pub fn word(&self, anchor: Anchor<TextId>, steps: i8) -> Option<TextId> {
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

/// Takes features from replies; texts and bodies that several replies have in common are stored once.
#[derive(Debug, Default)]
pub struct FeatureExtractor {
    texts: IndexSet<Box<str>>,
    /// The words of each body, by its hash.
    bodies: HashMap<u64, Arc<[TextId]>>,
    /// Words that stand elsewhere than in attributes of HTML.
    outside_attributes: HashSet<TextId>,
    memory: usize,
}

impl FeatureExtractor {
    /// Returns whether the texts fill the memory that there is for them.
    pub fn is_full(&self) -> bool {
        self.memory > MAX_MEMORY
    }

    pub fn text(&self, id: TextId) -> &str {
        self.texts.get_index(id as usize).map_or("", |text| text)
    }

    /// The number of texts; every [`TextId`] is below it.
    pub fn text_count(&self) -> usize {
        self.texts.len()
    }

    /// Returns whether a word stands nowhere but in attributes of HTML.
    pub fn is_attribute(&self, word: TextId) -> bool {
        !self.outside_attributes.contains(&word)
    }

    pub fn extract(&mut self, reply: &Reply, known: &[KnownName]) -> Features {
        let success = reply.status.is_success();
        let own = OwnPort::new(reply);
        let json: Option<Value> = serde_json::from_slice(&reply.body).ok().filter(|_| success);
        let mut values = Vec::new();
        for (index, name) in known.iter().enumerate() {
            let in_head = !name.identity.is_in_body();
            let value = name.identity.read_parsed(reply, json.as_ref());
            if let Some(value) = value.filter(|_| success || in_head) {
                values.push((Slot::KnownName(index as u8), self.id(&shorten(&value))));
            }
        }
        self.extract_headers(&reply.headers, &own, &mut values);
        let mut words = Arc::default();
        if success && !reply.body.is_empty() {
            if let Some(json @ (Value::Object(_) | Value::Array(_))) = &json {
                self.extract_fields(json, &own, &mut values);
            }
            words = self.extract_body(reply, &own, &mut values);
        }
        values.sort_unstable();
        values.dedup_by_key(|(slot, _)| *slot);
        Features { success, values, words, is_file: is_file(&reply.headers) }
    }

    fn extract_headers(&mut self, headers: &HeaderMap, own: &OwnPort, values: &mut Vec<(Slot, TextId)>) {
        for name in headers.keys() {
            let text = name.as_str();
            if vocabulary::is_plain_header(text) || known_names::is_known_header(text) {
                continue;
            }
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            if let Some(value) = value.filter(|value| !own.is_in(value)) {
                values.push((Slot::Header(self.id(text)), self.id(&shorten(last_address(value)))));
            }
        }
        for (name, value) in cookie_values(headers) {
            let name = self.id(&name);
            values.push((Slot::Cookie(name), self.id(&shorten(&value))));
            for separator in Separator::ALL {
                if let Some(route) = separator.route(&value) {
                    values.push((Slot::Route(name, separator), self.id(&shorten(route))));
                }
            }
        }
    }

    fn extract_fields(&mut self, json: &Value, own: &OwnPort, values: &mut Vec<(Slot, TextId)>) {
        let mut fields = Vec::new();
        collect_scalars(json, &mut String::new(), 0, &mut fields);
        for (pointer, value) in &fields {
            if !own.is_in(value) && !known_names::is_known_field(pointer) {
                values.push((Slot::Json(self.id(pointer)), self.id(&shorten(value))));
            }
        }
    }

    /// Takes the body as a whole, and returns its words.
    fn extract_body(&mut self, reply: &Reply, own: &OwnPort, values: &mut Vec<(Slot, TextId)>) -> Arc<[TextId]> {
        let (text, hash) = (reply.text(), body_hash(reply));
        let words = self.extract_words(&text, hash, own);
        let is_whole = reply.cut.is_none() && reply.body.len() <= MAX_WHOLE_BODY;
        let has_own_port = words.iter().any(|word| self.text(*word).is_empty());
        if is_whole && !has_own_port {
            let whole = value_of_text(&text, hash);
            values.push((Slot::Body, self.id(&whole)));
        }
        words
    }

    fn extract_words(&mut self, text: &str, hash: u64, own: &OwnPort) -> Arc<[TextId]> {
        if let Some(words) = self.bodies.get(&hash) {
            return words.clone();
        }
        if text.as_bytes().iter().take(1024).any(|byte| *byte == 0) {
            return Arc::default();
        }
        let attributes = attributes(text);
        let mut next = attributes.iter().peekable();
        let ids = words(text).take(MAX_WORDS).map(|word| {
            let id = self.id(&shorten(if own.is_in(word.text) { "" } else { word.text }));
            while next.next_if(|attribute| attribute.end <= word.at).is_some() {}
            if next.peek().is_none_or(|attribute| word.at < attribute.start) {
                self.outside_attributes.insert(id);
            }
            id
        });
        let words: Arc<[TextId]> = ids.collect();
        self.memory += words.len() * 4 + 64;
        self.bodies.insert(hash, words.clone());
        words
    }

    fn id(&mut self, text: &str) -> TextId {
        if let Some(index) = self.texts.get_index_of(text) {
            return index as TextId;
        }
        self.memory += text.len() + 48;
        self.texts.insert_full(text.into()).0 as TextId
    }
}

/// The local port of the connection that a reply came by: a server that shows it shows the connection, not itself.
struct OwnPort {
    port: Option<String>,
}

impl OwnPort {
    fn new(reply: &Reply) -> OwnPort {
        OwnPort { port: reply.port.map(|port| port.to_string()) }
    }

    /// Returns whether a text is the port, or an address with the port.
    fn is_in(&self, text: &str) -> bool {
        self.port.as_deref().is_some_and(|port| text == port || text.ends_with(&format!(":{port}")))
    }
}

/// Returns whether a reply is a file: it has the time of its last change, and that is not the present time, as of a
/// page that is made for each request.
fn is_file(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let etag = text(header::ETAG).is_some_and(vocabulary::is_file_etag);
    text(header::LAST_MODIFIED).is_some_and(|changed| etag || text(header::DATE) != Some(changed))
}

/// A value as it is compared and shown.
pub fn shorten(value: &str) -> String {
    value.trim().chars().take(MAX_VALUE_CHARS).collect()
}

/// Collects the scalars of a JSON body with their pointers.
fn collect_scalars(value: &Value, pointer: &mut String, depth: usize, found: &mut Vec<(String, String)>) {
    if found.len() >= MAX_FIELDS || depth > MAX_DEPTH {
        return;
    }
    let mut descend = |key: &str, value: &Value| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        collect_scalars(value, pointer, depth + 1, found);
        pointer.truncate(length);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| descend(key, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| descend(&index.to_string(), item)),
        other => {
            if let Some(text) = scalar(other).filter(|text| !text.trim().is_empty()) {
                found.push((pointer.clone(), text));
            }
        }
    }
}
