//! Router rules: Traefik's rule syntax (v3), parsed once and matched for every request.
//!
//! A rule is an expression over matchers with `!` before `&&` before `||`, and parentheses. Strings stand in backticks
//! (raw) or double quotes (escaped). A new matcher is a variant of [`Matcher`], a line in [`matcher`] and one in
//! [`Matcher::matches`].

/// A parsed rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// A single condition.
    Match(Matcher),
    /// `!a`
    Not(Box<Rule>),
    /// `a && b`
    And(Box<Rule>, Box<Rule>),
    /// `a || b`
    Or(Box<Rule>, Box<Rule>),
}

/// A condition on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matcher {
    /// The host is exactly this (lower case, no port, no trailing dot).
    Host(String),
    /// The host is one label followed by this (`.example.org`): ``Host(`*.example.org`)``.
    HostBelow(String),
    /// The path starts with this; there is no segment boundary (`/api` matches `/apix`), as in Traefik.
    PathPrefix(String),
}

/// The parts of a request at which a rule looks.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The host as [`bare_host`] gives it: no port, no trailing dot, any case.
    pub host: &'a str,
    /// The normalised path, without the query.
    pub path: &'a str,
}

/// The error for a text that is not a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at column {column}: {reason}")]
pub struct RuleError {
    /// The column of the mistake, from 1.
    pub column: usize,
    pub reason: String,
}

/// Traefik's matchers that the bundled proxy does not have; a rule with one of these is no typo.
const NOT_SUPPORTED: [&str; 9] =
    ["HostRegexp", "Path", "PathRegexp", "Method", "ClientIP", "Header", "HeaderRegexp", "Query", "QueryRegexp"];

/// The deepest nesting of a rule; with a limit, no rule can exhaust the stack.
const MAX_DEPTH: usize = 64;

impl Rule {
    /// Parses a rule.
    ///
    /// # Errors
    /// Fails when the text is not an expression over matchers that the bundled proxy has.
    pub fn parse(text: &str) -> Result<Rule, RuleError> {
        let mut parser = Parser { text, at: 0 };
        let rule = parser.or(0)?;
        match parser.peek() {
            None => Ok(rule),
            Some(_) => Err(parser.error("expected `&&`, `||` or the end of the rule")),
        }
    }

    /// Returns whether a request satisfies the rule.
    pub fn matches(&self, subject: Subject<'_>) -> bool {
        match self {
            Rule::Match(matcher) => matcher.matches(subject),
            Rule::Not(rule) => !rule.matches(subject),
            Rule::And(a, b) => a.matches(subject) && b.matches(subject),
            Rule::Or(a, b) => a.matches(subject) || b.matches(subject),
        }
    }

    /// The hosts that the rule names, in its order, without those that it negates.
    pub fn hosts(&self) -> Vec<&str> {
        match self {
            Rule::Match(Matcher::Host(host)) => vec![host],
            Rule::Match(_) | Rule::Not(_) => Vec::new(),
            Rule::And(a, b) | Rule::Or(a, b) => [a.hosts(), b.hosts()].concat(),
        }
    }
}

impl Matcher {
    fn matches(&self, subject: Subject<'_>) -> bool {
        match self {
            Matcher::Host(host) => subject.host.eq_ignore_ascii_case(host),
            Matcher::HostBelow(parent) => {
                subject.host.find('.').is_some_and(|dot| dot > 0 && subject.host[dot..].eq_ignore_ascii_case(parent))
            }
            Matcher::PathPrefix(prefix) => subject.path.starts_with(prefix.as_str()),
        }
    }
}

/// A `Host` header's name alone: no port, no trailing dot. An IPv6 address keeps its brackets.
pub fn bare_host(host: &str) -> &str {
    let end_of_name = host.rfind(']').map_or(0, |bracket| bracket + 1);
    let name = match host[end_of_name..].find(':') {
        Some(colon) => &host[..end_of_name + colon],
        None => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

/// The matcher with this name and these arguments; else the reason why there is none.
fn matcher(name: &str, arguments: &[String]) -> Result<Matcher, String> {
    if is_spelling_of(name, "Host") {
        let [host] = one_argument(name, arguments)?;
        return host_matcher(host);
    }
    if is_spelling_of(name, "PathPrefix") {
        let [prefix] = one_argument(name, arguments)?;
        return if prefix.starts_with('/') {
            Ok(Matcher::PathPrefix(prefix.clone()))
        } else {
            Err(format!("PathPrefix(`{prefix}`) must start with `/`"))
        };
    }
    Err(match NOT_SUPPORTED.into_iter().find(|matcher| is_spelling_of(name, matcher)) {
        Some(matcher) => format!("the matcher {matcher} is not supported by the bundled proxy"),
        None => format!("there is no matcher {name}"),
    })
}

fn host_matcher(host: &str) -> Result<Matcher, String> {
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    match host.strip_prefix('*') {
        Some(parent) if parent.len() > 1 && parent.starts_with('.') && is_host_name(parent) => {
            Ok(Matcher::HostBelow(parent.to_owned()))
        }
        None if is_host_name(host) => Ok(Matcher::Host(host.to_owned())),
        _ => Err(format!("`{host}` is not a host name")),
    }
}

fn is_host_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.[]:".contains(c))
}

/// Returns whether Traefik takes `name` for a matcher: it may be written as it is, in lower case, in upper case, and in
/// title case.
fn is_spelling_of(name: &str, matcher: &str) -> bool {
    let lower = matcher.to_ascii_lowercase();
    let title = lower[..1].to_ascii_uppercase() + &lower[1..];
    name == matcher || name == lower || name == matcher.to_ascii_uppercase() || name == title
}

fn one_argument<'a>(name: &str, arguments: &'a [String]) -> Result<&'a [String; 1], String> {
    arguments.try_into().map_err(|_| format!("{name} takes one argument, not {}", arguments.len()))
}

/// Recursive descent over the bytes of the rule.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn or(&mut self, depth: usize) -> Result<Rule, RuleError> {
        let mut rule = self.and(depth)?;
        while self.eat("||") {
            rule = Rule::Or(Box::new(rule), Box::new(self.and(depth)?));
        }
        Ok(rule)
    }

    fn and(&mut self, depth: usize) -> Result<Rule, RuleError> {
        let mut rule = self.unary(depth)?;
        while self.eat("&&") {
            rule = Rule::And(Box::new(rule), Box::new(self.unary(depth)?));
        }
        Ok(rule)
    }

    fn unary(&mut self, depth: usize) -> Result<Rule, RuleError> {
        if depth > MAX_DEPTH {
            return Err(self.error("the rule is nested too deeply"));
        }
        if self.eat("!") {
            return Ok(Rule::Not(Box::new(self.unary(depth + 1)?)));
        }
        if self.eat("(") {
            let rule = self.or(depth + 1)?;
            return if self.eat(")") { Ok(rule) } else { Err(self.error("expected `)`")) };
        }
        self.call()
    }

    /// ``Name(`argument`, …)``
    fn call(&mut self) -> Result<Rule, RuleError> {
        self.peek();
        let start = self.at;
        let name = self.word();
        if name.is_empty() {
            return Err(self.error("expected a matcher such as Host(`example.org`)"));
        }
        if !self.eat("(") {
            return Err(self.error(format!("expected `(` after {name}")));
        }
        let mut arguments = Vec::new();
        while !self.eat(")") {
            if !arguments.is_empty() && !self.eat(",") {
                return Err(self.error("expected `,` or `)`"));
            }
            arguments.push(self.string()?);
        }
        matcher(name, &arguments)
            .map(Rule::Match)
            .map_err(|reason| RuleError { column: column(self.text, start), reason })
    }

    fn word(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn string(&mut self) -> Result<String, RuleError> {
        match self.peek() {
            Some('`') => {
                let rest = &self.text[self.at + 1..];
                let end = rest.find('`').ok_or_else(|| self.error("the string has no closing backtick"))?;
                self.at += end + 2;
                Ok(rest[..end].to_owned())
            }
            Some('"') => self.quoted(),
            Some('\'') => Err(self.error("strings stand in backticks or double quotes, not in single quotes")),
            _ => Err(self.error("expected a string in backticks or double quotes")),
        }
    }

    fn quoted(&mut self) -> Result<String, RuleError> {
        let mut value = String::new();
        let mut chars = self.text[self.at + 1..].char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += offset + 2;
                    return Ok(value);
                }
                '\\' => match chars.next() {
                    Some((_, c @ ('\\' | '"'))) => value.push(c),
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 't')) => value.push('\t'),
                    _ => return Err(self.error("unknown escape in a double-quoted string; use backticks")),
                },
                c => value.push(c),
            }
        }
        Err(self.error("the string has no closing quote"))
    }

    fn eat(&mut self, token: &str) -> bool {
        self.peek();
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// The next character that is not white space.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    fn error(&self, reason: impl Into<String>) -> RuleError {
        RuleError { column: column(self.text, self.at), reason: reason.into() }
    }
}

fn column(text: &str, at: usize) -> usize {
    text[..at].chars().count() + 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn matches(rule: &str, host: &str, path: &str) -> bool {
        Rule::parse(rule).unwrap().matches(Subject { host: bare_host(host), path })
    }

    #[test]
    fn not_binds_before_and_before_or() {
        let rule = "Host(`a`) || Host(`b`) && !PathPrefix(`/x`)";
        assert!(matches(rule, "a", "/x"));
        assert!(matches(rule, "b", "/y"));
        assert!(!matches(rule, "b", "/x"));
        assert!(!matches("(Host(`a`) || Host(`b`)) && !PathPrefix(`/x`)", "a", "/x"));
        assert!(matches("!(Host(`a`) || Host(`b`))", "c", "/"));
    }

    #[test]
    fn hosts_ignore_case_port_and_trailing_dot() {
        for host in ["demo.api.ch", "DEMO.api.CH", "demo.api.ch:8080", "demo.api.ch.", "demo.api.ch.:80"] {
            assert!(matches("Host(`Demo.API.ch`)", host, "/"), "{host}");
        }
        assert!(!matches("Host(`demo.api.ch`)", "xdemo.api.ch", "/"));
        assert!(matches("Host(`web_static`)", "web_static", "/"));
        assert!(matches("Host(`[::1]`)", "[::1]:8080", "/"));
    }

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(matches("Host(`*.api.ch`)", "demo.API.ch:80", "/"));
        assert!(!matches("Host(`*.api.ch`)", "a.b.api.ch", "/"));
        assert!(!matches("Host(`*.api.ch`)", "api.ch", "/"));
        assert!(!matches("Host(`*.api.ch`)", ".api.ch", "/"));
    }

    #[test]
    fn a_path_prefix_knows_no_segments_but_knows_case() {
        assert!(matches("PathPrefix(`/api`)", "h", "/apix"));
        assert!(!matches("PathPrefix(`/api`)", "h", "/API"));
    }

    #[test]
    fn matcher_names_have_four_spellings() {
        for name in ["PathPrefix", "pathprefix", "PATHPREFIX", "Pathprefix"] {
            assert!(Rule::parse(&format!("{name}(`/`)")).is_ok(), "{name}");
        }
        assert!(Rule::parse("pathPrefix(`/`)").is_err());
    }

    #[test]
    fn strings_in_double_quotes_are_escaped() {
        assert_eq!(Rule::parse(r#"PathPrefix("/a\"b")"#), Ok(Rule::Match(Matcher::PathPrefix("/a\"b".into()))));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_column() {
        for (rule, column, words) in [
            ("", 1, "expected a matcher"),
            ("Host('a')", 6, "not in single quotes"),
            ("Host(`a`) AND Host(`b`)", 11, "expected `&&`"),
            ("Host(`a`) & Host(`b`)", 11, "expected `&&`"),
            ("Host(`a`, `b`)", 1, "takes one argument, not 2"),
            ("Host()", 1, "takes one argument, not 0"),
            ("Host(`a`) && Nost(`b`)", 14, "no matcher Nost"),
            ("Method(`GET`)", 1, "not supported by the bundled proxy"),
            ("PathPrefix(`api`)", 1, "must start with `/`"),
            ("Host(`bücher.ch`)", 1, "not a host name"),
            ("Host(`a", 6, "no closing backtick"),
            ("(Host(`a`)", 11, "expected `)`"),
            ("Host(`a`) &&", 13, "expected a matcher"),
        ] {
            let error = Rule::parse(rule).unwrap_err();
            assert!(error.reason.contains(words), "{rule}: {error}");
            assert_eq!(error.column, column, "{rule}: {error}");
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(Rule::parse(&"(".repeat(100_000)).is_err());
        assert!(Rule::parse(&"!".repeat(100_000)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = Rule::parse(&text);
            let _ = bare_host(&text);
        }
    }
}
