//! Clients that connected without an account and wait for a phone to take them in.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::oneshot;

use super::keys::{Key, Signed};
use crate::number::Address;
use crate::phone::code::TypedCode;
use crate::phone::shortcake::Handshake;
use crate::socket::Outbox;

/// Why a phone and a client did not come together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// No client shows this code now: it expired, or it comes from elsewhere.
    #[error("no client waits with this code")]
    NobodyWaits,
    /// Not a QR text or not a pairing code, or what the client sent does not fit it.
    #[error("{0}")]
    Refused(String),
    /// The client left before it was linked.
    #[error("the client went away")]
    Gone,
    /// The client did not finish in time.
    #[error("the client did not answer in time")]
    Late,
}

impl From<crate::phone::pair::PairError> for LinkError {
    fn from(error: crate::phone::pair::PairError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// How far a link came when the phone was done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linked {
    /// The client is a device of the account now, with this number.
    Device(u16),
    /// The account's owner has to prove with a passkey that it is them; the client was asked.
    PasskeyDemanded,
}

/// Who is told when a link is done.
pub(crate) type Done = oneshot::Sender<Result<Linked, LinkError>>;

/// What a phone decided about the client, while the client's own signature is awaited.
pub(crate) struct Offer {
    pub(crate) address: Address,
    pub(crate) key_index: u32,
    /// The stanza that the answer belongs to.
    pub(crate) id: String,
}

/// A passkey was demanded: what the client has to sign, and how far the proof came.
pub(crate) struct Proof {
    pub(crate) account: crate::number::Number,
    pub(crate) challenge: Vec<u8>,
    pub(crate) handshake: Option<Handshake>,
}

/// A pairing code that the client shows.
pub(crate) struct Code {
    pub(crate) reference: String,
    pub(crate) wrapped_ephemeral: Vec<u8>,
    /// The phone typed it and waits for the client's bundle.
    pub(crate) typed: Option<TypedCode>,
}

/// One client that waits.
pub(crate) struct Pairing {
    pub(crate) outbox: Outbox,
    pub(crate) references: Vec<String>,
    pub(crate) noise: Key,
    pub(crate) identity: Key,
    pub(crate) registration_id: u32,
    pub(crate) signed: Signed,
    pub(crate) push_name: String,
    pub(crate) platform: String,
    /// The number a pairing code is for, and the code's first half.
    pub(crate) code: Option<(crate::number::Number, Code)>,
    pub(crate) proof: Option<Proof>,
    /// What the phone answers to a proof, to be sent behind the server's own answer.
    pub(crate) continuation: Option<Vec<u8>>,
    /// The owner's proof held: the account, and the secret both sides agreed on.
    pub(crate) confirmed: Option<(crate::number::Number, [u8; 32])>,
    /// How long the phone takes to answer.
    pub(crate) pause: Option<Duration>,
    pub(crate) offer: Option<Offer>,
    pub(crate) done: Option<Done>,
}

impl Pairing {
    /// Tells the phone how it ended; nobody may be listening any more.
    pub(crate) fn settle(&mut self, outcome: Result<Linked, LinkError>) {
        if let Some(done) = self.done.take() {
            let _ = done.send(outcome);
        }
    }
}

/// All clients that wait, by connection.
#[derive(Default)]
pub(crate) struct Pairings(HashMap<u64, Pairing>);

impl Pairings {
    pub(crate) fn put(&mut self, line: u64, pairing: Pairing) {
        self.0.insert(line, pairing);
    }

    pub(crate) fn get_mut(&mut self, line: u64) -> Option<&mut Pairing> {
        self.0.get_mut(&line)
    }

    pub(crate) fn remove(&mut self, line: u64) -> Option<Pairing> {
        self.0.remove(&line)
    }

    /// Who shows a QR code with this reference.
    pub(crate) fn with_reference(&mut self, reference: &str) -> Option<(u64, &mut Pairing)> {
        let found = self.0.iter_mut().find(|(_, pairing)| pairing.references.iter().any(|known| known == reference));
        found.map(|(line, pairing)| (*line, pairing))
    }

    /// Who shows pairing codes for this number, the latest last.
    pub(crate) fn with_code_for(&mut self, number: &crate::number::Number) -> Option<(u64, &mut Pairing)> {
        let found = self
            .0
            .iter_mut()
            .filter(|(_, pairing)| pairing.code.as_ref().is_some_and(|(wanted, _)| wanted == number))
            .max_by_key(|(line, _)| **line);
        found.map(|(line, pairing)| (*line, pairing))
    }
}
