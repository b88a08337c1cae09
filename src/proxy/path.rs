//! Paths: normalised before they are matched and forwarded, as Traefik does.

use std::borrow::Cow;

/// A path with a `%` that no two hex digits follow.
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
    // a path that ended in a directory still does
    if segments.is_empty() || path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..") {
        normal.push('/');
    }
    Ok(Cow::Owned(normal))
}

/// Whether there is nothing to do, which one pass over the bytes tells.
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
            ("/a/b/.", "/a/b/"),
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

    proptest::proptest! {
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
