//! Asking the phone for one message, as WhatsApp's own clients do.
//!
//! The library has a call for it too, which asks once a day: a request that went down with its connection would not be
//! repeated.

use wacore::messages::MessageUtils;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use waproto::whatsapp as wa;
use waproto::whatsapp::message::PeerDataOperationRequestMessage;
use waproto::whatsapp::message::PeerDataOperationRequestType::PLACEHOLDER_MESSAGE_RESEND;
use waproto::whatsapp::message::peer_data_operation_request_message::PlaceholderMessageResendRequest;
use waproto::whatsapp::message::protocol_message::Type;
use whatsapp_rust::Client;

use crate::backend::Wanted;

pub(super) async fn send(client: &Client, id: &str, wanted: &Wanted) -> anyhow::Result<()> {
    let own = [client.lid(), client.pn()].into_iter().flatten().map(|jid| jid.to_non_ad());
    let own: Vec<Jid> = own.collect();
    let phone = own.first().ok_or_else(|| anyhow::anyhow!("the account is not linked"))?;
    let message = message(client, wanted, &own).await?;
    let signal = client.signal();
    signal.assert_sessions(std::slice::from_ref(phone)).await?;
    let (kind, sealed) = signal.encrypt_message(phone, &MessageUtils::encode_and_pad(&message)).await?;
    let opens = kind == wacore::message_processing::EncType::PreKeyMessage;
    let device = client.persistence_manager().get_device_snapshot();
    let identity = wacore::send::needs_device_identity(opens, device.account.as_deref())?;
    let enc = NodeBuilder::new("enc").attr("v", "2").attr("type", kind.as_wire_str()).bytes(sealed).build();
    let identity = identity.map(|identity| NodeBuilder::new("device-identity").bytes(identity).build());
    let meta = NodeBuilder::new("meta").attr("appdata", "default").build();
    let children: Vec<Node> = [meta, enc].into_iter().chain(identity).collect();
    let options = wacore::send::peer_message_options_from_message(&message);
    let stanza = NodeBuilder::new("message")
        .attr("to", phone.clone())
        .attr("id", id)
        .attr("type", "text")
        .attr("category", "peer")
        .attr("push_priority", options.push_priority().as_str())
        .children(children)
        .build();
    Ok(client.send_node(stanza).await?)
}

/// Phones know people by their hidden address, if they have one.
async fn hidden(client: &Client, jid: &Jid) -> Jid {
    match client.get_lid_pn_entry(jid).await {
        Ok(Some(known)) if !jid.is_lid() => Jid::lid(&*known.lid),
        _ => jid.to_non_ad(),
    }
}

async fn message(client: &Client, wanted: &Wanted, own: &[Jid]) -> anyhow::Result<wa::Message> {
    let (chat, sender): (Jid, Jid) = (wanted.chat.parse()?, wanted.sender.parse()?);
    let from_me = own.contains(&sender.to_non_ad());
    // Where a chat has one writer besides us, its address is the writer's.
    let participant = match from_me || chat.is_pn() || chat.is_lid() {
        true => None,
        false => Some(hidden(client, &sender).await.to_string()),
    };
    let chat = if chat.is_pn() { hidden(client, &chat).await } else { chat };
    let key = wa::MessageKey {
        remote_jid: Some(chat.to_string()),
        from_me: Some(from_me),
        id: Some(wanted.id.clone()),
        participant,
    };
    let asked = PeerDataOperationRequestMessage {
        peer_data_operation_request_type: Some(PLACEHOLDER_MESSAGE_RESEND),
        placeholder_message_resend_request: vec![PlaceholderMessageResendRequest { message_key: key.into() }],
        ..Default::default()
    };
    let protocol = wa::message::ProtocolMessage {
        r#type: Some(Type::PEER_DATA_OPERATION_REQUEST_MESSAGE),
        peer_data_operation_request_message: asked.into(),
        ..Default::default()
    };
    Ok(wa::Message { protocol_message: protocol.into(), ..Default::default() })
}
