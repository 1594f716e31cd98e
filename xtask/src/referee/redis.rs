//! Redis as the usual fast counter: scripts that check, and that check and count, with every write
//! synced. It keeps a number only: no ledger, no idempotency key, no history.

use super::child::{self, Child};
use super::record::Figures;
use crate::load::{self, Caller};
use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const CHECK: &str = include_str!("redis_check.lua");
const COUNT: &str = include_str!("redis_check_and_count.lua");
const LIMIT: &str = "999999999";

/// Which script a run calls.
#[derive(Clone, Copy)]
pub enum Script {
    Check,
    CheckAndCount,
}

/// A running server on a folder of its own.
pub struct Redis {
    _server: Child,
    address: SocketAddr,
    check_hash: String,
    count_hash: String,
}

impl Redis {
    /// Whether the server program is installed.
    pub fn is_installed() -> bool {
        Command::new("redis-server")
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    pub async fn start(folder: &Path) -> Result<Self> {
        let folder = folder.join("redis");
        std::fs::create_dir(&folder)?;
        let port = child::free_port()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut command = Command::new("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--save",
            "",
        ]);
        command
            .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
            .arg(&folder);
        let mut server = Child::spawn("redis-server", command.stdout(Stdio::null()))?;
        server.wait_until(|| std::net::TcpStream::connect(address).ok())?;

        let mut connection = Connection::open(address).await?;
        let check_hash = connection.ask(&encode(&["SCRIPT", "LOAD", CHECK])).await?;
        let count_hash = connection.ask(&encode(&["SCRIPT", "LOAD", COUNT])).await?;
        Ok(Self {
            _server: server,
            address,
            check_hash,
            count_hash,
        })
    }

    /// Calls one script over `keys` counters, from each caller over its own connection.
    pub async fn measure(
        &self,
        script: Script,
        keys: usize,
        callers: usize,
        duration: Duration,
    ) -> Result<Figures> {
        let hash = match script {
            Script::Check => &self.check_hash,
            Script::CheckAndCount => &self.count_hash,
        };
        let commands: Vec<Vec<u8>> = (0..keys)
            .map(|key| encode(&["EVALSHA", hash, "1", &format!("used:{key}"), LIMIT, "1"]))
            .collect();
        let mut all = Vec::new();
        for caller in 0..callers {
            let connection = Connection::open(self.address).await?;
            let first = caller * keys / callers;
            all.push(ScriptCaller {
                connection,
                commands: commands.clone(),
                next: first,
            });
        }
        Ok(Figures::of(&load::run(all, duration).await?, 1))
    }
}

struct ScriptCaller {
    connection: Connection,
    /// The same call for every key.
    commands: Vec<Vec<u8>>,
    next: usize,
}

impl Caller for ScriptCaller {
    async fn call(&mut self) -> Result<()> {
        let index = self.next % self.commands.len();
        self.next += 1;
        let command = self.commands.get(index).context("there is no key")?;
        match self.connection.ask(command).await?.as_str() {
            "1" => Ok(()),
            other => bail!("the script answered {other}"),
        }
    }
}

/// One connection in the Redis protocol, for answers that are one line or one string.
struct Connection {
    stream: BufReader<TcpStream>,
    line: String,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
            line: String::new(),
        })
    }

    async fn ask(&mut self, command: &[u8]) -> Result<String> {
        self.stream.write_all(command).await?;
        self.line.clear();
        self.stream.read_line(&mut self.line).await?;
        match parse(self.line.trim_end())? {
            Reply::Line(text) => Ok(text.to_owned()),
            Reply::String { bytes } => {
                let mut text = vec![0; bytes + "\r\n".len()];
                self.stream.read_exact(&mut text).await?;
                text.truncate(bytes);
                Ok(String::from_utf8(text)?)
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Reply<'a> {
    Line(&'a str),
    /// A string of this length follows.
    String {
        bytes: usize,
    },
}

/// Reads the first line of a reply.
fn parse(line: &str) -> Result<Reply<'_>> {
    match (line.get(..1), line.get(1..)) {
        (Some("+" | ":"), Some(text)) => Ok(Reply::Line(text)),
        (Some("$"), Some(length)) => Ok(Reply::String {
            bytes: length.parse()?,
        }),
        _ => bail!("Redis answered `{line}`"),
    }
}

/// A command as an array of strings.
fn encode(words: &[&str]) -> Vec<u8> {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    command.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Reply, encode, parse};

    #[test]
    fn commands_are_arrays_of_strings() {
        assert_eq!(encode(&["GET", "a"]), b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
    }

    #[test]
    fn replies_are_lines_or_strings_or_errors() {
        assert_eq!(parse(":1").unwrap(), Reply::Line("1"));
        assert_eq!(parse("$40").unwrap(), Reply::String { bytes: 40 });
        assert!(
            parse("-ERR no")
                .unwrap_err()
                .to_string()
                .contains("-ERR no")
        );
        assert!(parse("").is_err());
    }
}
