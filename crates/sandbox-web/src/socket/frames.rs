//! From the bytes of a socket to nodes and back: an opening, then frames of a three-byte length, each sealed under a counter.

use axum::extract::ws::{Message, WebSocket};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use wacore_binary::consts::WA_CONN_HEADER;
use wacore_binary::util::unpack_bytes;
use wacore_binary::{Node, OwnedNodeRef, marshal};
use wacore_noise::NoiseCipher;
use wacore_noise::framing::{FrameDecoder, encode_frame};

/// Why a socket ends before its time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the socket closed")]
    Closed,
    #[error("the socket failed")]
    Socket(#[from] axum::Error),
    #[error("the connection does not open as it should")]
    Opening,
    #[error("a frame cannot be opened")]
    Sealed(#[from] wacore_noise::NoiseError),
    #[error("a frame holds no node")]
    Node(#[from] wacore_binary::BinaryError),
    #[error("a frame is too long")]
    TooLong,
}

/// Letters that announce routing information before the header.
const ROUTING: &[u8] = b"ED\0\x01";
/// No opening is longer.
const LONGEST_OPENING: usize = 64 * 1024;

/// What comes in.
pub(crate) struct Incoming {
    socket: SplitStream<WebSocket>,
    opening: Option<BytesMut>,
    decoder: FrameDecoder,
    counter: u32,
}

impl Incoming {
    pub(crate) fn new(socket: SplitStream<WebSocket>) -> Self {
        Self { socket, opening: Some(BytesMut::new()), decoder: FrameDecoder::new(), counter: 0 }
    }

    /// The next frame as it came.
    pub(crate) async fn frame(&mut self) -> Result<BytesMut, Error> {
        loop {
            if let Some(frame) = self.decoder.decode_frame() {
                return Ok(frame);
            }
            match self.socket.next().await.ok_or(Error::Closed)?? {
                Message::Binary(bytes) => self.feed(&bytes)?,
                Message::Close(_) => return Err(Error::Closed),
                Message::Text(_) | Message::Ping(_) | Message::Pong(_) => {}
            }
        }
    }

    /// The next node.
    pub(crate) async fn node(&mut self, cipher: &NoiseCipher) -> Result<Node, Error> {
        let mut frame = self.frame().await?;
        cipher.decrypt_in_place_with_counter(self.counter, &mut frame)?;
        self.counter = self.counter.checked_add(1).ok_or(Error::TooLong)?;
        Ok(OwnedNodeRef::new(unpack_bytes(frame)?)?.to_owned_node())
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some(mut opening) = self.opening.take() else {
            self.decoder.feed(bytes);
            return Ok(());
        };
        opening.extend_from_slice(bytes);
        match after_opening(&opening)? {
            Some(rest) => self.decoder.feed(&opening[rest..]),
            None if opening.len() > LONGEST_OPENING => return Err(Error::Opening),
            None => self.opening = Some(opening),
        }
        Ok(())
    }
}

/// Where the first frame starts; `None` while the opening is incomplete.
fn after_opening(bytes: &[u8]) -> Result<Option<usize>, Error> {
    let mut start = 0;
    if bytes.starts_with(b"ED") {
        if bytes.len() < ROUTING.len() + 3 {
            return Ok(None);
        }
        let mut length = bytes.strip_prefix(ROUTING).ok_or(Error::Opening)?;
        start = ROUTING.len() + 3 + usize::try_from(length.get_uint(3)).map_err(|_| Error::Opening)?;
    }
    let Some(header) = bytes.get(start..start + WA_CONN_HEADER.len()) else {
        return Ok(None);
    };
    if header == WA_CONN_HEADER { Ok(Some(start + header.len())) } else { Err(Error::Opening) }
}

/// What goes out.
pub(crate) struct Outgoing {
    socket: SplitSink<WebSocket, Message>,
    counter: u32,
}

impl Outgoing {
    pub(crate) fn new(socket: SplitSink<WebSocket, Message>) -> Self {
        Self { socket, counter: 0 }
    }

    /// One frame as it is.
    pub(crate) async fn frame(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let frame = encode_frame(bytes, None).map_err(|_| Error::TooLong)?;
        Ok(self.socket.send(Message::Binary(Bytes::from(frame))).await?)
    }

    pub(crate) async fn node(&mut self, cipher: &NoiseCipher, node: &Node) -> Result<(), Error> {
        self.bytes(cipher, marshal(node)?).await
    }

    /// One frame, sealed, whatever it holds.
    pub(crate) async fn bytes(&mut self, cipher: &NoiseCipher, mut bytes: Vec<u8>) -> Result<(), Error> {
        cipher.encrypt_in_place_with_counter(self.counter, &mut bytes)?;
        self.counter = self.counter.checked_add(1).ok_or(Error::TooLong)?;
        self.frame(&bytes).await
    }

    /// Ends the connection as a server does that means it.
    pub(crate) async fn close(mut self) {
        // The client may be gone already; then there is nobody to tell.
        let _ = self.socket.send(Message::Close(None)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_is_a_header_perhaps_behind_routing_information() {
        let with_routing = |route: &[u8]| {
            let length = u32::try_from(route.len()).unwrap().to_be_bytes();
            [ROUTING, &length[1..], route, &WA_CONN_HEADER, b"frame"].concat()
        };
        let plain = [&WA_CONN_HEADER[..], b"frame"].concat();
        for (bytes, start) in [(plain, 4), (with_routing(b""), 11), (with_routing(b"route"), 16)] {
            assert_eq!(after_opening(&bytes).unwrap(), Some(start));
            for cut in 0..start {
                assert_eq!(after_opening(&bytes[..cut]).unwrap(), None, "{cut} bytes of {bytes:?}");
            }
        }
        for wrong in [&b"GET / HTTP/1.1"[..], b"ED\0\x02\0\0\0WA\x06\x03", b"WA\x05\x03"] {
            assert!(after_opening(wrong).is_err());
        }
    }
}
