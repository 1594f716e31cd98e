//! The data folder and who owns it.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mec_store::{StoreError, StoreSize};

use crate::config::{DATABASE_FILE, LOCK_FILE, LOG_BYTES};
use crate::error::io_error;

/// How long the lock of a data folder is waited for, and how long between two attempts. A process that
/// is being started inherits the open files of its parent, and with them the lock, until it runs its own
/// program; and one that was told to stop may still be on its way out.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The lock of a data folder; held until dropped, and let go by the system when the process dies.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
    folder: PathBuf,
}

/// Makes the folder, for its owner only, if it does not exist.
pub(crate) fn make(folder: &Path) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder).map_err(|error| {
        io_error(
            &format!("the data folder {} cannot be made", folder.display()),
            error,
        )
    })
}

/// Makes a file, readable for its owner only, if it does not exist.
pub(crate) fn make_private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Gives the write-ahead log of a database its full size in zeros, which SQLite takes for its end. A
/// commit then overwrites what is there; one that makes the file longer syncs the inode as well, and
/// takes about twice as long. Changes nothing of what the log holds.
pub(crate) fn lay_out_log(database: &Path) -> std::io::Result<()> {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    let mut file = make_private(Path::new(&path))?;
    let mut length = file.seek(SeekFrom::End(0))?;
    let zeros = vec![0; 1 << 20];
    while length < LOG_BYTES {
        file.write_all(&zeros)?;
        length += 1 << 20;
    }
    file.sync_all()
}

/// Whether a process owns the data folder now. Changes nothing.
///
/// # Errors
/// Where the lock is there and cannot be looked at.
pub fn is_owned(folder: &Path) -> std::io::Result<bool> {
    let file = match File::open(folder.join(LOCK_FILE)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl FolderLock {
    /// Takes the lock, or says which process holds it, after a moment in which it may be let go.
    pub(crate) fn take(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(LOCK_FILE);
        let mut file = make_private(&path)
            .map_err(|error| io_error(&format!("{} cannot be opened", path.display()), error))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(TryLockError::WouldBlock) => return Err(owned(folder, &mut file)),
                Err(TryLockError::Error(error)) => {
                    return Err(io_error(
                        &format!("{} cannot be locked", path.display()),
                        error,
                    ));
                }
            }
        }
        let note = format!("{}\n", std::process::id());
        let written = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(note.as_bytes()));
        written.map_err(|error| {
            io_error(&format!("{} cannot be written to", path.display()), error)
        })?;
        Ok(Self {
            _file: file,
            folder: folder.to_owned(),
        })
    }

    /// What the files of the database take, and what their disk has left.
    pub(crate) fn size(&self) -> StoreSize {
        let bytes = |companion: &str| {
            let name = format!("{DATABASE_FILE}{companion}");
            let file = fs::metadata(self.folder.join(name));
            file.map_or(0, |file| file.len())
        };
        let disk = rustix::fs::statvfs(&self.folder).ok();
        StoreSize {
            bytes: Some(["", "-wal", "-shm"].into_iter().map(bytes).sum()),
            free_bytes: disk.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
        }
    }
}

fn owned(folder: &Path, file: &mut File) -> StoreError {
    let mut text = String::new();
    let pid = file
        .read_to_string(&mut text)
        .ok()
        .and_then(|_| text.trim().parse::<u32>().ok());
    let who = pid.map_or_else(
        || "another mec process".to_owned(),
        |pid| format!("another mec process (pid {pid})"),
    );
    StoreError::Owned(format!(
        "the data folder {} is in use by {who}; stop it first, or use its address",
        folder.display()
    ))
}
