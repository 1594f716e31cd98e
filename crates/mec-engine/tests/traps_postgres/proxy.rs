//! A way to the database that knows what passes on it: messages of a kind byte, a length and a body. It
//! stops at a step of the transaction that locks a tree, and does there what it is told.

use std::io::{Read, Result, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard};

use mec_test_postgres::Server;
use uuid::Uuid;

use crate::world::DEADLINE;

/// A step of a transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Its first statement, which locks the tree, is on its way to the database.
    Lock,
    /// All is written, and the commit is on its way to the database.
    Commit,
    /// The database has committed, and says so.
    Committed,
}

/// A way to the database.
pub struct Proxy {
    folder: tempfile::TempDir,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    trap: Mutex<Option<Trap>>,
    is_shut: AtomicBool,
}

struct Trap {
    tree: Uuid,
    step: Step,
    caught: Sender<Caught>,
}

/// A transaction that will be stopped.
pub struct Awaited(Receiver<Caught>);

/// A connection that stands still at a step. What it was to bring next is lost, unless it is passed on.
pub struct Caught {
    client: UnixStream,
    server: UnixStream,
    pass: Sender<()>,
}

impl Proxy {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let shared = Arc::new(Shared::default());
        let of_connections = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A connection that is refused is closed by being dropped.
                if !of_connections.is_shut.load(Ordering::SeqCst) {
                    connect(client, &of_connections).unwrap();
                }
            }
        });
        Self { folder, shared }
    }

    /// The address of a database by this way.
    pub fn url(&self, database: &str) -> String {
        let host = self.folder.path().display().to_string();
        format!(
            "postgres://mec_engine@{}/{database}",
            host.replace('/', "%2F")
        )
    }

    /// Stops the next transaction that locks a tree, at a step.
    pub fn stop(&self, tree: Uuid, step: Step) -> Awaited {
        let (caught, awaited) = channel();
        *self.shared.trap() = Some(Trap { tree, step, caught });
        Awaited(awaited)
    }

    /// From now on the database cannot be reached anew, or can be again.
    pub fn shut(&self, is_shut: bool) {
        self.shared.is_shut.store(is_shut, Ordering::SeqCst);
    }
}

/// The name of the socket in the folder that an address names.
const SOCKET: &str = ".s.PGSQL.5432";

impl Awaited {
    /// Waits until the transaction has come to its step.
    pub fn caught(self) -> Caught {
        self.0.recv_timeout(DEADLINE).unwrap()
    }
}

impl Caught {
    /// Cuts the connection on both sides.
    pub fn cut(self) {
        self.cut_node();
        self.server.shutdown(Shutdown::Write).unwrap();
    }

    /// Cuts the connection as the node sees it; the database does not know yet.
    pub fn cut_node(&self) {
        self.client.shutdown(Shutdown::Both).unwrap();
    }

    /// Lets go on what was stopped.
    pub fn pass(self) {
        self.pass.send(()).unwrap();
    }
}

impl Shared {
    fn trap(&self) -> MutexGuard<'_, Option<Trap>> {
        self.trap.lock().unwrap()
    }

    /// The trap, where a transaction that locked `trees` has come to its step.
    fn sprung(&self, step: Step, is_of: impl FnOnce(Uuid) -> bool) -> Option<Trap> {
        self.trap()
            .take_if(|trap| trap.step == step && is_of(trap.tree))
    }
}

impl Trap {
    /// Hands the connection to whoever waits; whether what was stopped is to be passed on.
    fn hand_over(&self, client: &UnixStream, server: &UnixStream) -> Result<bool> {
        let (pass, passed) = channel();
        let caught = Caught {
            client: client.try_clone()?,
            server: server.try_clone()?,
            pass,
        };
        Ok(self.caught.send(caught).is_ok() && passed.recv().is_ok())
    }
}

fn connect(client: UnixStream, shared: &Arc<Shared>) -> Result<()> {
    let server = UnixStream::connect(Server::shared().folder().join(SOCKET))?;
    let ends = Arc::new(Mutex::new(None));
    let way = |client: &UnixStream, server: &UnixStream| -> Result<Way> {
        Ok(Way {
            client: client.try_clone()?,
            server: server.try_clone()?,
            shared: shared.clone(),
            ends: ends.clone(),
        })
    };
    let (there, back) = (way(&client, &server)?, way(&client, &server)?);
    // A way ends when a side does, which the other is told.
    std::thread::spawn(move || {
        let _ = there.there();
        let _ = there.server.shutdown(Shutdown::Write);
    });
    std::thread::spawn(move || {
        let _ = back.back();
        let _ = back.client.shutdown(Shutdown::Both);
    });
    Ok(())
}

/// A connection, in one of its directions.
struct Way {
    client: UnixStream,
    server: UnixStream,
    shared: Arc<Shared>,
    /// The trap of the transaction whose commit is under way.
    ends: Arc<Mutex<Option<Trap>>>,
}

impl Way {
    /// From the node to the database.
    fn there(&self) -> Result<()> {
        let (mut from, mut to) = (&self.client, &self.server);
        // The first message has no kind.
        to.write_all(&message(from, 0)?)?;
        // What was bound to statements since the transaction began.
        let mut bound: Option<Vec<Vec<u8>>> = None;
        loop {
            let message = message(from, 1)?;
            let mut trap = None;
            match (message[0], &mut bound) {
                (b'Q', _) if is_said(&message, "BEGIN") => bound = Some(Vec::new()),
                (b'B', Some(values)) => {
                    values.push(message.clone());
                    let first = |tree| values.len() == 1 && has(values, tree);
                    trap = self.shared.sprung(Step::Lock, first);
                }
                (b'Q', Some(values)) if is_said(&message, "COMMIT") => {
                    let ended = self
                        .shared
                        .sprung(Step::Committed, |tree| has(values, tree));
                    *self.ends.lock().unwrap() = ended;
                    trap = self.shared.sprung(Step::Commit, |tree| has(values, tree));
                    bound = None;
                }
                _ => {}
            }
            if let Some(trap) = trap
                && !trap.hand_over(from, to)?
            {
                return from.read_to_end(&mut Vec::new()).map(drop);
            }
            to.write_all(&message)?;
        }
    }

    /// From the database to the node.
    fn back(&self) -> Result<()> {
        let (from, mut to) = (&self.server, &self.client);
        loop {
            let message = message(from, 1)?;
            if message[0] == b'C'
                && is_said(&message, "COMMIT")
                && let Some(trap) = self.ends.lock().unwrap().take()
                && !trap.hand_over(to, from)?
            {
                continue;
            }
            // All is taken from the database, so that it ends what it has begun, whether the node is
            // there or not.
            let _ = to.write_all(&message);
        }
    }
}

/// A message, whose length stands after so many bytes.
fn message(mut from: &UnixStream, before: usize) -> Result<Vec<u8>> {
    let mut message = vec![0; before + 4];
    from.read_exact(&mut message)?;
    let length = u32::from_be_bytes(message[before..].try_into().unwrap());
    message.resize(before + length as usize, 0);
    from.read_exact(&mut message[before + 4..])?;
    Ok(message)
}

fn is_said(message: &[u8], text: &str) -> bool {
    message[5..].strip_suffix(&[0]) == Some(text.as_bytes())
}

fn has(values: &[Vec<u8>], tree: Uuid) -> bool {
    let of = |value: &Vec<u8>| value.windows(16).any(|part| part == tree.as_bytes());
    values.iter().any(of)
}
