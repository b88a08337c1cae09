//! Errors: the one mapping from a cause to an exit code and a hint.

use std::io;

use crate::{
    composefile::{Cause, ComposeError},
    engine::{DockerError, StartError, ToolError},
    experiment::CampaignError,
    lab::{
        ChangeError, ClientError, ListenError, PlanError, RefusalKind, RendezvousError, RunningLabError,
        compose::UnsupervisedError,
    },
    model::trace::{FailureKind, TraceError},
    probe::{IdentityError, SpecError, TargetError, Unreachable},
};

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; an expectation was met.
    Done,
    /// An expectation was not met.
    NotMet,
    /// The command line asks for what cannot be.
    Usage,
    /// The surroundings do not allow it.
    Environment,
    /// An expectation, or who answered, stays undecided.
    Inconclusive,
    /// Stopped by ^C.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::NotMet => 1,
            Exit::Usage => 2,
            Exit::Environment => 3,
            Exit::Inconclusive => 4,
            Exit::Interrupted => 130,
        }
    }
}

/// A failure that a command finds by itself.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// How the command ends.
    pub exit: Exit,
    /// What happened, in one lowercase line that names the object.
    pub message: String,
    /// What can be done about it.
    pub hint: Option<String>,
    /// What says more than a line.
    pub detail: Option<String>,
}

impl Failure {
    /// The command line asks for what cannot be.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure { exit: Exit::Usage, message: message.into(), hint: None, detail: None }
    }

    /// The surroundings do not allow it.
    pub fn environment(message: impl Into<String>) -> Self {
        Failure { exit: Exit::Environment, message: message.into(), hint: None, detail: None }
    }

    /// With what can be done about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// An error as a person is told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// How the command ends.
    pub exit: Exit,
    /// What happened; nothing where there is nobody left to tell.
    pub message: Option<String>,
    /// What can be done about it.
    pub hint: Option<String>,
    /// What says more than a line, such as the log of a build that failed.
    pub detail: Option<String>,
}

/// Explains an error.
pub fn explain(error: &anyhow::Error) -> Explained {
    // whoever read the output has gone, as `head` does: nothing to complain about
    if error.chain().any(is_broken_pipe) {
        return Explained { exit: Exit::Done, message: None, hint: None, detail: None };
    }
    let (exit, hint) = error.chain().find_map(classify).unwrap_or((Exit::Environment, None));
    let message = format!("{error:#}").replace(['\n', '\r'], " ");
    let detail = error.chain().find_map(detail);
    Explained { exit, message: Some(message), hint, detail }
}

fn detail(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(Failure { detail, .. }) = cause.downcast_ref::<Failure>() {
        return detail.clone();
    }
    match cause.downcast_ref::<RunningLabError>() {
        Some(RunningLabError::Unsupervised(UnsupervisedError::Change(error))) => error.detail(),
        Some(RunningLabError::Supervised(ClientError::Refused(refused))) => refused.detail.clone(),
        _ => cause.downcast_ref::<ChangeError>().and_then(ChangeError::detail),
    }
}

fn is_broken_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn classify(cause: &(dyn std::error::Error + 'static)) -> Option<(Exit, Option<String>)> {
    if let Some(failure) = cause.downcast_ref::<Failure>() {
        return Some((failure.exit, failure.hint.clone()));
    }
    if let Some(error) = cause.downcast_ref::<ComposeError>() {
        let exit = match error.cause() {
            Cause::Unreadable => Exit::Environment,
            Cause::Broken => Exit::Usage,
        };
        return Some((exit, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<PlanError>() {
        return Some((Exit::Usage, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<ListenError>() {
        return Some((Exit::Environment, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<RendezvousError>() {
        return Some((Exit::Environment, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<ClientError>() {
        return Some(client(error));
    }
    if let Some(error) = cause.downcast_ref::<RunningLabError>() {
        return Some(match error {
            RunningLabError::NoLab { docker, .. } => (Exit::Environment, Some(no_lab_hint(docker.as_ref()))),
            RunningLabError::Supervised(error) => client(error),
            RunningLabError::Unsupervised(UnsupervisedError::Change(error)) => change(error),
            RunningLabError::Unsupervised(error) => (Exit::Environment, error.hint()),
        });
    }
    if let Some(error) = cause.downcast_ref::<ChangeError>() {
        return Some(change(error));
    }
    if cause.is::<TargetError>() || cause.is::<IdentityError>() || cause.is::<SpecError>() {
        return Some((Exit::Usage, None));
    }
    if let Some(error) = cause.downcast_ref::<TraceError>() {
        return Some((Exit::Usage, Some(error.hint())));
    }
    if let Some(Unreachable { failure, .. }) = cause.downcast_ref::<Unreachable>() {
        return Some((Exit::Environment, unreachable_hint(failure.kind)));
    }
    if let Some(error) = cause.downcast_ref::<CampaignError>() {
        return Some(match error {
            CampaignError::Unreachable(Unreachable { failure, .. }) => {
                (Exit::Environment, unreachable_hint(failure.kind))
            }
            error => (Exit::Usage, error.hint().map(str::to_owned)),
        });
    }
    if let Some(error) = cause.downcast_ref::<DockerError>() {
        return Some((Exit::Environment, error.hint()));
    }
    if let Some(error) = cause.downcast_ref::<ToolError>() {
        return Some((Exit::Environment, error.hint()));
    }
    cause.downcast_ref::<StartError>().map(|start| (Exit::Environment, start.hint()))
}

fn unreachable_hint(kind: FailureKind) -> Option<String> {
    let hint = match kind {
        FailureKind::Dns => "is a lab running? `lbctl ps`; --connect ADDR:PORT needs no name",
        FailureKind::Connect => "does something listen there? --connect ADDR:PORT asks elsewhere",
        FailureKind::Tls => "-k takes any certificate; --connect keeps the name and changes the address",
        FailureKind::Timeout => "--timeout SECONDS waits longer",
        FailureKind::Protocol | FailureKind::Closed => "is it an HTTP server, and is https meant?",
        FailureKind::Other => return None,
    };
    Some(hint.to_owned())
}

fn client(error: &ClientError) -> (Exit, Option<String>) {
    match error {
        ClientError::NoLab(_) => (Exit::Environment, Some(no_lab_hint(None))),
        ClientError::Refused(refused) => {
            let exit = match refused.kind {
                RefusalKind::Usage => Exit::Usage,
                RefusalKind::Environment => Exit::Environment,
            };
            (exit, refused.hint.clone())
        }
        ClientError::Broken { .. } => (Exit::Environment, None),
        ClientError::Silent(_) => {
            (Exit::Environment, Some("it may still be starting or stopping; try again".to_owned()))
        }
        ClientError::Rendezvous(error) => (Exit::Environment, error.hint()),
    }
}

fn change(error: &ChangeError) -> (Exit, Option<String>) {
    let exit = match error {
        ChangeError::Plan(_) => Exit::Usage,
        _ => Exit::Environment,
    };
    (exit, error.hint())
}

/// A Docker Engine that is there and cannot be asked may have the lab.
fn no_lab_hint(docker: Option<&DockerError>) -> String {
    let start = "`lbctl up -d` starts one";
    match docker {
        Some(error) if !error.is_absent() => format!("{start}; Docker was not asked: {error}"),
        _ => start.to_owned(),
    }
}
