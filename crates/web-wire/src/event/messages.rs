use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Event, MessageInfo, Source, Time, named};
use crate::jid::Jid;
use crate::message::{self, Unwrapped};

/// A message was received, sent from another device of the account, or echoed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Message {
    pub info: MessageInfo,
    /// Without its wrappers, in Go's spelling like all parts that are protobuf.
    pub message: Value,
    pub is_ephemeral: bool,
    pub is_view_once: bool,
    pub is_view_once_v2: bool,
    pub is_view_once_v2_extension: bool,
    pub is_document_with_caption: bool,
    pub is_lottie_sticker: bool,
    pub is_bot_invoke: bool,
    pub is_edit: bool,
    /// `WebMessageInfo`, of a message out of the history.
    pub source_web_msg: Option<Value>,
    #[serde(rename = "UnavailableRequestID")]
    pub unavailable_request_id: String,
    pub retry_count: u32,
    pub newsletter_meta: Option<NewsletterMeta>,
    pub raw_message: Value,
}

impl Message {
    /// Takes the wrappers off, notes each, and fills `info` with what they tell.
    pub fn new(mut info: MessageInfo, raw_message: Value) -> Self {
        let Unwrapped { message, wrappers, device_sent } = message::unwrap(&raw_message);
        if device_sent.is_some() {
            info.device_sent_meta = device_sent;
        }
        Self {
            info,
            message: message.clone(),
            is_ephemeral: wrappers.ephemeral,
            is_view_once: wrappers.view_once,
            is_view_once_v2: wrappers.view_once_v2,
            is_view_once_v2_extension: wrappers.view_once_v2_extension,
            is_document_with_caption: wrappers.document_with_caption,
            is_lottie_sticker: wrappers.lottie_sticker,
            is_bot_invoke: wrappers.bot_invoke,
            is_edit: wrappers.edited,
            source_web_msg: None,
            unavailable_request_id: String::new(),
            retry_count: 0,
            newsletter_meta: None,
            raw_message,
        }
    }

    /// What was sent through the API, told as if another device had sent it.
    pub fn echo(mut info: MessageInfo, raw_message: Value) -> Self {
        info.kind = message::type_of(&raw_message).to_owned();
        info.media_type = message::media_type(&raw_message).to_owned();
        info.edit = message::edit_of(&raw_message).to_owned();
        info.is_from_api = true;
        Self::new(info, raw_message)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NewsletterMeta {
    #[serde(rename = "EditTS")]
    pub edited: Time,
    #[serde(rename = "OriginalTS")]
    pub original: Time,
}

/// A message could not be read; it may come again, and then as a [`Message`].
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UndecryptableMessage {
    pub info: MessageInfo,
    /// The sender made no copy for this device.
    pub is_unavailable: bool,
    /// `view_once` or nothing.
    pub unavailable_type: String,
    /// `hide` or nothing.
    pub decrypt_fail_mode: String,
}

/// Messages were delivered, or read by a peer or on another device of the account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Receipt {
    #[serde(flatten)]
    pub source: Source,
    #[serde(rename = "MessageIDs")]
    pub ids: Vec<String>,
    pub timestamp: Time,
    /// As on the wire: nothing means delivered.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Of a foreign message that this account read in a group.
    pub message_sender: Jid,
}

impl Receipt {
    /// The word told beside the receipt. Receipts of the kinds that have none are not told at all.
    pub fn state(&self) -> Option<&'static str> {
        match self.kind.as_str() {
            "" => Some("Delivered"),
            "read" => Some("Read"),
            "read-self" => Some("ReadSelf"),
            _ => None,
        }
    }
}

impl Event for Receipt {
    fn kind(&self) -> &'static str {
        "ReadReceipt"
    }

    fn extras(&self) -> Map<String, Value> {
        self.state().map(|state| ("state".to_owned(), state.into())).into_iter().collect()
    }
}

/// The phone answered our wish that it upload a file again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MediaRetry {
    #[serde(serialize_with = "base64_or_null")]
    pub ciphertext: Option<Vec<u8>>,
    #[serde(rename = "IV", serialize_with = "base64_or_null")]
    pub iv: Option<Vec<u8>>,
    pub error: Option<MediaRetryError>,
    pub timestamp: Time,
    #[serde(rename = "MessageID")]
    pub message_id: String,
    #[serde(rename = "ChatID")]
    pub chat: Jid,
    /// In groups only.
    #[serde(rename = "SenderID")]
    pub sender: Jid,
    pub from_me: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MediaRetryError {
    pub code: i64,
}

fn base64_or_null<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    bytes.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(serializer)
}

named!(Message UndecryptableMessage MediaRetry);
