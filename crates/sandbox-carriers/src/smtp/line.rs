//! The line to a client: commands come in lines, mails up to a dot that stands alone, replies go out.
//!
//! Only CR LF ends a line of a mail: whoever takes a bare LF for one can be made to see a second mail in the first.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

/// Octets of a command.
const LONGEST_COMMAND: u64 = 2048;
/// Octets that are read of a mail at once.
const PIECE: u64 = 64 * 1024;
/// For a client that says nothing.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) struct Line<S> {
    heard: BufReader<S>,
    /// Said, but not sent yet.
    said: Vec<u8>,
}

/// What came instead of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoCommand {
    TooLong,
    /// It is not UTF-8.
    Garbled,
    Gone,
}

/// A mail's bytes, or that there were too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Whole(Vec<u8>),
    TooLarge,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { heard: BufReader::new(stream), said: Vec::new() }
    }

    /// Says the lines that were not said yet, and waits for one.
    pub(super) async fn command(&mut self) -> io::Result<Result<String, NoCommand>> {
        if !self.has_more() {
            self.flush().await?;
        }
        let read = self.up_to_line_end(LONGEST_COMMAND).await?;
        if read.is_empty() {
            return Ok(Err(NoCommand::Gone));
        }
        let Some(line) = read.strip_suffix(b"\n") else { return Ok(Err(NoCommand::TooLong)) };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Ok(String::from_utf8(line.to_vec()).map_err(|_| NoCommand::Garbled))
    }

    /// To be sent before a command is waited for that was not said yet.
    pub(super) fn say(&mut self, reply: &str) {
        self.said.extend_from_slice(reply.as_bytes());
        self.said.extend_from_slice(b"\r\n");
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        let stream = self.heard.get_mut();
        stream.write_all(&self.said).await?;
        self.said.clear();
        stream.flush().await
    }

    /// Empty when the client has gone, without a line end where there are more octets.
    async fn up_to_line_end(&mut self, most: u64) -> io::Result<Vec<u8>> {
        let (mut read, mut some) = (Vec::new(), (&mut self.heard).take(most));
        tokio::time::timeout(PATIENCE, some.read_until(b'\n', &mut read)).await??;
        Ok(read)
    }

    /// A mail up to its end mark, without the dots that were put in for the journey; `None` when the client went before it.
    pub(super) async fn content(&mut self, largest: usize) -> io::Result<Option<Content>> {
        self.flush().await?;
        let (mut mail, mut size) = (Vec::new(), 0_usize);
        let mut last = *b"\r\n";
        loop {
            let piece = self.up_to_line_end(PIECE).await?;
            let begins_a_line = last == *b"\r\n";
            match piece.as_slice() {
                [] => return Ok(None),
                b".\r\n" if begins_a_line => break,
                _ => {}
            }
            last = [*piece.iter().rev().nth(1).unwrap_or(&last[1]), piece[piece.len() - 1]];
            let piece = if begins_a_line { piece.strip_prefix(b".").unwrap_or(&piece) } else { &piece };
            size = size.saturating_add(piece.len());
            if size <= largest {
                mail.extend_from_slice(piece);
            }
        }
        Ok(Some(if size > largest { Content::TooLarge } else { Content::Whole(mail) }))
    }

    /// Something was said beyond the last command.
    pub(super) fn has_more(&self) -> bool {
        !self.heard.buffer().is_empty()
    }

    pub(super) fn into_inner(self) -> S {
        self.heard.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn taken(bytes: &[u8], largest: usize) -> (Option<Content>, String) {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        client.write_all(bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let mut line = Line::new(server);
        let content = line.content(largest).await.unwrap();
        (content, line.command().await.unwrap().unwrap_or_default())
    }

    #[tokio::test]
    async fn only_a_dot_alone_between_whole_line_ends_ends_a_mail() {
        for (sent, mail) in [
            (".\r\n", ""),
            ("a\r\n.\r\n", "a\r\n"),
            ("..a\r\n...\r\n.\r\n", ".a\r\n..\r\n"),
            ("a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n"),
            ("a\n.\nb\r\n.\r\n", "a\n.\nb\r\n"),
            ("a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n"),
            ("a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n"),
            ("a\r\n.b\r\n.\r\n", "a\r\nb\r\n"),
        ] {
            let (content, next) = taken(format!("{sent}QUIT\r\n").as_bytes(), 100).await;
            assert_eq!(content, Some(Content::Whole(mail.as_bytes().to_vec())), "{sent:?}");
            assert_eq!(next, "QUIT", "{sent:?}");
        }
    }

    #[tokio::test]
    async fn a_mail_may_be_too_large_or_end_too_early() {
        let long = format!("{}\r\n.\r\nNOOP\r\n", "x".repeat(200_000));
        assert_eq!(taken(long.as_bytes(), 200_001).await, (Some(Content::TooLarge), "NOOP".to_owned()));
        let Some(Content::Whole(mail)) = taken(long.as_bytes(), 200_002).await.0 else { panic!() };
        assert_eq!(mail.len(), 200_002);
        assert_eq!(taken(b"half a mail\r\n.", 100).await.0, None);
    }
}
