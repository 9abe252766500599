use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Larger answers are not what this client is for.
const MOST: usize = 1024 * 1024;

/// One keep-alive connection. Reads just enough of an answer to know where it ends.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Sends a whole request and returns the answer's status and body.
    pub async fn call(&mut self, request: &[u8]) -> Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(head) = Head::find(&self.buffer)? {
                break head;
            }
            self.read().await?;
        };
        let end = head.length + head.body;
        if end > MOST {
            return Err(malformed("an answer is too long"));
        }
        while self.buffer.len() < end {
            self.read().await?;
        }
        Ok((head.status, &self.buffer[head.length..end]))
    }

    async fn read(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// What matters of an answer's or a request's head.
pub(super) struct Head {
    pub(super) status: u16,
    /// Bytes up to the body.
    pub(super) length: usize,
    /// Bytes of the body.
    pub(super) body: usize,
}

impl Head {
    /// `None` while it is incomplete.
    pub(super) fn find(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let head = &bytes[..end + 2];
        let status = bytes.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).unwrap_or(0);
        let body = match header(head, "content-length") {
            Some(value) => value.parse().map_err(|_| malformed("a length is no number"))?,
            None if header(head, "transfer-encoding").is_some() => return Err(malformed("chunks are not understood")),
            None => 0,
        };
        Ok(Some(Self { status, length: end + 4, body }))
    }
}

/// A header's value by its lower-case name.
pub(super) fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let mut lines = head.split(|byte| *byte == b'\n');
    lines.find_map(|line| {
        let (found, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":").filter(|_| found.eq_ignore_ascii_case(name.as_bytes()))?;
        std::str::from_utf8(value).ok().map(str::trim)
    })
}

fn malformed(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_its_status_and_where_the_body_ends() {
        let answer = b"HTTP/1.1 503 Busy\r\nDate: x\r\nContent-LENGTH: 12\r\n\r\nhello";
        let head = Head::find(answer).unwrap().unwrap();
        assert_eq!((head.status, head.body, &answer[head.length..]), (503, 12, &b"hello"[..]));
        assert!(Head::find(&answer[..30]).unwrap().is_none());
        assert_eq!(Head::find(b"HTTP/1.1 204 No\r\n\r\n").unwrap().unwrap().body, 0);
        assert!(Head::find(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n").is_err());
        assert!(Head::find(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
