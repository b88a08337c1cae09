//! The error of a lab that does not become ready.

/// A replica, or Traefik, that does not become ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} {problem}")]
pub struct NotReady {
    /// The name of the replica, or of its service.
    pub name: String,
    /// The rest of the sentence that begins with the name.
    pub problem: String,
    /// The last lines of its log.
    pub log: Vec<String>,
    /// The advice to the user, where there is one.
    pub hint: Option<&'static str>,
}

impl NotReady {
    /// Makes an error without a log and a hint.
    pub fn new(name: &str, problem: impl Into<String>) -> NotReady {
        NotReady { name: name.to_owned(), problem: problem.into(), log: Vec::new(), hint: None }
    }

    /// The advice to the user, where there is one.
    pub fn hint(&self) -> Option<String> {
        self.hint.map(str::to_owned)
    }

    /// The log, in which each line begins with the name of the replica.
    pub fn detail(&self) -> Option<String> {
        let lines = self.log.iter().map(|line| format!("{}: {line}\n", self.name));
        (!self.log.is_empty()).then(|| lines.collect())
    }
}
