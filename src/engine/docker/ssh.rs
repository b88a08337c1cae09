//! The Docker Engine's API on another machine, through ssh, as the `docker` command does it.
//!
//! The client's own way takes no port. Keys, jump hosts and a shared connection are the user's ssh configuration.

use std::{io, process::Stdio, sync::Arc};

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker as Api, errors::Error as ApiError};
use tokio::{
    io::AsyncReadExt,
    process::{ChildStderr, Command},
};

use super::{
    connect::ANSWER,
    endpoint::{Endpoint, host_of},
    error::DockerError,
    wire::{self, LAST_WORDS},
};

/// What of that is read, in bytes.
const LONGEST: u64 = 4096;

/// A client of the engine at `target`, [USER@]HOST[:PORT].
pub(super) fn open(endpoint: &Endpoint, target: &str) -> Result<Api, DockerError> {
    let arguments: Arc<[String]> = arguments(target).into();
    let transport = move |request: BollardRequest| {
        let arguments = arguments.clone();
        async move { send(request, &arguments).await }
    };
    // what the address would be is nobody's business here
    let address = Some("http://docker".to_owned());
    Api::connect_with_custom_transport(transport, address, ANSWER, API_DEFAULT_VERSION)
        .map_err(|error| DockerError::of(&endpoint.name, &error))
}

fn arguments(target: &str) -> Vec<String> {
    let host = host_of(target);
    // nobody is there who could be asked for a password
    let mut arguments = vec!["-o".to_owned(), "BatchMode=yes".to_owned(), "-T".to_owned()];
    if let Some((user, _)) = target.rsplit_once('@') {
        arguments.extend(["-l".to_owned(), user.to_owned()]);
    }
    let rest = target.rsplit_once(host).map_or("", |(_, rest)| rest);
    if let Some(port) = rest.trim_start_matches(']').strip_prefix(':') {
        arguments.extend(["-p".to_owned(), port.to_owned()]);
    }
    arguments.extend(["--", host, "docker", "system", "dial-stdio"].map(str::to_owned));
    arguments
}

async fn send(
    request: BollardRequest,
    arguments: &[String],
) -> Result<http::Response<hyper::body::Incoming>, ApiError> {
    let mut command = Command::new("ssh");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // ^C in the terminal is this program's to handle
    command.process_group(0).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other("there is no program called ssh"),
        _ => error,
    })?;
    let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("ssh has no pipes").into());
    };
    match wire::send(request, "docker", tokio::io::join(output, input), child).await {
        Ok(response) => {
            // read to its end, so that a talkative one goes on
            tokio::spawn(async move { tokio::io::copy(&mut { errors }, &mut tokio::io::sink()).await });
            Ok(response)
        }
        Err(error) => Err(complaint(errors).await.map_or(error, |line| io::Error::other(line).into())),
    }
}

/// The last line of what it complains of.
async fn complaint(errors: ChildStderr) -> Option<String> {
    let mut said = Vec::new();
    let mut errors = errors.take(LONGEST);
    _ = tokio::time::timeout(LAST_WORDS, errors.read_to_end(&mut said)).await;
    let said = String::from_utf8_lossy(&said);
    said.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_port_are_told_to_ssh() {
        let tail = |target: &str| arguments(target)[3..].join(" ");
        assert_eq!(tail("host"), "-- host docker system dial-stdio");
        assert_eq!(tail("me@host:2222"), "-l me -p 2222 -- host docker system dial-stdio");
        assert_eq!(tail("me@[fd00::1]:22"), "-l me -p 22 -- fd00::1 docker system dial-stdio");
        assert_eq!(tail("[fd00::1]"), "-- fd00::1 docker system dial-stdio");
    }
}
