//! One connection in HTTP/1.1, as light as it can be: a request is one write of bytes that are
//! mostly made beforehand, and of an answer only the status and the length are looked at.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest head of an answer, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// The least room for reading, in bytes.
const READ_BYTES: usize = 8 * 1024;

/// Where requests go, and the token they carry.
pub struct Origin {
    pub address: SocketAddr,
    pub token: String,
    /// The namespace that a token of all of them names.
    pub namespace: Option<String>,
}

impl Origin {
    /// The head of a `GET` up to its path, and from there on.
    pub fn get(&self, base: &str) -> (Vec<u8>, Vec<u8>) {
        let rest = format!(" HTTP/1.1\r\n{}\r\n", self.fields());
        (format!("GET {base}").into_bytes(), rest.into_bytes())
    }

    /// The head of a `POST` of JSON, up to the length of its body.
    pub fn post(&self, path: &str) -> Vec<u8> {
        let fields = self.fields();
        let rest = "content-type: application/json\r\ncontent-length: ";
        format!("POST {path} HTTP/1.1\r\n{fields}{rest}").into_bytes()
    }

    /// The header fields of every request.
    fn fields(&self) -> String {
        let Self { address, token, .. } = self;
        let named = self.namespace.as_ref();
        let named = named.map(|name| format!("mec-namespace: {name}\r\n"));
        let named = named.unwrap_or_default();
        format!("host: {address}\r\nauthorization: Bearer {token}\r\n{named}")
    }
}

/// One answer.
#[derive(Debug, PartialEq)]
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a str,
}

/// One connection that is kept open, with one request at a time.
pub struct Connection {
    stream: TcpStream,
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("the server at {address} does not answer"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            sent: Vec::new(),
            received: Vec::new(),
        })
    }

    /// Sends a body after a head of [`Origin::post`] and waits for the answer.
    pub async fn ask(&mut self, head: &[u8], body: &str) -> Result<Answer<'_>> {
        let length = format!("{}\r\n\r\n", body.len());
        self.send(&[head, length.as_bytes(), body.as_bytes()]).await
    }

    /// Asks for a path between the two parts of [`Origin::get`] and waits for the answer.
    pub async fn get(&mut self, parts: &(Vec<u8>, Vec<u8>), path: &str) -> Result<Answer<'_>> {
        self.send(&[&parts.0, path.as_bytes(), &parts.1]).await
    }

    async fn send(&mut self, parts: &[&[u8]]) -> Result<Answer<'_>> {
        self.sent.clear();
        for part in parts {
            self.sent.extend_from_slice(part);
        }
        self.stream
            .write_all(&self.sent)
            .await
            .context("the server closed the connection")?;
        self.received.clear();
        let head = loop {
            self.receive().await?;
            if let Some(head) = parse_head(&self.received)? {
                break head;
            }
            if self.received.len() > MAX_HEAD_BYTES {
                bail!("the head of an answer has more than {MAX_HEAD_BYTES} bytes");
            }
        };
        let end = match head.body_bytes {
            Some(bytes) => {
                let end = head.bytes.saturating_add(bytes);
                while self.received.len() < end {
                    self.receive().await?;
                }
                end
            }
            None => self.join_chunks(head.bytes).await?,
        };
        let body = self.received.get(head.bytes..end).unwrap_or_default();
        Ok(Answer {
            status: head.status,
            body: std::str::from_utf8(body).context("an answer is not UTF-8")?,
        })
    }

    /// Joins the chunks of a body that begins at `start`, in place, and answers where it ends.
    async fn join_chunks(&mut self, start: usize) -> Result<usize> {
        let (mut joined, mut at) = (start, start);
        loop {
            let line = loop {
                let rest = self.received.get(at..).unwrap_or_default();
                if let Some(length) = rest.windows(2).position(|part| part == b"\r\n") {
                    break at..at + length;
                }
                self.receive().await?;
            };
            let begin = line.end + 2;
            let size = std::str::from_utf8(self.received.get(line).unwrap_or_default())?;
            let size = usize::from_str_radix(size, 16).context("a chunk has no length")?;
            let end = begin.saturating_add(size);
            while self.received.len() < end.saturating_add(2) {
                self.receive().await?;
            }
            if size == 0 {
                return Ok(joined);
            }
            self.received.copy_within(begin..end, joined);
            joined += size;
            at = end + 2;
        }
    }

    async fn receive(&mut self) -> Result<()> {
        self.received.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.received).await {
            Ok(0) => bail!("the server closed the connection in the middle of an answer"),
            read => {
                read.context("an answer broke off")?;
                Ok(())
            }
        }
    }
}

#[derive(Debug, PartialEq)]
struct Head {
    status: u16,
    /// Of the head itself, its blank line included.
    bytes: usize,
    /// None where it comes in chunks that tell their own length.
    body_bytes: Option<usize>,
}

/// The head of an answer; none while it is not whole.
fn parse_head(received: &[u8]) -> Result<Option<Head>> {
    const END: &[u8] = b"\r\n\r\n";
    let Some(end) = received.windows(END.len()).position(|part| part == END) else {
        return Ok(None);
    };
    let head = std::str::from_utf8(received.get(..end).unwrap_or_default())?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok())
        .with_context(|| format!("not an answer in HTTP/1.1: {head}"))?;
    let mut fields = lines.filter_map(|line| line.split_once(':'));
    let body_bytes = fields
        .find_map(|(name, value)| match value.trim() {
            "chunked" if name.eq_ignore_ascii_case("transfer-encoding") => Some(None),
            value if name.eq_ignore_ascii_case("content-length") => value.parse().ok().map(Some),
            _ => None,
        })
        .with_context(|| format!("an answer whose length is not told: {head}"))?;
    Ok(Some(Head {
        status,
        bytes: end + END.len(),
        body_bytes,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Head, parse_head};

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let text = b"HTTP/1.1 200 OK\r\nx: y\r\nContent-Length: 5\r\n\r\nhello";
        let head = Head {
            status: 200,
            bytes: text.len() - 5,
            body_bytes: Some(5),
        };
        assert_eq!(parse_head(text).unwrap(), Some(head));
        assert_eq!(parse_head(&text[..40]).unwrap(), None);
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for text in ["HTTP/1.1 200 OK\r\nx: y\r\n\r\n", "SSH-2.0\r\n\r\n"] {
            assert!(parse_head(text.as_bytes()).is_err(), "{text}");
        }
    }
}
