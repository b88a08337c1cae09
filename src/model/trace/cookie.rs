//! What a probe saw of cookies: all but their values, which may open somebody's session.

use serde::{Deserialize, Serialize};

/// A cookie that the target set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenCookie {
    /// Its name.
    pub name: String,
    /// Why it is not sent back, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
    /// What its last `Set-Cookie` line said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
    /// The form of its last value: `d` stands for digits, `x` for lower-case hexadecimal ones, `w` for letters and digits,
    /// `u` for
    /// anything that is not ASCII, each with how many there are; punctuation stands for itself (`w2~x32`, `"x16"`). A value that is base64 of
    /// printable text is `base64(…)` of that text's form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// The first replies that set it, in the order of their requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issued: Vec<Issued>,
}

/// What a `Set-Cookie` line says beside name and value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attributes {
    /// Only to be sent over https.
    pub secure: bool,
    /// Not to be read by a page's scripts.
    pub http_only: bool,
    /// `Strict`, `Lax` or `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_site: Option<String>,
    /// Which paths it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Which hosts it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// For how many seconds it is kept, where it outlives the browser and says so by `Max-Age`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i64>,
    /// Whether it says when it expires.
    #[serde(default)]
    pub expires: bool,
}

/// A reply that set a cookie. Equal numbers stand for equal texts within a trace, and tell nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    /// The request of the series whose reply it was.
    pub n: u32,
    /// The value.
    pub value: u16,
    /// What stands before its first `~`, `.`, `!` or `|`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<u16>,
    /// What stands after its last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<u16>,
}

/// Why a cookie is not sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Withheld {
    /// It is `Secure`, and the target is asked over http.
    Secure,
    /// Its path does not cover the request's.
    Path(String),
    /// Its domain is not the target's.
    Domain(String),
    /// It was deleted at once, or has expired.
    Expired,
    /// It is no valid cookie.
    Invalid,
}

/// One value of one cookie, as an experiment sends it alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CookieValue {
    /// The cookie's name.
    pub name: String,
    /// Which of its values: the request without a jar whose reply issued it, or just a number.
    pub n: u32,
}
