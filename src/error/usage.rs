//! Mistakes of a command line that only the command itself can notice.

/// A command line that asks for something impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    #[error("{0} needs a target")]
    FlagWithoutTarget(&'static str),
    #[error("{0} needs --login")]
    FlagWithoutLogin(&'static str),
    #[error("--addresses each: nothing was resolved for {0}")]
    NothingResolved(String),
    #[error("--path `{}` must start with `/`", .0.escape_debug())]
    PathWithoutSlash(String),
    #[error("the embedded engine has the bundled proxy only")]
    EmbeddedTraefik,
    #[error("nothing to scale")]
    NothingToScale,
    #[error("{service} cannot have both {first} and {second} replicas")]
    TwoCounts { service: String, first: u32, second: u32 },
    #[error("no service `{}` in this lab", service.escape_debug())]
    UnknownService { service: String, known: Vec<String> },
    #[error("{directory} {problem}")]
    ExportDirectory { directory: String, problem: &'static str },
    #[error("two upstreams are called {0}")]
    TwoUpstreams(String),
    /// The flags of the proxy, read as labels, do not fit together.
    #[error("{0}")]
    ProxyFlags(String),
    #[error("LBCTL_LOG: `{}` is no level and no list of modules with levels", .0.escape_debug())]
    LogFilter(String),
}

impl UsageError {
    /// The advice to the user, where there is one.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            UsageError::FlagWithoutTarget(_) => "name a host or a URL".to_owned(),
            UsageError::NothingResolved(_) => {
                "a lab, an address and a name that a proxy resolves have no addresses to choose from; --no-lab asks DNS"
                    .to_owned()
            }
            UsageError::EmbeddedTraefik => "`--engine compose` runs the lab in containers, behind Traefik".to_owned(),
            UsageError::NothingToScale => "name a service and a number, for example web_static=3".to_owned(),
            UsageError::UnknownService { known, .. } => format!("it has {}", known.join(", ")),
            UsageError::ExportDirectory { .. } => "name a directory that does not exist yet, or is empty".to_owned(),
            UsageError::LogFilter(_) => "LBCTL_LOG=debug shows every step".to_owned(),
            UsageError::FlagWithoutLogin(_)
            | UsageError::PathWithoutSlash(_)
            | UsageError::TwoCounts { .. }
            | UsageError::TwoUpstreams(_)
            | UsageError::ProxyFlags(_) => return None,
        })
    }
}
