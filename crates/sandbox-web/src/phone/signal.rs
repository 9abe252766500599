//! Device 0 as a Signal peer: it decrypts what is sent to it and encrypts to other devices.
//!
//! Sessions live as records in memory and are written with the phone. A record read from a file skips
//! the counters it might have used since it was written (the library leases them in batches), so a
//! phone restored from a slightly old file never uses a message key twice. One-time keys go as soon
//! as a first message used them, in the same value, so neither can be kept without the other.

use super::{
    Phone, Random,
    stores::{Own, ready},
};
use wacore::messages::{MessageUtils, decode_plaintext};
use wacore_binary::Jid;
use wacore_libsignal::protocol::{
    CiphertextMessage, DeviceId, IdentityKey, PreKeyBundle, PreKeyId, PreKeySignalMessage, ProtocolAddress, PublicKey,
    SenderKeyDistributionMessage, SenderKeyName, SignalMessage, SignalProtocolError, SignedPreKeyId, UsePQRatchet,
    create_sender_key_distribution_message, group_decrypt, group_encrypt, message_decrypt, message_encrypt,
    process_prekey_bundle, process_sender_key_distribution_message,
};
use waproto::whatsapp as wa;

/// How messages are padded: the version `enc` stanzas name.
const PADDING: u8 = 2;

/// Why an envelope cannot be opened or made.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// The protocol refused.
    #[error("signal: {0}")]
    Protocol(#[from] SignalProtocolError),
    /// What was inside is no message.
    #[error("the decrypted bytes are not a message")]
    NotAMessage,
    /// An `enc` of a type nobody knows.
    #[error("unknown envelope type")]
    UnknownEnvelope,
    /// A bundle with a key of the wrong shape.
    #[error("a key of the bundle is malformed")]
    BadBundle,
}

impl SignalError {
    /// Whether a retry receipt would help: the sender has a session that this phone has not, or an
    /// old one. A message seen before needs no retry.
    pub fn wants_retry(&self) -> bool {
        !matches!(self, Self::Protocol(SignalProtocolError::DuplicatedMessage(..)))
    }
}

/// One device as sessions know it: the user part as addressed (`1555…@s.whatsapp.net`, `1234@lid`)
/// and the device number. The two spellings of one device are two addresses with two sessions, as
/// they are for the device on the other side: use the one that the stanza uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    user: String,
    device: u16,
}

impl Address {
    /// A device of a user.
    pub fn new(user: &str, device: u16) -> Self {
        Self { user: user.to_owned(), device }
    }

    /// The device of a full address (`1234:33@lid`).
    pub fn of(jid: &Jid) -> Self {
        Self { user: jid.to_non_ad().to_string(), device: jid.device }
    }

    fn protocol(&self) -> ProtocolAddress {
        ProtocolAddress::new(&self.user, DeviceId::new(u32::from(self.device)))
    }

    fn in_group(&self, group: &str) -> SenderKeyName {
        SenderKeyName::from_parts(group, self.protocol().as_str())
    }
}

/// The type attribute of `<enc>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncType {
    /// `pkmsg`: starts a session.
    PreKey,
    /// `msg`: within a session.
    Message,
    /// `skmsg`: for a group, with the sender's key.
    SenderKey,
}

impl EncType {
    /// The attribute's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreKey => "pkmsg",
            Self::Message => "msg",
            Self::SenderKey => "skmsg",
        }
    }

    /// Reads the attribute.
    pub fn parse(text: &str) -> Result<Self, SignalError> {
        [Self::PreKey, Self::Message, Self::SenderKey]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(SignalError::UnknownEnvelope)
    }
}

/// An `<enc>`: its type and content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enc {
    /// Which cipher.
    pub kind: EncType,
    /// The ciphertext.
    pub bytes: Vec<u8>,
}

/// What another device published, to start a session from. Keys are the raw 32 bytes.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The device's registration id.
    pub registration_id: u32,
    /// Its identity key.
    pub identity: [u8; 32],
    /// The signed prekey: id, key, signature.
    pub signed: (u32, [u8; 32], Vec<u8>),
    /// A one-time prekey: id and key.
    pub one_time: Option<(u32, [u8; 32])>,
}

impl Phone {
    /// What others need to start a session with this phone; each gets a one-time key of its own.
    pub fn bundle(&mut self, random: &mut Random) -> Bundle {
        let one_time = self.keys.hand_out(random);
        let (id, public, signature) = self.keys.signed().public();
        Bundle {
            registration_id: self.keys.registration_id(),
            identity: self.keys.identity(),
            signed: (id, public, signature.to_vec()),
            one_time: Some(one_time),
        }
    }

    /// Whether an envelope to this device needs no bundle.
    pub fn has_session(&self, to: &Address) -> bool {
        self.signal.sessions.0.contains_key(to.protocol().as_str())
    }

    /// Starts a session from a bundle, replacing what there was.
    pub fn start_session(&mut self, to: &Address, bundle: &Bundle, random: &mut Random) -> Result<(), SignalError> {
        let bundle = bundle.for_device(to.device)?;
        let mut own = Own::of(&self.keys);
        let sessions = &mut self.signal.sessions;
        let address = to.protocol();
        ready(process_prekey_bundle(&address, sessions, &mut own, &bundle, random, UsePQRatchet::No))?;
        Ok(())
    }

    /// Encrypts a message for one device; needs a session.
    pub fn seal(&mut self, to: &Address, message: &wa::Message) -> Result<Enc, SignalError> {
        self.seal_padded(to, &MessageUtils::encode_and_pad(message))
    }

    fn seal_padded(&mut self, to: &Address, padded: &[u8]) -> Result<Enc, SignalError> {
        let mut own = Own::of(&self.keys);
        let sealed = ready(message_encrypt(padded, &to.protocol(), &mut self.signal.sessions, &mut own))?;
        let kind = match sealed {
            CiphertextMessage::PreKeySignalMessage(_) => EncType::PreKey,
            _ => EncType::Message,
        };
        Ok(Enc { kind, bytes: sealed.serialize().to_vec() })
    }

    /// Decrypts one `<enc>` from a device. `group` is the chat for `skmsg`; a sender key that comes
    /// inside another envelope is learned on the way.
    pub fn open(
        &mut self,
        from: &Address,
        group: Option<&str>,
        enc: &Enc,
        random: &mut Random,
    ) -> Result<wa::Message, SignalError> {
        let padded = match enc.kind {
            EncType::SenderKey => {
                let name = from.in_group(group.ok_or(SignalError::UnknownEnvelope)?);
                ready(group_decrypt(&enc.bytes, &mut self.signal.sender_keys, &name))?
            }
            EncType::PreKey => {
                let inner = PreKeySignalMessage::try_from(&enc.bytes[..])?;
                self.decrypt(from, &CiphertextMessage::PreKeySignalMessage(inner), random)?
            }
            EncType::Message => {
                let inner = SignalMessage::try_from(&enc.bytes[..])?;
                self.decrypt(from, &CiphertextMessage::SignalMessage(inner), random)?
            }
        };
        let message = decode_plaintext(&padded, PADDING).map_err(|_| SignalError::NotAMessage)?;
        self.learn(from, &message)?;
        Ok(message)
    }

    fn decrypt(
        &mut self,
        from: &Address,
        sealed: &CiphertextMessage,
        random: &mut Random,
    ) -> Result<Vec<u8>, SignalProtocolError> {
        let mut own = Own::of(&self.keys);
        let opened = ready(message_decrypt(
            sealed,
            &from.protocol(),
            &mut self.signal.sessions,
            &mut own,
            &mut self.keys.one_time,
            &self.keys.signed,
            random,
            UsePQRatchet::No,
        ))?;
        if let Some(used) = opened.consumed_prekey_id {
            self.keys.one_time.keys.remove(&u32::from(used));
        }
        Ok(opened.plaintext)
    }

    fn learn(&mut self, from: &Address, message: &wa::Message) -> Result<(), SignalError> {
        let Some(distribution) = message.sender_key_distribution_message.as_option() else {
            return Ok(());
        };
        let (Some(group), Some(key)) = (&distribution.group_id, &distribution.axolotl_sender_key_distribution_message)
        else {
            return Ok(());
        };
        let key = SenderKeyDistributionMessage::try_from(&key[..])?;
        let name = from.in_group(group);
        let keys = &mut self.signal.sender_keys;
        Ok(ready(process_sender_key_distribution_message(&name, &key, keys))?)
    }

    /// The message that gives this phone's sender key for a group; to be sealed for every device
    /// that has not got it. `own` is the phone as members address it.
    pub fn sender_key(&mut self, own: &Address, group: &str, random: &mut Random) -> Result<wa::Message, SignalError> {
        let name = own.in_group(group);
        let keys = &mut self.signal.sender_keys;
        let key = ready(create_sender_key_distribution_message(&name, keys, random))?;
        Ok(wa::Message {
            sender_key_distribution_message: wa::message::SenderKeyDistributionMessage {
                group_id: Some(group.to_owned()),
                axolotl_sender_key_distribution_message: Some(key.serialized().into()),
            }
            .into(),
            ..Default::default()
        })
    }

    /// Encrypts a message for a group with this phone's sender key ([`Phone::sender_key`] made it).
    pub fn seal_group(
        &mut self,
        own: &Address,
        group: &str,
        message: &wa::Message,
        random: &mut Random,
    ) -> Result<Enc, SignalError> {
        let padded = MessageUtils::encode_and_pad(message);
        let name = own.in_group(group);
        let sealed = ready(group_encrypt(&mut self.signal.sender_keys, &name, &padded, random))?;
        Ok(Enc { kind: EncType::SenderKey, bytes: sealed.serialized().to_vec() })
    }

    /// Forgets this phone's sender key for a group: somebody left, the next message needs a new one.
    pub fn drop_sender_key(&mut self, own: &Address, group: &str) {
        self.signal.sender_keys.0.remove(own.in_group(group).cache_key());
    }

    /// Forgets the session with a device that is no longer linked.
    pub fn drop_session(&mut self, with: &Address) {
        self.signal.sessions.0.remove(with.protocol().as_str());
    }
}

impl Bundle {
    fn for_device(&self, device: u16) -> Result<PreKeyBundle, SignalError> {
        let key = |bytes: &[u8; 32]| PublicKey::from_djb_public_key_bytes(bytes).map_err(|_| SignalError::BadBundle);
        let one_time = match &self.one_time {
            Some((id, public)) => Some((PreKeyId::from(*id), key(public)?)),
            None => None,
        };
        let (id, public, signature) = &self.signed;
        Ok(PreKeyBundle::new(
            self.registration_id,
            DeviceId::new(u32::from(device)),
            one_time,
            SignedPreKeyId::from(*id),
            key(public)?,
            signature.clone(),
            IdentityKey::new(key(&self.identity)?),
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::tests::random;

    fn text(text: &str) -> wa::Message {
        wa::Message { conversation: Some(text.to_owned()), ..Default::default() }
    }

    fn said(message: &wa::Message) -> &str {
        message.conversation.as_deref().unwrap()
    }

    fn restart(phone: &Phone) -> Phone {
        serde_json::from_str(&serde_json::to_string(phone).unwrap()).unwrap()
    }

    struct Two {
        ann: Phone,
        bob: Phone,
        at_ann: Address,
        at_bob: Address,
        random: Random,
    }

    fn two() -> Two {
        let mut random = random(1);
        Two {
            ann: Phone::new(0, &mut random),
            bob: Phone::new(0, &mut random),
            at_ann: Address::new("1@lid", 0),
            at_bob: Address::new("2@lid", 33),
            random,
        }
    }

    #[test]
    fn two_devices_talk_across_restarts_and_nothing_is_read_twice() {
        let Two { mut ann, mut bob, at_ann, at_bob, mut random } = two();
        let keys = bob.bundle(&mut random);
        assert!(!ann.has_session(&at_bob));
        assert!(ann.seal(&at_bob, &text("early")).is_err());
        ann.start_session(&at_bob, &keys, &mut random).unwrap();

        let first = ann.seal(&at_bob, &text("hello")).unwrap();
        assert_eq!(first.kind, EncType::PreKey);
        assert_eq!(said(&bob.open(&at_ann, None, &first, &mut random).unwrap()), "hello");
        assert!(bob.keys.one_time.keys.is_empty(), "the one-time key is used up");
        let again = bob.open(&at_ann, None, &first, &mut random).unwrap_err();
        assert!(!again.wants_retry(), "{again}");

        let mut from_bob = bob.seal(&at_ann, &text("hi")).unwrap();
        assert_eq!(from_bob.kind, EncType::Message);
        assert_eq!(said(&ann.open(&at_bob, None, &from_bob, &mut random).unwrap()), "hi");
        for turn in 0..3 {
            let (mut kept, mut theirs) = (restart(&ann), restart(&bob));
            let words = format!("turn {turn}");
            let sealed = kept.seal(&at_bob, &text(&words)).unwrap();
            assert_eq!(said(&theirs.open(&at_ann, None, &sealed, &mut random).unwrap()), words);
            (ann, bob) = (kept, theirs);
        }
        from_bob.bytes.truncate(20);
        assert!(ann.open(&at_bob, None, &from_bob, &mut random).unwrap_err().wants_retry());
    }

    #[test]
    fn a_phone_restored_from_an_old_file_is_still_understood() {
        let Two { mut ann, mut bob, at_ann, at_bob, mut random } = two();
        let keys = bob.bundle(&mut random);
        ann.start_session(&at_bob, &keys, &mut random).unwrap();
        let sealed = ann.seal(&at_bob, &text("before")).unwrap();
        bob.open(&at_ann, None, &sealed, &mut random).unwrap();
        let old = serde_json::to_string(&ann).unwrap();
        let sealed = ann.seal(&at_bob, &text("not in the file")).unwrap();
        bob.open(&at_ann, None, &sealed, &mut random).unwrap();

        let mut ann: Phone = serde_json::from_str(&old).unwrap();
        let sealed = ann.seal(&at_bob, &text("after")).unwrap();
        assert_eq!(said(&bob.open(&at_ann, None, &sealed, &mut random).unwrap()), "after");
    }

    #[test]
    fn groups_need_the_senders_key() {
        let Two { mut ann, mut bob, at_ann, at_bob, mut random } = two();
        let group = "1203@g.us";
        let keys = bob.bundle(&mut random);
        ann.start_session(&at_bob, &keys, &mut random).unwrap();
        let key = ann.sender_key(&at_ann, group, &mut random).unwrap();
        let key = ann.seal(&at_bob, &key).unwrap();
        let sealed = ann.seal_group(&at_ann, group, &text("all"), &mut random).unwrap();

        let early = bob.open(&at_ann, Some(group), &sealed, &mut random).unwrap_err();
        assert!(early.wants_retry());
        bob.open(&at_ann, None, &key, &mut random).unwrap();
        let mut bob = restart(&bob);
        assert_eq!(said(&bob.open(&at_ann, Some(group), &sealed, &mut random).unwrap()), "all");
        ann.drop_sender_key(&at_ann, group);
        assert!(ann.seal_group(&at_ann, group, &text("left"), &mut random).is_err());
        ann.sender_key(&at_ann, group, &mut random).unwrap();
        let sealed = ann.seal_group(&at_ann, group, &text("new"), &mut random).unwrap();
        assert!(bob.open(&at_ann, Some(group), &sealed, &mut random).is_err());
    }

    #[test]
    fn a_bundle_with_a_foreign_signature_is_refused() {
        let Two { mut ann, mut bob, at_bob, mut random, .. } = two();
        let mut keys = bob.bundle(&mut random);
        keys.identity = Phone::new(0, &mut random).keys.identity();
        assert!(ann.start_session(&at_bob, &keys, &mut random).is_err());
        assert!(!ann.has_session(&at_bob));
    }
}
