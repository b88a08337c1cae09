//! The meaning of names: of headers, cookies, JSON fields and attributes, and of words in a text.

use crate::model::trace::NameCertainty;

use super::words::{
    AFFINITY, DATA, FILLERS, INSTANCE, INSTANCE_PARTS, INSTANCE_PERHAPS, INTRODUCING, NOISE, PLACE, PLAIN_HEADERS,
    SELF_LINKS, SELF_WORDS, VARIANT, WORKER,
};

/// The sort of thing that a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameMeaning {
    /// The name stands for something that distinguishes instances; with [`NameCertainty::Guessed`], it may stand for
    /// something else as well.
    Instance(NameCertainty),
    /// The name stands for a time, a counter, a size, or a value that is drawn for each request.
    Noise,
    /// The name stands for a worker, of which an instance has several.
    Worker,
    /// The name stands for one of several variants of the same page.
    Variant,
    /// The name stands for a place that holds several instances.
    Place,
    /// The name stands for data or what holds it, such as a shard, of which one instance may use several.
    Data,
    /// The name has none of these meanings.
    Unknown,
}

/// Returns whether a header never identifies the instance that sent it.
pub fn is_plain_header(name: &str) -> bool {
    PLAIN_HEADERS.contains(&name)
}

/// The words of a name, in lower case: `backend` and `id` for `X-Backend-Id`, `backendId` and `/backend/id`.
fn split_name(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut last = ' ';
    for c in name.chars() {
        let begins = c.is_uppercase() && last.is_lowercase();
        if begins || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        last = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The meaning of a name. Words for other things than an instance count before words for an instance.
pub fn meaning_of_name(name: &str) -> NameMeaning {
    let words = split_name(name);
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let part = || words.iter().any(|word| INSTANCE_PARTS.iter().any(|part| word.contains(part)));
    if any(NOISE) {
        NameMeaning::Noise
    } else if any(WORKER) {
        NameMeaning::Worker
    } else if any(VARIANT) {
        NameMeaning::Variant
    } else if any(PLACE) {
        NameMeaning::Place
    } else if any(DATA) {
        NameMeaning::Data
    } else if any(INSTANCE) || part() {
        NameMeaning::Instance(NameCertainty::Known)
    } else if any(INSTANCE_PERHAPS) || any(AFFINITY) {
        NameMeaning::Instance(NameCertainty::Guessed)
    } else {
        NameMeaning::Unknown
    }
}

/// The meaning of the name of a cookie.
pub fn meaning_of_cookie(name: &str) -> NameMeaning {
    let finds_again = || split_name(name).iter().any(|word| AFFINITY.contains(&word.as_str()));
    match meaning_of_name(name) {
        NameMeaning::Instance(_) if finds_again() => NameMeaning::Instance(NameCertainty::Known),
        other => other,
    }
}

/// The meaning of the part of a cookie that may name a route. The cookie of a session may well have one: Tomcat and others
/// add it by a convention. In other cookies such a part is a guess.
pub fn meaning_of_route(cookie: &str) -> NameMeaning {
    let is_session = cookie.to_lowercase().contains("sess");
    match meaning_of_cookie(cookie) {
        NameMeaning::Unknown | NameMeaning::Noise if is_session => NameMeaning::Instance(NameCertainty::Known),
        NameMeaning::Unknown | NameMeaning::Noise => NameMeaning::Instance(NameCertainty::Guessed),
        other => other,
    }
}

/// The meaning that the words before and after a word give to it; `before` begins with the nearest word.
pub fn meaning_of_context(before: &[&str], after: Option<&str>) -> NameMeaning {
    if after.is_some_and(|unit| meaning_of_name(unit) == NameMeaning::Noise) {
        return NameMeaning::Noise;
    }
    let is_filler = |word: &str| word.starts_with('<') || FILLERS.contains(&word.to_lowercase().as_str());
    let meaning =
        before.iter().find(|word| !is_filler(word)).map_or(NameMeaning::Unknown, |word| meaning_of_name(word));
    // `id 7` speaks for an instance only where no other word says more: a request has an id, too
    let id = before.first().is_some_and(|word| word.eq_ignore_ascii_case("id"));
    if meaning == NameMeaning::Unknown && id { NameMeaning::Instance(NameCertainty::Guessed) } else { meaning }
}

/// The meaning of a field of a JSON body.
pub fn meaning_of_pointer(pointer: &str) -> NameMeaning {
    let mut parts: Vec<&str> = pointer.rsplit('/').filter(|part| !part.is_empty()).take(3).collect();
    parts.retain(|part| part.parse::<u32>().is_err());
    meaning_of_context(&parts, None)
}

/// Returns whether the nearest word before a value introduces a name, as in `hello from web-1`.
pub fn is_introduced(before: &[&str]) -> bool {
    let nearest = before.iter().find(|word| !word.starts_with('<'));
    nearest.is_some_and(|word| INTRODUCING.contains(&word.to_lowercase().as_str()))
}

/// Returns whether a server introduces itself before a value, as in `hello from web-1`; `before` begins with the nearest
/// word.
pub fn is_self_introduction(before: &[&str]) -> bool {
    let words: Vec<String> =
        before.iter().filter(|word| !word.starts_with('<')).map(|word| word.to_lowercase()).collect();
    match words.as_slice() {
        [link, word, ..] => SELF_LINKS.contains(&link.as_str()) && SELF_WORDS.contains(&word.as_str()),
        _ => false,
    }
}

/// Returns whether a field of a JSON body belongs to an object whose name means an instance.
pub fn is_field_of_instance(pointer: &str) -> bool {
    pointer.split('/').any(|part| meaning_of_name(part) == NameMeaning::Instance(NameCertainty::Known))
}

/// Returns whether a field of a JSON body is a name, or belongs to an object whose name means an instance.
pub fn is_name_field(pointer: &str) -> bool {
    let named = pointer.split('/').any(|part| matches!(meaning_of_name(part), NameMeaning::Instance(_)));
    named || pointer.rsplit('/').next().is_some_and(|last| INTRODUCING.contains(&last.to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: NameMeaning = NameMeaning::Instance(NameCertainty::Known);
    const GUESSED: NameMeaning = NameMeaning::Instance(NameCertainty::Guessed);

    #[test]
    fn names_say_what_to_expect() {
        for (name, meaning) in [
            ("x-backend-id", KNOWN),
            ("SERVERID", KNOWN),
            ("BIGipServerpool", KNOWN),
            ("x-amz-instance", KNOWN),
            ("x-request-id", NameMeaning::Noise),
            ("x-backend-response-time", NameMeaning::Noise),
            ("requestCount", NameMeaning::Noise),
            ("x-cache", NameMeaning::Noise),
            ("x-ratelimit-remaining", NameMeaning::Noise),
            ("worker", NameMeaning::Worker),
            ("x-ab-bucket", NameMeaning::Variant),
            ("availability-zone", NameMeaning::Place),
            ("x-flavour", NameMeaning::Unknown),
            ("lab", NameMeaning::Unknown),
            ("x-replica", NameMeaning::Data),
            ("x-db-host", NameMeaning::Data),
            ("x-redis-node", NameMeaning::Data),
            ("x-route", GUESSED),
            ("x-lb", GUESSED),
        ] {
            assert_eq!(meaning_of_name(name), meaning, "{name}");
        }
        assert_eq!(meaning_of_context(&["by", "served"], None), KNOWN);
        assert_eq!(meaning_of_context(&["in", "served"], Some("ms")), NameMeaning::Noise);
        assert_eq!(meaning_of_context(&["id", "request"], None), NameMeaning::Noise);
        assert_eq!(meaning_of_context(&["<b", "Node"], Some("</b")), KNOWN);
        assert_eq!(meaning_of_cookie("route"), KNOWN);
        assert_eq!(meaning_of_route("JSESSIONID"), KNOWN);
        assert_eq!(meaning_of_route("cart"), GUESSED);
        assert!(is_self_introduction(&["from", "<b", "Hello"]) && is_self_introduction(&["am", "I"]));
        assert!(!is_self_introduction(&["from", "loaded"]) && !is_self_introduction(&["from"]));
        assert_eq!(meaning_of_pointer("/id"), GUESSED);
        assert_eq!(meaning_of_pointer("/request/id"), NameMeaning::Noise);
        assert_eq!(meaning_of_pointer("/server/name"), KNOWN);
        assert_eq!(meaning_of_pointer("/server/uptime"), NameMeaning::Noise);
    }
}
