//! Cookies: those that the target sets, the form of their values, and the values that a series sends.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderMap;
use url::Url;

use crate::model::trace::{CookieValue, IssuedValue, ObservedCookie, SeriesName};

use super::{
    jar::{Jar, StoredCookie},
    set_cookie::{SetCookie, set_cookies},
    text::printable_name,
};

/// The number of values of a cookie that a series records one by one.
const MAX_ISSUED: usize = 64;
/// The number of cookies that a series records: some targets set a cookie of another name with every answer.
const MAX_NAMES: usize = 64;
/// The length of the longest value that a browser stores, in bytes.
const MAX_VALUE_LENGTH: usize = 4096;
/// The characters that separate a route from the rest of a value.
const SEPARATORS: [char; 4] = ['~', '.', '!', '|'];

/// The cookies of all series of a probe.
#[derive(Debug, Default)]
pub struct Cookies {
    /// The cookies of the client with a jar.
    jar: Jar,
    /// The last value of each cookie that this client was given, also where it does not send the cookie back.
    given: HashMap<String, String>,
    /// The values that clients without a jar were given, by the cookie's name and the number of the request.
    issued: HashMap<(String, u32), String>,
    /// The values that the probe made up, by the series that sends them.
    made_up: HashMap<String, String>,
    /// The number of each value and of each part of one, by the hash of the text.
    numbers: HashMap<u64, u16>,
    hasher: RandomState,
}

impl Cookies {
    /// The `Cookie` header of the next request of a series, and the number of cookies in it.
    pub fn header(&mut self, series: &SeriesName, url: &Url) -> (Option<String>, u16) {
        let one = |name: &str, value: Option<&String>| match value {
            Some(value) => (Some(format!("{name}={value}")), 1),
            None => (None, 0),
        };
        match series {
            SeriesName::WithJar | SeriesName::JarByLot => {
                self.jar.header(url).map_or((None, 0), |(header, count)| (Some(header), count))
            }
            SeriesName::CookieAlone(name) => one(name, self.given.get(name)),
            SeriesName::CookieIssued(CookieValue { name, n }) => one(name, self.issued.get(&(name.clone(), *n))),
            SeriesName::CookieMadeUp(CookieValue { name, .. }) => {
                let given =
                    self.given.get(name).or_else(|| Some(self.issued.iter().find(|((of, _), _)| of == name)?.1));
                let like = || given.map_or_else(make_up, |given| imitate(given));
                one(name, Some(self.made_up.entry(series.to_string()).or_insert_with(like)))
            }
            SeriesName::CookieHead(CookieValue { name, n }) | SeriesName::CookieTail(CookieValue { name, n }) => {
                let Some(value) = self.issued.get(&(name.clone(), *n)) else { return (None, 0) };
                let part = match series {
                    SeriesName::CookieHead(_) => value.find(SEPARATORS).map(|at| (&value[..at], at..value.len())),
                    _ => value.rfind(SEPARATORS).map(|at| (&value[at..], 0..at)),
                };
                one(name, Some(self.made_up.entry(series.to_string()).or_insert_with(|| alter(value, part))))
            }
            _ => (None, 0),
        }
    }

    /// Notes in `seen` the cookies that the reply to request `n` sets, for the series with and the series without a
    /// jar. `url` is that of this request, `next` that of the next one.
    pub fn note(
        &mut self,
        series: &SeriesName,
        n: u32,
        headers: &HeaderMap,
        (url, next): (&Url, &Url),
        seen: &mut Vec<ObservedCookie>,
    ) {
        match series {
            SeriesName::WithJar | SeriesName::JarByLot => {
                for StoredCookie { cookie, withheld } in self.jar.store(headers, url, next) {
                    let (name, value) = (printable_name(&cookie.name), cookie.value.clone());
                    if let Some(entered) = self.enter(cookie, n, seen) {
                        entered.withheld = withheld;
                        self.given.insert(name, value);
                    }
                }
            }
            SeriesName::WithoutJar => {
                for cookie in set_cookies(headers).map(|raw| SetCookie::from(&raw)) {
                    let key = (printable_name(&cookie.name), n);
                    let value = cookie.value.clone();
                    let entered = self.enter(cookie, n, seen);
                    if entered.is_some_and(|cookie| cookie.issued.last().is_some_and(|issued| issued.n == n)) {
                        self.issued.insert(key, value);
                    }
                }
            }
            _ => {}
        }
    }

    fn enter<'a>(
        &mut self,
        cookie: SetCookie,
        n: u32,
        seen: &'a mut Vec<ObservedCookie>,
    ) -> Option<&'a mut ObservedCookie> {
        let SetCookie { name, value, attributes } = cookie;
        let name = printable_name(&name);
        let index = match seen.iter().position(|seen| seen.name == name) {
            Some(index) => index,
            None if seen.len() >= MAX_NAMES || value.len() > MAX_VALUE_LENGTH => return None,
            None => {
                seen.push(ObservedCookie { name, ..ObservedCookie::default() });
                seen.len() - 1
            }
        };
        let cookie = &mut seen[index];
        cookie.form = Some(form(&value));
        cookie.attributes = Some(attributes);
        if cookie.issued.len() < MAX_ISSUED && value.len() <= MAX_VALUE_LENGTH {
            let head = value.split_once(SEPARATORS).map(|(head, _)| head);
            let tail = value.rsplit_once(SEPARATORS).map(|(_, tail)| tail);
            let mut number = |text: &str| self.number(text);
            let (head, tail) = (head.and_then(&mut number), tail.and_then(&mut number));
            cookie.issued.extend(number(&value).map(|value| IssuedValue { n, value, head, tail }));
        }
        Some(cookie)
    }

    /// The number that stands for a text; `None` once all numbers are given away.
    fn number(&mut self, text: &str) -> Option<u16> {
        let next = u16::try_from(self.numbers.len()).ok()?;
        Some(*self.numbers.entry(self.hasher.hash_one(text)).or_insert(next))
    }
}

/// Replaces the letters and digits of a value by others of the same sort, in all of it but one part.
fn alter(value: &str, part: Option<(&str, std::ops::Range<usize>)>) -> String {
    let Some((same, rest)) = part else { return make_up() };
    let any = |c: char| match c {
        '0'..='9' => char::from(rand::random_range(b'0'..=b'9')),
        'a'..='f' => char::from(rand::random_range(b'a'..=b'f')),
        'g'..='z' => char::from(rand::random_range(b'g'..=b'z')),
        'A'..='F' => char::from(rand::random_range(b'A'..=b'F')),
        'G'..='Z' => char::from(rand::random_range(b'G'..=b'Z')),
        c => c,
    };
    let from_start = rest.start == 0;
    let other: String = value[rest].chars().map(any).collect();
    if from_start { other + same } else { same.to_owned() + &other }
}

/// Makes up a value in the form of a given one, where that has letters and digits enough: some balancers take no value
/// of another form.
fn imitate(value: &str) -> String {
    const MIN_LETTERS: usize = 8;
    match value.chars().filter(char::is_ascii_alphanumeric).count() {
        0..MIN_LETTERS => make_up(),
        _ => alter(value, Some(("", 0..value.len()))),
    }
}

/// Makes up a value, of a form that names of servers hardly ever have.
fn make_up() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The form of a value, in the notation of [`ObservedCookie::form`].
fn form(value: &str) -> String {
    const MAX_CHARS: usize = 120;
    let shape: String = plain_form(value).chars().take(MAX_CHARS).collect();
    let decoded = STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded.filter(|text| text.len() >= 7 && text.chars().all(|c| c.is_ascii_graphic())) {
        Some(text) => format!("base64({})", plain_form(&text).chars().take(MAX_CHARS).collect::<String>()),
        None => shape,
    }
}

fn plain_form(value: &str) -> String {
    let mut form = String::new();
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_punctuation() {
            form.push(first);
            rest = &rest[1..];
            continue;
        }
        let plain = |c: char| c.is_ascii_alphanumeric();
        let same = |c: char| !c.is_ascii_punctuation() && plain(c) == plain(first);
        let end = rest.find(|c: char| !same(c)).unwrap_or(rest.len());
        let run = &rest[..end];
        let class = match run {
            run if run.bytes().all(|b| b.is_ascii_digit()) => 'd',
            run if run.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => 'x',
            _ if plain(first) => 'w',
            _ => 'u',
        };
        form += &format!("{class}{}", run.chars().count());
        rest = &rest[end..];
    }
    form
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::{HeaderValue, header};

    fn set(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (header::SET_COOKIE, HeaderValue::from_str(line).unwrap())).collect()
    }

    #[test]
    fn a_form_tells_how_a_value_looks_and_not_what_it_is() {
        for (value, like) in [
            ("web2~0123456789abcdef", "w4~x16"),
            ("\"5cafe5cafe5cafe5\"", "\"x16\""),
            (".web1", ".w4"),
            ("1700000000.123|ff", "d10.d3|x2"),
            ("MTI3LjAuMC4xOjgw", "base64(d3.d1.d1.d1:d2)"),
            ("a\u{7}é山b", "x1u3x1"),
            ("", ""),
        ] {
            assert_eq!(form(value), like, "{value}");
        }
    }

    #[test]
    fn values_are_numbered_and_can_be_sent_again() {
        let url: Url = "http://demo/".parse().unwrap();
        let mut cookies = Cookies::default();
        let mut seen = Vec::new();
        for (n, value) in [(1, "s.a"), (2, "t.a"), (3, "s.a")] {
            let headers = set(&[&format!("id={value}; path=/; HttpOnly")]);
            cookies.note(&SeriesName::WithoutJar, n, &headers, (&url, &url), &mut seen);
        }
        let [cookie] = seen.as_slice() else { panic!("{seen:?}") };
        let issued = &cookie.issued;
        assert_eq!((issued[0].value, issued[0].tail), (issued[2].value, issued[1].tail));
        assert!(issued[0].value != issued[1].value && issued[0].head != issued[1].head);
        assert!(cookie.attributes.as_ref().is_some_and(|attributes| attributes.http_only));
        let value = |n| CookieValue { name: "id".into(), n };
        assert_eq!(cookies.header(&SeriesName::CookieIssued(value(2)), &url).0.unwrap(), "id=t.a");
        assert_eq!(cookies.header(&SeriesName::CookieIssued(value(4)), &url), (None, 0));
        let tail = cookies.header(&SeriesName::CookieTail(value(1)), &url);
        let sent = tail.0.clone().unwrap();
        assert!(sent.starts_with("id=") && sent.ends_with(".a") && sent.len() == "id=s.a".len(), "{sent}");
        assert_eq!(cookies.header(&SeriesName::CookieTail(value(1)), &url), tail);
        assert!(cookies.header(&SeriesName::CookieHead(value(2)), &url).0.unwrap().starts_with("id=t."));
        let made_up = cookies.header(&SeriesName::CookieMadeUp(value(1)), &url);
        assert_eq!(cookies.header(&SeriesName::CookieMadeUp(value(1)), &url), made_up);
        assert_ne!(cookies.header(&SeriesName::CookieMadeUp(value(2)), &url), made_up);
    }

    #[test]
    fn a_value_is_made_up_in_the_form_of_those_that_were_given() {
        let url: Url = "http://demo/".parse().unwrap();
        let made_up = |given: &str| {
            let mut cookies = Cookies::default();
            cookies.note(&SeriesName::WithoutJar, 1, &set(&[&format!("id={given}")]), (&url, &url), &mut Vec::new());
            let series = SeriesName::CookieMadeUp(CookieValue { name: "id".into(), n: 1 });
            cookies.header(&series, &url).0.unwrap().split_off("id=".len())
        };
        for given in ["5cafe5caf", "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "3f.Xy_zQ-00"] {
            let value = made_up(given);
            assert!(value != given && value.len() == given.len(), "{value}");
            let punctuation =
                |text: &str| text.chars().map(|c| (!c.is_alphanumeric()).then_some(c)).collect::<Vec<_>>();
            assert_eq!(punctuation(&value), punctuation(given));
            let stays_hex = given.chars().all(|c| !matches!(c, 'g'..='z' | 'G'..='Z'));
            assert!(!stays_hex || value.chars().all(|c| c == '-' || c.is_ascii_hexdigit()), "{value}");
        }
        // a short value in the same form may be the value of another client
        assert_eq!(made_up("s1").len(), 32);
    }

    #[test]
    fn a_cookie_that_a_browser_withholds_can_be_tried_alone() {
        let url: Url = "http://demo/".parse().unwrap();
        let mut cookies = Cookies::default();
        let mut seen = Vec::new();
        let headers = set(&["srv=1; Secure", "id=2"]);
        cookies.note(&SeriesName::WithJar, 1, &headers, (&url, &url), &mut seen);
        assert_eq!(cookies.header(&SeriesName::WithJar, &url), (Some("id=2".to_owned()), 1));
        assert_eq!(cookies.header(&SeriesName::CookieAlone("srv".into()), &url), (Some("srv=1".to_owned()), 1));
        assert!(seen[0].withheld.is_some() && seen[1].withheld.is_none());
    }
}
