//! Sessions: was the login seen by every reload, and if not, why.

use crate::model::trace::{Action, InstanceId, Request, SeenCookie, Series, SeriesName, Withheld};

use crate::analysis::{
    affinity::cookie,
    case::Case,
    math::log_prob::probability,
    sampling::stop::Sampling,
    verdict::{Stickiness, StickyCookie},
};

/// What became of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// Some reload did not see the login.
    Lost,
    /// Every reload saw it.
    Kept,
    /// There was none: nobody ever saw the login.
    None,
    /// The answers do not tell.
    Undetermined,
}

impl Session {
    /// The name it has in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Session::Lost => "lost",
            Session::Kept => "kept",
            Session::None => "none",
            Session::Undetermined => "undetermined",
        }
    }
}

/// What keeps a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptBy {
    /// A cookie keeps the client on its instance.
    Sticky,
    /// The client's address does.
    Source,
    /// Every instance knows the session.
    Shared,
    /// There is one instance.
    Single,
}

impl KeptBy {
    /// The name it has in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            KeptBy::Sticky => "sticky",
            KeptBy::Source => "source",
            KeptBy::Shared => "shared",
            KeptBy::Single => "single",
        }
    }
}

/// What is known of a lab beside the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Replicas of the service.
    pub replicas: usize,
    /// Whether a hash of the client's address picks the replica.
    pub source_hash: bool,
    /// Whether it is configured to be sticky.
    pub sticky: bool,
}

/// What a trace proves of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionVerdict {
    /// What became of it.
    pub session: Session,
    /// What keeps it, where it is kept and that can be told.
    pub kept_by: Option<KeptBy>,
    /// Why, in one sentence.
    pub cause: String,
    /// The cookie that keeps the client on its instance.
    pub sticky_cookie: Option<String>,
    /// Sentences with figures.
    pub evidence: Vec<String>,
    /// Whether more reloads would tell more.
    pub sampling: Sampling,
}

/// Judges the trace of a login and reloads.
pub fn judge_session(case: &Case, facts: Option<Facts>) -> SessionVerdict {
    let verdict = |session, cause: String| SessionVerdict {
        session,
        kept_by: None,
        cause,
        sticky_cookie: None,
        evidence: Vec::new(),
        sampling: Sampling::Enough,
    };
    let Some(series) = case.trace().series(&SeriesName::WithJar) else {
        return verdict(Session::Undetermined, "no login was tried".to_owned());
    };
    let Some(login) = series.requests.iter().find(|request| request.action == Action::Login) else {
        return verdict(Session::Undetermined, "no login was tried".to_owned());
    };
    if let Some(cause) = refused(login) {
        return verdict(Session::Undetermined, cause);
    }
    let checks: Vec<&Request> = series.requests.iter().filter(|request| request.action == Action::Get).collect();
    let seen = checks.iter().filter(|request| request.logged_in == Some(true)).count();
    let missed: Vec<&Request> = checks.iter().copied().filter(|request| request.logged_in == Some(false)).collect();
    let silent = checks.len() - seen - missed.len();
    let name = |id: Option<InstanceId>| id.map(|id| case.trace().instances[usize::from(id.0)].name.as_str());
    let taker = name(login.instance);

    let mut judged = if missed.is_empty() && seen == 0 {
        verdict(Session::Undetermined, "no reload tells whether it sees the login".to_owned())
    } else if missed.is_empty() && silent > 0 {
        verdict(
            Session::Undetermined,
            format!("{silent} of {} reloads do not tell whether they see the login", checks.len()),
        )
    } else if missed.is_empty() {
        kept(case, series, login, facts)
    } else if let Some(cause) = not_sent_back(series, &checks) {
        verdict(if seen == 0 { Session::None } else { Session::Lost }, cause)
    } else if seen == 0 && taker.is_some() && missed.iter().all(|request| name(request.instance) == taker) {
        verdict(Session::None, format!("{} took the login and did not remember it", taker.unwrap_or_default()))
    } else {
        verdict(Session::Lost, lost_on(taker, &missed, &name))
    };
    let without = case.trace().series(&SeriesName::WithoutJar).into_iter().flat_map(|series| &series.requests);
    let strangers = without.filter(|request| request.logged_in == Some(true)).count();
    if strangers > 0 {
        let cause =
            format!("{strangers} requests without cookies saw a login too: the check does not tell clients apart");
        judged = verdict(Session::Undetermined, cause);
    }
    judged.evidence.insert(0, format!("{seen} of {} reloads with the cookie jar saw the login", checks.len()));
    judged
}

/// Why the login itself failed, if it did.
fn refused(login: &Request) -> Option<String> {
    match (&login.error, login.status) {
        (Some(failure), None) => Some(format!("the login brought no answer: {}", failure.message)),
        (_, Some(status)) if status.get() >= 400 => Some(format!("the login was refused with status {status}")),
        _ => None,
    }
}

/// Why no cookie reached the reloads, if none did.
fn not_sent_back(series: &Series, checks: &[&Request]) -> Option<String> {
    if checks.iter().any(|request| request.cookies_sent > 0) {
        return None;
    }
    Some(match series.cookies.first() {
        None => "no cookie was set, so the client has nothing to be recognised by".to_owned(),
        Some(cookie) => withheld(cookie),
    })
}

/// Why a cookie is not sent back, in words.
pub fn withheld(cookie: &SeenCookie) -> String {
    let name = &cookie.name;
    match &cookie.withheld {
        Some(Withheld::Secure) => format!("the cookie {name} is Secure, and is not sent back over http"),
        Some(Withheld::Path(path)) => format!("the cookie {name} is for the path {path} only, and is not sent back"),
        Some(Withheld::Domain(domain)) => {
            format!("the cookie {name} is for the domain {domain}, which is not the target's, and is not sent back")
        }
        Some(Withheld::Expired) => format!("the cookie {name} expired at once, and is not sent back"),
        Some(Withheld::Invalid) => format!("the cookie {name} is not valid, and is not sent back"),
        None => format!("the cookie {name} was set and not sent back"),
    }
}

/// Instances that are named one by one.
const MOST_NAMES: usize = 8;

/// Who took the login, and who never saw it.
fn lost_on<'a>(
    taker: Option<&str>,
    missed: &[&Request],
    name: &impl Fn(Option<InstanceId>) -> Option<&'a str>,
) -> String {
    let mut blind: Vec<&str> = Vec::new();
    for instance in missed.iter().filter_map(|request| name(request.instance)) {
        if !blind.contains(&instance) {
            blind.push(instance);
        }
    }
    match (taker, blind.as_slice()) {
        (Some(taker), [only]) if *only == taker => format!("{taker} took the login and lost it again"),
        (Some(taker), [_, ..]) => {
            blind.retain(|instance| *instance != taker);
            let more = blind.len().saturating_sub(MOST_NAMES);
            let others = format!("{more} others");
            if more > 1 {
                blind.truncate(MOST_NAMES);
                blind.push(&others);
            }
            format!("{taker} took the login, {} never saw it", list(&blind))
        }
        _ => "some reloads did not see the login".to_owned(),
    }
}

fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Every reload saw the login: what keeps the session, and whether there were enough of them to say so.
fn kept(case: &Case, series: &Series, login: &Request, facts: Option<Facts>) -> SessionVerdict {
    let reloads = series.requests.iter().filter(|request| request.action == Action::Get);
    let with: Vec<InstanceId> = reloads.filter_map(|request| request.instance).chain(login.instance).collect();
    let free = case.trace().series(&SeriesName::WithoutJar).into_iter().flat_map(|series| &series.requests);
    let free: Vec<InstanceId> = free.filter_map(|request| request.instance).collect();
    let several = |ids: &[InstanceId]| ids.iter().any(|id| *id != ids[0]);
    let sticky = cookie::find(case);
    let verdict = |session, kept_by, cause: &str| SessionVerdict {
        session,
        kept_by,
        cause: cause.to_owned(),
        sticky_cookie: None,
        evidence: Vec::new(),
        sampling: Sampling::Enough,
    };
    let kept = |kept_by, cause| verdict(Session::Kept, kept_by, cause);
    if several(&with) {
        return kept(Some(KeptBy::Shared), "several instances answered, and all of them know the session");
    }
    if sticky.stickiness == Stickiness::Cookie || (several(&free) && facts.is_some_and(|facts| facts.sticky)) {
        let cause = match &sticky.cookie {
            Some(StickyCookie { name: cookie, .. }) => format!("the cookie {cookie} keeps the client on its instance"),
            None => "the client stays on its instance as long as it sends its cookies".to_owned(),
        };
        let kept = kept(Some(KeptBy::Sticky), &cause);
        return SessionVerdict {
            sticky_cookie: sticky.cookie.map(|cookie| cookie.name),
            evidence: sticky.evidence,
            ..kept
        };
    }
    match facts {
        Some(Facts { replicas: 1, .. }) => return kept(Some(KeptBy::Single), "there is one replica"),
        Some(Facts { source_hash: true, .. }) => {
            return kept(Some(KeptBy::Source), "the client's address decides which replica answers");
        }
        _ => {}
    }
    // one instance for everything, which two picked at random would show this seldom
    let answers = with.len() + free.len();
    let by_chance = probability((1.0 - answers as f64) * 2f64.ln());
    if !several(&free) && answers > 0 && by_chance < case.alpha() && facts.is_none() {
        return kept(None, "one instance answered everything: it is the only one, or the client's address decides");
    }
    let reloads = with.len().saturating_sub(1);
    let cause = format!("every reload saw the login, but {reloads} are too few to tell that from chance (-n)");
    SessionVerdict { sampling: Sampling::More, ..verdict(Session::Undetermined, None, &cause) }
}
