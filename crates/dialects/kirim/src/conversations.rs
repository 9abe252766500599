//! `/{phone_number_id}/conversations`: a number with its contacts, one by one.

use engine::Id;
use engine::clock::rfc3339;
use engine::contacts::Contact;
use engine::conversations::{self, Conversation, Filter, Status};
use engine::senders::Sender;
use serde::Serialize;

use crate::call::{Call, Handled};
use crate::contacts::WhatsappAccount;
use crate::errors::{Code, Error};
use crate::ids::Noun;
use crate::paging::Page;

const STATUSES: [(&str, Status); 3] =
    [("open", Status::Open), ("resolved", Status::Resolved), ("pending", Status::Pending)];

#[derive(Serialize)]
struct Shown {
    id: String,
    object: &'static str,
    status: &'static str,
    contact: Person,
    whatsapp_account: WhatsappAccount,
    assignee: Option<Assignee>,
    unread_count: i64,
    last_message_at: Option<String>,
    last_inbound_at: Option<String>,
    created_at: String,
    updated_at: String,
}

/// A contact in short.
#[derive(Serialize)]
pub(crate) struct Person {
    id: String,
    phone_number: Option<String>,
    name: Option<String>,
}

impl Person {
    pub(crate) fn of(contact: &Contact) -> Self {
        Self { id: Noun::Contact.spell(&contact.id), phone_number: contact.phone.clone(), name: contact.name.clone() }
    }
}

/// We keep no people of the caller's, only the names it gives them.
#[derive(Serialize)]
struct Assignee {
    id: String,
    name: Option<String>,
    email: Option<String>,
}

fn shown(conversation: &Conversation, contact: &Contact, sender: &Sender) -> Shown {
    Shown {
        id: Noun::Conversation.spell(&conversation.id),
        object: "conversation",
        status: conversation.status.as_str(),
        contact: Person::of(contact),
        whatsapp_account: WhatsappAccount::of(Some(sender)),
        assignee: conversation.assignee.clone().map(|id| Assignee { id, name: None, email: None }),
        unread_count: conversation.unread_count.max(0),
        last_message_at: conversation.last_message_at.map(rfc3339),
        last_inbound_at: conversation.last_inbound_at.map(rfc3339),
        created_at: rfc3339(conversation.created_at),
        updated_at: rfc3339(conversation.updated_at),
    }
}

/// Most lately active first; those without any message last.
pub(crate) async fn list(call: Call) -> Handled {
    let sender = call.sender().await?;
    let query = call.query()?;
    let page: Page<(Option<i64>, Id)> = call.page(&query)?;
    let status = query.at().read("status", |at| at.word(&STATUSES))?;
    let contact = Noun::Contact.narrowing(&query.at(), "contact_id")?;
    let filter = Filter { status, contact, after: page.after };
    let rows = call.engine().conversations(&call.organization(), &sender.id, &filter, page.rows()).await?;
    let place = |(row, _): &conversations::WithContact| (row.last_message_at, row.id);
    Ok(call.paged(&page, rows, place, |(row, contact)| shown(row, contact, &sender)))
}

pub(crate) async fn get(call: Call) -> Handled {
    let (sender, id) = (call.sender().await?, call.id(Noun::Conversation, "id")?);
    let found = call.engine().conversation(&call.organization(), &sender.id, &id).await?;
    let (conversation, contact) = found.ok_or_else(|| Noun::Conversation.not_found())?;
    Ok(call.one(&shown(&conversation, &contact, &sender)))
}

/// Status or assignee, or both; null takes the assignee away.
pub(crate) async fn update(call: Call) -> Handled {
    let (id, body) = (call.id(Noun::Conversation, "id")?, call.body()?);
    let status = body.at().read("status", |at| at.word(&STATUSES))?;
    let assignee = body.at().read_nullable("assigned_to", |at| at.string(1..=64))?;
    if status.is_none() && assignee.is_none() {
        return Err(Error::new(Code::MissingRequiredField, "status or assigned_to is required").at("status"));
    }
    let sender = call.connected_sender().await?;
    let (engine, organization) = (call.engine().clone(), call.organization());
    let wish = conversations::Update { engine, organization, sender: sender.id, id, status, assignee };
    let (conversation, contact) = call.perform(wish).await?;
    Ok(call.one(&shown(&conversation, &contact, &sender)))
}
