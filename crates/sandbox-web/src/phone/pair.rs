//! Linking: the phone read a QR code, vouches for the companion, and checks what comes back.
//!
//! The phone signs the companion's identity with its own, and proves with the secret from the QR
//! code that it is the phone which scanned it. The companion answers with the same document, signed
//! by itself too; others get that document with its prekeys and can check both signatures.

use super::{Random, keys::Keys};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;
use wacore_libsignal::protocol::PublicKey;
use waproto::{buffa::Message as _, whatsapp as wa};

const ACCOUNT_SIGNATURE: &[u8] = &[6, 0];
const DEVICE_SIGNATURE: &[u8] = &[6, 1];
const KEY_INDEX_LIST: &[u8] = &[6, 2];
/// A deep link that a camera app would open; the rest is the code itself.
const DEEP_LINK: &str = "https://wa.me/settings/linked_devices#";
/// Longer than any QR text WhatsApp shows.
const QR_LENGTH: usize = 1024;

/// Why a phone does not link a device.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PairError {
    /// The text is not what WhatsApp Web shows as a QR code.
    #[error("not a WhatsApp linking code: {0}")]
    NotAQrCode(&'static str),
    /// A pairing code of the wrong length or alphabet.
    #[error("a pairing code has eight characters of 1-9 and A-Z without I, O and U")]
    NotACode,
    /// The companion used another code than the one typed.
    #[error("this is not the code the device shows")]
    WrongCode,
    /// What the companion sent cannot be read.
    #[error("the device sent something malformed: {0}")]
    Malformed(&'static str),
    /// A signature of the companion is missing or wrong.
    #[error("the device's signature does not hold")]
    BadSignature,
}

/// What a QR code says.
#[derive(Clone, PartialEq, Eq)]
pub struct Scan {
    /// The server's name for the waiting socket.
    pub reference: String,
    /// The companion's Noise key.
    pub noise: [u8; 32],
    /// The companion's identity key.
    pub identity: [u8; 32],
    /// The secret that only somebody who sees the screen knows.
    pub adv_secret: [u8; 32],
    /// The kind of client (newer codes say it).
    pub client: Option<String>,
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// Reads the text of a QR code: `ref,noise,identity,secret[,client]`, keys in base64.
pub fn read_qr(text: &str) -> Result<Scan, PairError> {
    if text.len() > QR_LENGTH {
        return Err(PairError::NotAQrCode("too long"));
    }
    let text = text.trim();
    let mut fields = text.strip_prefix(DEEP_LINK).unwrap_or(text).split(',');
    let reference = fields.next().filter(|field| !field.is_empty());
    Ok(Scan {
        reference: reference.ok_or(PairError::NotAQrCode("no reference"))?.to_owned(),
        noise: key(fields.next())?,
        identity: key(fields.next())?,
        adv_secret: key(fields.next())?,
        client: fields.next().map(str::to_owned),
    })
}

fn key(field: Option<&str>) -> Result<[u8; 32], PairError> {
    let field = field.ok_or(PairError::NotAQrCode("a field is missing"))?;
    let bytes = BASE64_STANDARD.decode(field).map_err(|_| PairError::NotAQrCode("not base64"))?;
    bytes.try_into().map_err(|_| PairError::NotAQrCode("a key is not 32 bytes"))
}

/// The content of `<device-identity>` in `<pair-success>`: the phone vouches for `companion`.
/// `secret` is the one from the QR code, the pairing code or the passkey handshake; `now` in seconds.
pub fn vouch(
    keys: &Keys,
    companion: &[u8; 32],
    secret: &[u8; 32],
    key_index: u32,
    now: u64,
    random: &mut Random,
) -> Vec<u8> {
    let details = wa::ADVDeviceIdentity {
        raw_id: Some(keys.raw_id()),
        timestamp: Some(now),
        key_index: Some(key_index),
        ..Default::default()
    }
    .encode_to_vec();
    let signature = keys.identity.sign(&[ACCOUNT_SIGNATURE, &details, companion], random);
    let signed = wa::ADVSignedDeviceIdentity {
        details: Some(details),
        account_signature_key: Some(keys.identity().to_vec()),
        account_signature: Some(signature.to_vec()),
        device_signature: None,
    }
    .encode_to_vec();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&signed);
    wa::ADVSignedDeviceIdentityHMAC {
        hmac: Some(mac.finalize().into_bytes().to_vec()),
        details: Some(signed),
        ..Default::default()
    }
    .encode_to_vec()
}

/// Checks the document that the companion signed in `<pair-device-sign>`, and gives its key index.
pub fn accept(keys: &Keys, companion: &[u8; 32], signed: &[u8]) -> Result<u32, PairError> {
    let signed =
        wa::ADVSignedDeviceIdentity::decode_from_slice(signed).map_err(|_| PairError::Malformed("device identity"))?;
    let details = signed.details.ok_or(PairError::Malformed("no details"))?;
    let ours = keys.identity();
    let account = [ACCOUNT_SIGNATURE, &details, companion];
    let device = [DEVICE_SIGNATURE, &details, companion, &ours[..]];
    if !holds(&ours, &account, signed.account_signature.as_deref())
        || !holds(companion, &device, signed.device_signature.as_deref())
    {
        return Err(PairError::BadSignature);
    }
    wa::ADVDeviceIdentity::decode_from_slice(&details)
        .ok()
        .and_then(|details| details.key_index)
        .ok_or(PairError::Malformed("no key index"))
}

fn holds(key: &[u8; 32], parts: &[&[u8]], signature: Option<&[u8]>) -> bool {
    PublicKey::from_djb_public_key_bytes(key)
        .is_ok_and(|key| signature.is_some_and(|it| key.verify_signature_for_multipart_message(parts, it)))
}

/// The `<key-index-list>` others get with the account's devices: which key indexes are linked now,
/// and the highest one ever given. `now` in seconds.
pub fn key_index_list(keys: &Keys, linked: &[u32], highest: u32, now: u64, random: &mut Random) -> Vec<u8> {
    let details = wa::ADVKeyIndexList {
        raw_id: Some(keys.raw_id()),
        timestamp: Some(now),
        current_index: Some(highest),
        valid_indexes: linked.to_vec(),
        ..Default::default()
    }
    .encode_to_vec();
    let signature = keys.identity.sign(&[KEY_INDEX_LIST, &details], random);
    wa::ADVSignedKeyIndexList {
        details: Some(details),
        account_signature: Some(signature.to_vec()),
        account_signature_key: Some(keys.identity().to_vec()),
    }
    .encode_to_vec()
}

/// The `<client-props>` of `<pair-success>`: the account's chats are addressed by LID.
pub fn client_props() -> Vec<u8> {
    wa::ClientPairingProps { is_chat_db_lid_migrated: Some(true), ..Default::default() }.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::{keys::Pair, tests::random};
    use wacore::{
        adv::{self, AdvValidation, validate_adv_with_identity_key},
        companion_reg::CompanionWebClientType,
        pair::{DeviceState, PairUtils},
    };

    fn companion(random: &mut Random) -> DeviceState {
        DeviceState {
            identity_key: Pair::generate(random).key_pair().clone(),
            noise_key: Pair::generate(random).key_pair().clone(),
            adv_secret_key: [7; 32],
        }
    }

    fn identity(device: &DeviceState) -> [u8; 32] {
        device.identity_key.public_key.public_key_bytes().try_into().unwrap()
    }

    #[test]
    fn a_companion_accepts_our_word_and_we_accept_its_signature() {
        let mut random = random(1);
        let keys = Keys::generate(0, &mut random);
        let device = companion(&mut random);
        let text = PairUtils::make_qr_data(&device, "2@ref", CompanionWebClientType::Chrome);
        let scan = read_qr(&format!("{DEEP_LINK}{text}\n")).unwrap();
        assert_eq!((scan.reference.as_str(), scan.identity), ("2@ref", identity(&device)));
        assert_eq!(scan.noise, device.noise_key.public_key.public_key_bytes());
        assert_eq!(scan.client, Some("1".to_owned()));

        let word = vouch(&keys, &scan.identity, &scan.adv_secret, 3, 1_700_000_000, &mut random);
        let (signed, key_index) = PairUtils::do_pair_crypto(&device, &word).unwrap();
        assert_eq!(key_index, 3);
        assert_eq!(accept(&keys, &scan.identity, &signed), Ok(3));
        let seen = validate_adv_with_identity_key(&signed, &scan.identity, None);
        assert_eq!(seen, AdvValidation::Valid);

        let wrong_secret = vouch(&keys, &scan.identity, &[8; 32], 3, 0, &mut random);
        assert!(PairUtils::do_pair_crypto(&device, &wrong_secret).is_err());
        let stranger = identity(&companion(&mut random));
        assert_eq!(accept(&keys, &stranger, &signed), Err(PairError::BadSignature));
        let other = Keys::generate(0, &mut random);
        assert_eq!(accept(&other, &scan.identity, &signed), Err(PairError::BadSignature));
        let unsigned = wa::ADVSignedDeviceIdentityHMAC::decode_from_slice(&word).unwrap();
        let unsigned = unsigned.details.unwrap();
        assert_eq!(accept(&keys, &scan.identity, &unsigned), Err(PairError::BadSignature));
    }

    #[test]
    fn the_key_index_list_is_read_by_other_clients() {
        let mut random = random(2);
        let keys = Keys::generate(0, &mut random);
        let bytes = key_index_list(&keys, &[2, 4], 5, 1_700_000_000, &mut random);
        let list = adv::decode_key_index_list(&bytes).unwrap();
        assert_eq!((list.raw_id, list.timestamp), (keys.raw_id(), 1_700_000_000));
        assert_eq!((list.current_index, list.valid_indexes), (5, vec![2, 4]));
        let signed = wa::ADVSignedKeyIndexList::decode_from_slice(&bytes).unwrap();
        let parts = [KEY_INDEX_LIST, &signed.details.unwrap()];
        assert!(holds(&keys.identity(), &parts, signed.account_signature.as_deref()));
    }

    #[test]
    fn what_is_not_a_code_is_refused() {
        let key = BASE64_STANDARD.encode([1; 32]);
        let short = BASE64_STANDARD.encode([1; 31]);
        for text in [
            String::new(),
            "hello".to_owned(),
            format!("ref,{key},{key}"),
            format!(",{key},{key},{key}"),
            format!("ref,{key},{short},{key}"),
            format!("ref,{key},???,{key}"),
            "x".repeat(QR_LENGTH + 1),
        ] {
            assert!(matches!(read_qr(&text), Err(PairError::NotAQrCode(_))), "{text}");
        }
        assert_eq!(read_qr(&format!("ref,{key},{key},{key}")).unwrap().client, None);
    }
}
