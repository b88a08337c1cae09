//! Paths: brought into a normal form before they are matched and forwarded, as in Traefik.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// The error for a path with a `%` that is not followed by two hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadEscape;

/// The path in one normal form: `//`, `/./` and `/../` collapsed, escapes of ordinary characters decoded, escapes of
/// others in upper case, and characters escaped that no URL may have as they are. `path` starts with `/` or is `*`.
///
/// # Errors
/// [`BadEscape`]
pub fn normalise(path: &str) -> Result<Cow<'_, str>, BadEscape> {
    if is_normal(path) {
        return Ok(Cow::Borrowed(path));
    }
    let path = decode_ordinary(path)?;
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => _ = segments.pop(),
            segment => segments.push(segment),
        }
    }
    let mut normal = String::with_capacity(path.len());
    for segment in &segments {
        normal.push('/');
        normal.push_str(segment);
    }
    // a slash at the end stays; a dot there leaves none, as in Traefik
    if segments.is_empty() || path.ends_with('/') {
        normal.push('/');
    }
    Ok(Cow::Owned(normal))
}

/// Returns whether a path is normal already, which one pass over the bytes shows.
fn is_normal(path: &str) -> bool {
    if path == "*" {
        return true;
    }
    let mut last = 0;
    path.bytes().all(|byte| {
        let fine = byte != b'%' && !must_be_escaped(byte) && !(last == b'/' && (byte == b'/' || byte == b'.'));
        last = byte;
        fine
    })
}

fn must_be_escaped(byte: u8) -> bool {
    !byte.is_ascii_graphic() || b"\"<>\\^`{|}".contains(&byte)
}

fn decode_ordinary(path: &str) -> Result<String, BadEscape> {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.bytes().position(|byte| byte == b'%' || must_be_escaped(byte)) {
        decoded.push_str(&rest[..at]);
        let special = &rest[at..at + rest[at..].chars().next().map_or(1, char::len_utf8)];
        if special != "%" {
            special.bytes().for_each(|byte| decoded.push_str(&format!("%{byte:02X}")));
            rest = &rest[at + special.len()..];
            continue;
        }
        let digits = rest.get(at + 1..at + 3).ok_or(BadEscape)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(BadEscape);
        }
        let byte = u8::from_str_radix(digits, 16).map_err(|_| BadEscape)?;
        // RFC 3986 §2.3, unreserved
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => decoded.push(char::from(byte)),
            _ => decoded.push_str(&format!("%{byte:02X}")),
        }
        rest = &rest[at + 3..];
    }
    decoded.push_str(rest);
    Ok(decoded)
}

/// The error for a path that is not in the normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotNormal;

/// The complement of the characters that Go does not escape in a path.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

/// A normal path without this prefix, which is compared with the decoded path; `None` if the path begins otherwise. The
/// rest keeps its escapes, unless it begins with an escape that was part of the path's structure: then Traefik, like
/// Go, takes the decoded path.
pub fn strip_prefix(path: &str, prefix: &str) -> Option<Result<String, NotNormal>> {
    let decoded: Cow<'_, [u8]> = percent_decode_str(path).into();
    let rest = decoded.strip_prefix(prefix.as_bytes())?;
    let slash: &[u8] = if rest.starts_with(b"/") { b"" } else { b"/" };
    let rest = [slash, rest].concat();
    let written = path.strip_prefix(prefix).unwrap_or(path);
    let slash = if written.starts_with('/') { "" } else { "/" };
    let mut stripped = format!("{slash}{written}");
    if Cow::from(percent_decode_str(&stripped)) != rest {
        stripped = percent_encode(&rest, IN_PATH).to_string();
    }
    let mut segments = stripped[1..].split('/');
    let last = segments.next_back();
    let clean = segments.all(|segment| !matches!(segment, "" | "." | "..")) && !matches!(last, Some("." | ".."));
    Some(if clean { Ok(stripped) } else { Err(NotNormal) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_path_has_one_normal_form() {
        for (path, normal) in [
            ("/", "/"),
            ("/api/", "/api/"),
            ("/a.b/c..d", "/a.b/c..d"),
            ("//a//b", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/../../etc", "/etc"),
            ("/a/..", "/"),
            ("/a/b/.", "/a/b"),
            ("/a/b/..", "/a"),
            ("/a/b/./", "/a/b/"),
            ("/ap%69", "/api"),
            ("/a%2fb", "/a%2Fb"),
            ("/%2e%2e/x", "/x"),
            ("/.well-known/x", "/.well-known/x"),
            ("/a{b}\\c\"|", "/a%7Bb%7D%5Cc%22%7C"),
            ("/é", "/%C3%A9"),
            ("*", "*"),
        ] {
            assert_eq!(normalise(path).unwrap(), normal, "{path}");
        }
    }

    #[test]
    fn bad_escapes_are_errors() {
        for path in ["/%", "/%2", "/%zz", "/%+1", "/%é"] {
            assert_eq!(normalise(path), Err(BadEscape), "{path}");
        }
    }

    #[test]
    fn a_prefix_is_stripped_as_traefik_does() {
        // each of these was seen on Traefik 3.7
        for (path, prefix, rest) in [
            ("/api", "/api", "/"),
            ("/api/", "/api", "/"),
            ("/apix", "/api", "/x"),
            ("/a/", "/a/", "/"),
            ("/ap/(x)!", "/ap", "/(x)!"),
            ("/ap%2F(x)!", "/ap", "/%28x%29%21"),
            ("/ap%2Fx%2Fy", "/ap", "/x/y"),
            ("/ap/x%2Fy", "/ap", "/x%2Fy"),
            ("/ap%20x", "/ap", "/%20x"),
            ("/ap%3Fx", "/ap", "/%3Fx"),
            ("/ap%2FA;,=@:$&+%23%25%3F%7C%C3%A9", "/ap", "/A;,=@:$&+%23%25%3F%7C%C3%A9"),
            ("/a%2Fb/1", "/a/b", "/1"),
            ("/%C3%A9/1", "/é", "/1"),
            ("/x%20y/1", "/x y", "/1"),
            ("/ap/x/", "/ap", "/x/"),
            ("/ap/x%2F%2Fy", "/ap", "/x%2F%2Fy"),
            ("/ap/x%2F../y", "/ap", "/x%2F../y"),
            ("/ap/..%2F", "/ap", "/..%2F"),
            ("/ap..x", "/ap", "/..x"),
            ("/ap/a%2F.%2Fb", "/ap", "/a%2F.%2Fb"),
            ("/ap%2Fa%2F", "/ap", "/a/"),
        ] {
            assert_eq!(strip_prefix(path, prefix), Some(Ok(rest.to_owned())), "{path}");
        }
        for path in ["/ap%2F%2Fx", "/ap../x", "/ap./x", "/ap.", "/ap..", "/ap%2F.", "/ap%2Fa%2F.%2Fb"] {
            assert_eq!(strip_prefix(path, "/ap"), Some(Err(NotNormal)), "{path}");
        }
        for (path, prefix) in [("/a", "/a/"), ("/ax", "a"), ("/a%2Fb/1", "/a%2Fb"), ("/~z/1", "/%7Ez"), ("*", "/")] {
            assert_eq!(strip_prefix(path, prefix), None, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_left_is_normal(path in "/[a-c./%25F]{0,12}", prefix in "/[a-c]{0,3}/?") {
            if let Ok(normal) = normalise(&path) && let Some(Ok(rest)) = strip_prefix(&normal, &prefix) {
                assert_eq!(normalise(&rest).unwrap(), rest);
            }
        }

        #[test]
        fn normal_paths_stay(path in "/[a-z./%0-9]{0,20}") {
            if let Ok(normal) = normalise(&path) {
                let again = normalise(&normal).unwrap();
                assert_eq!(&again, &normal);
                assert!(normal.starts_with('/') && !normal.contains("//"));
            }
        }
    }
}
