//! The rendezvous: where supervisors are found, by project name.
//!
//! A directory of the user's own (0700) holds, for each running lab, a lock file and a socket. The lock is the truth: the
//! kernel frees it when the supervisor ends, however it ended. A socket without a locked lock is stale, and the next one
//! who comes by removes it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tokio::net::UnixListener;

/// The longest path that a Unix socket may have everywhere (macOS: 104 bytes with the closing zero).
const LONGEST_SOCKET_PATH: usize = 103;

/// Why a supervisor cannot take its place, or none can be looked for.
#[derive(Debug, thiserror::Error)]
pub enum RendezvousError {
    /// A lab of this project runs already.
    #[error("a lab called `{0}` is running already")]
    Running(String),
    /// The directory belongs to somebody else, or is none.
    #[error("{} is not a directory of this user alone", .0.display())]
    NotOurs(PathBuf),
    /// The socket's path would be too long.
    #[error("{} is too long for a socket", .0.display())]
    TooLong(PathBuf),
    /// The file system said no.
    #[error("{}: {cause}", .path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        cause: io::Error,
    },
}

impl RendezvousError {
    /// What can be done about it.
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

/// The directory of the user's supervisors.
#[derive(Debug, Clone)]
pub struct Rendezvous {
    directory: PathBuf,
}

/// A supervisor's place. Dropping it leaves it.
#[derive(Debug)]
pub struct SupervisorLock {
    _lock: File,
    lock_path: PathBuf,
    socket_path: PathBuf,
}

impl Rendezvous {
    /// `$XDG_RUNTIME_DIR/lbctl`, else `lbctl-UID` in the directory for temporary files. Made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made, or is not the user's own.
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
        // a link or a directory of somebody else would let them pose as a lab
        let found = fs::symlink_metadata(&directory).map_err(failed)?;
        if !found.is_dir() || found.uid() != user {
            return Err(RendezvousError::NotOurs(directory));
        }
        if found.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        }
        Ok(Rendezvous { directory })
    }

    /// Takes the place of `project`'s supervisor, and listens.
    ///
    /// # Errors
    /// When another has it, or the file system says no.
    pub fn take(&self, project: &str) -> Result<(SupervisorLock, UnixListener), RendezvousError> {
        let socket_path = self.socket(project);
        if socket_path.as_os_str().len() > LONGEST_SOCKET_PATH {
            return Err(RendezvousError::TooLong(socket_path));
        }
        let lock_path = self.lock(project);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| RendezvousError::Io { path, cause }
        };
        let lock = match take_lock(&lock_path).map_err(failed(&lock_path))? {
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

    /// The socket of `project`'s supervisor, if one is running; a stale one is removed.
    pub fn find(&self, project: &str) -> Option<PathBuf> {
        let lock_path = self.lock(project);
        let lock = File::open(&lock_path).ok()?;
        // a shared lock, so that two who look at once do not take each other for a supervisor
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(self.socket(project)),
            // while it is held, no new supervisor can take the place, if it is the place's lock still
            _ => {
                if is_at(&lock, &lock_path) {
                    _ = fs::remove_file(self.socket(project));
                }
                None
            }
        }
    }

    /// The projects whose supervisors are running, by name.
    pub fn projects(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.strip_suffix(".lock").map(str::to_owned)
        });
        let mut running: Vec<String> = names.filter(|project| self.find(project).is_some()).collect();
        running.sort();
        running
    }

    /// Where the files of `project`'s lab may be written.
    pub fn files(&self, project: &str) -> PathBuf {
        self.directory.join(format!("{project}.files"))
    }

    fn lock(&self, project: &str) -> PathBuf {
        self.directory.join(format!("{project}.lock"))
    }

    fn socket(&self, project: &str) -> PathBuf {
        self.directory.join(format!("{project}.sock"))
    }
}

impl Drop for SupervisorLock {
    fn drop(&mut self) {
        // the files go while the lock is held: what stands there afterwards belongs to somebody else
        _ = fs::remove_file(&self.socket_path);
        _ = fs::remove_file(&self.lock_path);
    }
}

/// The lock of a place that is free; `None` while a supervisor has it.
fn take_lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        match lock.try_lock() {
            // a supervisor that ended between these two lines took the file's name with it: nobody would find this lock
            Ok(()) if !is_at(&lock, path) => {}
            Ok(()) => return Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => match lock.try_lock_shared() {
                // somebody was only looking, which takes no time
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            },
            Err(TryLockError::Error(error)) => return Err(error),
        }
        std::thread::yield_now();
    }
}

/// Whether an open file is the one of this name.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

/// Whether `name` can be a project's: as in Compose, lower case letters, digits, `-` and `_`, not first.
pub fn is_project_name(name: &str) -> bool {
    let first = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let rest = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    first && rest && name.len() <= 63
}
