//! One sender with one contact: whose turn it is and who looks after it.

pub use store::conversations::{Conversation, Filter, Status};
use store::{Id, Result, Tx, Work};

use crate::events::{self, ConversationData, Note};
use crate::{Engine, Outcome, Refusal, UseCase};

/// `None`: as it was. `assignee: Some(None)`: nobody's.
pub struct Update {
    pub engine: Engine,
    pub organization: Id,
    pub sender: Id,
    pub id: Id,
    pub status: Option<Status>,
    pub assignee: Option<Option<String>>,
}

impl Work for Update {
    type Output = Outcome<WithContact>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<WithContact>> {
        let found = store::conversations::get_for_update(tx, &self.organization, &self.id).await?;
        let Some(before) = found.filter(|found| found.sender_id == self.sender) else {
            return Ok(Err(Refusal::NotFound("conversation")));
        };
        let after = Conversation {
            status: self.status.unwrap_or(before.status),
            assignee: self.assignee.clone().unwrap_or_else(|| before.assignee.clone()),
            updated_at: self.engine.now(),
            ..before.clone()
        };
        store::conversations::update(tx, &after).await?;
        self.tell(tx, &before, &after).await?;
        let contact = store::contacts::get(tx, &self.organization, &after.contact_id).await?;
        Ok(contact.map(|contact| (after, contact)).ok_or(Refusal::NotFound("contact")))
    }
}

impl Update {
    async fn tell(&self, tx: &mut Tx, before: &Conversation, after: &Conversation) -> Result<()> {
        let data = ConversationData {
            status: after.status.as_str().into(),
            assignee: after.assignee.clone(),
            previous_assignee: before.assignee.clone(),
        };
        let note = |kind| Note::new(&self.organization, kind, &self.id).in_conversation(after);
        if before.assignee != after.assignee {
            events::append(tx, &self.engine, note(events::CONVERSATION_ASSIGNED), &data).await?;
        }
        if before.status != after.status && after.status == Status::Resolved {
            events::append(tx, &self.engine, note(events::CONVERSATION_CLOSED), &data).await?;
        }
        Ok(())
    }
}

impl UseCase for Update {
    fn committed(&self, engine: &Engine, _: &Outcome<WithContact>) {
        engine.wake.dispatch.ring();
    }
}

/// A conversation with the person it is with.
pub type WithContact = (Conversation, store::contacts::Contact);

impl Engine {
    /// A sender's conversation and its contact.
    pub async fn conversation(&self, organization: &Id, sender: &Id, id: &Id) -> Result<Option<WithContact>> {
        let mut reader = self.db.reader().await?;
        let found = store::conversations::get(&mut reader, organization, id).await?;
        let Some(found) = found.filter(|found| found.sender_id == *sender) else { return Ok(None) };
        let contact = store::contacts::get(&mut reader, organization, &found.contact_id).await?;
        Ok(contact.map(|contact| (found, contact)))
    }

    /// Most lately active first.
    pub async fn conversations(
        &self,
        organization: &Id,
        sender: &Id,
        filter: &Filter,
        limit: i64,
    ) -> Result<Vec<WithContact>> {
        let mut reader = self.db.reader().await?;
        let mut answer = Vec::new();
        for conversation in store::conversations::list(&mut reader, organization, sender, filter, limit).await? {
            if let Some(contact) = store::contacts::get(&mut reader, organization, &conversation.contact_id).await? {
                answer.push((conversation, contact));
            }
        }
        Ok(answer)
    }
}
