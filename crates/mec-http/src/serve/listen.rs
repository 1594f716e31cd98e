//! Where connections come in: TCP addresses and unix sockets.

use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tokio::net::{TcpListener, TcpSocket, UnixListener};

use super::stream::Stream;
use super::tls::Tls;
use crate::layers::Peer;

/// How many connections wait to be taken at the most, where the system allows so many.
const BACKLOG: u32 = 4_096;
const UNIX: &str = "unix:";

/// Where to listen: a TCP address such as `127.0.0.1:8000`, or `unix:` and the path of a socket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ListenAddress {
    /// A TCP address.
    Tcp(SocketAddr),
    /// The path of a unix socket.
    Unix(PathBuf),
}

impl ListenAddress {
    /// Whether other machines can reach it.
    pub fn is_remote(&self) -> bool {
        match self {
            Self::Tcp(address) => !address.ip().is_loopback(),
            Self::Unix(_) => false,
        }
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix(UNIX) {
            Some("") => Err(format!("{UNIX} wants the path of a socket after it")),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| {
                format!("{text:?} is no address such as 127.0.0.1:8000 or {UNIX}/run/mec.sock")
            }),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The system refuses it.
    #[error("{address} cannot be listened on")]
    Refused {
        /// The address.
        address: ListenAddress,
        /// Why.
        source: io::Error,
    },
    /// Another process listens there.
    #[error("{} cannot be listened on: another process does", .0.display())]
    Taken(PathBuf),
    /// What stands at the path is no socket, and is left alone.
    #[error("{} cannot be listened on: there is something that is no socket", .0.display())]
    NotASocket(PathBuf),
}

/// An open listener.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    tls: Option<Tls>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

impl Listener {
    /// Opens an address. `mode` is the mode of a unix socket's file, such as `0o660`. A socket that a dead
    /// process left is replaced.
    pub async fn open(address: &ListenAddress, mode: u32) -> Result<Self, ListenError> {
        let opened = match address {
            ListenAddress::Tcp(address) => tcp(*address).map(Socket::Tcp),
            ListenAddress::Unix(path) => {
                look(path).await?;
                SocketFile::open(path, mode).map(|(listener, file)| Socket::Unix(listener, file))
            }
        };
        let socket = opened.map_err(|source| ListenError::Refused {
            address: address.clone(),
            source,
        })?;
        Ok(Self { socket, tls: None })
    }

    /// The same, speaking TLS.
    pub fn with_tls(self, tls: Tls) -> Self {
        let tls = Some(tls);
        Self { tls, ..self }
    }

    /// Where it listens, with the port that the system chose where none was named.
    pub fn address(&self) -> io::Result<ListenAddress> {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            Socket::Unix(_, file) => Ok(ListenAddress::Unix(file.path.clone())),
        }
    }

    /// Whether it speaks TLS.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    pub(super) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // Answers are small and written at once; waiting to fill a packet would only delay them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY could not be set");
                }
                Ok((Stream::Tcp(stream), Peer(Some(address))))
            }
            Socket::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), Peer(None)))
            }
        }
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self {
            socket: Socket::Tcp(listener),
            tls: None,
        }
    }
}

/// Whether the error of an accept is of the one connection that was to be taken.
pub(super) fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // The connections of a server that has just ended do not keep the next one from its port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Whether a socket may be opened at the path: nothing is there, or a socket that nobody listens on.
async fn look(path: &Path) -> Result<(), ListenError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(ListenError::NotASocket(path.to_owned()));
        }
        // Where it cannot be looked at, opening it says why.
        _ => {}
    }
    match tokio::net::UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(_) => Err(ListenError::Taken(path.to_owned())),
        Err(source) => Err(ListenError::Refused {
            address: ListenAddress::Unix(path.to_owned()),
            source,
        }),
    }
}

/// The file of a unix socket, which goes with its listener.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and number of the file, by which it is known again.
    identity: Option<(u64, u64)>,
}

impl SocketFile {
    /// Opens a socket. Its file gets its mode before it gets its name, so that it is never open to others.
    fn open(path: &Path, mode: u32) -> io::Result<(UnixListener, Self)> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&beside)?;
        fs::set_permissions(&beside, fs::Permissions::from_mode(mode))?;
        fs::rename(&beside, path)?;
        let file = Self {
            path: path.to_owned(),
            identity: identity(path),
        };
        Ok((listener, file))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another process may have put its own there since.
        if self.identity.is_some()
            && identity(&self.path) == self.identity
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(%error, path = %self.path.display(), "a socket could not be removed");
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_told_alike() {
        for text in ["127.0.0.1:8000", "[::1]:0", "unix:/run/mec.sock", "unix:s"] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
        for wrong in ["", "8000", "localhost:8000", "unix:", "/run/mec.sock"] {
            assert!(wrong.parse::<ListenAddress>().is_err(), "{wrong}");
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn a_socket_is_taken_over_from_the_dead_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let address = ListenAddress::Unix(path.clone());
        let listener = Listener::open(&address, 0o600).await.unwrap();
        assert_eq!(
            (mode(&path), listener.address().unwrap()),
            (0o600, address.clone())
        );
        let taken = Listener::open(&address, 0o600).await;
        assert!(matches!(taken, Err(ListenError::Taken(_))), "{taken:?}");
        drop(listener);
        assert!(!path.exists());

        // What a killed process leaves.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listener = Listener::open(&address, 0o660).await.unwrap();
        assert_eq!(mode(&path), 0o660);
        // A file that has taken its place is not its own.
        fs::remove_file(&path).unwrap();
        fs::write(&path, "").unwrap();
        drop(listener);
        let wrong = Listener::open(&address, 0o600).await;
        assert!(
            matches!(wrong, Err(ListenError::NotASocket(_))),
            "{wrong:?}"
        );
        assert!(path.is_file());
    }
}
