//! Vendors: the balancer that a sticky cookie belongs to, by its name and the form of its value; and the mistakes in
//! its attributes.
//!
//! The vendor is a hint for the reader and decides nothing, because any balancer may give a cookie any name.

use crate::model::trace::CookieAttributes;

/// The name of a balancer, as its users know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Vendor(pub &'static str);

/// A mistake in the attributes of a cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// A browser sends the cookie over plain http as well.
    NotSecure,
    /// Over http, a browser sends the cookie to this machine's own addresses only.
    SecureOverHttp,
    /// The scripts of the page can read the cookie.
    NotHttpOnly,
    /// Browsers refuse `SameSite=None` without `Secure`.
    /// Browsers refuse such a cookie. A probe does not send it back either; a trace of an older version may say so.
    SameSiteNoneNotSecure,
    /// The cookie is sent for this path alone.
    OtherPath(String),
}

/// Names that belong to one vendor.
const NAMES: [(&str, &str); 20] = [
    ("AWSALB", "AWS's application load balancer"),
    ("AWSALBCORS", "AWS's application load balancer"),
    ("AWSALBTG", "AWS's application load balancer"),
    ("AWSALBTGCORS", "AWS's application load balancer"),
    ("AWSELB", "AWS's classic load balancer"),
    ("AWSELBCORS", "AWS's classic load balancer"),
    ("GCLB", "Google Cloud's load balancer"),
    ("ARRAffinity", "Azure's App Service"),
    ("ARRAffinitySameSite", "Azure's App Service"),
    ("ApplicationGatewayAffinity", "Azure's Application Gateway"),
    ("ApplicationGatewayAffinityCORS", "Azure's Application Gateway"),
    ("ASLBSA", "Azure's Front Door"),
    ("ASLBSACORS", "Azure's Front Door"),
    ("__cflb", "Cloudflare's load balancer"),
    ("DO-LB", "DigitalOcean's load balancer"),
    ("heroku-session-affinity", "Heroku's router"),
    ("INGRESSCOOKIE", "ingress-nginx"),
    ("X-Oracle-BMC-LBS-Route", "Oracle Cloud's load balancer"),
    ("SERVERID", "HAProxy, as its manual shows it"),
    ("ROUTEID", "Apache's mod_proxy_balancer, as its manual shows it"),
];
/// Beginnings of names that belong to one vendor.
const BEGINNINGS: [(&str, &str); 3] =
    [("BIGipServer", "F5's BIG-IP"), ("NSC_", "Citrix's NetScaler"), ("BNI_", "Barracuda's load balancer")];
/// Names that frameworks give to an application's session.
const SESSIONS: [&str; 14] = [
    "phpsessid",
    "jsessionid",
    "asp.net_sessionid",
    "connect.sid",
    "sid",
    "sessionid",
    "session_id",
    "session",
    "sess",
    "_session_id",
    "laravel_session",
    "ci_session",
    "rack.session",
    "play_session",
];

/// The vendor whose sticky cookies have this name and form, where that is known.
pub fn identify_vendor(name: &str, form: &str) -> Option<Vendor> {
    let by_name = NAMES.iter().find(|(known, _)| *known == name).map(|(_, vendor)| *vendor);
    let by_beginning = || BEGINNINGS.iter().find(|(known, _)| name.starts_with(known)).map(|(_, vendor)| *vendor);
    by_name.or_else(by_beginning).or_else(|| identify_by_form(name, form)).map(Vendor)
}

fn identify_by_form(name: &str, form: &str) -> Option<&'static str> {
    let hexadecimal = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    // digits alone are hexadecimal too, and a letter past f is not
    let digits = |count: usize| form == format!("x{count}") || form == format!("d{count}");
    match form {
        _ if name.len() == 6 && name.starts_with('_') && hexadecimal(&name[1..]) && digits(16) => Some("Traefik"),
        _ if name == "route" && digits(32) => Some("nginx's sticky module"),
        _ if name == "lb" && digits(64) => Some("Caddy"),
        _ if name.len() == 32 && hexadecimal(name) && digits(32) => Some("OpenShift's router (HAProxy)"),
        _ if form.starts_with('"') && form.ends_with("16\"") && form.len() == 5 => Some("Envoy"),
        _ if form.starts_with("base64(") && form.contains(':') && form.contains(".d") => Some("Envoy"),
        _ if form.contains('~') => Some("HAProxy, which puts the server before the value"),
        _ if form.ends_with("|x32") => Some("ingress-nginx"),
        _ if form.starts_with('.') => Some("Apache's mod_proxy_balancer"),
        _ if is_application_session(name) && form.contains('!') => {
            Some("WebLogic, which writes the server into the session's id")
        }
        _ if name.eq_ignore_ascii_case("jsessionid") && form.contains('.') => {
            Some("Tomcat and Apache, which write the route into the session's id")
        }
        _ => None,
    }
}

/// Returns true if frameworks give this name to the session of an application.
pub fn is_application_session(name: &str) -> bool {
    SESSIONS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The flaws of the attributes of a cookie that keeps clients of this target.
pub fn find_flaws(set: &CookieAttributes, url: &str) -> Vec<Flaw> {
    let https = url.starts_with("https://");
    let none = set.same_site.as_deref().is_some_and(|same_site| same_site.eq_ignore_ascii_case("none"));
    let other_path = set.path.clone().filter(|path| !path.trim_end_matches('/').is_empty());
    [
        (https && !set.secure).then_some(Flaw::NotSecure),
        (!https && set.secure).then_some(Flaw::SecureOverHttp),
        (!set.http_only).then_some(Flaw::NotHttpOnly),
        (none && !set.secure).then_some(Flaw::SameSiteNoneNotSecure),
        other_path.map(Flaw::OtherPath),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_are_known_by_name_and_form() {
        for (name, form, vendor) in [
            ("_1a2b3", "x16", Some("Traefik")),
            ("_1a2b3", "x32", None),
            ("_gmail", "x16", None),
            ("SRV", "w5~x32", Some("HAProxy, which puts the server before the value")),
            ("AWSALB", "w40+w9=", Some("AWS's application load balancer")),
            ("BIGipServerpool", "d10.d5.d4", Some("F5's BIG-IP")),
            ("any", "\"x16\"", Some("Envoy")),
            ("any", "base64(d3.d1.d1.d1:d4)", Some("Envoy")),
            ("any", ".d1", Some("Apache's mod_proxy_balancer")),
            ("JSESSIONID", "w32.w5", Some("Tomcat and Apache, which write the route into the session's id")),
            ("PHPSESSID", "w26", None),
            ("lb", "x64", Some("Caddy")),
            ("\u{e9}\u{e9}\u{e9}", "x16", None),
        ] {
            assert_eq!(identify_vendor(name, form).map(|vendor| vendor.0), vendor, "{name} {form}");
        }
    }

    #[test]
    fn flaws_are_found() {
        let good = CookieAttributes { http_only: true, path: Some("/".to_owned()), ..CookieAttributes::default() };
        assert_eq!(find_flaws(&good, "http://demo/"), []);
        let bad = CookieAttributes { secure: true, path: Some("/shop".to_owned()), ..CookieAttributes::default() };
        let found = find_flaws(&bad, "http://demo/");
        assert_eq!(found, [Flaw::SecureOverHttp, Flaw::NotHttpOnly, Flaw::OtherPath("/shop".to_owned())]);
        let cross =
            CookieAttributes { same_site: Some("None".to_owned()), http_only: true, ..CookieAttributes::default() };
        assert_eq!(find_flaws(&cross, "https://demo/"), [Flaw::NotSecure, Flaw::SameSiteNoneNotSecure]);
    }
}
