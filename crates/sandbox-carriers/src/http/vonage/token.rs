//! Tokens both ways: customers open the API with theirs (RS256), callbacks carry ours (HS256).

use std::sync::OnceLock;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use http::{HeaderMap, HeaderValue, header};
use ring::hmac;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::super::account::VONAGE_KEY;

#[derive(Deserialize)]
struct Head {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    application_id: String,
    iat: i64,
    exp: Option<i64>,
    /// Each token has one of its own.
    jti: String,
}

/// How wrong a customer's clock may be, and how old a token without an end.
const LEEWAY_S: i64 = 5 * 60;

/// The application that a token speaks for, if it is good at this time (milliseconds since 1970).
pub(super) fn application(token: &str, now: i64) -> Option<String> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let head: Head = serde_json::from_slice(&BASE64.decode(head).ok()?).ok()?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key()?);
    key.verify(signed.as_bytes(), &BASE64.decode(signature).ok()?).ok()?;
    let claims: Claims = serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?;
    let (now, end) = (now / 1000, claims.exp.unwrap_or(claims.iat.saturating_add(LEEWAY_S)));
    let good =
        head.alg == "RS256" && !claims.jti.is_empty() && claims.iat <= now.saturating_add(LEEWAY_S) && now <= end;
    good.then_some(claims.application_id)
}

/// Of [`VONAGE_KEY`].
fn public_key() -> Option<&'static [u8]> {
    static KEY: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    KEY.get_or_init(|| {
        let der = PrivatePkcs8KeyDer::from_pem_slice(VONAGE_KEY.as_bytes()).ok()?;
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok()?;
        Some(pair.public_key().as_ref().to_vec())
    })
    .as_deref()
}

/// Headers of a callback. `now`: milliseconds since 1970.
pub(super) fn headers(secret: &str, application: &str, body: &str, mark: &str, now: i64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("Vonage/1.0"));
    let claims = json!({
        "iat": now / 1000, "jti": mark, "iss": "Vonage", "payload_hash": hex::encode(Sha256::digest(body)),
        "api_key": "a1b2c3d4", "application_id": application,
    });
    let head = BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{head}.{}", BASE64.encode(claims.to_string()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = BASE64.encode(hmac::sign(&key, signed.as_bytes()));
    if let Ok(value) = HeaderValue::from_str(&format!("Bearer {signed}.{signature}")) {
        headers.insert(header::AUTHORIZATION, value);
    }
    headers
}
