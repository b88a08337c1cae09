//! Sessions: judges if every reload saw the login, and names the cause if some did not.

use crate::{
    analysis::{
        affinity::{evidence::CookieEvidence, stickiness},
        case::Case,
        math::log_prob::probability,
        series::sequence::are_several,
        verdict::Stickiness,
    },
    model::trace::{Action, InstanceId, NameCertainty, Request, Series, SeriesName, Trace, WithholdReason},
};

/// The result of a session test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Session {
    /// At least one reload did not see the login.
    Lost,
    /// Every reload saw the login.
    Kept,
    /// No session: no reload saw the login.
    None,
    /// The answers do not show it.
    Undetermined,
}

/// The mechanism that keeps a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum SessionKeeper {
    /// A cookie keeps the client on its instance.
    Sticky,
    /// The client's address keeps the client on its instance.
    Source,
    /// Every instance knows the session.
    Shared,
    /// There is one instance.
    Single,
}

/// The configuration of the service of a lab, as far as it decides about sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceSettings {
    pub replicas: usize,
    /// True if a hash of the client's address picks the replica.
    pub source_hash: bool,
    /// True if the configuration makes sessions sticky.
    pub sticky: bool,
}

impl Session {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl SessionKeeper {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The cause of the result of a session test.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionCause {
    NoLogin,
    /// The login brought no answer.
    LoginFailed {
        message: String,
    },
    LoginRefused {
        status: u16,
    },
    /// No reload shows if it sees the login.
    LoginUnknown,
    /// `unknown` of `reloads` reloads do not show if they see the login.
    LoginPartlyUnknown {
        unknown: usize,
        reloads: usize,
    },
    NoCookieSet,
    Withheld {
        cookie: String,
        reason: Option<WithholdReason>,
    },
    /// The only instance that answered took the login and never remembered it.
    NotRemembered {
        instance: InstanceId,
    },
    /// The instance that took the login lost it again.
    LostAgain {
        instance: InstanceId,
    },
    /// One instance took the login, and others never saw it.
    OthersNeverSawIt {
        instance: InstanceId,
        others: Vec<InstanceId>,
    },
    SomeReloadsMissedIt,
    /// Requests without cookies saw a login too, so the check does not distinguish clients.
    SeenWithoutCookies {
        requests: usize,
    },
    SharedByInstances,
    CookiePins {
        cookie: String,
    },
    ClientStaysWithCookies,
    OneReplica,
    AddressDecides,
    /// One instance answered everything; another would have shown itself if it got a larger share than `hidden_share`.
    OneInstanceOrAddress {
        hidden_share: f64,
    },
    /// The reloads are too few to be sure; `needed` reloads are enough, if all of them meet the same instance, where that is known.
    TooFewReloads {
        reloads: usize,
        needed: Option<usize>,
    },
    /// Every reload saw the login, and it is a guess which instances answered.
    GuessedNames,
}

/// One fact about a session.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionEvidence {
    /// `seen` of `reloads` reloads with the cookie jar saw the login.
    Reloads {
        seen: usize,
        reloads: usize,
    },
    Cookie(CookieEvidence),
}

/// The verdict on a session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionVerdict {
    pub session: Session,
    /// The mechanism that keeps the session, where there is a session and the mechanism is known.
    pub kept_by: Option<SessionKeeper>,
    pub cause: SessionCause,
    /// The cookie that keeps the client on its instance.
    pub sticky_cookie: Option<String>,
    pub evidence: Vec<SessionEvidence>,
}

impl SessionVerdict {
    fn new(session: Session, cause: SessionCause) -> SessionVerdict {
        SessionVerdict { session, kept_by: None, cause, sticky_cookie: None, evidence: Vec::new() }
    }

    fn kept_by(kept_by: Option<SessionKeeper>, cause: SessionCause) -> SessionVerdict {
        SessionVerdict { kept_by, ..SessionVerdict::new(Session::Kept, cause) }
    }
}

/// The reloads of a session, by the login that they saw or missed.
struct Reloads<'t> {
    all: Vec<&'t Request>,
    seen: usize,
    missed: Vec<&'t Request>,
}

impl<'t> Reloads<'t> {
    /// The reloads of the client with a jar, those among others included.
    fn collect(trace: &'t Trace) -> Reloads<'t> {
        let names = [SeriesName::WithJar, SeriesName::JarByLot];
        let requests = names.iter().filter_map(|name| trace.series(name)).flat_map(|series| &series.requests);
        let all: Vec<&Request> = requests.filter(|request| request.action == Action::Get).collect();
        Reloads {
            seen: all.iter().filter(|request| request.logged_in == Some(true)).count(),
            missed: all.iter().copied().filter(|request| request.logged_in == Some(false)).collect(),
            all,
        }
    }
}

/// Judges the trace of a login and its reloads.
pub fn judge_session(case: &Case, settings: Option<ServiceSettings>) -> SessionVerdict {
    match &case.trace().identified_by {
        Some(feature) if feature.certainty == NameCertainty::Guessed => judge_without_names(case, settings),
        _ => judge_login(case, settings),
    }
}

/// Judges by the logins alone: names that are a guess are no proof that an instance kept or lost one.
fn judge_without_names(case: &Case, settings: Option<ServiceSettings>) -> SessionVerdict {
    let mut trace = case.trace().clone();
    trace.series.iter_mut().flat_map(|series| &mut series.requests).for_each(|request| request.instance = None);
    let judged = judge_login(&Case::new(&trace, case.alpha()), settings);
    match judged.cause {
        SessionCause::TooFewReloads { .. } => SessionVerdict { cause: SessionCause::GuessedNames, ..judged },
        _ => judged,
    }
}

fn judge_login(case: &Case, settings: Option<ServiceSettings>) -> SessionVerdict {
    let Some(series) = case.trace().series(&SeriesName::WithJar) else {
        return SessionVerdict::new(Session::Undetermined, SessionCause::NoLogin);
    };
    let Some(login) = series.requests.iter().find(|request| request.action == Action::Login) else {
        return SessionVerdict::new(Session::Undetermined, SessionCause::NoLogin);
    };
    if let Some(cause) = refusal(login) {
        return SessionVerdict::new(Session::Undetermined, cause);
    }
    let reloads = Reloads::collect(case.trace());
    let without_cookies = requests_without_cookies(case).filter(|request| request.logged_in == Some(true)).count();
    let mut judged = if without_cookies > 0 {
        let cause = SessionCause::SeenWithoutCookies { requests: without_cookies };
        SessionVerdict::new(Session::Undetermined, cause)
    } else {
        judge_reloads(case, series, login, &reloads, settings)
    };
    let seen = SessionEvidence::Reloads { seen: reloads.seen, reloads: reloads.all.len() };
    judged.evidence.insert(0, seen);
    judged
}

/// The requests of clients without a jar.
fn requests_without_cookies<'t>(case: &Case<'t>) -> impl Iterator<Item = &'t Request> {
    let names = [SeriesName::WithoutJar, SeriesName::Control];
    let trace = case.trace();
    names.into_iter().filter_map(|name| trace.series(&name)).flat_map(|series| &series.requests)
}

fn judge_reloads(
    case: &Case,
    series: &Series,
    login: &Request,
    reloads: &Reloads,
    settings: Option<ServiceSettings>,
) -> SessionVerdict {
    let count = reloads.all.len();
    let unknown = count - reloads.seen - reloads.missed.len();
    if reloads.missed.is_empty() {
        return if reloads.seen == 0 {
            SessionVerdict::new(Session::Undetermined, SessionCause::LoginUnknown)
        } else if unknown > 0 {
            let cause = SessionCause::LoginPartlyUnknown { unknown, reloads: count };
            SessionVerdict::new(Session::Undetermined, cause)
        } else {
            judge_kept_session(case, reloads, login, settings)
        };
    }
    if let Some(cause) = not_sent_back(series, &reloads.all) {
        return SessionVerdict::new(if reloads.seen == 0 { Session::None } else { Session::Lost }, cause);
    }
    match login.instance {
        Some(instance)
            if reloads.seen == 0 && reloads.missed.iter().all(|request| request.instance == Some(instance)) =>
        {
            SessionVerdict::new(Session::None, SessionCause::NotRemembered { instance })
        }
        taker => SessionVerdict::new(Session::Lost, loss(taker, &reloads.missed)),
    }
}

/// The cause if the login itself failed.
fn refusal(login: &Request) -> Option<SessionCause> {
    match (&login.error, login.status) {
        (Some(failure), None) => Some(SessionCause::LoginFailed { message: failure.message.clone() }),
        (_, Some(status)) if status.get() >= 400 => Some(SessionCause::LoginRefused { status: status.get() }),
        _ => None,
    }
}

/// The cause if no cookie reached the reloads.
fn not_sent_back(series: &Series, reloads: &[&Request]) -> Option<SessionCause> {
    if reloads.iter().any(|request| request.cookies_sent > 0) {
        return None;
    }
    Some(match series.cookies.first() {
        None => SessionCause::NoCookieSet,
        Some(cookie) => SessionCause::Withheld { cookie: cookie.name.clone(), reason: cookie.withheld.clone() },
    })
}

/// The cause of a loss: an instance took the login, and other instances or the same one did not see it later.
fn loss(taker: Option<InstanceId>, missed: &[&Request]) -> SessionCause {
    let mut blind: Vec<InstanceId> = Vec::new();
    for instance in missed.iter().filter_map(|request| request.instance) {
        if !blind.contains(&instance) {
            blind.push(instance);
        }
    }
    match (taker, blind.as_slice()) {
        (Some(instance), [only]) if *only == instance => SessionCause::LostAgain { instance },
        (Some(instance), [_, ..]) => {
            blind.retain(|other| *other != instance);
            SessionCause::OthersNeverSawIt { instance, others: blind }
        }
        _ => SessionCause::SomeReloadsMissedIt,
    }
}

/// Judges a test of which every reload saw the login: the mechanism that keeps the session, or too few reloads.
fn judge_kept_session(
    case: &Case,
    reloads: &Reloads,
    login: &Request,
    settings: Option<ServiceSettings>,
) -> SessionVerdict {
    let named = reloads.all.iter().filter_map(|request| request.instance);
    let with: Vec<InstanceId> = named.chain(login.instance).collect();
    let free: Vec<InstanceId> = requests_without_cookies(case).filter_map(|request| request.instance).collect();
    if are_several(&with) {
        return SessionVerdict::kept_by(Some(SessionKeeper::Shared), SessionCause::SharedByInstances);
    }
    let sticky = stickiness::find_stickiness(case);
    let configured = are_several(&free) && settings.is_some_and(|settings| settings.sticky);
    if sticky.stickiness == Stickiness::Cookie || configured {
        let cookie = sticky.cookie.map(|cookie| cookie.name);
        let cause = match cookie.clone() {
            Some(cookie) => SessionCause::CookiePins { cookie },
            None => SessionCause::ClientStaysWithCookies,
        };
        return SessionVerdict {
            sticky_cookie: cookie,
            evidence: sticky.evidence.into_iter().map(SessionEvidence::Cookie).collect(),
            ..SessionVerdict::kept_by(Some(SessionKeeper::Sticky), cause)
        };
    }
    match settings {
        Some(ServiceSettings { replicas: 1, .. }) => {
            return SessionVerdict::kept_by(Some(SessionKeeper::Single), SessionCause::OneReplica);
        }
        Some(ServiceSettings { source_hash: true, .. }) => {
            return SessionVerdict::kept_by(Some(SessionKeeper::Source), SessionCause::AddressDecides);
        }
        _ => {}
    }
    // one instance for everything, which two picked at random would show with this probability
    let answers = with.len() + free.len();
    let by_chance = probability((1.0 - answers as f64) * 2f64.ln());
    if !are_several(&free) && answers > 0 && by_chance < case.alpha() && settings.is_none() {
        // the first answer is free
        let hidden_share = 1.0 - case.alpha().powf(1.0 / (answers as f64 - 1.0));
        return SessionVerdict::kept_by(None, SessionCause::OneInstanceOrAddress { hidden_share });
    }
    let reloads = with.len().saturating_sub(1);
    // the login is an answer as well, and there are as many requests without cookies as there are reloads
    let further = (-case.alpha().log2()).ceil() as usize;
    let needed = (!are_several(&free)).then(|| further.div_ceil(2).max(reloads + 1));
    let cause = SessionCause::TooFewReloads { reloads, needed };
    SessionVerdict::new(Session::Undetermined, cause)
}
