//! The rendezvous: the directory where clients find supervisors by the name of the project.
//!
//! The directory belongs to the user alone (mode 0700). It holds a lock file and a socket for each running lab. The
//! lock is the truth: the kernel frees it when the supervisor ends, even after a crash. A socket whose lock is free is
//! stale, and the next process that sees it removes it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tokio::net::UnixListener;

/// The longest path of a Unix socket in bytes that every system allows (macOS: 104 with the closing zero).
const MAX_SOCKET_PATH: usize = 103;

/// A rendezvous that cannot be used, or a name that cannot be locked.
#[derive(Debug, thiserror::Error)]
pub enum RendezvousError {
    /// A lab of this project runs already.
    #[error("a lab called `{0}` is running already")]
    Running(String),
    /// The path is not a directory, or the directory belongs to another user.
    #[error("{} is not a directory of this user alone", .0.display())]
    NotOurs(PathBuf),
    /// The path of the socket would be longer than a Unix socket's may be.
    #[error("{} is too long for a socket", .0.display())]
    TooLong(PathBuf),
    /// A file cannot be made, changed or removed.
    #[error("{}: {cause}", .path.display())]
    Io { path: PathBuf, cause: io::Error },
}

impl RendezvousError {
    /// The advice to the user, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
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
}

/// The directory of the supervisors of this user.
#[derive(Debug, Clone)]
pub struct Rendezvous {
    directory: PathBuf,
}

/// The lock on a project's name, which a supervisor holds while it runs. Dropping it removes the lock and the socket.
#[derive(Debug)]
pub struct SupervisorLock {
    _lock: File,
    lock_path: PathBuf,
    socket_path: PathBuf,
}

impl Rendezvous {
    /// Opens the rendezvous of this user: `$XDG_RUNTIME_DIR/lbctl`, else `lbctl-UID` in the directory for temporary
    /// files. The directory is made if it does not exist.
    ///
    /// # Errors
    /// When the directory cannot be made, or does not belong to this user alone.
    pub fn open() -> Result<Rendezvous, RendezvousError> {
        let user = rustix::process::geteuid().as_raw();
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        let directory = match runtime {
            Some(runtime) => runtime.join("lbctl"),
            None => std::env::temp_dir().join(format!("lbctl-{user}")),
        };
        let failed = |cause| RendezvousError::Io { path: directory.clone(), cause };
        match DirBuilder::new().mode(0o700).create(&directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        // by a link or by a directory of theirs, other users could pose as a lab
        let found = fs::symlink_metadata(&directory).map_err(failed)?;
        if !found.is_dir() || found.uid() != user {
            return Err(RendezvousError::NotOurs(directory));
        }
        if found.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        }
        Ok(Rendezvous { directory })
    }

    /// Locks the name of a project for this process, and listens at its socket.
    ///
    /// # Errors
    /// When another supervisor holds the lock, or a file cannot be made.
    pub fn take(&self, project: &str) -> Result<(SupervisorLock, UnixListener), RendezvousError> {
        let socket_path = self.socket_path(project);
        if socket_path.as_os_str().len() > MAX_SOCKET_PATH {
            return Err(RendezvousError::TooLong(socket_path));
        }
        let lock_path = self.lock_path(project);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| RendezvousError::Io { path, cause }
        };
        let lock = match try_lock(&lock_path).map_err(failed(&lock_path))? {
            Some(lock) => lock,
            None => return Err(RendezvousError::Running(project.to_owned())),
        };
        match fs::remove_file(&socket_path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&socket_path)(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&socket_path).map_err(failed(&socket_path))?;
        fs::set_permissions(&socket_path, fs::Permissions::from_mode(0o600)).map_err(failed(&socket_path))?;
        Ok((SupervisorLock { _lock: lock, lock_path, socket_path }, listener))
    }

    /// Returns the socket of a project's supervisor if one runs. A stale socket is removed.
    pub fn running_socket(&self, project: &str) -> Option<PathBuf> {
        let lock_path = self.lock_path(project);
        let lock = File::open(&lock_path).ok()?;
        // a shared lock, so that two processes that look at once do not take each other for a supervisor
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(self.socket_path(project)),
            // while this process holds it, no supervisor can start, unless the path already leads to a new lock file
            _ => {
                if leads_to(&lock_path, &lock) {
                    _ = fs::remove_file(self.socket_path(project));
                }
                None
            }
        }
    }

    /// Lists the projects whose supervisors run, in the order of their names.
    pub fn running_projects(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.strip_suffix(".lock").map(str::to_owned)
        });
        let mut running: Vec<String> = names.filter(|project| self.running_socket(project).is_some()).collect();
        running.sort();
        running
    }

    /// The directory for the files of a project's lab.
    pub fn lab_directory(&self, project: &str) -> PathBuf {
        self.directory.join(format!("{project}.files"))
    }

    fn lock_path(&self, project: &str) -> PathBuf {
        self.directory.join(format!("{project}.lock"))
    }

    fn socket_path(&self, project: &str) -> PathBuf {
        self.directory.join(format!("{project}.sock"))
    }
}

impl Drop for SupervisorLock {
    fn drop(&mut self) {
        // removed while the lock is held: files that appear later belong to the next supervisor
        _ = fs::remove_file(&self.socket_path);
        _ = fs::remove_file(&self.lock_path);
    }
}

/// Locks a lock file; `None` while a supervisor holds it.
fn try_lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        match lock.try_lock() {
            // a supervisor that ended between these two lines removed the file: no client would find this lock
            Ok(()) if !leads_to(path, &lock) => {}
            Ok(()) => return Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => match lock.try_lock_shared() {
                // a client only looked whether a supervisor runs, which takes no time
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            },
            Err(TryLockError::Error(error)) => return Err(error),
        }
        std::thread::yield_now();
    }
}

/// Checks whether a path still leads to this open file.
fn leads_to(path: &Path, file: &File) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

/// Checks whether a project can have this name. As in Compose, a name has lower case letters, digits, `-` and `_`, and
/// begins with a letter or digit. It has at most 63 characters.
pub fn is_project_name(name: &str) -> bool {
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let continues_well = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    starts_well && continues_well && name.len() <= 63
}
