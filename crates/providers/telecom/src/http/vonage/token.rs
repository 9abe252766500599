//! Tokens that open Vonage's API: JWT, signed with the application's RSA key (RS256), each good for a few minutes.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use engine::Id;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

/// Long enough for a clock that is a little wrong.
const GOOD_FOR_S: i64 = 15 * 60;

pub(super) struct Key(RsaKeyPair);

impl Key {
    /// PEM, as Vonage hands it out or in the older form.
    pub(super) fn read(pem: &str) -> Option<Self> {
        // Pasted into one line of JSON, its ends of lines may have become two letters each.
        let pem = pem.replace("\\n", "\n");
        let pair = match PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()? {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return None,
        };
        pair.ok().map(Self)
    }

    /// `now`: milliseconds since 1970. A message that is tried again has a new moment, and so a new token.
    pub(super) fn token(&self, application: &str, message: Id, now: i64) -> Option<String> {
        let issued = now / 1000;
        let claims = json!({
            "application_id": application,
            "iat": issued,
            "exp": issued + GOOD_FOR_S,
            "jti": format!("{}-{now}", message.hex24()),
        });
        let head = BASE64.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
        let signed = format!("{head}.{}", BASE64.encode(claims.to_string()));
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", BASE64.encode(signature)))
    }
}
