//! The Docker Engine's API on another machine, through ssh, as the `docker` command does it.
//!
//! The ssh of bollard, the client library, takes no port. Keys, jump hosts and a shared connection come from the user's ssh
//! configuration.

use std::{io, process::Stdio, sync::Arc};

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker as Api, errors::Error as ApiError};
use hyper::{Response, body::Incoming};
use tokio::{
    io::AsyncReadExt,
    process::{ChildStderr, Command},
};

use super::{
    endpoint::{Endpoint, host_of},
    error::DockerError,
    http::{READ_TIMEOUT, RESPONSE_TIMEOUT_SECONDS, send_request},
};

/// The number of bytes of ssh's standard error that are read for a message.
const MAX_ERROR_BYTES: u64 = 4096;

/// Opens a client of the engine at `target`, [USER@]HOST[:PORT].
pub(super) fn open(endpoint: &Endpoint, target: &str) -> Result<Api, DockerError> {
    let arguments: Arc<[String]> = arguments(target).into();
    let transport = move |request: BollardRequest| {
        let arguments = arguments.clone();
        async move { send(request, &arguments).await }
    };
    // the client wants an address, and the transport ignores it
    let address = Some("http://docker".to_owned());
    Api::connect_with_custom_transport(transport, address, RESPONSE_TIMEOUT_SECONDS, API_DEFAULT_VERSION)
        .map_err(|error| DockerError::from_api(&endpoint.name, &error))
}

fn arguments(target: &str) -> Vec<String> {
    let host = host_of(target);
    // no password is asked for: there may be no person to answer
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

async fn send(request: BollardRequest, arguments: &[String]) -> Result<Response<Incoming>, ApiError> {
    let mut command = Command::new("ssh");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // ^C in the terminal is for this program to handle
    command.process_group(0).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other("there is no program called ssh"),
        _ => error,
    })?;
    let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("ssh has no pipes").into());
    };
    match send_request(request, "docker", tokio::io::join(output, input), child).await {
        Ok(response) => {
            // read to its end, so that an ssh that writes much is not held up
            tokio::spawn(async move { tokio::io::copy(&mut { errors }, &mut tokio::io::sink()).await });
            Ok(response)
        }
        Err(error) => Err(last_error_line(errors).await.map_or(error, |line| io::Error::other(line).into())),
    }
}

/// The last line that ssh wrote to its standard error.
async fn last_error_line(errors: ChildStderr) -> Option<String> {
    let mut text = Vec::new();
    let mut errors = errors.take(MAX_ERROR_BYTES);
    _ = tokio::time::timeout(READ_TIMEOUT, errors.read_to_end(&mut text)).await;
    let text = String::from_utf8_lossy(&text);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_port_become_arguments_of_ssh() {
        let tail = |target: &str| arguments(target)[3..].join(" ");
        assert_eq!(tail("host"), "-- host docker system dial-stdio");
        assert_eq!(tail("me@host:2222"), "-l me -p 2222 -- host docker system dial-stdio");
        assert_eq!(tail("me@[fd00::1]:22"), "-l me -p 22 -- fd00::1 docker system dial-stdio");
        assert_eq!(tail("[fd00::1]"), "-- fd00::1 docker system dial-stdio");
    }
}
