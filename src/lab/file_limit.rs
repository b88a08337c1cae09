//! The limit of open files of this process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The limit of macOS where it calls a limit infinite.
const MACOS_LIMIT: u64 = 10_240;

/// Raises the limit of open files as far as this user may. A thousand replicas have some five thousand pipes and
/// connections, and many systems allow 1024 open files unless a process asks for more. Where the limit cannot be raised it
/// stays, which is enough for a small lab.
pub fn raise_file_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    for limit in [maximum, Some(MACOS_LIMIT)] {
        // `None` is infinity
        let is_higher = current.is_some_and(|current| limit.is_none_or(|limit| limit > current));
        if !is_higher || setrlimit(Resource::Nofile, Rlimit { current: limit, maximum }).is_ok() {
            return;
        }
    }
}
