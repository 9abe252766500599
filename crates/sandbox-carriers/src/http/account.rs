//! Customers of the carriers, and what opens their accounts.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The one key of all applications at this Vonage, PEM. It opens nothing but the stand-in, and everybody knows it.
pub const VONAGE_KEY: &str = include_str!("vonage/key.pem");

/// An account with one of the carriers.
#[derive(Clone, Debug)]
pub struct Account {
    pub credentials: Credentials,
    /// Its numbers (E.164 with `+`) and names. Empty: it may send from any; then nobody can write to it.
    pub numbers: Vec<String>,
    /// Where the carrier brings what people write.
    pub inbound_url: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The token signs callbacks too.
    Twilio { account_sid: String, auth_token: String },
    /// Of the seed, the key that signs callbacks.
    Telnyx { api_key: String, seed: [u8; 32] },
    /// The secret signs callbacks.
    Vonage { application_id: String, signature_secret: String },
}

impl Credentials {
    /// The same for the same seed.
    #[must_use]
    pub fn twilio(seed: &str) -> Self {
        let digest = hex::encode(hash("twilio", seed));
        Self::Twilio { account_sid: format!("AC{}", &digest[..32]), auth_token: digest[32..].to_owned() }
    }

    /// The same for the same seed.
    #[must_use]
    pub fn telnyx(seed: &str) -> Self {
        Self::Telnyx {
            api_key: format!("KEY{}", &hex::encode(hash("telnyx", seed))[..40]),
            seed: hash("telnyx-seed", seed),
        }
    }

    /// The same for the same seed.
    #[must_use]
    pub fn vonage(seed: &str) -> Self {
        let digest = hash("vonage", seed);
        Self::Vonage { application_id: uuid(&digest), signature_secret: hex::encode(&digest[16..]) }
    }

    /// `twilio`, `telnyx` or `vonage`.
    #[must_use]
    pub fn carrier(&self) -> &'static str {
        match self {
            Self::Twilio { .. } => "twilio",
            Self::Telnyx { .. } => "telnyx",
            Self::Vonage { .. } => "vonage",
        }
    }

    /// What the account is called.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Twilio { account_sid, .. } => account_sid.clone(),
            // Telnyx gives customers no name in its API: a digest of the key serves.
            Self::Telnyx { api_key, .. } => uuid(&hash("telnyx-name", api_key)),
            Self::Vonage { application_id, .. } => application_id.clone(),
        }
    }
}

/// Names the account and tells no secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}({})", self.carrier(), self.name())
    }
}

impl Account {
    pub(super) fn owns(&self, number: &str) -> bool {
        self.numbers.iter().any(|own| own.trim_start_matches('+') == number.trim_start_matches('+'))
    }

    pub(super) fn may_send_from(&self, number: &str) -> bool {
        self.numbers.is_empty() || self.owns(number)
    }

    pub(super) fn introduction(&self, url: &str) -> Value {
        let (config, secrets) = match &self.credentials {
            Credentials::Twilio { account_sid, auth_token } => {
                (json!({ "account_sid": account_sid, "base_url": url }), json!({ "auth_token": auth_token }))
            }
            Credentials::Telnyx { api_key, seed } => {
                let config = json!({
                    "base_url": format!("{url}/v2"),
                    "public_key": public_key(seed),
                    "messaging_profile_id": uuid(&hash("telnyx-profile", api_key)),
                    "connection_id": "1494404757140276705",
                });
                (config, json!({ "api_key": api_key }))
            }
            Credentials::Vonage { application_id, signature_secret } => {
                let secrets = json!({ "private_key": VONAGE_KEY, "signature_secret": signature_secret });
                (json!({ "application_id": application_id, "base_url": url }), secrets)
            }
        };
        json!({
            "provider": self.credentials.carrier(),
            "external_id": self.credentials.name(),
            "config": config,
            "secrets": secrets,
        })
    }
}

/// Base64, as the carrier's console shows it.
fn public_key(seed: &[u8; 32]) -> Option<String> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    Some(BASE64_STANDARD.encode(pair.public_key().as_ref()))
}

pub(super) fn hash(purpose: &str, seed: &str) -> [u8; 32] {
    Sha256::digest(format!("{purpose}/{seed}")).into()
}

/// Of the first sixteen bytes.
pub(super) fn uuid(bytes: &[u8; 32]) -> String {
    let mut own = [0; 16];
    own.copy_from_slice(&bytes[..16]);
    (own[6], own[8]) = (own[6] & 0x0f | 0x40, own[8] & 0x3f | 0x80);
    let hex = hex::encode(own);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
