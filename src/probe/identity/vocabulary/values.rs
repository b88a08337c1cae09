//! The form of values: names of hosts, numbers, states, times, ids.

use super::{
    names::{NameMeaning, meaning_of_name},
    words::{FILE_ENDINGS, HOST_STEMS, STATES},
};

/// The form that all values of a feature have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Names of hosts, numbered names, or addresses.
    Host,
    /// Numbers, with or without a unit.
    Number,
    /// Values of something else than an instance, such as a state, a variant or a worker.
    Other(NameMeaning),
    /// Anything else.
    Opaque,
}

pub fn shape(values: &[&str]) -> Shape {
    let all = |is: &dyn Fn(&str) -> bool| values.iter().all(|value| is(value));
    if all(&is_address) {
        return Shape::Host;
    }
    // one number among them is enough, as in `17`, `9.5k`
    if values.iter().any(|value| is_number(value)) {
        return Shape::Number;
    }
    if values.iter().any(|value| STATES.contains(&value.to_lowercase().as_str())) {
        return Shape::Other(NameMeaning::Noise);
    }
    if values.iter().any(|value| is_file(value)) {
        return Shape::Other(NameMeaning::Noise);
    }
    for meaning in [NameMeaning::Noise, NameMeaning::Worker, NameMeaning::Variant, NameMeaning::Place] {
        if all(&|value| meaning_of_name(&without_digits(value)) == meaning) {
            return Shape::Other(meaning);
        }
    }
    // `v1`, `v2.3` are versions
    if all(&|value| value.trim_start_matches(['v', 'V']).parse::<f64>().is_ok()) {
        return Shape::Other(NameMeaning::Variant);
    }
    if all(&is_hostname) && (have_same_stem(values) || all(&is_container)) { Shape::Host } else { Shape::Opaque }
}

/// Returns whether these are names that only hosts have, whatever stands around them: addresses, names of containers
/// and pods, `web-1`.
pub fn are_hosts(values: &[&str]) -> bool {
    let all = |is: &dyn Fn(&str) -> bool| values.iter().all(|value| is(value));
    let numbered = |value: &str| {
        let stem = value.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase();
        HOST_STEMS.contains(&stem.as_str()) && is_hostname(value) && value.contains(|c: char| c.is_ascii_digit())
    };
    all(&is_address) || all(&is_container) || all(&is_pod) || all(&numbered)
}

/// Returns whether a value is a time or a date.
pub fn is_clock(value: &str) -> bool {
    let of_two = |part: &str| matches!(part.len(), 1 | 2) && part.parse::<u8>().is_ok_and(|number| number < 61);
    let time = value.split(['.', 'Z', '+']).next().unwrap_or_default();
    let is_time = (2..=3).contains(&time.split(':').count()) && time.split(':').all(of_two);
    let day: Vec<&str> = value.get(..10).unwrap_or_default().split('-').collect();
    let is_date = matches!(day.as_slice(), [year, month, day] if year.len() == 4 && year.parse::<u16>().is_ok() && of_two(month) && of_two(day));
    is_time || is_date || value.ends_with(" GMT")
}

/// Returns whether most values look like ids that are drawn at random and are longer than a container's name:
/// hexadecimal, or letters and digits that take turns.
pub fn are_drawn(values: &[&str]) -> bool {
    const MAX_NAME_LENGTH: usize = 12;
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
        value.len() > MAX_NAME_LENGTH && (is_hex || is_number || is_text)
    };
    !values.is_empty() && values.iter().filter(drawn).count() * 4 >= values.len() * 3
}

/// Returns whether a value is the name of a file, as pages refer to it.
fn is_file(value: &str) -> bool {
    let name = value.split(['?', '#']).next().unwrap_or_default();
    name.rsplit_once('.')
        .is_some_and(|(name, end)| !name.is_empty() && FILE_ENDINGS.contains(&end.to_lowercase().as_str()))
}

/// Returns whether a value is a name as Kubernetes gives it to a pod of a deployment: `shop-7d9f8b6c5f-x2x4z`.
fn is_pod(value: &str) -> bool {
    let parts: Vec<&str> = value.rsplitn(3, '-').collect();
    let is_code = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    matches!(parts.as_slice(), [own, set, _] if own.len() == 5 && (8..=10).contains(&set.len()) && is_code(own) && is_code(set))
}

fn without_digits(value: &str) -> String {
    value.chars().map(|c| if c.is_ascii_digit() { ' ' } else { c }).collect()
}

/// Returns whether a value is an IP address, with or without a port.
fn is_address(value: &str) -> bool {
    value.parse::<std::net::IpAddr>().is_ok() || value.parse::<std::net::SocketAddr>().is_ok()
}

/// Returns whether a value is digits and punctuation, with or without a unit or the letters of a date.
fn is_number(value: &str) -> bool {
    let value = value.trim_matches('"');
    let letters: String = value.chars().filter(|c| c.is_alphabetic()).collect();
    let units = ["", "s", "ms", "us", "µs", "ns", "b", "k", "kb", "m", "mb", "g", "gb", "px", "t", "tz", "z", "x", "e"];
    value.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && units.contains(&letters.to_lowercase().as_str())
        && !is_address(value)
}

/// Returns whether a value can be the name of a host.
fn is_hostname(value: &str) -> bool {
    (1..=253).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
        && value.bytes().any(|byte| byte.is_ascii_digit() || b"-.".contains(&byte))
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Returns whether a value is a name as a container gets it by default.
fn is_container(value: &str) -> bool {
    matches!(value.len(), 12 | 64) && value.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Returns whether the values begin with the same word and differ after it, or are all names in a domain.
fn have_same_stem(values: &[&str]) -> bool {
    let stem = |value: &str| value.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_owned();
    let first = values.first().map(|value| stem(value)).unwrap_or_default();
    !first.is_empty() && values.iter().all(|value| stem(value) == first)
        || values.iter().all(|value| value.contains('.') && value.ends_with(|c: char| c.is_ascii_alphabetic()))
}

/// Returns whether an ETag is made of a file's time and size, and not of what is in it: `"65f3c1a0-2a"`.
pub fn is_file_etag(etag: &str) -> bool {
    let parts = etag.trim_start_matches("W/").trim_matches('"').split('-');
    let is_part = |part: &str| (1..=16).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.clone().count() > 1 && parts.clone().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (&["HIT", "MISS"], Shape::Other(NameMeaning::Noise)),
            (&["variant-a", "variant-b"], Shape::Other(NameMeaning::Variant)),
            (&["v1", "v2"], Shape::Other(NameMeaning::Variant)),
            (&["worker-1", "worker-2"], Shape::Other(NameMeaning::Worker)),
            (&["apple", "pear"], Shape::Opaque),
            (&["\"65f-2a\"", "\"65f-2b\""], Shape::Opaque),
        ] {
            assert_eq!(shape(values), expected, "{values:?}");
        }
    }
}
