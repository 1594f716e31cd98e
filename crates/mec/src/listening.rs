//! What the server listens on: the addresses of its settings, and a socket in the data folder for commands.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mec_http::{ListenAddress, Listener, Tls};

use crate::settings::Transport;

/// The socket for commands, in the data folder.
pub const SOCKET_FILE: &str = "mec.sock";
/// Only the owner of the data folder sends commands.
const SOCKET_MODE: u32 = 0o600;
/// The longest path by which a socket is opened, in bytes; the system takes a little more.
const MAX_PATH_BYTES: usize = 100;
/// Descriptors that are no connections: the store's, the log's, the listeners'.
const OTHER_DESCRIPTORS: u64 = 256;

/// All that is listened on.
pub struct Listening {
    /// By the settings.
    pub listeners: Vec<Listener>,
    /// Where each of them listens, as a URL or `unix:` and a path.
    pub shown: Vec<String>,
    /// For commands; none where the folder takes no socket.
    pub commands: Option<Listener>,
    /// The certificate, where TLS is spoken.
    pub tls: Option<Tls>,
    _folder: Option<File>,
}

impl Listening {
    /// Opens everything.
    pub async fn open(folder: &Path, settings: &Transport) -> Result<Self> {
        let tls = settings.tls()?;
        let (mut listeners, mut shown) = (Vec::new(), Vec::new());
        for address in &settings.listen {
            let listener = Listener::open(address, settings.socket_mode).await?;
            let listener = match (&tls, address) {
                (Some(tls), ListenAddress::Tcp(_)) => listener.with_tls(tls.clone()),
                _ => listener,
            };
            let at = listener.address()?;
            shown.push(match (&at, listener.is_encrypted()) {
                (ListenAddress::Unix(_), _) => at.to_string(),
                (ListenAddress::Tcp(_), true) => format!("https://{at}"),
                (ListenAddress::Tcp(_), false) => format!("http://{at}"),
            });
            listeners.push(listener);
        }
        let (held, path) = socket_path(folder)?;
        let commands = match Listener::open(&ListenAddress::Unix(path), SOCKET_MODE).await {
            Ok(listener) => Some(listener),
            Err(error) => {
                let cause: &dyn std::error::Error = &error;
                tracing::warn!(
                    cause,
                    "commands have no socket and use the listening address"
                );
                None
            }
        };
        Ok(Self {
            listeners,
            shown,
            commands,
            tls,
            _folder: held,
        })
    }
}

/// The path of the socket for commands, and the folder where it must stay open for the path to hold.
///
/// A system takes no long path for a socket. There the folder is opened, and the path leads through it.
pub fn socket_path(folder: &Path) -> Result<(Option<File>, PathBuf)> {
    let path = folder.join(SOCKET_FILE);
    if path.as_os_str().len() <= MAX_PATH_BYTES || !cfg!(target_os = "linux") {
        return Ok((None, path));
    }
    let folder = File::open(folder).with_context(|| format!("{} is gone", folder.display()))?;
    let number = std::os::fd::AsRawFd::as_raw_fd(&folder);
    let path = PathBuf::from(format!("/proc/self/fd/{number}")).join(SOCKET_FILE);
    Ok((Some(folder), path))
}

/// Lets the process have as many descriptors as the system grants, and says how many connections there may
/// be at the most: those that are wanted, or fewer.
pub fn room(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let granted = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            current
        }
    };
    let room = granted.map(|most| most.saturating_sub(OTHER_DESCRIPTORS).max(1));
    let room = room.and_then(|room| usize::try_from(room).ok());
    match room {
        Some(room) if room < wanted => {
            tracing::warn!(
                "MEC_MAX_CONNECTIONS is {wanted}, but the limit of open files leaves {room}; raise it \
                 (LimitNOFILE, ulimit -n) or set fewer connections"
            );
            room
        }
        _ => wanted,
    }
}
