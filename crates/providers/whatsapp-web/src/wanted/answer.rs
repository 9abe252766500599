//! What the phone answers when it is asked for messages.

use std::sync::Arc;

use wacore::types::events::InboundMessage;
use wacore::types::message::{MessageInfo, MessageSource};
use wacore_binary::{Jid, JidExt as _};
use waproto::whatsapp as wa;
use waproto::whatsapp::message::PeerDataOperationRequestResponseMessage as Response;
use whatsapp_rust::Client;

use super::Asked;
use crate::backend::{Backend, Wanted};

/// What answers bring, and what needs not be asked for any more once that is committed.
#[derive(Default)]
pub(crate) struct Answers {
    pub messages: Vec<InboundMessage>,
    pub settled: Vec<Wanted>,
}

impl Answers {
    /// Those among the messages of a batch.
    pub(crate) async fn among(
        batch: &[InboundMessage],
        client: &Client,
        backend: &Backend,
        asked: &Asked,
    ) -> anyhow::Result<Self> {
        let responses: Vec<_> = batch.iter().filter_map(response).collect();
        let mut answers = Self::default();
        if responses.is_empty() {
            return Ok(answers);
        }
        let wanted = backend.wanted().await?;
        for response in responses {
            let request = response.stanza_id.as_deref().unwrap_or_default();
            for result in &response.peer_data_operation_result {
                let Some(given) = result.placeholder_message_resend_response.as_option() else { continue };
                match &given.web_message_info_bytes {
                    Some(bytes) => answers.take(bytes, &wanted, client, backend).await?,
                    None => answers.settled.extend(asked.of(request)),
                }
            }
        }
        Ok(answers)
    }

    async fn take(
        &mut self,
        bytes: &[u8],
        wanted: &[Wanted],
        client: &Client,
        backend: &Backend,
    ) -> anyhow::Result<()> {
        let Ok(mut given) = waproto::codec::web_message_info_decode(bytes) else {
            tracing::warn!("a message that the phone gives again cannot be read");
            return Ok(());
        };
        let message = given.message.take();
        let Some(answered) = named(&given, client) else { return Ok(()) };
        let wanted = match noted(wanted, &answered, backend).await? {
            Some(wanted) => wanted,
            None => answered,
        };
        let here = backend.is_here(&wanted).await?;
        match message {
            Some(message) if !here => self.messages.extend(again(&given, message, &wanted)),
            None if !here => tracing::warn!(id = wanted.id, "a message that was lost is not on the phone either"),
            _ => {}
        }
        self.settled.push(wanted);
        Ok(())
    }
}

/// Only the phone answers, and nobody else's.
fn response(inbound: &InboundMessage) -> Option<&Response> {
    let source = &inbound.info.source;
    if !source.is_from_me || source.sender.device != 0 {
        return None;
    }
    inbound.message.protocol_message.as_option()?.peer_data_operation_request_response_message.as_option()
}

/// The message that an answer is about, as the phone names it.
fn named(given: &wa::WebMessageInfo, client: &Client) -> Option<Wanted> {
    let key = given.key.as_option()?;
    let chat = key.remote_jid.clone()?;
    let sender = match (&key.participant, key.from_me) {
        (Some(participant), _) => participant.clone(),
        (None, Some(true)) => client.pn()?.to_non_ad().to_string(),
        (None, _) => chat.clone(),
    };
    Some(Wanted { chat, sender, id: key.id.clone().filter(|id| !id.is_empty())?, late: false })
}

/// The same message as its stanza named it, if it was noted.
async fn noted(wanted: &[Wanted], answered: &Wanted, backend: &Backend) -> anyhow::Result<Option<Wanted>> {
    let (chats, senders) = (backend.names(&answered.chat).await?, backend.names(&answered.sender).await?);
    for wanted in wanted.iter().filter(|wanted| wanted.id == answered.id) {
        let chat = backend.names(&wanted.chat).await?.iter().any(|name| chats.contains(name));
        if chat && backend.names(&wanted.sender).await?.iter().any(|name| senders.contains(name)) {
            return Ok(Some(wanted.clone()));
        }
    }
    Ok(None)
}

/// The message as if its stanza had been opened now.
fn again(given: &wa::WebMessageInfo, message: wa::Message, wanted: &Wanted) -> Option<InboundMessage> {
    let (chat, sender): (Jid, Jid) = (wanted.chat.parse().ok()?, wanted.sender.parse().ok()?);
    let source = MessageSource {
        is_from_me: given.key.as_option()?.from_me == Some(true),
        is_group: chat.is_group(),
        chat,
        sender,
        ..MessageSource::default()
    };
    let at = given.message_timestamp.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or_default();
    let info = MessageInfo {
        source,
        id: wanted.id.clone(),
        r#type: wacore::send::stanza_type_from_message(&message).to_owned(),
        push_name: given.push_name.clone().unwrap_or_default(),
        timestamp: wacore::time::from_secs_or_now(at),
        is_offline: wanted.late,
        ..MessageInfo::default()
    };
    Some(InboundMessage::builder().message(Arc::new(message)).info(Arc::new(info)).build())
}
