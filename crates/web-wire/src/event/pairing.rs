use serde::Serialize;
use serde_json::{Map, Value};

use super::{Event, Time, named};
use crate::jid::Jid;

/// A code to scan; the next one takes its place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Qr {
    /// The text in the picture.
    pub code: String,
    /// A PNG as a data URL, if it was drawn.
    #[serde(rename = "qrCodeBase64", skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// The family tells the code beside a word.
impl Event for Qr {
    fn kind(&self) -> &'static str {
        "QR"
    }

    fn event(&self) -> Value {
        "code".into()
    }

    fn extras(&self) -> Map<String, Value> {
        let picture = self.picture.as_deref().map(|picture| ("qrCodeBase64".to_owned(), picture.into()));
        [("code".to_owned(), self.code.as_str().into())].into_iter().chain(picture).collect()
    }
}

/// A phone linked the account; the connection is made anew next.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PairSuccess {
    #[serde(rename = "ID")]
    pub id: Jid,
    #[serde(rename = "LID")]
    pub lid: Jid,
    pub business_name: String,
    pub platform: String,
    pub props: Option<Value>,
}

/// A phone would have linked the account, but we could not finish.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PairError {
    #[serde(flatten)]
    pub pairing: PairSuccess,
    error: Map<String, Value>,
}

impl PairError {
    /// Go prints an error without its message.
    pub fn new(pairing: PairSuccess) -> Self {
        Self { pairing, error: Map::new() }
    }
}

/// Linking waits for the owner's passkey. Ours: the family knows no such event.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct PairPasskeyRequest {
    /// A WebAuthn `PublicKeyCredentialRequestOptions`.
    pub challenge: Value,
    pub expires: Time,
}

/// The code to type is good no longer; another has to be asked for. Ours: the family knows no such event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PairingCodeRefresh {
    /// WhatsApp wants the owner to ask for it.
    pub force_manual: bool,
    /// Nobody typed it in time.
    pub expired: bool,
}

named!(PairSuccess PairError PairPasskeyRequest PairingCodeRefresh);
