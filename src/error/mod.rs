//! Errors: every cause for which a command fails, and the one mapping from a cause to exit code, message and hint.
//!
//! [`Error`] has a variant for each error type of the other modules, so that the compiler asks for the exit code of a new
//! one. A wing's error knows its message, its hint and its details; how a command ends because of it is decided here alone.

mod usage;

use std::{io, process::ExitStatus};

use crate::{
    analysis::ExpectError,
    composefile::{Cause, ComposeError},
    engine::{DockerError, StartError},
    experiment::CampaignError,
    lab::{
        ChangeError, ClientError, ControlErrorKind, ListenError, LookupError, PlanError, RendezvousError,
        RunningLabError, compose::UnsupervisedError,
    },
    model::trace::{FailureKind, TraceError},
    probe::{HeaderError, IdentityError, SpecError, TargetError, Unreachable},
};

pub use usage::UsageError;

/// The end of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumIter)]
pub enum Exit {
    /// The command did what it was asked for, and an expectation was met.
    Done,
    /// An expectation was not met.
    NotMet,
    /// The command line asks for something impossible.
    Usage,
    /// Something outside of lbctl is missing, does not answer, or is in the way.
    Environment,
    /// An expectation, or which instances answered, stays undecided.
    Inconclusive,
    /// ^C or SIGTERM ended the command.
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

/// The reason for which a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Usage(#[from] UsageError),
    #[error(transparent)]
    Expectation(#[from] ExpectError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Trace(#[from] TraceError),
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Rendezvous(#[from] RendezvousError),
    #[error(transparent)]
    Lookup(#[from] LookupError),
    #[error(transparent)]
    RunningLab(#[from] RunningLabError),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Docker(#[from] DockerError),
    #[error(transparent)]
    Start(#[from] StartError),
    /// The supervisor in the background failed, and reported why.
    #[error("{}", .0.message.as_deref().unwrap_or_default())]
    Background(ErrorReport),
    /// The supervisor in the background ended without a report.
    #[error("the lab ended while it started ({0})")]
    BackgroundEnded(ExitStatus),
    /// No instance can be told from another.
    #[error("nothing in the answers of {url} says which instance sent them{}", reason.as_ref().map_or(String::new(), |reason| format!(": {reason}")))]
    Unidentified { url: String, reason: Option<String> },
    /// The page of a target that is no lab has no login that lbctl knows.
    #[error("{0} is no lab's page, and nothing says how to log in there")]
    UnknownLogin(String),
    /// A file or directory that the command line names cannot be used.
    #[error("{path}")]
    File { path: String, source: io::Error },
    /// Standard output cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The system refuses a process, a thread, a pipe or a signal. Nothing is decided by the cause, which is only shown.
    #[error(transparent)]
    System(#[from] anyhow::Error),
}

/// A failure to write to standard output. It is a type of its own because a reader that has gone, as `head` does, is the
/// one broken pipe that is no fault.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct OutputError(pub io::Error);

impl OutputError {
    /// Returns true if the reader of standard output has gone.
    pub fn is_without_reader(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// An error as it is shown to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorReport {
    pub exit: Exit,
    /// One line that names the object; `None` if there is no reader left for it.
    pub message: Option<String>,
    /// The advice to the user.
    pub hint: Option<String>,
    /// More than a line, such as the log of a build that failed.
    pub detail: Option<String>,
}

impl Error {
    /// The report of this error.
    pub fn report(&self) -> ErrorReport {
        match self {
            Error::Background(report) => return report.clone(),
            Error::Output(error) if error.is_without_reader() => {
                return ErrorReport { exit: Exit::Done, message: None, hint: None, detail: None };
            }
            _ => {}
        }
        let (exit, hint) = self.exit_and_hint();
        ErrorReport { exit, message: Some(message_with_causes(self)), hint, detail: self.detail() }
    }

    fn exit_and_hint(&self) -> (Exit, Option<String>) {
        match self {
            Error::Usage(error) => (Exit::Usage, error.hint()),
            Error::Expectation(error) => (Exit::Usage, Some(error.hint().to_owned())),
            Error::Target(_) | Error::Identity(_) | Error::Header(_) | Error::Spec(_) => (Exit::Usage, None),
            Error::Trace(error) => (Exit::Usage, Some(error.hint())),
            Error::Campaign(error) => exit_of_campaign(error),
            Error::Compose(error) => (exit_of_compose_file(error), error.hint()),
            Error::Plan(error) => (Exit::Usage, error.hint()),
            Error::Listen(error) => (Exit::Environment, error.hint()),
            Error::Rendezvous(error) => (Exit::Environment, error.hint()),
            Error::Lookup(error) => exit_of_lookup(error),
            Error::RunningLab(error) => exit_of_running_lab(error),
            Error::Change(error) => exit_of_change(error),
            Error::Docker(error) => (Exit::Environment, error.hint()),
            Error::Start(error) => (Exit::Environment, error.hint()),
            Error::Background(report) => (report.exit, report.hint.clone()),
            Error::Unidentified { .. } => {
                let hint = "tell how with --identity header:NAME, header:NAME~PATTERN, json:/POINTER or regex:PATTERN";
                (Exit::Inconclusive, Some(hint.to_owned()))
            }
            Error::UnknownLogin(_) => {
                let hint = "--login 'POST /login user=alice' --check 'GET /session' --logged-in 'json:/session/logged_in=true'";
                (Exit::Usage, Some(hint.to_owned()))
            }
            Error::BackgroundEnded(_) | Error::File { .. } | Error::Output(_) | Error::System(_) => {
                (Exit::Environment, None)
            }
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Error::Change(error) => error.detail(),
            Error::RunningLab(error) | Error::Lookup(LookupError::Lab(error)) => detail_of_running_lab(error),
            Error::Background(report) => report.detail.clone(),
            Error::Usage(_)
            | Error::Expectation(_)
            | Error::Target(_)
            | Error::Identity(_)
            | Error::Header(_)
            | Error::Spec(_)
            | Error::Trace(_)
            | Error::Campaign(_)
            | Error::Compose(_)
            | Error::Plan(_)
            | Error::Listen(_)
            | Error::Rendezvous(_)
            | Error::Lookup(_)
            | Error::Docker(_)
            | Error::Start(_)
            | Error::BackgroundEnded(_)
            | Error::Unidentified { .. }
            | Error::UnknownLogin(_)
            | Error::File { .. }
            | Error::Output(_)
            | Error::System(_) => None,
        }
    }
}

/// The message of an error and of its causes on one line.
fn message_with_causes(error: &Error) -> String {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message += &format!(": {error}");
        cause = error.source();
    }
    message.replace(['\n', '\r'], " ")
}

fn exit_of_campaign(error: &CampaignError) -> (Exit, Option<String>) {
    match error {
        CampaignError::Unreachable(Unreachable { failure, .. }) => (Exit::Environment, unreachable_hint(failure.kind)),
        CampaignError::ForeignSource(_)
        | CampaignError::NoSources
        | CampaignError::NoHeader
        | CampaignError::NoSlowPath => (Exit::Usage, error.hint().map(str::to_owned)),
    }
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

fn exit_of_compose_file(error: &ComposeError) -> Exit {
    match error.cause() {
        Cause::Unreadable => Exit::Environment,
        Cause::Broken => Exit::Usage,
    }
}

fn exit_of_lookup(error: &LookupError) -> (Exit, Option<String>) {
    let exit = match error {
        LookupError::Lab(error) => return exit_of_running_lab(error),
        LookupError::OtherLabs { .. } | LookupError::NoLab | LookupError::NoReplica { .. } => Exit::Environment,
        LookupError::ProjectName(_)
        | LookupError::SeveralLabs(_)
        | LookupError::SeveralRoutes { .. }
        | LookupError::OtherHosts { .. }
        | LookupError::BareAddress { .. }
        | LookupError::NoRoute { .. } => Exit::Usage,
    };
    (exit, error.hint())
}

fn exit_of_running_lab(error: &RunningLabError) -> (Exit, Option<String>) {
    match error {
        RunningLabError::NoLab { docker, .. } => (Exit::Environment, Some(no_lab_hint(docker.as_ref()))),
        RunningLabError::Supervised(error) => exit_of_client(error),
        RunningLabError::Unsupervised(UnsupervisedError::Change(error)) => exit_of_change(error),
        RunningLabError::Unsupervised(error) => (Exit::Environment, error.hint()),
    }
}

fn detail_of_running_lab(error: &RunningLabError) -> Option<String> {
    match error {
        RunningLabError::Unsupervised(UnsupervisedError::Change(error)) => error.detail(),
        RunningLabError::Supervised(ClientError::Refused(error)) => error.detail.clone(),
        RunningLabError::NoLab { .. } | RunningLabError::Supervised(_) | RunningLabError::Unsupervised(_) => None,
    }
}

fn exit_of_client(error: &ClientError) -> (Exit, Option<String>) {
    match error {
        ClientError::NoLab(_) => (Exit::Environment, Some(no_lab_hint(None))),
        ClientError::Refused(error) => (exit_of_kind(error.kind), error.hint.clone()),
        ClientError::Broken { .. } => (Exit::Environment, None),
        ClientError::Silent(_) => {
            (Exit::Environment, Some("it may still be starting or stopping; try again".to_owned()))
        }
        ClientError::Rendezvous(error) => (Exit::Environment, error.hint()),
    }
}

fn exit_of_change(error: &ChangeError) -> (Exit, Option<String>) {
    (exit_of_kind(error.into()), error.hint())
}

fn exit_of_kind(kind: ControlErrorKind) -> Exit {
    match kind {
        ControlErrorKind::Usage => Exit::Usage,
        ControlErrorKind::Environment => Exit::Environment,
    }
}

/// A Docker Engine that is there and cannot be asked may have the lab.
fn no_lab_hint(docker: Option<&DockerError>) -> String {
    let start = "`lbctl up -d` starts one";
    match docker {
        Some(error) if !error.is_absent() => format!("{start}; Docker was not asked: {error}"),
        _ => start.to_owned(),
    }
}
