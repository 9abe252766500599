//! `/{phone_number_id}/contacts`: the people a number knows.

use api::At;
use engine::clock::rfc3339;
use engine::contacts::{self, Contact, Filter};
use engine::senders::Sender;
use serde::Serialize;
use serde_json::{Value, json};

use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::ids::Noun;
use crate::paging::Page;
use crate::phone;

#[derive(Serialize)]
pub(crate) struct Shown {
    id: String,
    object: &'static str,
    phone_number: Option<String>,
    name: Option<String>,
    email: Option<String>,
    metadata: Option<Value>,
    whatsapp_account: WhatsappAccount,
    created_at: String,
    updated_at: String,
}

/// The number that something belongs to.
#[derive(Serialize)]
pub(crate) struct WhatsappAccount {
    phone_number: Option<String>,
}

impl WhatsappAccount {
    pub(crate) fn of(sender: Option<&Sender>) -> Self {
        let address = sender.map(|sender| sender.address.clone());
        Self { phone_number: address.filter(|address| !address.is_empty()) }
    }
}

/// Without a sender where it is told of all at once.
pub(crate) fn shown(contact: &Contact, sender: Option<&Sender>) -> Shown {
    Shown {
        id: Noun::Contact.spell(&contact.id),
        object: "contact",
        phone_number: contact.phone.clone(),
        name: contact.name.clone(),
        email: contact.email.clone(),
        metadata: contact.metadata.as_deref().and_then(|json| serde_json::from_str(json).ok()),
        whatsapp_account: WhatsappAccount::of(sender),
        created_at: rfc3339(contact.created_at),
        updated_at: rfc3339(contact.updated_at),
    }
}

pub(crate) async fn list(call: Call) -> Handled {
    let sender = call.sender().await?;
    let query = call.query()?;
    let page: Page<engine::Id> = call.page(&query)?;
    let search = query.at().read("search", |at| at.string(1..=200))?;
    let phone = query.at().read("phone", |at| phone::read_query(&at))?;
    let filter = Filter { phone, search, before: page.after };
    let rows = call.engine().contacts(&call.organization(), &sender.id, &filter, page.rows()).await?;
    Ok(call.paged(&page, rows, |contact| contact.id, |contact| shown(contact, Some(&sender))))
}

pub(crate) async fn create(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let phone = phone::read(&at.need("phone_number")?)?;
    let name = at.read("name", |at| at.string(1..=200))?;
    let email = at.read_nullable("email", |at| email(&at))?.flatten();
    let metadata = at.read("metadata", |at| metadata(&at))?;
    let sender = call.connected_sender().await?;
    let (engine, organization) = (call.engine().clone(), call.organization());
    let wish = contacts::Create { engine, organization, sender: sender.id, phone, name, email, metadata };
    call.commit(wish, move |contact| shown(contact, Some(&sender))).await
}

fn email(at: &At<'_>) -> Result<String, Error> {
    let text = at.text(0..=255)?;
    let (name, host) = text.rsplit_once('@').unwrap_or_default();
    let odd = |character: char| character.is_whitespace() || character.is_control() || character == '@';
    let good =
        !name.is_empty() && !name.contains(odd) && !host.contains(odd) && host.split('.').all(|part| !part.is_empty());
    if good { Ok(text.to_owned()) } else { Err(at.refuse("must be an email address").into()) }
}

fn or_empty(at: &At<'_>) -> Result<Option<String>, Error> {
    (at.value() != "").then(|| email(at)).transpose()
}

fn metadata(at: &At<'_>) -> Result<String, Error> {
    at.object()?;
    Ok(at.value().to_string())
}

pub(crate) async fn get(call: Call) -> Handled {
    let (sender, id) = (call.sender().await?, call.id(Noun::Contact, "id")?);
    let found = call.engine().contact(&call.organization(), &sender.id, &id).await?;
    Ok(call.one(&shown(&found.ok_or_else(|| Noun::Contact.not_found())?, Some(&sender))))
}

/// Null takes a value away, and so does an empty email.
pub(crate) async fn update(call: Call) -> Handled {
    let (id, body) = (call.id(Noun::Contact, "id")?, call.body()?);
    let at = body.at();
    let name = at.read_nullable("name", |at| at.string(1..=200))?;
    let email = at.read_nullable("email", |at| or_empty(&at))?.map(Option::flatten);
    let metadata = at.read_nullable("metadata", |at| metadata(&at))?;
    let sender = call.connected_sender().await?;
    let (engine, organization) = (call.engine().clone(), call.organization());
    let wish = contacts::Update { engine, organization, sender: sender.id, id, name, email, metadata };
    Ok(call.one(&shown(&call.perform(wish).await?, Some(&sender))))
}

pub(crate) async fn delete(call: Call) -> Handled {
    let id = call.id(Noun::Contact, "id")?;
    let sender = call.connected_sender().await?.id;
    call.perform(contacts::Delete { engine: call.engine().clone(), organization: call.organization(), sender, id })
        .await?;
    Ok(call.one(&json!({ "id": Noun::Contact.spell(&id), "object": "contact", "deleted": true })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_are_checked_loosely() {
        let good = |text: &str| email(&At::top(&json!(text))).is_ok();
        assert!(good("a@b") && good("a.b+c@example.com") && good("é@example.org"));
        for wrong in ["", "a", "@b", "a@", "a b@c", "a@b@c", "a@b..c", "a@.b", "a@b\n"] {
            assert!(!good(wrong), "{wrong:?}");
        }
    }
}
