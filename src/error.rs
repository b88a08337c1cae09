//! Errors: the one mapping from a cause to an exit code and a hint.

use std::io;

use crate::{
    engine::{DockerError, StartError, ToolError},
    lab::{
        ChangeError, ClientError, ListenError, PlanError, RefusedKind, RendezvousError,
        compose::{Cause, ComposeError},
    },
    probe::{IdentityError, SpecError, TargetError, Unreachable},
    trace::FailureKind,
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
}

impl Failure {
    /// The command line asks for what cannot be.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure { exit: Exit::Usage, message: message.into(), hint: None }
    }

    /// The surroundings do not allow it.
    pub fn environment(message: impl Into<String>) -> Self {
        Failure { exit: Exit::Environment, message: message.into(), hint: None }
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
}

/// Explains an error.
pub fn explain(error: &anyhow::Error) -> Explained {
    // whoever read the output has gone, as `head` does: nothing to complain about
    if error.chain().any(is_broken_pipe) {
        return Explained { exit: Exit::Done, message: None, hint: None };
    }
    let (exit, hint) = error.chain().find_map(classify).unwrap_or((Exit::Environment, None));
    let message = format!("{error:#}").replace(['\n', '\r'], " ");
    Explained { exit, message: Some(message), hint }
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
    if let Some(ListenError { address, cause }) = cause.downcast_ref::<ListenError>() {
        let hint = match cause.kind() {
            io::ErrorKind::AddrInUse => {
                Some(format!("stop what listens there, or leave --port {} out", address.port()))
            }
            io::ErrorKind::PermissionDenied => Some("ports from 1024 up need no privileges".to_owned()),
            io::ErrorKind::AddrNotAvailable => Some("give --bind an address that this machine has".to_owned()),
            _ => None,
        };
        return Some((Exit::Environment, hint));
    }
    if let Some(error) = cause.downcast_ref::<RendezvousError>() {
        return Some((Exit::Environment, rendezvous_hint(error)));
    }
    if let Some(error) = cause.downcast_ref::<ClientError>() {
        return Some(match error {
            ClientError::NoLab(_) => (Exit::Environment, Some("`lbctl up -d` starts one".to_owned())),
            ClientError::Refused(refused) => {
                let exit = match refused.kind {
                    RefusedKind::Usage => Exit::Usage,
                    RefusedKind::Environment => Exit::Environment,
                };
                (exit, refused.hint.clone())
            }
            ClientError::Broken { .. } => (Exit::Environment, None),
            ClientError::Silent(_) => {
                (Exit::Environment, Some("it may still be starting or stopping; try again".to_owned()))
            }
            ClientError::Rendezvous(error) => (Exit::Environment, rendezvous_hint(error)),
        });
    }
    if let Some(error) = cause.downcast_ref::<ChangeError>() {
        return Some(match error {
            ChangeError::Plan(plan) => (Exit::Usage, plan.hint()),
            ChangeError::Start(start) => (Exit::Environment, start.hint()),
            ChangeError::Proxy(_) | ChangeError::Stopping => (Exit::Environment, None),
        });
    }
    if cause.is::<TargetError>() || cause.is::<IdentityError>() || cause.is::<SpecError>() {
        return Some((Exit::Usage, None));
    }
    if let Some(Unreachable { failure, .. }) = cause.downcast_ref::<Unreachable>() {
        return Some((Exit::Environment, unreachable_hint(failure.kind)));
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

fn rendezvous_hint(error: &RendezvousError) -> Option<String> {
    match error {
        RendezvousError::Running(project) => {
            Some(format!("`lbctl down -p {project}` stops it; `lbctl up -p NAME` starts another beside it"))
        }
        RendezvousError::NotOurs(_) | RendezvousError::TooLong(_) => {
            Some("set XDG_RUNTIME_DIR to a short path that is yours".to_owned())
        }
        RendezvousError::Io { .. } => {
            Some("set XDG_RUNTIME_DIR to a directory that is yours, or leave it unset".to_owned())
        }
    }
}
