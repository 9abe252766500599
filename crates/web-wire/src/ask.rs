//! What is asked of a linked account over its connection, and the answers.
//!
//! A question travels as its name and its fields, an answer as JSON of the type named beside it, so that any process
//! can put a question to the one that holds the connection.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::jid::Jid;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", content = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// → [`Code`]. A code to type on the phone instead of scanning.
    PairingCode { phone: String },
    /// → nothing. Unlinks at WhatsApp; everything kept for the account is wiped.
    Logout,
    /// → [`Refreshed`].
    Refresh(Refresh),
    /// → nothing. The owner's signature under the challenge: a WebAuthn assertion as JSON.
    PasskeyResponse { credential: Value },
    /// → nothing. The owner saw the code on both sides.
    PasskeyConfirm,

    /// → list of [`Checked`], in the order asked.
    CheckNumbers { phones: Vec<String> },
    /// → list of [`Person`].
    People { addresses: Vec<Jid> },
    /// → [`Picture`]; null when there is none, or none that the account may see.
    Picture(PictureAsk),
    /// → [`PictureSet`]. A JPEG in the blob store.
    SetPicture { blob: String },
    /// → nothing.
    RemovePicture,
    /// → nothing.
    SetPushName { push_name: String },
    /// → text. What the account says about itself.
    About,
    /// → nothing.
    SetAbout { text: String },
    /// → nothing.
    Presence { available: bool },
    /// → [`Business`] or null.
    Business { address: Jid },
    /// → [`Privacy`].
    Privacy,
    /// → nothing.
    SaveContact { address: Jid, full_name: String },
    /// → nothing.
    RemoveContact { address: Jid },
    /// → [`Pair`] or null: both addresses of a person.
    BothAddresses { address: Jid },
    /// → [`Pairs`].
    KnownPairs { limit: u32, offset: u32 },

    /// → nothing.
    Typing { chat: Jid, typing: bool, recording: bool },
    /// → nothing.
    MarkRead { chat: Jid, author: Option<Jid>, ids: Vec<String> },
    /// → nothing.
    Pin { chat: Jid, pinned: bool },
    /// → nothing.
    Archive { chat: Jid, archived: bool, last: Option<Last> },
    /// → nothing. `until` in milliseconds; none with `muted`: for ever.
    Mute { chat: Jid, muted: bool, until: Option<i64> },
    /// → nothing.
    Star { chat: Jid, id: String, author: Option<Jid>, own: bool, starred: bool },
    /// → nothing.
    DeleteChat { chat: Jid, last: Option<Last> },
    /// → [`File`]. Fetched, checked and decrypted into the blob store.
    Download(Download),
    /// → nothing.
    RejectCall { call_id: String, from: Jid },
}

impl Ask {
    /// Its name and its fields, as the engine carries them.
    #[must_use]
    pub fn into_parts(self) -> (String, Value) {
        let mut whole = serde_json::to_value(self).unwrap_or_default();
        let name = whole["name"].as_str().unwrap_or_default().to_owned();
        (name, whole.get_mut("ask").map(Value::take).unwrap_or_default())
    }

    pub fn of_parts(name: &str, ask: Value) -> Result<Self, serde_json::Error> {
        let whole = match ask {
            Value::Null => serde_json::json!({ "name": name }),
            ask => serde_json::json!({ "name": name, "ask": ask }),
        };
        serde_json::from_value(whole)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// `ABCD-EFGH`.
    pub code: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    pub app_state: bool,
    pub prekeys: bool,
    pub privacy: bool,
    /// Fetch as a whole what could not be brought up to date.
    pub recover: bool,
    /// Close and open the connection first.
    pub reconnect: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refreshed {
    pub was_connected: bool,
    pub was_logged_in: bool,
    pub connected: bool,
    pub logged_in: bool,
    pub app_state: Vec<Synced>,
    pub prekeys: Option<Prekeys>,
    pub privacy_fetched: Option<bool>,
    pub privacy_error: Option<String>,
    pub milliseconds: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Synced {
    pub name: String,
    pub success: bool,
    pub error: Option<String>,
    pub milliseconds: u64,
    pub recovery_requested: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prekeys {
    pub on_server: u32,
    pub uploaded: bool,
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// As it was asked.
    pub query: String,
    pub address: Jid,
    pub exists: bool,
    pub verified_name: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    pub address: Jid,
    pub hidden: Option<Jid>,
    pub about: Option<String>,
    pub picture_id: Option<String>,
    pub verified_name: Option<String>,
    pub business: bool,
    pub devices: Vec<Jid>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PictureAsk {
    pub address: Jid,
    /// Small rather than full.
    pub preview: bool,
    /// The id of the one that is known: the answer says if it is still the same.
    pub existing_id: Option<String>,
    /// The address is a community's.
    pub community: bool,
    /// A group that both are in.
    pub common_group: Option<Jid>,
    /// Of a group's link: shows its picture before one joins.
    pub invite_code: Option<String>,
    /// Of a bot.
    pub persona_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    pub id: String,
    pub url: String,
    /// `preview` or `image`.
    pub kind: String,
    pub direct_path: String,
    /// It is the one whose id was named; the answer holds no more than that.
    #[serde(default)]
    pub unchanged: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureSet {
    pub id: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Business {
    pub address: Jid,
    pub email: Option<String>,
    pub street: Option<String>,
    pub categories: Vec<Category>,
    pub options: serde_json::Map<String, Value>,
    pub timezone: Option<String>,
    pub hours: Vec<Hours>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    pub day: String,
    pub mode: String,
    pub opens: Option<String>,
    pub closes: Option<String>,
}

/// Who may see or do what; the protocol's own words (`all`, `contacts`, `none`, …).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Privacy {
    pub group_add: String,
    pub last_seen: String,
    pub about: String,
    pub picture: String,
    pub read_receipts: String,
    pub online: String,
    pub call_add: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    pub phone: Jid,
    pub hidden: Jid,
    /// Milliseconds.
    pub known_since: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairs {
    pub total: u64,
    pub pairs: Vec<Pair>,
}

/// The last message of a chat, which says up to where something is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Last {
    pub id: Option<String>,
    /// Unix seconds.
    pub at: Option<i64>,
    pub own: bool,
    pub author: Option<Jid>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    /// `image`, `video`, `audio`, `document` or `sticker`.
    pub kind: String,
    pub url: Option<String>,
    pub direct_path: Option<String>,
    /// Base64, as all that follow.
    pub media_key: String,
    pub sha256: String,
    pub encrypted_sha256: Option<String>,
    pub length: u64,
}

/// A file in the blob store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub blob: String,
    pub size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_come_back_from_their_parts() {
        let chat: Jid = "1-2@g.us".parse().unwrap();
        for ask in [
            Ask::Logout,
            Ask::About,
            Ask::CheckNumbers { phones: vec!["1".into()] },
            Ask::Pin { chat: chat.clone(), pinned: true },
            Ask::Archive { chat, archived: true, last: Some(Last::default()) },
            Ask::Picture(PictureAsk::default()),
        ] {
            let (name, fields) = ask.clone().into_parts();
            assert!(!name.is_empty());
            assert_eq!(Ask::of_parts(&name, fields).unwrap(), ask);
        }
        assert!(Ask::of_parts("unheard_of", Value::Null).is_err());
    }
}
