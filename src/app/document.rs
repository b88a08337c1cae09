//! The HTML document of the page, built from the files of `lab/web_static/` in the same way as PHP does it there.
//!
//! `page.html` is a template: each `{{name}}` is replaced in one pass (PHP's `strtr`), so that a value which looks like a
//! placeholder stays unchanged. `style` and `script` are the unchanged files `page.css` and `page.js`, because their hashes
//! are in the Content-Security-Policy. Every other value is escaped as by `htmlspecialchars($value, ENT_QUOTES)`:
//!
//! | placeholder | value |
//! | --- | --- |
//! | `hostname` | the hostname of the server |
//! | `session_id` | the whole id |
//! | `session_short` | its first eight characters, and `…` where there are more |
//! | `state` | `logged-in` or `logged-out` |
//! | `status` | `logged in as NAME` or `not logged in` |
//! | `visits` | a number |

use std::io;

use axum::http::HeaderValue;
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use super::sessions::Snapshot;

const PAGE: &str = include_str!("../../lab/web_static/page.html");
const STYLE: &str = include_str!("../../lab/web_static/page.css");
const SCRIPT: &str = include_str!("../../lab/web_static/page.js");

/// The number of characters of an id that distinguish two sessions at a glance.
const SHORT_ID_LENGTH: usize = 8;

/// The document that the server `hostname` sends in this session.
pub(super) fn render(hostname: &str, session: &Snapshot) -> String {
    let hostname = escape(hostname);
    let id = escape(&session.id);
    let short = match session.id.char_indices().nth(SHORT_ID_LENGTH) {
        Some((end, _)) => format!("{}…", escape(&session.id[..end])),
        None => id.clone(),
    };
    let (state, status) = match &session.user {
        Some(user) => ("logged-in", format!("logged in as {}", escape(user))),
        None => ("logged-out", "not logged in".to_owned()),
    };
    let visits = session.visits.to_string();
    fill(PAGE, |name| {
        Some(match name {
            "style" => STYLE,
            "script" => SCRIPT,
            "hostname" => &hostname,
            "session_id" => &id,
            "session_short" => &short,
            "state" => state,
            "status" => &status,
            "visits" => &visits,
            _ => return None,
        })
    })
}

/// The policy of the page: it may use its own style and script, and send requests to its own host. The browser loads
/// nothing else.
pub(super) fn content_security_policy() -> io::Result<HeaderValue> {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
        hash_source(STYLE),
        hash_source(SCRIPT)
    );
    HeaderValue::from_str(&policy).map_err(io::Error::other)
}

fn hash_source(inlined: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(inlined)))
}

/// Replaces every `{{name}}` that has a value.
fn fill<'a>(template: &'a str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut filled = String::with_capacity(template.len() + STYLE.len() + SCRIPT.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        match after.split_once("}}").and_then(|(name, after)| Some((value(name)?, after))) {
            Some((value, after)) => {
                filled.push_str(value);
                rest = after;
            }
            None => {
                filled.push_str("{{");
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// Escapes HTML as PHP's `htmlspecialchars` does with `ENT_QUOTES`.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#039;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use regex::Regex;

    use super::*;

    fn page_of(user: Option<&str>) -> String {
        let session = Snapshot { id: "d759710451823e0c".into(), user: user.map(Into::into), visits: 7 };
        render("web_static-3", &session)
    }

    #[test]
    fn the_page_says_who_served_it_to_whom() {
        let page = page_of(Some("alice"));
        assert!(page.contains(r#"<h1 id="hostname">web_static-3</h1>"#));
        assert!(page.contains(r#"<p id="logged-in" class="status">logged in as alice</p>"#));
        assert!(page.contains(r#"data-state="logged-in""#));
        assert!(page.contains(r#"title="d759710451823e0c">d7597104…</code>"#));
        assert!(page.contains(r#"<dd id="visits">7</dd>"#));
        assert!(page_of(None).contains(r#"<p id="logged-in" class="status">not logged in</p>"#));
    }

    #[test]
    fn every_placeholder_is_filled() {
        assert!(!page_of(None).contains("{{"));
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_stays_what_it_is() {
        assert!(page_of(Some("{{session_id}}")).contains("logged in as {{session_id}}</p>"));
    }

    #[test]
    fn other_text_in_braces_stays_as_it_is() {
        let value = |name: &str| (name == "a").then_some("1");
        assert_eq!(fill("{{a}} {{b}} {{a}} {{", value), "1 {{b}} 1 {{");
        assert_eq!(fill("{{ {{a}}", value), "{{ 1");
    }

    #[test]
    fn names_are_escaped_as_php_escapes_them() {
        assert_eq!(escape(r#"a&amp;<b>"'/`é"#), "a&amp;amp;&lt;b&gt;&quot;&#039;/`é");
        assert!(
            page_of(Some("<script>alert('x')</script>")).contains("&lt;script&gt;alert(&#039;x&#039;)&lt;/script&gt;")
        );
    }

    #[test]
    fn the_policy_allows_the_style_and_the_script_of_the_page() {
        let page = page_of(None);
        let policy = content_security_policy().unwrap();
        let policy = policy.to_str().unwrap();
        for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
            let (_, inside) = page.split_once(&format!("<{element}>")).unwrap();
            let (inside, _) = inside.split_once(&format!("</{element}>")).unwrap();
            assert!(policy.contains(&format!("{directive} '{}'", hash_source(inside))), "{policy}");
        }
    }

    #[test]
    fn the_page_has_nothing_that_makes_a_second_request_or_that_the_policy_blocks() {
        let outside =
            Regex::new(r#"(?i)\s(src|srcset|style|on\w+)\s*=|<(iframe|object|base)\b|@import|url\("#).unwrap();
        for text in [PAGE, STYLE] {
            assert_eq!(outside.find(text).map(|found| found.as_str()), None);
        }
        assert_eq!(PAGE.matches("<link").count(), 1);
        assert!(PAGE.contains(r#"<link rel="icon" href="data:"#));
        assert!(!SCRIPT.contains("://"));
    }

    #[test]
    fn style_and_script_end_where_their_elements_do() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
        // a browser reads CR LF as LF, and the hashes would no longer fit
        assert!(!STYLE.contains('\r') && !SCRIPT.contains('\r'));
    }
}
