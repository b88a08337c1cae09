//! Single fields of a JSON text, found by a JSON pointer (RFC 6901) without keeping the rest of the text.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// A JSON scalar as text; `None` for null, arrays and objects.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The scalar at `pointer` as text, if the whole of `text` is JSON and has a scalar there. Where an object has a name
/// more than once, the last one counts, as in [`Value`].
pub fn scalar_at(text: &[u8], pointer: &str) -> Option<String> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let found = Pointer(pointer).deserialize(&mut json).ok()?;
    json.end().ok()?;
    found
}

/// A JSON pointer, or the rest of one after its first steps.
#[derive(Clone, Copy)]
struct Pointer<'p>(&'p str);

impl<'p> Pointer<'p> {
    /// The first name or index, and the rest of the pointer.
    fn split_first(self) -> Option<(Cow<'p, str>, Pointer<'p>)> {
        let rest = self.0.strip_prefix('/')?;
        let (token, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let token = if token.contains('~') { token.replace("~1", "/").replace("~0", "~").into() } else { token.into() };
        Some((token, Pointer(rest)))
    }
}

impl<'de> DeserializeSeed<'de> for Pointer<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        match self.split_first() {
            Some((token, rest)) => json.deserialize_any(Container { token, rest }),
            None => Ok(scalar(&Value::deserialize(json)?)),
        }
    }
}

/// Looks for a name in an object, or for an index in an array.
struct Container<'p> {
    token: Cow<'p, str>,
    rest: Pointer<'p>,
}

impl<'de> Visitor<'de> for Container<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_wanted) = map.next_key_seed(KeyMatch(&self.token))? {
            if is_wanted {
                found = map.next_value_seed(self.rest)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
        // an index has no leading zero
        let index: Option<usize> = self.token.parse().ok().filter(|index: &usize| index.to_string() == *self.token);
        for _ in 0..index.unwrap_or(0) {
            if all.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = match index {
            Some(_) => all.next_element_seed(self.rest)?.flatten(),
            None => None,
        };
        while all.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Compares a key with the wanted one.
struct KeyMatch<'p>(&'p str);

impl<'de> DeserializeSeed<'de> for KeyMatch<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyMatch<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_field_is_what_it_is_in_the_whole_value() {
        let texts = [
            r#"{"a":{"b":[7,true,"x",null,-1,2.5]},"a/b":"slash","m~n":"tilde","":"empty","\u0061c":"escaped","d":1,"d":2}"#,
            r#"["n0",["n1"],{"0":"n2"}]"#,
            r#""alone""#,
            "7",
            "null",
            r#"{"a":"cut"#,
            r#"{"a":"b"} more"#,
            "",
        ];
        let pointers = [
            "", "/", "/a", "/a/b", "/a/b/0", "/a/b/1", "/a/b/2", "/a/b/3", "/a/b/4", "/a/b/5", "/a/b/6", "/a/b/00",
            "/a/b/-", "/a~1b", "/m~0n", "/ac", "/d", "/0", "/1/0", "/2/0", "/0/0", "/1", "/3",
        ];
        let mut found = 0;
        for text in texts {
            for pointer in pointers {
                let whole: Option<Value> = serde_json::from_str(text).ok();
                let expected = whole.as_ref().and_then(|value| value.pointer(pointer)).and_then(scalar);
                assert_eq!(scalar_at(text.as_bytes(), pointer), expected, "{pointer} in {text}");
                found += usize::from(expected.is_some());
            }
        }
        assert!(found > 10, "{found}");
    }
}
