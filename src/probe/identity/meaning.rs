//! Meanings: what a name or a value lets one expect.
//!
//! Whether something tells instances apart is decided by how it varies; this says what is left out although it may vary
//! just like them (timings, counters, variants of a page), and what may be a mere number.

use super::words::{
    EMPTY, ENDINGS, INSTANCE, INSTANCE_PARTS, INTRODUCING, NOISE, PLACE, PLAIN_HEADERS, STATES, STEMS, VARIANT, WORKER,
};

/// What is expected of the thing that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It tells instances apart.
    Instance,
    /// It is a time, a counter, a size, or something drawn for each request.
    Noise,
    /// It is a worker's: finer than an instance.
    Worker,
    /// It is one of several variants of the same page.
    Variant,
    /// It is a place that holds several instances.
    Place,
    /// Nothing in particular.
    Unknown,
}

/// Whether a header is none that could name an instance.
pub fn is_plain_header(name: &str) -> bool {
    PLAIN_HEADERS.contains(&name)
}

/// The words of a name, in lower case: `X-Backend-Id`, `backendId`, `/backend/id`.
fn words(name: &str) -> Vec<String> {
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

/// What a name lets one expect: what speaks against an instance goes first.
pub fn of_name(name: &str) -> Meaning {
    let words = words(name);
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let part = || words.iter().any(|word| INSTANCE_PARTS.iter().any(|part| word.contains(part)));
    if any(NOISE) {
        Meaning::Noise
    } else if any(WORKER) {
        Meaning::Worker
    } else if any(VARIANT) {
        Meaning::Variant
    } else if any(PLACE) {
        Meaning::Place
    } else if any(INSTANCE) || part() {
        Meaning::Instance
    } else {
        Meaning::Unknown
    }
}

/// What the words before and after a word let one expect of it; `before` begins with the nearest.
pub fn of_context(before: &[&str], after: Option<&str>) -> Meaning {
    if after.is_some_and(|unit| of_name(unit) == Meaning::Noise) {
        return Meaning::Noise;
    }
    let is_empty = |word: &str| word.starts_with('<') || EMPTY.contains(&word.to_lowercase().as_str());
    let said = before.iter().find(|word| !is_empty(word)).map_or(Meaning::Unknown, |word| of_name(word));
    // `id 7` is a reason as long as nothing else is said: a request has one, too
    let id = before.first().is_some_and(|word| word.eq_ignore_ascii_case("id"));
    if said == Meaning::Unknown && id { Meaning::Instance } else { said }
}

/// What a field of a JSON body lets one expect.
pub fn of_pointer(pointer: &str) -> Meaning {
    let mut parts: Vec<&str> = pointer.rsplit('/').filter(|part| !part.is_empty()).take(3).collect();
    parts.retain(|part| part.parse::<u32>().is_err());
    of_context(&parts, None)
}

/// Whether one of the words before a value, the nearest first, is one after which a name stands.
pub fn is_introduced(before: &[&str]) -> bool {
    let nearest = before.iter().find(|word| !word.starts_with('<'));
    nearest.is_some_and(|word| INTRODUCING.contains(&word.to_lowercase().as_str()))
}

/// Whether a field of a JSON body belongs to what is named, or is a name.
pub fn is_name_in(pointer: &str) -> bool {
    let named = pointer.split('/').any(|part| of_name(part) == Meaning::Instance);
    named || pointer.rsplit('/').next().is_some_and(|last| INTRODUCING.contains(&last.to_lowercase().as_str()))
}

/// What the values of a feature look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Names of hosts, numbered names, or addresses.
    Host,
    /// Numbers, with or without a unit.
    Number,
    /// What names a state, a variant or a worker.
    Other(Meaning),
    /// Anything else.
    Opaque,
}

/// The shape that all these values have.
pub fn shape(values: &[&str]) -> Shape {
    let all = |is: &dyn Fn(&str) -> bool| values.iter().all(|value| is(value));
    if all(&is_address) {
        return Shape::Host;
    }
    // one number among them is enough: `17`, `9.5k`
    if values.iter().any(|value| is_number(value)) {
        return Shape::Number;
    }
    if values.iter().any(|value| STATES.contains(&value.to_lowercase().as_str())) {
        return Shape::Other(Meaning::Noise);
    }
    if values.iter().any(|value| is_file(value)) {
        return Shape::Other(Meaning::Noise);
    }
    for meaning in [Meaning::Noise, Meaning::Worker, Meaning::Variant, Meaning::Place] {
        if all(&|value| of_name(&without_digits(value)) == meaning) {
            return Shape::Other(meaning);
        }
    }
    // `v1`, `v2.3` are versions
    if all(&|value| value.trim_start_matches(['v', 'V']).parse::<f64>().is_ok()) {
        return Shape::Other(Meaning::Variant);
    }
    if all(&is_hostname) && (alike(values) || all(&is_container)) { Shape::Host } else { Shape::Opaque }
}

/// Whether hosts alone have such names, whatever stands around them: addresses, containers, pods, `web-1`.
pub fn are_hosts(values: &[&str]) -> bool {
    let all = |is: &dyn Fn(&str) -> bool| values.iter().all(|value| is(value));
    let numbered = |value: &str| {
        let stem = value.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase();
        STEMS.contains(&stem.as_str()) && is_hostname(value) && value.contains(|c: char| c.is_ascii_digit())
    };
    all(&is_address) || all(&is_container) || all(&is_pod) || all(&numbered)
}

/// A time or a date.
pub fn is_clock(value: &str) -> bool {
    let of_two = |part: &str| matches!(part.len(), 1 | 2) && part.parse::<u8>().is_ok_and(|number| number < 61);
    let time = value.split(['.', 'Z', '+']).next().unwrap_or_default();
    let is_time = (2..=3).contains(&time.split(':').count()) && time.split(':').all(of_two);
    let day: Vec<&str> = value.get(..10).unwrap_or_default().split('-').collect();
    let is_date = matches!(day.as_slice(), [year, month, day] if year.len() == 4 && year.parse::<u16>().is_ok() && of_two(month) && of_two(day));
    is_time || is_date || value.ends_with(" GMT")
}

/// Whether most values look like ids that are drawn, and are longer than a container's name: hexadecimal, or letters
/// and digits that take turns.
pub fn are_drawn(values: &[&str]) -> bool {
    const LONGEST_NAME: usize = 12;
    let drawn = |value: &&&str| {
        let bare: Vec<char> = value.chars().filter(|c| !"-_{}".contains(*c)).collect();
        let any = |is: &dyn Fn(char) -> bool| bare.iter().any(|c| is(*c));
        let mixed = any(&|c| c.is_ascii_lowercase()) && any(&|c| c.is_ascii_uppercase());
        let turns = bare.windows(2).filter(|two| two[0].is_ascii_digit() != two[1].is_ascii_digit()).count();
        let is_hex = bare.iter().all(char::is_ascii_hexdigit) && any(&|c| c.is_ascii_digit());
        let is_number = value.parse::<f64>().is_ok();
        // a pod's name has such letters in its parts
        let is_text =
            bare.iter().all(char::is_ascii_alphanumeric) && turns >= 4 && (mixed || bare.len() == value.len());
        value.len() > LONGEST_NAME && (is_hex || is_number || is_text)
    };
    !values.is_empty() && values.iter().filter(drawn).count() * 4 >= values.len() * 3
}

/// The name of a file, as pages refer to it.
fn is_file(value: &str) -> bool {
    let name = value.split(['?', '#']).next().unwrap_or_default();
    name.rsplit_once('.').is_some_and(|(name, end)| !name.is_empty() && ENDINGS.contains(&end.to_lowercase().as_str()))
}

/// The name that Kubernetes gives to a pod of a deployment: `shop-7d9f8b6c5f-x2x4z`.
fn is_pod(value: &str) -> bool {
    let parts: Vec<&str> = value.rsplitn(3, '-').collect();
    let is_code = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    matches!(parts.as_slice(), [own, set, _] if own.len() == 5 && (8..=10).contains(&set.len()) && is_code(own) && is_code(set))
}

fn without_digits(value: &str) -> String {
    value.chars().map(|c| if c.is_ascii_digit() { ' ' } else { c }).collect()
}

/// An IP address, with or without a port.
fn is_address(value: &str) -> bool {
    value.parse::<std::net::IpAddr>().is_ok() || value.parse::<std::net::SocketAddr>().is_ok()
}

/// Digits and marks, perhaps with a unit or the letters of a date.
fn is_number(value: &str) -> bool {
    let value = value.trim_matches('"');
    let letters: String = value.chars().filter(|c| c.is_alphabetic()).collect();
    let units = ["", "s", "ms", "us", "µs", "ns", "b", "k", "kb", "m", "mb", "g", "gb", "px", "t", "tz", "z", "x", "e"];
    value.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && units.contains(&letters.to_lowercase().as_str())
        && !is_address(value)
}

/// What could be a host's name.
fn is_hostname(value: &str) -> bool {
    (1..=253).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
        && value.bytes().any(|byte| byte.is_ascii_digit() || b"-.".contains(&byte))
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The names that containers get by default.
fn is_container(value: &str) -> bool {
    matches!(value.len(), 12 | 64) && value.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Whether they begin with the same word and differ after it.
fn alike(values: &[&str]) -> bool {
    let stem = |value: &str| value.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_owned();
    let first = values.first().map(|value| stem(value)).unwrap_or_default();
    !first.is_empty() && values.iter().all(|value| stem(value) == first)
        || values.iter().all(|value| value.contains('.') && value.ends_with(|c: char| c.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_to_expect() {
        for (name, meaning) in [
            ("x-backend-id", Meaning::Instance),
            ("SERVERID", Meaning::Instance),
            ("BIGipServerpool", Meaning::Instance),
            ("x-amz-instance", Meaning::Instance),
            ("x-request-id", Meaning::Noise),
            ("x-backend-response-time", Meaning::Noise),
            ("requestCount", Meaning::Noise),
            ("x-cache", Meaning::Noise),
            ("x-ratelimit-remaining", Meaning::Noise),
            ("worker", Meaning::Worker),
            ("x-ab-bucket", Meaning::Variant),
            ("availability-zone", Meaning::Place),
            ("x-flavour", Meaning::Unknown),
            ("lab", Meaning::Unknown),
        ] {
            assert_eq!(of_name(name), meaning, "{name}");
        }
        assert_eq!(of_context(&["by", "served"], None), Meaning::Instance);
        assert_eq!(of_context(&["in", "served"], Some("ms")), Meaning::Noise);
        assert_eq!(of_context(&["id", "request"], None), Meaning::Noise);
        assert_eq!(of_context(&["<b", "Node"], Some("</b")), Meaning::Instance);
        assert_eq!(of_pointer("/id"), Meaning::Instance);
        assert_eq!(of_pointer("/request/id"), Meaning::Noise);
        assert_eq!(of_pointer("/server/name"), Meaning::Instance);
        assert_eq!(of_pointer("/server/uptime"), Meaning::Noise);
    }

    #[test]
    fn values_look_like_something() {
        for (values, expected) in [
            (&["web-1", "web-2"][..], Shape::Host),
            (&["s1", "s2"], Shape::Host),
            (&["10.0.0.3", "10.0.0.4:80"], Shape::Host),
            (&["a.example.org", "b.example.org"], Shape::Host),
            (&["3f0c9a51b2de", "aa0c9a51b2d1"], Shape::Host),
            (&["3", "12"], Shape::Number),
            (&["3ms", "0.4s"], Shape::Number),
            (&["2026-11-22T19:43:54Z", "19:43:54"], Shape::Number),
            (&["HIT", "MISS"], Shape::Other(Meaning::Noise)),
            (&["variant-a", "variant-b"], Shape::Other(Meaning::Variant)),
            (&["v1", "v2"], Shape::Other(Meaning::Variant)),
            (&["worker-1", "worker-2"], Shape::Other(Meaning::Worker)),
            (&["apple", "pear"], Shape::Opaque),
            (&["\"65f-2a\"", "\"65f-2b\""], Shape::Opaque),
        ] {
            assert_eq!(shape(values), expected, "{values:?}");
        }
    }
}
