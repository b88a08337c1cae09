//! The effects of cookies, in words.

use crate::{
    analysis::{CookieEvidence, Flaw, MadeUpEvidence, Part, ValueEvidence},
    model::trace::{CookieRule, WithholdReason},
    report::odds::odds_in_words,
};

use super::words::{number_of_moves, times};

pub fn sentence(fact: &CookieEvidence) -> String {
    match fact {
        CookieEvidence::NoInstance => {
            "nobody is named by the answers to requests with cookies, so what a cookie does is \
                                       not seen"
                .to_owned()
        }
        CookieEvidence::NoCookieSet => "no cookie was set, so none can keep a client on its instance".to_owned(),
        CookieEvidence::Withheld { cookie, reason } => withheld(cookie, reason.as_ref()),
        CookieEvidence::Spread { requests, instances } => format!(
            "{requests} requests with cookies went to {instances} instances: no cookie that a browser sends keeps a client \
             on its instance"
        ),
        CookieEvidence::OneInstance => "one instance answers with and without cookies".to_owned(),
        CookieEvidence::MovedSometimes { requests, moves } => format!(
            "{requests} requests with cookies moved to another instance {}: too seldom for free picks, too often for a \
             cookie that keeps a client",
            times(*moves)
        ),
        CookieEvidence::StayedTooFew { requests, p } => {
            format!("{requests} requests with cookies stayed on one instance, too few: by chance {}", odds_in_words(*p))
        }
        CookieEvidence::Pins { cookies, requests, moves, p } => format!(
            "{}: {requests} requests with cookies {}, by chance {}",
            keepers(cookies),
            moved(*moves),
            odds_in_words(*p)
        ),
        CookieEvidence::PinTogether { cookies } => {
            format!("each of the cookies {} alone lets the client move: they keep it together", cookies.join(", "))
        }
        CookieEvidence::KeptToGroup { requests, instances, of, p } => format!(
            "{requests} requests with cookies went to {instances} of {of} instances only, by chance {}: cookies keep a \
             client on these, but not on one of them",
            odds_in_words(*p)
        ),
        CookieEvidence::WouldPin { cookie, p, reason } => format!(
            "the cookie {cookie} would keep a client on its instance (sent all the same, by chance {}), but {}",
            odds_in_words(*p),
            withheld(cookie, reason.as_ref())
        ),
        CookieEvidence::MadeUp(fact) => made_up(fact),
        CookieEvidence::Values(fact) => values(fact),
        CookieEvidence::MadeBy { cookie, vendor } => {
            format!("name and form of the cookie {cookie} are those of {}", vendor.0)
        }
        CookieEvidence::Flawed { cookie, flaw: of } => format!("the cookie {cookie} {}", flaw(of)),
    }
}

/// The way in which the balancer follows values.
fn values(fact: &ValueEvidence) -> String {
    match fact {
        ValueEvidence::IssuedAreLearned { p } => format!(
            "values that others were given led to whoever gave them, by chance {}, and new ones were placed in turn: the \
             balancer learns them",
            odds_in_words(*p)
        ),
        ValueEvidence::IssuedLeadBack { p } => format!(
            "values that others were given led to whoever gave them, by chance {}: the balancer learns them, or reads the \
             instance in them, or makes each itself and places it by a hash",
            odds_in_words(*p)
        ),
        ValueEvidence::NewPlacedInTurn => {
            "new values were placed in turn, so the balancer learns whom it gave each to".to_owned()
        }
        ValueEvidence::NewNotInTurn { p } => format!(
            "new values were not placed in turn as clients without cookies are (in turn they would look so {}), so a hash \
             of the value decides",
            odds_in_words(*p)
        ),
        ValueEvidence::HashOrTable => {
            "a hash of the value decides, or a table that learns whom each was given to, or the balancer reads the instance \
             in its own values and takes a hash of others"
                .to_owned()
        }
        ValueEvidence::ValueNamesInstance => {
            "its value is the same for all clients of an instance, and names it".to_owned()
        }
        ValueEvidence::PartNamesInstance { part: of, p } => format!(
            "{} is the same for all clients of an instance, and leads there whatever the rest is, by chance {}",
            part(*of),
            odds_in_words(*p)
        ),
        ValueEvidence::PartNotTested => "whether the balancer reads a part of its value was not seen".to_owned(),
        ValueEvidence::ApplicationSession { cookie, ignored: of } => {
            format!(
                "{}each client has a session {cookie} of its own: the balancer learns whose it is, or the value names the \
                 instance in cipher",
                ignored(*of)
            )
        }
        ValueEvidence::LearnedOrCipher { ignored: of } => format!(
            "{}either the balancer learns whom each value was given to, or the value names the instance in cipher",
            ignored(*of)
        ),
    }
}

/// The effect of values that the probe made up.
fn made_up(fact: &MadeUpEvidence) -> String {
    match fact {
        MadeUpEvidence::Stay { cookie, values, p } => format!(
            "each of {values} made-up values of {cookie} led to the same instance every time, by chance {}",
            odds_in_words(*p)
        ),
        MadeUpEvidence::StayMostly { cookie, moves, p } => format!(
            "made-up values of {cookie} stayed with their instances but for {}, by chance {}: a hash, or a table \
             that learns them; as instances came or went meanwhile, which of them is open",
            number_of_moves(*moves),
            odds_in_words(*p)
        ),
        MadeUpEvidence::Move { cookie, moves, of, p } => format!(
            "made-up values of {cookie} moved to another instance {moves} of {of} times, so it is no hash of it (which \
             would do so {}, with failures of up to 2 %)",
            odds_in_words(*p)
        ),
        MadeUpEvidence::OneInstance { cookie, values } => {
            format!("all {values} made-up values of {cookie} led to one instance")
        }
        MadeUpEvidence::TooFew { cookie, values } => {
            format!("{values} made-up values of {cookie} told too little")
        }
    }
}

fn keepers(cookies: &[String]) -> String {
    match cookies {
        [] => "a cookie keeps a client on its instance".to_owned(),
        [name] => format!("the cookie {name} keeps a client on its instance"),
        [first, rest @ ..] => format!("the cookies {first} and {} keep a client on its instance", rest.join(", ")),
    }
}

fn moved(moves: usize) -> String {
    match moves {
        0 => "all went to one instance".to_owned(),
        1 => "went to one instance, and after a while to another".to_owned(),
        moves => format!("moved to another instance only {}", times(moves)),
    }
}

fn part(part: Part) -> &'static str {
    match part {
        Part::Head => "the beginning of its value",
        Part::Tail => "the end of its value",
    }
}

fn ignored(ignored: Option<Part>) -> String {
    ignored.map_or(String::new(), |of| format!("{} names the instance, but does not lead there; ", part(of)))
}

/// The reason why a cookie is not sent back.
pub fn withheld(cookie: &str, reason: Option<&WithholdReason>) -> String {
    match reason {
        Some(WithholdReason::Secure) => format!("the cookie {cookie} is Secure, and is not sent back over http"),
        Some(WithholdReason::Path(path)) => {
            format!("the cookie {cookie} is for the path {path} only, and is not sent back")
        }
        Some(WithholdReason::Domain(domain)) => {
            format!("the cookie {cookie} is for the domain {domain}, which is not the target's, and is not sent back")
        }
        Some(WithholdReason::Expired) => format!("the cookie {cookie} expired at once, and is not sent back"),
        Some(WithholdReason::Invalid) => format!("the cookie {cookie} is not valid, and is not sent back"),
        Some(WithholdReason::Refused(rule)) => format!("browsers refuse the cookie {cookie}: {}", broken_rule(*rule)),
        None => format!("the cookie {cookie} was set and not sent back"),
    }
}

fn broken_rule(rule: CookieRule) -> &'static str {
    match rule {
        CookieRule::SameSiteNone => "it says SameSite=None and is not Secure",
        CookieRule::Partitioned => "it is Partitioned and not Secure",
        CookieRule::SecurePrefix => "a name with __Secure- is for a Secure cookie",
        CookieRule::HostPrefix => "a name with __Host- is for a Secure cookie with Path=/ and without Domain",
    }
}

/// The flaw of a cookie, as the end of a sentence that begins with the cookie.
pub fn flaw(flaw: &Flaw) -> String {
    match flaw {
        Flaw::NotSecure => "is not Secure: a browser sends it over plain http as well".to_owned(),
        Flaw::SecureOverHttp => {
            "is Secure: over http, browsers send it to this machine's own addresses only".to_owned()
        }
        Flaw::NotHttpOnly => "is not HttpOnly: the page's scripts can read it".to_owned(),
        Flaw::SameSiteNoneNotSecure => "says SameSite=None and is not Secure: browsers refuse it".to_owned(),
        Flaw::OtherPath(path) => format!("is for {path} only: elsewhere on the site nothing keeps the client"),
    }
}
