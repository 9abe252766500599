//! The owner's authenticator, and the server's check of what it signed.
//!
//! When an account has a passkey, WhatsApp asks for a WebAuthn assertion before it lets a companion
//! link: proof that the owner is there. The server sends request options with a challenge; the
//! authenticator signs it with a P-256 key that the server knows from the passkey's creation.

use super::blob::Blob;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The relying party of WhatsApp Web.
pub const RELYING_PARTY: &str = "web.whatsapp.com";
/// The origin in which its page asks for the signature.
pub const ORIGIN: &str = "https://web.whatsapp.com";
/// User present, user verified.
const FLAGS: u8 = 0x01 | 0x04;

/// Why an assertion is not made or not believed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PasskeyError {
    /// The options carry no readable challenge.
    #[error("no challenge: {0}")]
    NoChallenge(&'static str),
    /// The options are for another site or for other passkeys.
    #[error("this passkey is not asked for")]
    OtherPasskey,
    /// The assertion is not the JSON of one.
    #[error("malformed assertion: {0}")]
    Malformed(&'static str),
    /// It answers another challenge, is for another site, or lacks the owner's consent.
    #[error("the assertion does not match: {0}")]
    Mismatch(&'static str),
    /// The signature is wrong.
    #[error("the assertion's signature does not hold")]
    BadSignature,
    /// The system gave no randomness or the key cannot be used.
    #[error("the authenticator failed")]
    Failed,
}

/// A passkey: the private part stays here, as it would in the phone.
#[derive(Clone, Serialize, Deserialize)]
pub struct Passkey {
    id: Blob,
    user: Blob,
    key: Blob,
    counter: u32,
}

impl Passkey {
    /// A new passkey.
    pub fn generate() -> Result<Self, PasskeyError> {
        let random = SystemRandom::new();
        let key =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(|_| PasskeyError::Failed)?;
        let (mut id, mut user) = (vec![0; 20], vec![0; 16]);
        random.fill(&mut id).map_err(|_| PasskeyError::Failed)?;
        random.fill(&mut user).map_err(|_| PasskeyError::Failed)?;
        Ok(Self { id: Blob(id), user: Blob(user), key: key.as_ref().into(), counter: 0 })
    }

    /// The credential's id.
    pub fn id(&self) -> &[u8] {
        self.id.as_slice()
    }

    /// `PublicKeyCredentialRequestOptions` for a challenge: what the server hands to a companion.
    pub fn options(&self, challenge: &[u8]) -> Value {
        json!({
            "challenge": BASE64_URL_SAFE_NO_PAD.encode(challenge),
            "timeout": 60_000,
            "rpId": RELYING_PARTY,
            "allowCredentials": [{ "type": "public-key", "id": self.name() }],
            "userVerification": "required",
        })
    }

    /// The owner consents: signs the challenge of `options`, which may be the options themselves,
    /// `{publicKey: options}`, JSON text of either, or only the challenge in base64url.
    pub fn assert(&mut self, options: &Value) -> Result<Value, PasskeyError> {
        let challenge = self.asked(options)?;
        let client = json!({
            "type": "webauthn.get", "challenge": challenge, "origin": ORIGIN, "crossOrigin": false,
        })
        .to_string();
        self.counter += 1;
        let mut data = Sha256::digest(RELYING_PARTY).to_vec();
        data.push(FLAGS);
        data.extend(self.counter.to_be_bytes());
        let signature = self
            .pair()?
            .sign(&SystemRandom::new(), &signed(&data, client.as_bytes()))
            .map_err(|_| PasskeyError::Failed)?;
        Ok(json!({
            "id": self.name(),
            "rawId": self.name(),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": BASE64_URL_SAFE_NO_PAD.encode(client),
                "authenticatorData": BASE64_URL_SAFE_NO_PAD.encode(data),
                "signature": BASE64_URL_SAFE_NO_PAD.encode(signature.as_ref()),
                "userHandle": BASE64_URL_SAFE_NO_PAD.encode(self.user.as_slice()),
            },
            "clientExtensionResults": {},
        }))
    }

    /// The server's side: is this an assertion of this passkey for this challenge?
    pub fn check(&self, challenge: &[u8], assertion: &[u8]) -> Result<(), PasskeyError> {
        let assertion: Value = serde_json::from_slice(assertion).map_err(|_| PasskeyError::Malformed("not JSON"))?;
        if bytes(&assertion, "/rawId")? != self.id.as_slice() {
            return Err(PasskeyError::OtherPasskey);
        }
        let client = bytes(&assertion, "/response/clientDataJSON")?;
        self.check_client(challenge, &client)?;
        let data = bytes(&assertion, "/response/authenticatorData")?;
        if data.get(..32) != Some(&Sha256::digest(RELYING_PARTY)[..]) {
            return Err(PasskeyError::Mismatch("another relying party"));
        }
        if data.get(32).is_none_or(|flags| flags & FLAGS != FLAGS) {
            return Err(PasskeyError::Mismatch("the user was not verified"));
        }
        let signature = bytes(&assertion, "/response/signature")?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.pair()?.public_key())
            .verify(&signed(&data, &client), &signature)
            .map_err(|_| PasskeyError::BadSignature)
    }

    fn check_client(&self, challenge: &[u8], client: &[u8]) -> Result<(), PasskeyError> {
        let client: Value = serde_json::from_slice(client).map_err(|_| PasskeyError::Malformed("clientDataJSON"))?;
        if client["type"] != "webauthn.get" {
            return Err(PasskeyError::Mismatch("not an assertion"));
        }
        if client["origin"] != ORIGIN {
            return Err(PasskeyError::Mismatch("another origin"));
        }
        if bytes(&client, "/challenge")? != challenge {
            return Err(PasskeyError::Mismatch("another challenge"));
        }
        Ok(())
    }

    fn asked(&self, options: &Value) -> Result<String, PasskeyError> {
        if let Value::String(text) = options {
            return match serde_json::from_str::<Value>(text) {
                Ok(inner @ Value::Object(_)) => self.asked(&inner),
                _ => challenge(text),
            };
        }
        let options = options.get("publicKey").unwrap_or(options);
        if options["rpId"].as_str().is_some_and(|site| site != RELYING_PARTY) {
            return Err(PasskeyError::OtherPasskey);
        }
        let allowed = options["allowCredentials"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ours = |it: &Value| it["id"].as_str().is_some_and(|id| id == self.name());
        if !allowed.is_empty() && !allowed.iter().any(ours) {
            return Err(PasskeyError::OtherPasskey);
        }
        challenge(options["challenge"].as_str().unwrap_or_default())
    }

    fn name(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.id.as_slice())
    }

    fn pair(&self) -> Result<EcdsaKeyPair, PasskeyError> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, self.key.as_slice(), &SystemRandom::new())
            .map_err(|_| PasskeyError::Failed)
    }
}

fn challenge(text: &str) -> Result<String, PasskeyError> {
    match decode(text) {
        Some(bytes) if !bytes.is_empty() => Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes)),
        Some(_) => Err(PasskeyError::NoChallenge("empty")),
        None => Err(PasskeyError::NoChallenge("not base64url")),
    }
}

fn signed(data: &[u8], client: &[u8]) -> Vec<u8> {
    [data, &Sha256::digest(client)].concat()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

fn bytes(json: &Value, pointer: &'static str) -> Result<Vec<u8>, PasskeyError> {
    json.pointer(pointer).and_then(Value::as_str).and_then(decode).ok_or(PasskeyError::Malformed(pointer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use whatsapp_rust::passkey::{UserVerification, parse_request_options};

    #[test]
    fn the_library_reads_our_options_and_we_believe_our_assertion() {
        let mut passkey = Passkey::generate().unwrap();
        let options = passkey.options(b"a challenge of the server");
        let request = parse_request_options(&options.to_string()).unwrap();
        assert_eq!(request.challenge, b"a challenge of the server");
        assert_eq!(request.rp_id.as_deref(), Some(RELYING_PARTY));
        assert_eq!(request.allow_credentials, [passkey.id().to_vec()]);
        assert_eq!(request.user_verification, UserVerification::Required);

        let bare = options["challenge"].clone();
        for asked in [options.clone(), json!({ "publicKey": options }), Value::String(options.to_string()), bare] {
            let assertion = passkey.assert(&asked).unwrap().to_string();
            let kept: Passkey = serde_json::from_str(&serde_json::to_string(&passkey).unwrap()).unwrap();
            let checked = kept.check(b"a challenge of the server", assertion.as_bytes());
            assert_eq!(checked, Ok(()), "{asked}");
        }
    }

    #[test]
    fn what_was_tampered_with_is_not_believed() {
        let mut passkey = Passkey::generate().unwrap();
        let assertion = passkey.assert(&passkey.options(b"one")).unwrap();
        let check = |assertion: &Value, challenge: &[u8]| passkey.check(challenge, assertion.to_string().as_bytes());
        let with = |pointer: &str, bytes: &[u8]| {
            let mut other = assertion.clone();
            *other.pointer_mut(pointer).unwrap() = BASE64_URL_SAFE_NO_PAD.encode(bytes).into();
            other
        };
        assert_eq!(check(&assertion, b"one"), Ok(()));
        assert_eq!(check(&assertion, b"two"), Err(PasskeyError::Mismatch("another challenge")));
        assert_eq!(check(&with("/response/signature", b"none"), b"one"), Err(PasskeyError::BadSignature));
        let mut absent = Sha256::digest(RELYING_PARTY).to_vec();
        absent.extend([0; 5]);
        assert!(matches!(check(&with("/response/authenticatorData", &absent), b"one"), Err(PasskeyError::Mismatch(_))));
        let mut stranger = Passkey::generate().unwrap();
        let theirs = stranger.assert(&stranger.options(b"one")).unwrap();
        assert_eq!(check(&theirs, b"one"), Err(PasskeyError::OtherPasskey));
        let mut posing = theirs;
        posing["rawId"] = assertion["rawId"].clone();
        assert_eq!(check(&posing, b"one"), Err(PasskeyError::BadSignature));
        assert!(matches!(passkey.check(b"one", b"{"), Err(PasskeyError::Malformed(_))));
        let foreign = stranger.options(b"one");
        assert_eq!(passkey.clone().assert(&foreign), Err(PasskeyError::OtherPasskey));
        assert!(passkey.clone().assert(&json!({ "challenge": "" })).is_err());
    }
}
