//! What this server knows of whom: the sessions, as PHP keeps them, but never more than a set number of them.
//!
//! Pure: no I/O, and the clock is passed in. PHP clears idle sessions by chance, one request in a hundred; here they
//! are gone on the second, so that a lesson about it can be repeated.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

/// PHP's default `session.gc_maxlifetime`: idle for longer, and the session is gone.
const LONGEST_IDLE: Duration = Duration::from_secs(1440);

/// So many sessions at most: a load test without cookies opens one per request. The one idle for longest goes first.
const MOST: usize = 10_000;

/// What a request does to its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Look,
    LogIn(String),
    LogOut,
}

/// A session as one request left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) id: String,
    pub(super) user: Option<String>,
    /// Requests that this server saw in this session, this one included.
    pub(super) visits: u64,
}

/// How many sessions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Census {
    pub(super) sessions: usize,
    pub(super) logged_in: usize,
}

struct Session {
    user: Option<String>,
    visits: u64,
    used: Instant,
    /// Its place in `by_use`.
    turn: u64,
}

/// All sessions of one server.
pub(super) struct Sessions {
    most: usize,
    by_id: HashMap<Arc<str>, Session>,
    /// Ids by their last use, the one idle for longest first.
    by_use: BTreeMap<u64, Arc<str>>,
    turns: u64,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self::at_most(MOST)
    }

    fn at_most(most: usize) -> Self {
        Self { most, by_id: HashMap::new(), by_use: BTreeMap::new(), turns: 0 }
    }

    /// One request in the session `id`, which is opened if it is not known: PHP adopts whatever id it is given.
    pub(super) fn visit(&mut self, id: &str, action: Action, now: Instant) -> Snapshot {
        self.expire(now);
        self.turns += 1;
        let turn = self.turns;
        let (key, mut session) = match self.by_id.remove_entry(id) {
            Some((key, session)) => {
                self.by_use.remove(&session.turn);
                (key, session)
            }
            None => (Arc::from(id), Session { user: None, visits: 0, used: now, turn }),
        };
        match action {
            Action::Look => {}
            Action::LogIn(user) => session.user = Some(user),
            Action::LogOut => session.user = None,
        }
        session.visits += 1;
        session.used = now;
        session.turn = turn;
        let snapshot = Snapshot { id: id.to_owned(), user: session.user.clone(), visits: session.visits };
        self.by_use.insert(turn, Arc::clone(&key));
        self.by_id.insert(key, session);
        while self.by_id.len() > self.most {
            self.forget_idlest();
        }
        snapshot
    }

    /// Counts the sessions that are alive.
    pub(super) fn census(&mut self, now: Instant) -> Census {
        self.expire(now);
        Census {
            sessions: self.by_id.len(),
            logged_in: self.by_id.values().filter(|session| session.user.is_some()).count(),
        }
    }

    fn expire(&mut self, now: Instant) {
        let idle = |session: &Session| now.saturating_duration_since(session.used) > LONGEST_IDLE;
        while self.by_use.first_key_value().and_then(|(_, id)| self.by_id.get(id)).is_some_and(idle) {
            self.forget_idlest();
        }
    }

    fn forget_idlest(&mut self) {
        if let Some((_, id)) = self.by_use.pop_first() {
            self.by_id.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> Action {
        Action::LogIn("alice".into())
    }

    fn snapshot(id: &str, user: Option<&str>, visits: u64) -> Snapshot {
        Snapshot { id: id.into(), user: user.map(Into::into), visits }
    }

    #[test]
    fn an_unknown_id_is_adopted_with_an_empty_session() {
        let mut sessions = Sessions::new();
        assert_eq!(sessions.visit("made-elsewhere", Action::Look, Instant::now()), snapshot("made-elsewhere", None, 1));
    }

    #[test]
    fn a_login_is_remembered_until_the_logout_and_every_request_counts() {
        let (mut sessions, now) = (Sessions::new(), Instant::now());
        assert_eq!(sessions.visit("a", Action::Look, now), snapshot("a", None, 1));
        assert_eq!(sessions.visit("a", alice(), now), snapshot("a", Some("alice"), 2));
        assert_eq!(sessions.visit("a", Action::Look, now), snapshot("a", Some("alice"), 3));
        assert_eq!(sessions.visit("a", Action::LogOut, now), snapshot("a", None, 4));
        assert_eq!(sessions.visit("a", Action::Look, now), snapshot("a", None, 5));
    }

    #[test]
    fn two_servers_have_two_copies_of_one_session() {
        let (mut here, mut there, now) = (Sessions::new(), Sessions::new(), Instant::now());
        here.visit("a", alice(), now);
        assert_eq!(there.visit("a", Action::Look, now), snapshot("a", None, 1));
        assert_eq!(here.visit("a", Action::Look, now), snapshot("a", Some("alice"), 2));
    }

    #[test]
    fn a_session_is_gone_after_24_minutes_without_a_request() {
        let (mut sessions, start) = (Sessions::new(), Instant::now());
        sessions.visit("a", alice(), start);
        let last = start + LONGEST_IDLE;
        assert_eq!(sessions.visit("a", Action::Look, last), snapshot("a", Some("alice"), 2));
        let late = last + LONGEST_IDLE + Duration::from_millis(1);
        assert_eq!(sessions.visit("a", Action::Look, late), snapshot("a", None, 1));
    }

    #[test]
    fn the_census_leaves_out_what_has_expired() {
        let (mut sessions, start) = (Sessions::new(), Instant::now());
        let later = start + Duration::from_secs(60);
        sessions.visit("a", alice(), start);
        sessions.visit("b", alice(), later);
        sessions.visit("c", Action::Look, later);
        assert_eq!(sessions.census(later), Census { sessions: 3, logged_in: 2 });
        assert_eq!(sessions.census(later + LONGEST_IDLE), Census { sessions: 2, logged_in: 1 });
    }

    #[test]
    fn beyond_the_bound_the_session_idle_for_longest_goes() {
        let (mut sessions, now) = (Sessions::at_most(2), Instant::now());
        sessions.visit("a", alice(), now);
        sessions.visit("b", alice(), now);
        sessions.visit("a", Action::Look, now);
        sessions.visit("c", alice(), now);
        assert_eq!(sessions.census(now), Census { sessions: 2, logged_in: 2 });
        assert_eq!(sessions.visit("a", Action::Look, now), snapshot("a", Some("alice"), 3));
        assert_eq!(sessions.visit("b", Action::Look, now), snapshot("b", None, 1));
    }

    #[test]
    fn a_load_test_without_cookies_does_not_fill_the_memory() {
        let (mut sessions, now) = (Sessions::new(), Instant::now());
        for n in 0..3 * MOST {
            sessions.visit(&format!("load-{n}"), Action::Look, now);
        }
        assert_eq!(sessions.by_id.len(), MOST);
        assert_eq!(sessions.by_use.len(), MOST);
    }
}
