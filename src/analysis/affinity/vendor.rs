//! Makers: whose sticky cookie this is, by its name and the form of its value; and what is wrong with its attributes.
//!
//! It is a word to the reader, and decides nothing: anybody may give a cookie any name.

use crate::model::trace::Attributes;

/// Names that belong to one maker.
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
/// Beginnings of such names.
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

/// Whose sticky cookie has this name and form, where that is known.
pub fn of(name: &str, form: &str) -> Option<&'static str> {
    let by_name = NAMES.iter().find(|(known, _)| *known == name).map(|(_, maker)| *maker);
    let by_beginning = || BEGINNINGS.iter().find(|(known, _)| name.starts_with(known)).map(|(_, maker)| *maker);
    by_name.or_else(by_beginning).or_else(|| by_form(name, form))
}

fn by_form(name: &str, form: &str) -> Option<&'static str> {
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
        _ if is_of_an_app(name) && form.contains('!') => {
            Some("WebLogic, which writes the server into the session's id")
        }
        _ if name.eq_ignore_ascii_case("jsessionid") && form.contains('.') => {
            Some("Tomcat and Apache, which write the route into the session's id")
        }
        _ => None,
    }
}

/// Whether a name is one that frameworks give to an application's session.
pub fn is_of_an_app(name: &str) -> bool {
    SESSIONS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// What is wrong with the attributes of a cookie that keeps clients of this target, each as the end of a sentence that
/// begins with the cookie.
pub fn flaws(set: &Attributes, url: &str) -> Vec<String> {
    let https = url.starts_with("https://");
    let none = set.same_site.as_deref().is_some_and(|same_site| same_site.eq_ignore_ascii_case("none"));
    let mut flaws = Vec::new();
    if https && !set.secure {
        flaws.push("is not Secure: a browser sends it over plain http as well");
    }
    if !https && set.secure {
        flaws.push("is Secure: over http, browsers send it to this machine's own addresses only");
    }
    if !set.http_only {
        flaws.push("is not HttpOnly: the page's scripts can read it");
    }
    if none && !set.secure {
        flaws.push("says SameSite=None and is not Secure: browsers refuse it");
    }
    let mut flaws: Vec<String> = flaws.into_iter().map(str::to_owned).collect();
    let bare = |path: &str| path.trim_end_matches('/').to_owned();
    if let Some(path) = set.path.as_deref().filter(|path| !bare(path).is_empty()) {
        flaws.push(format!("is for {path} only: elsewhere on the site nothing keeps the client"));
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makers_are_known_by_name_and_form() {
        for (name, form, maker) in [
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
            assert_eq!(of(name, form), maker, "{name} {form}");
        }
    }

    #[test]
    fn flaws_are_told() {
        let good = Attributes { http_only: true, path: Some("/".to_owned()), ..Attributes::default() };
        assert_eq!(flaws(&good, "http://demo/"), [""; 0]);
        let bad = Attributes { secure: true, path: Some("/shop".to_owned()), ..Attributes::default() };
        let told = flaws(&bad, "http://demo/");
        assert_eq!(told.len(), 3, "{told:?}");
        let cross = Attributes { same_site: Some("None".to_owned()), http_only: true, ..Attributes::default() };
        assert_eq!(flaws(&cross, "https://demo/").len(), 2);
    }
}
