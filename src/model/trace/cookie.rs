//! A cookie that the target set, without its values, which may give access to a user's session.

use serde::{Deserialize, Serialize};

/// A cookie that the target set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservedCookie {
    pub name: String,
    /// The reason why the cookie is not sent back; `None` where it is sent back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<WithholdReason>,
    /// The attributes of the last `Set-Cookie` line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<CookieAttributes>,
    /// The form of the last value. Runs of characters are given by a letter and their length: `d` for digits, `x` for
    /// digits and the letters a to f, `w` for letters and digits, `u` for anything that is not ASCII. Punctuation
    /// stands for itself: `w2~x32`, `"x16"`. A value that is base64 of printable text is `base64(…)` with the form of
    /// that text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// The first values that the target gave, in the order of the requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issued: Vec<IssuedValue>,
}

/// The attributes of a `Set-Cookie` line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CookieAttributes {
    /// The cookie is sent over https only.
    pub secure: bool,
    /// Scripts of the page cannot read the cookie.
    pub http_only: bool,
    /// `Strict`, `Lax` or `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_site: Option<String>,
    /// The paths that the cookie is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The hosts that the cookie is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The number of seconds in `Max-Age`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i64>,
    /// True if the line has `Expires`.
    #[serde(default)]
    pub expires: bool,
}

/// A value that a reply gave to a cookie. Numbers stand for texts: equal ones for equal texts within a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuedValue {
    /// The number of the request in its series.
    pub n: u32,
    pub value: u16,
    /// The part of the value before its first `~`, `.`, `!` or `|`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<u16>,
    /// The part of the value after its last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<u16>,
}

/// The reason why a cookie is not sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithholdReason {
    /// The cookie is `Secure`, and the target is asked over http.
    Secure,
    /// The cookie's path, which does not cover that of the request.
    Path(String),
    /// The cookie's domain, which is not that of the target.
    Domain(String),
    /// The cookie was deleted at once, or has expired.
    Expired,
    /// The line is no valid cookie.
    Invalid,
    /// Browsers refuse the cookie, because it breaks this rule.
    Refused(CookieRule),
}

/// A rule for cookies that a browser stores (RFC 6265bis, section 5.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CookieRule {
    /// A cookie with `SameSite=None` is `Secure`.
    SameSiteNone,
    /// A cookie that is `Partitioned` is `Secure` (CHIPS).
    Partitioned,
    /// A cookie whose name begins with `__Secure-` is `Secure`.
    SecurePrefix,
    /// A cookie whose name begins with `__Host-` is `Secure`, has the path `/`, and has no domain.
    HostPrefix,
}

/// One value of one cookie, as an experiment sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CookieValue {
    pub name: String,
    /// For an issued value, the number of the request without a jar to which it was issued; for a made-up value, any
    /// number.
    pub n: u32,
}
