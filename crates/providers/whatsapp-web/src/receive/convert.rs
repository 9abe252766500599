//! The library's words in those of `web_wire`.

use store::contacts::Address;
use wacore::types::message::{AddressingMode, MessageInfo, MessageSource};
use wacore_binary::JidExt as _;
use web_wire::event::{self, BotInfo, Content, MetaInfo, Node, Recipient, Source};
use web_wire::jid::Jid;

use crate::jids::ours;

/// The engine's addresses of one person or group.
pub(super) fn addresses(jids: &[Jid]) -> Vec<Address> {
    let neutral = jids.iter().map(Jid::to_neutral);
    neutral.map(|(kind, value)| Address { kind: kind.to_owned(), value }).collect()
}

/// As the stanza has it; see `pairs` for what it leaves out.
pub(super) fn source(source: &MessageSource) -> Source {
    let or_none = |jid: &Option<wacore_binary::Jid>| jid.as_ref().map(ours).unwrap_or_default();
    Source {
        chat: ours(&source.chat),
        sender: ours(&source.sender),
        is_from_me: source.is_from_me,
        is_group: source.is_group || source.chat.is_status_broadcast(),
        addressing_mode: match source.addressing_mode {
            Some(AddressingMode::Lid) => "lid".into(),
            Some(AddressingMode::Pn) => "pn".into(),
            None => String::new(),
        },
        sender_alt: or_none(&source.sender_alt),
        recipient_alt: or_none(&source.recipient_alt),
        broadcast_list_owner: or_none(&source.broadcast_list_owner),
        broadcast_recipients: Vec::<Recipient>::new(),
    }
}

pub(super) fn info(info: &MessageInfo, source: Source) -> event::MessageInfo {
    event::MessageInfo {
        source,
        id: info.id.clone(),
        server_id: u64::try_from(info.server_id).unwrap_or_default(),
        kind: info.r#type.clone(),
        push_name: info.push_name.clone(),
        timestamp: info.timestamp.into(),
        category: info.category.to_string(),
        multicast: info.multicast,
        media_type: info.media_type.clone(),
        edit: info.edit.to_string(),
        msg_bot_info: BotInfo::default(),
        msg_meta_info: MetaInfo::default(),
        is_newsletter_status: false,
        verified_name: None,
        device_sent_meta: None,
        is_from_api: false,
    }
}

/// A stanza as it came, for those who read stanzas.
pub(super) fn node(node: &wacore_binary::Node) -> Node {
    use wacore_binary::NodeContent;
    let content = match &node.content {
        Some(NodeContent::Nodes(nodes)) => Content::Nodes(nodes.iter().map(self::node).collect()),
        Some(NodeContent::Bytes(bytes)) => Content::Bytes(bytes.to_vec()),
        Some(NodeContent::String(text)) => Content::Bytes(text.as_bytes().to_vec()),
        None => Content::Empty,
    };
    let attrs = node.attrs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Node { tag: node.tag.to_string(), attrs, content }
}
