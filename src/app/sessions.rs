//! The sessions of one server, as PHP keeps them, but never more than a fixed number of them.
//!
//! Pure: no I/O, and the clock is an argument. PHP deletes idle sessions by chance, at one request in
//! a hundred; here they are deleted on the second, so that a lesson about it can be repeated.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::model::Sessions;

/// The longest time that a session may be idle before it is deleted: PHP's default `session.gc_maxlifetime`.
const MAX_IDLE_TIME: Duration = Duration::from_secs(1440);

/// The maximum number of sessions. A load test without cookies opens one per request, and then the session that was idle
/// for longest is deleted first.
const MAX_SESSIONS: usize = 10_000;

/// The change that a request makes to its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    View,
    LogIn(String),
    LogOut,
}

/// The state of a session after one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) id: String,
    pub(super) user: Option<String>,
    /// The number of requests that this server saw in this session, this one included.
    pub(super) visits: u64,
}

struct Session {
    user: Option<String>,
    visits: u64,
    last_use: Instant,
    /// The session's key in `by_use`.
    turn: u64,
}

pub(super) struct SessionStore {
    limit: usize,
    by_id: HashMap<Arc<str>, Session>,
    /// The ids by the turns of their last uses: the session that was idle for longest comes first.
    by_use: BTreeMap<u64, Arc<str>>,
    turns: u64,
}

impl SessionStore {
    pub(super) fn new() -> Self {
        Self::with_limit(MAX_SESSIONS)
    }

    fn with_limit(limit: usize) -> Self {
        Self { limit, by_id: HashMap::new(), by_use: BTreeMap::new(), turns: 0 }
    }

    /// Counts a request in the session `id`, and applies its action. An unknown session is opened: PHP adopts every id that
    /// it is given.
    pub(super) fn visit(&mut self, id: &str, action: Action, now: Instant) -> Snapshot {
        self.expire(now);
        self.turns += 1;
        let turn = self.turns;
        let (key, mut session) = match self.by_id.remove_entry(id) {
            Some((key, session)) => {
                self.by_use.remove(&session.turn);
                (key, session)
            }
            None => (Arc::from(id), Session { user: None, visits: 0, last_use: now, turn }),
        };
        match action {
            Action::View => {}
            Action::LogIn(user) => session.user = Some(user),
            Action::LogOut => session.user = None,
        }
        session.visits += 1;
        session.last_use = now;
        session.turn = turn;
        let snapshot = Snapshot { id: id.to_owned(), user: session.user.clone(), visits: session.visits };
        self.by_use.insert(turn, Arc::clone(&key));
        self.by_id.insert(key, session);
        while self.by_id.len() > self.limit {
            self.forget_idlest();
        }
        snapshot
    }

    pub(super) fn census(&mut self, now: Instant) -> Sessions {
        self.expire(now);
        Sessions {
            sessions: self.by_id.len(),
            logged_in: self.by_id.values().filter(|session| session.user.is_some()).count(),
        }
    }

    fn expire(&mut self, now: Instant) {
        let idle = |session: &Session| now.saturating_duration_since(session.last_use) > MAX_IDLE_TIME;
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
        let mut sessions = SessionStore::new();
        assert_eq!(sessions.visit("made-elsewhere", Action::View, Instant::now()), snapshot("made-elsewhere", None, 1));
    }

    #[test]
    fn a_login_is_remembered_until_the_logout_and_every_request_counts() {
        let (mut sessions, now) = (SessionStore::new(), Instant::now());
        assert_eq!(sessions.visit("a", Action::View, now), snapshot("a", None, 1));
        assert_eq!(sessions.visit("a", alice(), now), snapshot("a", Some("alice"), 2));
        assert_eq!(sessions.visit("a", Action::View, now), snapshot("a", Some("alice"), 3));
        assert_eq!(sessions.visit("a", Action::LogOut, now), snapshot("a", None, 4));
        assert_eq!(sessions.visit("a", Action::View, now), snapshot("a", None, 5));
    }

    #[test]
    fn two_servers_have_two_copies_of_one_session() {
        let (mut here, mut there, now) = (SessionStore::new(), SessionStore::new(), Instant::now());
        here.visit("a", alice(), now);
        assert_eq!(there.visit("a", Action::View, now), snapshot("a", None, 1));
        assert_eq!(here.visit("a", Action::View, now), snapshot("a", Some("alice"), 2));
    }

    #[test]
    fn a_session_is_gone_after_24_minutes_without_a_request() {
        let (mut sessions, start) = (SessionStore::new(), Instant::now());
        sessions.visit("a", alice(), start);
        let last = start + MAX_IDLE_TIME;
        assert_eq!(sessions.visit("a", Action::View, last), snapshot("a", Some("alice"), 2));
        let late = last + MAX_IDLE_TIME + Duration::from_millis(1);
        assert_eq!(sessions.visit("a", Action::View, late), snapshot("a", None, 1));
    }

    #[test]
    fn the_census_leaves_out_expired_sessions() {
        let (mut sessions, start) = (SessionStore::new(), Instant::now());
        let later = start + Duration::from_secs(60);
        sessions.visit("a", alice(), start);
        sessions.visit("b", alice(), later);
        sessions.visit("c", Action::View, later);
        assert_eq!(sessions.census(later), Sessions { sessions: 3, logged_in: 2 });
        assert_eq!(sessions.census(later + MAX_IDLE_TIME), Sessions { sessions: 2, logged_in: 1 });
    }

    #[test]
    fn beyond_the_bound_the_session_idle_for_longest_goes() {
        let (mut sessions, now) = (SessionStore::with_limit(2), Instant::now());
        sessions.visit("a", alice(), now);
        sessions.visit("b", alice(), now);
        sessions.visit("a", Action::View, now);
        sessions.visit("c", alice(), now);
        assert_eq!(sessions.census(now), Sessions { sessions: 2, logged_in: 2 });
        assert_eq!(sessions.visit("a", Action::View, now), snapshot("a", Some("alice"), 3));
        assert_eq!(sessions.visit("b", Action::View, now), snapshot("b", None, 1));
    }

    #[test]
    fn a_load_test_without_cookies_does_not_fill_the_memory() {
        let (mut sessions, now) = (SessionStore::new(), Instant::now());
        for n in 0..3 * MAX_SESSIONS {
            sessions.visit(&format!("load-{n}"), Action::View, now);
        }
        assert_eq!(sessions.by_id.len(), MAX_SESSIONS);
        assert_eq!(sessions.by_use.len(), MAX_SESSIONS);
    }
}
