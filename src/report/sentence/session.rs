//! The result of a session test, in words.

use crate::{
    analysis::{SessionCause, SessionEvidence},
    model::trace::{InstanceId, Trace},
};

use super::{cookie, words::per_cent_up};

/// The most instances that are named one by one.
const MOST_NAMES: usize = 8;

/// One sentence for each fact.
pub fn session_sentences(evidence: &[SessionEvidence]) -> Vec<String> {
    evidence.iter().map(sentence).collect()
}

fn sentence(fact: &SessionEvidence) -> String {
    match fact {
        SessionEvidence::Reloads { seen, reloads } => {
            format!("{seen} of {reloads} reloads with the cookie jar saw the login")
        }
        SessionEvidence::Cookie(fact) => cookie::sentence(fact),
    }
}

/// The cause of the result, in one sentence.
pub fn session_cause(trace: &Trace, cause: &SessionCause) -> String {
    match cause {
        SessionCause::NoLogin => "no login was tried".to_owned(),
        SessionCause::LoginFailed { message } => format!("the login brought no answer: {message}"),
        SessionCause::LoginRefused { status } => format!("the login was refused with status {status}"),
        SessionCause::LoginUnknown => "no reload tells whether it sees the login".to_owned(),
        SessionCause::LoginPartlyUnknown { unknown, reloads } => {
            format!("{unknown} of {reloads} reloads do not tell whether they see the login")
        }
        SessionCause::NoCookieSet => "no cookie was set, so the client has nothing to be recognised by".to_owned(),
        SessionCause::Withheld { cookie: of, reason } => cookie::withheld(of, reason.as_ref()),
        SessionCause::NotRemembered { instance } => {
            format!("{} took the login and did not remember it", trace.instance_name(*instance))
        }
        SessionCause::LostAgain { instance } => {
            format!("{} took the login and lost it again", trace.instance_name(*instance))
        }
        SessionCause::OthersNeverSawIt { instance, others } => {
            format!("{} took the login, {} never saw it", trace.instance_name(*instance), listed(trace, others))
        }
        SessionCause::SomeReloadsMissedIt => "some reloads did not see the login".to_owned(),
        SessionCause::SeenWithoutCookies { requests } => {
            format!("{requests} requests without cookies saw a login too: the check does not tell clients apart")
        }
        SessionCause::SharedByInstances => "several instances answered, and all of them know the session".to_owned(),
        SessionCause::CookiePins { cookie } => format!("the cookie {cookie} keeps the client on its instance"),
        SessionCause::ClientStaysWithCookies => {
            "the client stays on its instance as long as it sends its cookies".to_owned()
        }
        SessionCause::OneReplica => "there is one replica".to_owned(),
        SessionCause::AddressDecides => "the client's address decides which replica answers".to_owned(),
        SessionCause::OneInstanceOrAddress { hidden_share } => format!(
            "one instance answered everything: it is the only one, or the client's address decides, or others get less \
             than {} of the requests",
            per_cent_up(*hidden_share)
        ),
        SessionCause::GuessedNames => {
            "every reload saw the login, but it is a guess which instances answered (--identity says it)".to_owned()
        }
        SessionCause::TooFewReloads { reloads, needed } => {
            let more =
                needed.map_or(String::new(), |needed| format!("; {needed} are enough, if all stay (-n {needed})"));
            format!("every reload saw the login, but {reloads} are too few to tell that from chance{more}")
        }
    }
}

/// The names of instances, the first of them where there are many.
fn listed(trace: &Trace, ids: &[InstanceId]) -> String {
    let mut names: Vec<&str> = ids.iter().map(|id| trace.instance_name(*id)).collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    let others = format!("{more} others");
    if more > 1 {
        names.truncate(MOST_NAMES);
        names.push(&others);
    }
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
