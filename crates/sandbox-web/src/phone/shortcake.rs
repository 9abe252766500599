//! The handshake behind a passkey: the phone's part of linking without a QR secret.
//!
//! After the assertion the companion shows an ephemeral key and a commitment to a nonce. The phone
//! answers with its own ephemeral key and nonce, the companion reveals its nonce, and both show a
//! code that the owner compares. Then the companion sends its keys and a new secret, encrypted.

use super::{Random, code::agree, keys::Pair, pair::PairError};
use rand_10::RngExt;
use wacore::shortcake::ShortcakeUtils;
use wacore_libsignal::crypto::aes_256_gcm_decrypt;
use waproto::{buffa::Message as _, whatsapp as wa};

/// The phone between the companion's prologue and its pairing request.
pub struct Handshake {
    ephemeral: Pair,
    nonce: [u8; 32],
    identity: Vec<u8>,
    commitment: Vec<u8>,
    companion: [u8; 32],
    device: wa::device_props::PlatformType,
    reference: String,
    revealed: bool,
}

/// What the companion said in the end.
pub struct Request {
    /// Its Noise key.
    pub noise: [u8; 32],
    /// Its identity key.
    pub identity: [u8; 32],
    /// The secret for [`super::pair::vouch`].
    pub adv_secret: [u8; 32],
}

impl Handshake {
    /// Reads `<prologue_payload>`; gives the `<primary_ephemeral_identity>` to answer with.
    /// `reference` is the ref the server gave this socket: another one is refused.
    pub fn begin(prologue: &[u8], reference: &str, random: &mut Random) -> Result<(Self, Vec<u8>), PairError> {
        let prologue =
            wa::ProloguePayload::decode_from_slice(prologue).map_err(|_| PairError::Malformed("prologue"))?;
        let commitment = prologue.commitment.into_option().and_then(|it| it.hash);
        let identity = prologue.companion_ephemeral_identity.ok_or(PairError::Malformed("no companion identity"))?;
        let companion = wa::CompanionEphemeralIdentity::decode_from_slice(&identity)
            .map_err(|_| PairError::Malformed("companion identity"))?;
        if companion.r#ref.as_deref() != Some(reference) {
            return Err(PairError::Malformed("another reference"));
        }
        let handshake = Self {
            ephemeral: Pair::generate(random),
            nonce: random.random(),
            commitment: commitment.ok_or(PairError::Malformed("no commitment"))?,
            companion: key(companion.public_key)?,
            device: companion.device_type.unwrap_or_default(),
            reference: reference.to_owned(),
            revealed: false,
            identity,
        };
        let answer = wa::PrimaryEphemeralIdentity {
            public_key: Some(handshake.ephemeral.public().to_vec()),
            nonce: Some(handshake.nonce.to_vec()),
        }
        .encode_to_vec();
        Ok((handshake, answer))
    }

    /// Takes `<companion_nonce>`, checks it against the commitment, and gives the code to compare,
    /// as shown: `XXXX-XXXX`.
    pub fn reveal(&mut self, nonce: &[u8]) -> Result<String, PairError> {
        let nonce = nonce.try_into().map_err(|_| PairError::Malformed("nonce"))?;
        if ShortcakeUtils::commitment_hash(&self.identity, nonce)[..] != self.commitment[..] {
            return Err(PairError::BadSignature);
        }
        self.revealed = true;
        let ours = self.ephemeral.public();
        let code = ShortcakeUtils::derive_verification_code(nonce, &ours, &self.nonce);
        let (left, right) = code.split_at(4);
        Ok(format!("{left}-{right}"))
    }

    /// Opens `<encrypted_pairing_request>`.
    pub fn finish(&self, request: &[u8]) -> Result<Request, PairError> {
        if !self.revealed {
            return Err(PairError::Malformed("a request before the nonce"));
        }
        let sealed = wa::EncryptedPairingRequest::decode_from_slice(request)
            .map_err(|_| PairError::Malformed("pairing request"))?;
        let iv = sealed.iv.as_deref().and_then(|iv| <&[u8; 12]>::try_from(iv).ok());
        let (Some(iv), Some(payload)) = (iv, sealed.encrypted_payload.as_deref()) else {
            return Err(PairError::Malformed("pairing request"));
        };
        let shared = agree(&self.ephemeral, &self.companion)?;
        let key_of = ShortcakeUtils::derive_encryption_key_from_shared_secret;
        let secret = key_of(&shared, self.device, &self.reference).map_err(|_| PairError::Malformed("key material"))?;
        let mut plain = Vec::new();
        aes_256_gcm_decrypt(&secret, iv, b"", payload, &mut plain).map_err(|_| PairError::BadSignature)?;
        let request =
            wa::PairingRequest::decode_from_slice(&plain).map_err(|_| PairError::Malformed("pairing request"))?;
        Ok(Request {
            noise: key(request.companion_public_key)?,
            identity: key(request.companion_identity_key)?,
            adv_secret: key(request.adv_secret)?,
        })
    }
}

fn key(bytes: Option<Vec<u8>>) -> Result<[u8; 32], PairError> {
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(PairError::Malformed("a key is not 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::tests::random;
    use wa::device_props::PlatformType;

    #[test]
    fn both_sides_show_the_same_code_and_the_secret_arrives() {
        let mut random = random(1);
        let theirs = ShortcakeUtils::generate_companion_ephemeral_keypair();
        let nonce = ShortcakeUtils::generate_companion_nonce();
        let public = theirs.public_key.public_key_bytes().try_into().unwrap();
        let identity = ShortcakeUtils::build_companion_ephemeral_identity(&public, PlatformType::CHROME, "ref");
        let commitment = ShortcakeUtils::commitment_hash(&identity, &nonce);
        let prologue = ShortcakeUtils::build_prologue_payload(&identity, &commitment);

        assert!(Handshake::begin(&prologue, "other", &mut random).is_err());
        assert!(Handshake::begin(&prologue[1..], "ref", &mut random).is_err());
        let (mut phone, answer) = Handshake::begin(&prologue, "ref", &mut random).unwrap();
        let primary = ShortcakeUtils::parse_primary_ephemeral_identity(&answer).unwrap();
        let code = ShortcakeUtils::derive_verification_code(&nonce, &primary.public_key, &primary.nonce);
        let key =
            ShortcakeUtils::derive_encryption_key(&theirs, &primary.public_key, PlatformType::CHROME, "ref").unwrap();
        let plain = ShortcakeUtils::build_pairing_request(&[1; 32], &[2; 32], &[3; 32]);
        let sealed = ShortcakeUtils::encrypt_pairing_request(&plain, &key).unwrap();
        let request = ShortcakeUtils::build_encrypted_pairing_request(&sealed);

        assert!(phone.finish(&request).is_err(), "not before the nonce");
        assert_eq!(phone.reveal(&[9; 32]), Err(PairError::BadSignature));
        assert_eq!(phone.reveal(&nonce).unwrap().replace('-', ""), code);
        let read = phone.finish(&request).unwrap();
        assert_eq!((read.noise, read.identity, read.adv_secret), ([1; 32], [2; 32], [3; 32]));
        let garbage = ShortcakeUtils::build_encrypted_pairing_request(
            &ShortcakeUtils::encrypt_pairing_request(&plain, &[0; 32]).unwrap(),
        );
        assert!(phone.finish(&garbage).is_err());
    }
}
