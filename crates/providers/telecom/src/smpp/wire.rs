//! SMPP's PDUs on a stream: what is written is built by `rusmpp`, what comes in is read here with patience.
//!
//! Carriers are not strict: they leave out a terminating NUL, put Latin-1 into addresses or invent parameters. Such a PDU
//! must neither end the connection nor be lost, so each frame is cut out by its length first and then read as far as it
//! makes sense. Only a length that cannot be one ends the connection.

use bytes::{Buf, Bytes, BytesMut};
use rusmpp::Command;
use rusmpp::tokio_codec::CommandCodec;
use tokio_util::codec::{Decoder, Encoder};

use super::delivery::Delivery;

const HEADER: usize = 16;
/// The longest text that a parameter can hold, and room for the rest. Octets.
const LONGEST: usize = (64 << 10) + 1024;

const ANSWER: u32 = 0x8000_0000;
const DELIVER_SM: u32 = 0x0000_0005;
const UNBIND: u32 = 0x0000_0006;
const ENQUIRE_LINK: u32 = 0x0000_0015;
const SUBMIT_SM_RESP: u32 = 0x8000_0004;
const NACK: u32 = 0x8000_0000;

/// A PDU from the carrier, as far as it concerns us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Answer {
        sequence: u32,
        answer: Answer,
    },
    /// A message or a receipt; `None` when not even its fixed part can be read.
    Deliver {
        sequence: u32,
        delivery: Option<Box<Delivery>>,
    },
    EnquireLink {
        sequence: u32,
    },
    Unbind {
        sequence: u32,
    },
    Unknown {
        sequence: u32,
    },
}

/// What the carrier said to a request of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// `command_status`.
    pub(super) status: u32,
    /// Of a message that was taken; else empty.
    pub(super) message_id: String,
    /// The request could not even be read.
    pub(super) nack: bool,
}

/// The stream is not SMPP, or broke.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("a PDU of {0} octets was announced")]
    Length(usize),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Cuts the stream into PDUs.
pub(super) struct Wire;

impl Decoder for Wire {
    type Item = Incoming;
    type Error = WireError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Incoming>, WireError> {
        let Some(length) = src.first_chunk().map(|octets| u32::from_be_bytes(*octets) as usize) else {
            return Ok(None);
        };
        if !(HEADER..=LONGEST).contains(&length) {
            return Err(WireError::Length(length));
        }
        if src.len() < length {
            src.reserve(length - src.len());
            return Ok(None);
        }
        Ok(Some(read(src.split_to(length).freeze())))
    }
}

fn read(mut frame: Bytes) -> Incoming {
    frame.advance(4);
    let (id, status, sequence) = (frame.get_u32(), frame.get_u32(), frame.get_u32());
    match id {
        DELIVER_SM => Incoming::Deliver { sequence, delivery: Delivery::read(frame).map(Box::new) },
        ENQUIRE_LINK => Incoming::EnquireLink { sequence },
        UNBIND => Incoming::Unbind { sequence },
        _ if id & ANSWER == 0 => Incoming::Unknown { sequence },
        _ => {
            let message_id = if id == SUBMIT_SM_RESP { text(&mut frame) } else { String::new() };
            Incoming::Answer { sequence, answer: Answer { status, message_id, nack: id == NACK } }
        }
    }
}

/// Takes octets up to a NUL, or all that are left, as Latin-1.
pub(super) fn text(octets: &mut Bytes) -> String {
    let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
    let text = octets.split_to(end).iter().map(|octet| char::from(*octet)).collect();
    octets.advance(octets.len().min(1));
    text
}

/// As it goes over the wire.
pub(super) fn encode(command: &Command, out: &mut BytesMut) -> std::io::Result<()> {
    CommandCodec::new().encode(command, out).map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests;
