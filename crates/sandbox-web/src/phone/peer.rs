//! What a phone says to its own companions, and what they ask of it.
//!
//! A companion that has just been linked waits for two things: the keys of the app state, and the
//! history. Later it may ask for a key it misses or for older messages. These go as ordinary
//! encrypted messages from the account to itself (`category="peer"`).

use super::sync_key::SyncKey;
use waproto::{
    buffa::{Message as _, MessageField},
    codec,
    whatsapp::{self as wa, history_sync::HistorySyncType, message::protocol_message::Type},
};
use zlib_rs::{DeflateConfig, ReturnCode, compress_bound, compress_slice};

/// One chat of a history.
#[derive(Clone, Debug, Default)]
pub struct Chat {
    /// The chat's address.
    pub jid: String,
    /// A group's subject or the address book's name.
    pub name: Option<String>,
    /// Messages not read yet.
    pub unread: u32,
    /// In the archive.
    pub archived: bool,
    /// When it was pinned, seconds.
    pub pinned: Option<u32>,
    /// Muted until, milliseconds.
    pub muted_until: Option<u64>,
    /// Newest first, as phones send them.
    pub messages: Vec<Past>,
}

/// One message of a history.
#[derive(Clone, Debug)]
pub struct Past {
    /// The message's id.
    pub id: String,
    /// Sent by this account.
    pub from_me: bool,
    /// Who wrote it, in a group.
    pub participant: Option<String>,
    /// The name the writer goes by.
    pub push_name: Option<String>,
    /// Seconds.
    pub timestamp: u64,
    /// What was written.
    pub message: wa::Message,
}

/// A piece of history.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The chats with their messages.
    pub chats: Vec<Chat>,
    /// Address and push name.
    pub push_names: Vec<(String, String)>,
    /// Phone-number address and LID of the same person.
    pub addresses: Vec<(String, String)>,
    /// 0 for the first piece.
    pub chunk: u32,
    /// Per cent.
    pub progress: u32,
    /// From which a companion makes tokens for people who gave it none.
    pub salt: Option<Vec<u8>>,
}

/// Which history this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The first one after linking.
    Bootstrap,
    /// More of the recent past.
    Recent,
    /// All there is.
    Full,
    /// Only push names.
    PushNames,
    /// What a companion asked for.
    OnDemand,
}

impl Kind {
    fn sync(self) -> HistorySyncType {
        match self {
            Self::Bootstrap => HistorySyncType::INITIAL_BOOTSTRAP,
            Self::Recent => HistorySyncType::RECENT,
            Self::Full => HistorySyncType::FULL,
            Self::PushNames => HistorySyncType::PUSH_NAME,
            Self::OnDemand => HistorySyncType::ON_DEMAND,
        }
    }

    fn announced(self) -> wa::message::HistorySyncType {
        match self {
            Self::Bootstrap => wa::message::HistorySyncType::INITIAL_BOOTSTRAP,
            Self::Recent => wa::message::HistorySyncType::RECENT,
            Self::Full => wa::message::HistorySyncType::FULL,
            Self::PushNames => wa::message::HistorySyncType::PUSH_NAME,
            Self::OnDemand => wa::message::HistorySyncType::ON_DEMAND,
        }
    }
}

/// The message that shares app-state keys.
pub fn key_share(keys: &[SyncKey]) -> wa::Message {
    let keys = keys.iter().map(SyncKey::share).collect();
    protocol(wa::message::ProtocolMessage {
        r#type: Some(Type::APP_STATE_SYNC_KEY_SHARE),
        app_state_sync_key_share: wa::message::AppStateSyncKeyShare { keys }.into(),
        ..Default::default()
    })
}

/// The message that brings a piece of history, compressed inside. `asked_by` is the id of the
/// companion's request, for history on demand.
pub fn history(kind: Kind, history: &History, asked_by: Option<&str>) -> wa::Message {
    let sync = wa::HistorySync {
        sync_type: kind.sync(),
        conversations: history.chats.iter().map(conversation).collect(),
        chunk_order: Some(history.chunk),
        progress: Some(history.progress),
        nct_salt: history.salt.clone(),
        pushnames: history.push_names.iter().map(push_name).collect(),
        phone_number_to_lid_mappings: history.addresses.iter().map(address).collect(),
        ..Default::default()
    };
    let payload = compress(&codec::history_sync_to_vec(&sync));
    protocol(wa::message::ProtocolMessage {
        r#type: Some(Type::HISTORY_SYNC_NOTIFICATION),
        history_sync_notification: wa::message::HistorySyncNotification {
            file_length: Some(payload.len() as u64),
            sync_type: Some(kind.announced()),
            chunk_order: Some(history.chunk),
            progress: Some(history.progress),
            initial_hist_bootstrap_inline_payload: Some(payload),
            peer_data_request_session_id: asked_by.map(str::to_owned),
            ..Default::default()
        }
        .into(),
        ..Default::default()
    })
}

/// A message that a companion asked to have again.
#[derive(Clone, Debug)]
pub struct Again {
    /// The chat's address, a person's number unless the phone does not know it.
    pub chat: String,
    /// The message's id.
    pub id: String,
    /// What the phone remembers of it, if it does.
    pub past: Option<Past>,
}

/// The message that answers a companion's request for messages, by the request's id.
pub fn again(messages: &[Again], asked_by: &str) -> wa::Message {
    use wa::message::PeerDataOperationRequestResponseMessage as Response;
    use wa::message::PeerDataOperationRequestType::PLACEHOLDER_MESSAGE_RESEND;
    protocol(wa::message::ProtocolMessage {
        r#type: Some(Type::PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE),
        peer_data_operation_request_response_message: Response {
            peer_data_operation_request_type: Some(PLACEHOLDER_MESSAGE_RESEND),
            stanza_id: Some(asked_by.to_owned()),
            peer_data_operation_result: messages.iter().map(one_again).collect(),
        }
        .into(),
        ..Default::default()
    })
}

fn one_again(again: &Again) -> wa::message::peer_data_operation_request_response_message::PeerDataOperationResult {
    use wa::message::peer_data_operation_request_response_message::PeerDataOperationResult as Answer;
    use wa::message::peer_data_operation_request_response_message::peer_data_operation_result::PlaceholderMessageResendResponse;
    let info = match &again.past {
        Some(past) => web_message(&again.chat, past),
        None => wa::WebMessageInfo {
            key: wa::MessageKey {
                remote_jid: Some(again.chat.clone()),
                id: Some(again.id.clone()),
                ..Default::default()
            }
            .into(),
            ..Default::default()
        },
    };
    let bytes = PlaceholderMessageResendResponse { web_message_info_bytes: Some(info.encode_to_vec()) };
    Answer { placeholder_message_resend_response: bytes.into(), ..Default::default() }
}

fn protocol(message: wa::message::ProtocolMessage) -> wa::Message {
    wa::Message { protocol_message: message.into(), ..Default::default() }
}

fn conversation(chat: &Chat) -> wa::Conversation {
    let newest = chat.messages.first().map(|message| message.timestamp);
    wa::Conversation {
        id: chat.jid.clone(),
        name: chat.name.clone(),
        unread_count: Some(chat.unread),
        archived: chat.archived.then_some(true),
        pinned: chat.pinned,
        mute_end_time: chat.muted_until,
        last_msg_timestamp: newest,
        conversation_timestamp: newest,
        messages: chat.messages.iter().map(|past| past_message(&chat.jid, past)).collect(),
        ..Default::default()
    }
}

fn past_message(chat: &str, past: &Past) -> wa::HistorySyncMsg {
    wa::HistorySyncMsg { message: MessageField::some(web_message(chat, past)), msg_order_id: Some(past.timestamp) }
}

fn web_message(chat: &str, past: &Past) -> wa::WebMessageInfo {
    let secret = past.message.message_context_info.message_secret.clone();
    wa::WebMessageInfo {
        key: wa::MessageKey {
            remote_jid: Some(chat.to_owned()),
            from_me: Some(past.from_me),
            id: Some(past.id.clone()),
            participant: past.participant.clone(),
        }
        .into(),
        message: past.message.clone().into(),
        message_timestamp: Some(past.timestamp),
        participant: past.participant.clone(),
        push_name: past.push_name.clone(),
        message_secret: secret,
        ..Default::default()
    }
}

fn push_name((id, name): &(String, String)) -> wa::Pushname {
    wa::Pushname { id: Some(id.clone()), pushname: Some(name.clone()) }
}

fn address((number, lid): &(String, String)) -> wa::PhoneNumberToLIDMapping {
    wa::PhoneNumberToLIDMapping { pn_jid: Some(number.clone()), lid_jid: Some(lid.clone()) }
}

fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0; compress_bound(bytes.len())];
    let (written, code) = compress_slice(&mut out, bytes, DeflateConfig::default());
    let length = written.len();
    debug_assert!(matches!(code, ReturnCode::Ok), "the bound leaves room for any input");
    out.truncate(length);
    out
}

/// What a companion asks of the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// App-state keys it misses, by id.
    Keys(Vec<Vec<u8>>),
    /// Older messages of a chat.
    History {
        /// The chat.
        chat: String,
        /// The oldest message it has, if it has any.
        before: Option<String>,
        /// How many more.
        count: usize,
    },
    /// All history.
    FullHistory,
    /// Messages it could not decrypt or lost, by chat and id.
    Resend(Vec<(String, String)>),
    /// A collection of the app state whose hashes no longer fit.
    Recovery(String),
    /// Something this phone does not do.
    Other,
}

/// Most messages a phone sends for one request.
const HISTORY: i32 = 500;

/// Reads a companion's request; `None` if the message is none.
pub fn request(message: &wa::Message) -> Option<Request> {
    let protocol = message.protocol_message.as_option()?;
    if let Some(wanted) = protocol.app_state_sync_key_request.as_option() {
        let ids = wanted.key_ids.iter().filter_map(|id| id.key_id.clone());
        return Some(Request::Keys(ids.collect()));
    }
    let asked = protocol.peer_data_operation_request_message.as_option()?;
    if let Some(history) = asked.history_sync_on_demand_request.as_option() {
        return Some(Request::History {
            chat: history.chat_jid.clone().unwrap_or_default(),
            before: history.oldest_msg_id.clone().filter(|id| !id.is_empty()),
            count: history.on_demand_msg_count.unwrap_or(50).clamp(0, HISTORY) as usize,
        });
    }
    if asked.full_history_sync_on_demand_request.is_set() {
        return Some(Request::FullHistory);
    }
    if let Some(recovery) = asked.syncd_collection_fatal_recovery_request.as_option() {
        return Some(Request::Recovery(recovery.collection_name.clone().unwrap_or_default()));
    }
    let keys = asked.placeholder_message_resend_request.iter().map(|it| &it.message_key);
    let keys: Vec<_> = keys.filter_map(|key| Some((key.remote_jid.clone()?, key.id.clone()?))).collect();
    Some(if keys.is_empty() { Request::Other } else { Request::Resend(keys) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::tests::random;
    use wacore_binary::zlib_pool::decompress_zlib_pooled;

    #[test]
    fn shared_keys_have_the_shape_companions_look_for() {
        let key = SyncKey::generate(7, 42, 1_700_000_000, &mut random(1));
        let message = key_share(std::slice::from_ref(&key));
        let protocol = message.protocol_message.as_option().unwrap();
        assert_eq!(protocol.r#type, Some(Type::APP_STATE_SYNC_KEY_SHARE));
        let shared = &protocol.app_state_sync_key_share.keys[0];
        assert_eq!(shared.key_id.key_id.as_deref(), Some(key.id()));
        assert_eq!(shared.key_data.key_data.as_deref().map(<[u8]>::len), Some(32));
        assert_eq!(shared.key_data.fingerprint.raw_id, Some(42));
        assert_eq!(shared.key_data.timestamp, Some(1_700_000_000));
    }

    #[test]
    fn companions_unpack_the_history() {
        let said = wa::Message { conversation: Some("long ago".into()), ..Default::default() };
        let past = Past {
            id: "3A01".into(),
            from_me: false,
            participant: None,
            push_name: Some("Ann".into()),
            timestamp: 1_700_000_000,
            message: said,
        };
        let chats = (0..50).map(|at| Chat {
            jid: format!("{at}@s.whatsapp.net"),
            unread: 2,
            messages: vec![past.clone()],
            ..Default::default()
        });
        let names = vec![("1@s.whatsapp.net".into(), "Ann".into())];
        let addresses = vec![("1@s.whatsapp.net".into(), "9@lid".into())];
        let piece =
            History { chats: chats.collect(), push_names: names, addresses, chunk: 1, progress: 100, salt: None };
        let message = history(Kind::Bootstrap, &piece, None);
        let notice = &message.protocol_message.history_sync_notification;
        let payload = notice.initial_hist_bootstrap_inline_payload.as_deref().unwrap();
        assert!(payload.len() < 5_000, "{} bytes are not compressed", payload.len());
        let sync = read(payload);
        assert_eq!(sync.sync_type, HistorySyncType::INITIAL_BOOTSTRAP);
        assert_eq!(sync.conversations.len(), 50);
        let first = &sync.conversations[7].messages[0].message;
        assert_eq!(first.key.remote_jid.as_deref(), Some("7@s.whatsapp.net"));
        assert_eq!(first.message.conversation.as_deref(), Some("long ago"));
        assert_eq!(sync.pushnames[0].pushname.as_deref(), Some("Ann"));
        assert_eq!(sync.phone_number_to_lid_mappings[0].lid_jid.as_deref(), Some("9@lid"));
    }

    fn read(payload: &[u8]) -> wa::HistorySync {
        let bytes = decompress_zlib_pooled(payload, 1 << 20).unwrap();
        codec::history_sync_decode(&bytes).unwrap()
    }

    #[test]
    fn requests_are_understood() {
        use wa::message::{
            AppStateSyncKeyId, AppStateSyncKeyRequest, PeerDataOperationRequestMessage,
            peer_data_operation_request_message::HistorySyncOnDemandRequest,
        };
        let ids = vec![AppStateSyncKeyId { key_id: Some(vec![1; 6]) }];
        let keys = protocol(wa::message::ProtocolMessage {
            app_state_sync_key_request: AppStateSyncKeyRequest { key_ids: ids }.into(),
            ..Default::default()
        });
        assert_eq!(request(&keys), Some(Request::Keys(vec![vec![1; 6]])));
        let older = protocol(wa::message::ProtocolMessage {
            peer_data_operation_request_message: PeerDataOperationRequestMessage {
                history_sync_on_demand_request: HistorySyncOnDemandRequest {
                    chat_jid: Some("1@lid".into()),
                    oldest_msg_id: Some("3A".into()),
                    on_demand_msg_count: Some(i32::MAX),
                    ..Default::default()
                }
                .into(),
                ..Default::default()
            }
            .into(),
            ..Default::default()
        });
        let history = Request::History { chat: "1@lid".into(), before: Some("3A".into()), count: 500 };
        assert_eq!(request(&older), Some(history));
        assert_eq!(request(&wa::Message::default()), None);
        assert_eq!(request(&protocol(Default::default())), None);
    }
}
