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
    /// The head of a `POST` of JSON, up to the length of its body.
    pub fn post(&self, path: &str) -> Vec<u8> {
        let Self { address, token, .. } = self;
        let named = self.namespace.as_ref();
        let named = named.map(|name| format!("mec-namespace: {name}\r\n"));
        let named = named.unwrap_or_default();
        format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n{named}\
             content-type: application/json\r\ncontent-length: "
        )
        .into_bytes()
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
        self.sent.clear();
        self.sent.extend_from_slice(head);
        self.sent
            .extend_from_slice(format!("{}\r\n\r\n", body.len()).as_bytes());
        self.sent.extend_from_slice(body.as_bytes());
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
        let end = head.bytes.saturating_add(head.body_bytes);
        while self.received.len() < end {
            self.receive().await?;
        }
        let body = self.received.get(head.bytes..end).unwrap_or_default();
        Ok(Answer {
            status: head.status,
            body: std::str::from_utf8(body).context("an answer is not UTF-8")?,
        })
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
    body_bytes: usize,
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
    let body_bytes = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .with_context(|| format!("an answer without a content-length: {head}"))?;
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
            body_bytes: 5,
        };
        assert_eq!(parse_head(text).unwrap(), Some(head));
        assert_eq!(parse_head(&text[..40]).unwrap(), None);
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for text in [
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "SSH-2.0\r\n\r\n",
        ] {
            assert!(parse_head(text.as_bytes()).is_err(), "{text}");
        }
    }
}
