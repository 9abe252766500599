//! What came of a message of ours.

use store::messages::{Direction, Message, Status};
use store::senders::Sender;
use store::{Result, Tx};

use super::Intake;
use crate::events::{self, MessageData, Note};
use crate::{billing, facts, outbound, verification};

impl Intake<'_> {
    pub(super) async fn receipt(&mut self, tx: &mut Tx, fact: &facts::Receipt) -> Result<()> {
        let Some(sender) = self.sender(tx, &fact.sender).await? else { return Ok(()) };
        let Some(mut message) = find(tx, &sender, fact).await? else {
            tracing::debug!(provider_id = fact.provider_id, "a receipt for a message that we do not have");
            return Ok(());
        };
        if message.provider_id.as_deref().is_some_and(|known| known != fact.provider_id) {
            outbound::doubled(tx, self.engine, &mut message, &fact.provider_id).await?;
        }
        let first = message.provider_id.is_none() || message.status == Status::Pending;
        message.provider_id.get_or_insert_with(|| fact.provider_id.clone());
        if message.receipts & fact.status.bit() != 0 {
            return Ok(());
        }
        message.receipts |= fact.status.bit();
        message.updated_at = self.engine.now();
        let moves = fact.status > message.status;
        if moves {
            message.status = fact.status;
            message.error = failure(fact);
        }
        store::messages::advance(tx, &message).await?;
        billing::settle(tx, self.engine, &message, fact.document.as_ref()).await?;
        if first {
            self.followed.settled.push(message.id);
            self.settle(tx, &message).await?;
        }
        self.tell(tx, &message, fact).await?;
        if moves {
            self.followed.senders.extend(verification::moved(tx, self.engine, &message).await?);
            self.moves.follow(tx, &message).await?;
        }
        Ok(())
    }

    /// The first word of a message whose sending had not been answered: it did go out.
    async fn settle(&self, tx: &mut Tx, message: &Message) -> Result<()> {
        store::jobs::delete(tx, &message.id).await?;
        let data = MessageData {
            provider_id: message.provider_id.clone(),
            reason: Some("a receipt came before the provider's answer".into()),
            ..MessageData::default()
        };
        let note = Note::about(&message.organization_id, events::MESSAGE_SUBMITTED, message);
        events::append(tx, self.engine, note, &data).await.map(drop)
    }

    async fn tell(&self, tx: &mut Tx, message: &Message, fact: &facts::Receipt) -> Result<()> {
        let kind = match fact.status {
            Status::Pending => return Ok(()),
            Status::Sent => events::MESSAGE_SENT,
            Status::Failed => events::MESSAGE_FAILED,
            Status::Delivered => events::MESSAGE_DELIVERED,
            Status::Read => events::MESSAGE_READ,
            Status::Played => events::MESSAGE_PLAYED,
        };
        let data = MessageData {
            provider_id: Some(fact.provider_id.clone()),
            at: Some(fact.at),
            failure: fact.failure.clone(),
            ..MessageData::default()
        };
        let note = Note::about(&message.organization_id, kind, message)
            .with_fact_id(format!("{}:{}", fact.provider_id, fact.status.as_str()))
            .with_document(fact.document.clone());
        events::append(tx, self.engine, note, &data).await.map(drop)
    }
}

/// By the provider's id, or by ours where it was handed back and belongs to the same sender.
async fn find(tx: &mut Tx, sender: &Sender, fact: &facts::Receipt) -> Result<Option<Message>> {
    let outbound = |message: &Message| message.direction == Direction::Outbound && message.sender_id == sender.id;
    if let Some(found) = store::messages::by_provider_id(tx, &sender.id, &fact.provider_id).await? {
        return Ok(Some(found).filter(outbound));
    }
    let Some(id) = &fact.message else { return Ok(None) };
    Ok(store::messages::get_for_update(tx, id).await?.filter(outbound))
}

fn failure(fact: &facts::Receipt) -> Option<String> {
    let failure = fact.failure.as_ref().filter(|_| fact.status == Status::Failed)?;
    serde_json::to_string(failure).ok()
}
