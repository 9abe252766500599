//! Linking by a code typed on the phone.
//!
//! The companion wrapped an ephemeral key under its code; whoever types the same code can unwrap it.
//! The phone answers with an ephemeral key of its own, wrapped alike. From both ephemeral and both
//! identity keys follows the secret that a QR code would have carried. A wrong code is noticed at the
//! end, when the companion's bundle does not open.

use super::{
    Random,
    keys::{Keys, Pair},
    pair::PairError,
};
use wacore::{crypto::hkdf_sha256_into, pair_code::PairCodeUtils};
use wacore_libsignal::{crypto::aes_256_gcm_decrypt, protocol::PublicKey};

/// salt 32 | iv 12 | companion identity 32 | phone identity 32 | random 32 | tag 16
const BUNDLE: usize = 32 + 12 + 96 + 16;
const BUNDLE_KEY: &[u8] = b"link_code_pairing_key_bundle_encryption_key";

/// The code as devices compute with it: without hyphen and spaces, in capitals.
pub fn normalize(typed: &str) -> Result<String, PairError> {
    let code: String =
        typed.chars().filter(|char| !matches!(char, '-' | ' ')).take(9).map(|char| char.to_ascii_uppercase()).collect();
    PairCodeUtils::validate_code(&code).then_some(code).ok_or(PairError::NotACode)
}

/// The phone between its hello and the companion's bundle.
pub struct TypedCode {
    ephemeral: Pair,
    companion: [u8; 32],
}

/// What goes out as `primary_hello`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryHello {
    /// `link_code_pairing_wrapped_primary_ephemeral_pub`, 80 bytes.
    pub wrapped_ephemeral: Vec<u8>,
    /// `primary_identity_pub`.
    pub identity: [u8; 32],
}

impl TypedCode {
    /// Types a (normalized) code for a companion that said hello. Takes some hundred milliseconds of
    /// one core: the code is stretched twice.
    pub fn enter(
        keys: &Keys,
        code: &str,
        wrapped_companion: &[u8],
        random: &mut Random,
    ) -> Result<(Self, PrimaryHello), PairError> {
        // The wrapping is the same in both directions.
        let companion = PairCodeUtils::decrypt_primary_ephemeral_pub(wrapped_companion, code)
            .map_err(|_| PairError::Malformed("wrapped ephemeral key"))?;
        let ephemeral = Pair::generate(random);
        let wrapped = PairCodeUtils::encrypt_ephemeral_pub(&ephemeral.public(), code);
        let hello = PrimaryHello { wrapped_ephemeral: wrapped.to_vec(), identity: keys.identity() };
        Ok((Self { ephemeral, companion }, hello))
    }

    /// Opens the bundle of `companion_finish`; gives the shared secret for [`super::pair::vouch`].
    pub fn finish(&self, keys: &Keys, bundle: &[u8], companion_identity: &[u8; 32]) -> Result<[u8; 32], PairError> {
        let ephemeral = agree(&self.ephemeral, &self.companion)?;
        let random = open(&ephemeral, bundle, companion_identity, &keys.identity())?;
        let identity = agree(&keys.identity, companion_identity)?;
        derive(&[&ephemeral[..], &identity, &random].concat(), None, b"adv_secret")
    }
}

fn open(shared: &[u8; 32], bundle: &[u8], companion: &[u8; 32], phone: &[u8; 32]) -> Result<[u8; 32], PairError> {
    if bundle.len() != BUNDLE {
        return Err(PairError::Malformed("key bundle"));
    }
    let (salt, rest) = bundle.split_at(32);
    let (iv, sealed) = rest.split_at(12);
    let key = derive(shared, Some(salt), BUNDLE_KEY)?;
    let iv = iv.try_into().map_err(|_| PairError::Malformed("key bundle"))?;
    let mut plain = Vec::with_capacity(BUNDLE);
    aes_256_gcm_decrypt(&key, iv, b"", sealed, &mut plain).map_err(|_| PairError::WrongCode)?;
    let (identities, random) = plain.split_at_checked(64).ok_or(PairError::WrongCode)?;
    if identities[..32] != companion[..] || identities[32..] != phone[..] {
        return Err(PairError::BadSignature);
    }
    random.try_into().map_err(|_| PairError::Malformed("key bundle"))
}

pub(super) fn agree(ours: &Pair, theirs: &[u8; 32]) -> Result<[u8; 32], PairError> {
    let theirs = PublicKey::from_djb_public_key_bytes(theirs).map_err(|_| PairError::Malformed("public key"))?;
    ours.key_pair().calculate_agreement(&theirs).map_err(|_| PairError::Malformed("public key"))
}

fn derive(secret: &[u8], salt: Option<&[u8]>, info: &[u8]) -> Result<[u8; 32], PairError> {
    let mut out = [0; 32];
    hkdf_sha256_into(secret, salt, info, &mut out).map_err(|_| PairError::Malformed("key material"))?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::tests::random;

    struct Companion {
        identity: Pair,
        ephemeral: Pair,
        wrapped: [u8; 80],
    }

    fn companion(code: &str, random: &mut Random) -> Companion {
        let ephemeral = Pair::generate(random);
        let wrapped = PairCodeUtils::encrypt_ephemeral_pub(&ephemeral.public(), code);
        Companion { identity: Pair::generate(random), ephemeral, wrapped }
    }

    impl Companion {
        fn answer(&self, code: &str, hello: &PrimaryHello) -> (Vec<u8>, [u8; 32]) {
            let theirs = PairCodeUtils::decrypt_primary_ephemeral_pub(&hello.wrapped_ephemeral, code);
            PairCodeUtils::prepare_key_bundle(
                self.ephemeral.key_pair(),
                &theirs.unwrap(),
                &hello.identity,
                self.identity.key_pair(),
            )
            .unwrap()
        }
    }

    #[test]
    fn both_sides_find_the_same_secret_and_a_wrong_code_is_noticed() {
        let mut random = random(1);
        let keys = Keys::generate(0, &mut random);
        let code = PairCodeUtils::generate_code();
        let device = companion(&code, &mut random);
        let identity = device.identity.public();

        let (typed, hello) = TypedCode::enter(&keys, &code, &device.wrapped, &mut random).unwrap();
        let (bundle, secret) = device.answer(&code, &hello);
        assert_eq!(typed.finish(&keys, &bundle, &identity), Ok(secret));
        let other = Pair::generate(&mut random).public();
        assert_eq!(typed.finish(&keys, &bundle, &other), Err(PairError::BadSignature));
        assert!(matches!(typed.finish(&keys, &bundle[1..], &identity), Err(PairError::Malformed(_))));

        // Another code unwraps another key; stretching one more for that would only take time.
        let wrong = TypedCode { companion: Pair::generate(&mut random).public(), ..typed };
        assert_eq!(wrong.finish(&keys, &bundle, &identity), Err(PairError::WrongCode));
        assert!(TypedCode::enter(&keys, &code, &device.wrapped[1..], &mut random).is_err());
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        for (typed, code) in [
            ("ABCD-1234", Some("ABCD1234")),
            ("abcd1234", Some("ABCD1234")),
            (" abcd 1234 ", Some("ABCD1234")),
            ("ABCD-123", None),
            ("ABCD-12345", None),
            ("ABCD-O234", None),
            ("", None),
        ] {
            assert_eq!(normalize(typed).ok().as_deref(), code, "{typed}");
        }
    }
}
