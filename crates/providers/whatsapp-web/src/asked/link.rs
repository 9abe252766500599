//! Linking and unlinking.

use std::sync::Arc;

use engine::sessions::CallError;
use serde_json::Value;
use web_wire::ask::Code;
use whatsapp_rust::Client;
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::passkey::Assertion;

use super::errors;
use crate::live::Connection;

pub(super) async fn pairing_code(client: &Arc<Client>, phone: String) -> Result<Code, CallError> {
    if client.pn().is_some() {
        return Err(CallError::Invalid("already paired".into()));
    }
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let options = PairCodeOptions { phone_number: digits, ..PairCodeOptions::default() };
    let code = client.pair_with_code(options).await.map_err(errors::of)?;
    Ok(Code { code: hyphened(&code) })
}

/// As people read it: two halves.
pub(crate) fn hyphened(code: &str) -> String {
    match (code.len(), code.is_ascii(), code.contains('-')) {
        (8, true, false) => format!("{}-{}", &code[..4], &code[4..]),
        _ => code.to_owned(),
    }
}

/// The owner's signature under the challenge, as browsers give it.
pub(super) async fn passkey_response(live: &Connection, credential: Value) -> Result<(), CallError> {
    let text = |path: &[&str]| {
        let found = path.iter().try_fold(&credential, |value, name| value.get(name));
        found.and_then(Value::as_str).map(str::to_owned)
    };
    let malformed = |what: &str| CallError::Invalid(format!("the credential's {what} is missing or not base64url"));
    let bytes = |path: &[&str], what: &str| {
        use base64::Engine as _;
        let text = text(path).ok_or_else(|| malformed(what))?;
        let plain = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(plain).map_err(|_| malformed(what))
    };
    let assertion =
        Assertion { assertion_json: credential.to_string().into_bytes(), credential_id: bytes(&["id"], "id")? };
    let _ = (
        bytes(&["response", "clientDataJSON"], "response.clientDataJSON")?,
        bytes(&["response", "signature"], "response.signature")?,
    );
    live.client.send_passkey_response(assertion).await.map_err(errors::of)
}

pub(super) async fn passkey_confirm(live: &Connection) -> Result<(), CallError> {
    live.client.send_passkey_confirmation().await.map_err(errors::of)
}

/// The session's own task hears of it and wipes what was kept.
pub(super) async fn logout(client: &Arc<Client>) {
    client.logout().await;
}

#[cfg(test)]
mod tests {
    use super::hyphened;

    #[test]
    fn codes_are_shown_in_halves() {
        assert_eq!(hyphened("ABCDEFGH"), "ABCD-EFGH");
        assert_eq!(hyphened("ABCD-EFGH"), "ABCD-EFGH");
    }
}
