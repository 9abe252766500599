//! All contacts of an organization, whichever sender knows them, with everything that callers keep with them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::contacts as rows;
pub use store::contacts::{Contact, Wide};
use store::{Id, Result, Tx, Work};

use crate::contacts::PHONE;
use crate::events::{self, Note};
use crate::{Engine, Outcome, Refusal, UseCase, consent};

/// A contact with what lies beside it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub contact: Contact,
    pub tags: Vec<String>,
    /// When it last wrote to us, in milliseconds.
    pub last_seen: Option<i64>,
    /// The address of ours that it last had to do with.
    pub last_address: Option<String>,
}

/// What a caller says of a contact. `None`: as it was; `Some(None)`: taken away.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// E.164 with `+`.
    pub phone: Option<String>,
    pub name: Option<Option<String>>,
    pub email: Option<Option<String>>,
    pub country: Option<Option<String>>,
    pub owner: Option<Option<String>>,
    /// All of them.
    pub tags: Option<Vec<String>>,
    /// All of them.
    pub attributes: Option<Map<String, Value>>,
}

/// What is kept with `contact.updated` where a caller changed it: what was and what is, by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ChangedData {
    pub source: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub changed: Map<String, Value>,
}

/// Makes a contact; refused when its number or email address is somebody's.
pub struct Create {
    pub engine: Engine,
    pub organization: Id,
    pub phone: String,
    pub change: Change,
}

impl Work for Create {
    type Output = Outcome<Entry>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Entry>> {
        let id = self.engine.new_id();
        if let Some(Some(email)) = &self.change.email
            && rows::by_email(tx, &self.organization, email).await?.is_some()
        {
            return Ok(Err(Refusal::Taken { field: "email" }));
        }
        if rows::by_address(tx, &self.organization, PHONE, &self.phone).await?.is_some() {
            return Ok(Err(Refusal::Taken { field: "phone_number" }));
        }
        let mut contact = Contact::new(id, self.organization, id.millis());
        apply(&mut contact, &self.change);
        rows::insert(tx, &contact).await?;
        if !rows::add_address(tx, &self.organization, &id, PHONE, &self.phone, id.millis()).await? {
            // Lost a race on PostgreSQL.
            rows::delete(tx, &self.organization, &id).await?;
            return Ok(Err(Refusal::Taken { field: "phone_number" }));
        }
        rows::set_tags(tx, &self.organization, &id, self.change.tags.as_deref().unwrap_or_default()).await?;
        // Every sender knows it: dialects whose contacts belong to a sender show it too.
        for sender in store::senders::list(tx, Some(&self.organization), None).await? {
            rows::link(tx, &id, &sender.id).await?;
        }
        let data = ChangedData { source: "api".into(), ..ChangedData::default() };
        let note = Note::new(&self.organization, events::CONTACT_CREATED, &id);
        events::append(tx, &self.engine, note, &data).await?;
        entry(tx, &self.organization, &id).await
    }
}

impl UseCase for Create {
    fn committed(&self, engine: &Engine, _: &Outcome<Entry>) {
        engine.wake.dispatch.ring();
    }
}

pub struct Update {
    pub engine: Engine,
    pub organization: Id,
    pub id: Id,
    pub change: Change,
}

impl Work for Update {
    type Output = Outcome<Entry>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Entry>> {
        let (organization, change, now) = (&self.organization, &self.change, self.engine.now());
        rows::lock(tx, organization, &self.id).await?;
        let Ok(before) = entry(tx, organization, &self.id).await? else { return Ok(Err(Refusal::NotFound("contact"))) };
        if let Some(Some(email)) = &change.email
            && rows::by_email(tx, organization, email).await?.is_some_and(|holder| holder != self.id)
        {
            return Ok(Err(Refusal::Taken { field: "email" }));
        }
        if let Some(phone) = change.phone.as_ref().filter(|phone| before.contact.phone.as_ref() != Some(phone)) {
            if !rows::add_address(tx, organization, &self.id, PHONE, phone, now).await? {
                return Ok(Err(Refusal::Taken { field: "phone_number" }));
            }
            if let Some(old) = &before.contact.phone {
                let [from, to] = [old, phone].map(|it| rows::Address { kind: PHONE.into(), value: it.clone() });
                consent::follow(tx, &self.engine, organization, &from, &to).await?;
                rows::remove_address(tx, organization, PHONE, old).await?;
            }
        }
        let mut contact = Contact { updated_at: now, ..before.contact.clone() };
        apply(&mut contact, change);
        rows::update(tx, &contact).await?;
        if let Some(tags) = &change.tags {
            rows::set_tags(tx, organization, &self.id, tags).await?;
        }
        let after = entry(tx, organization, &self.id).await?;
        if let Ok(after) = &after {
            let data = ChangedData { source: "api".into(), changed: difference(&before, after) };
            let note = Note::new(organization, events::CONTACT_UPDATED, &self.id);
            events::append(tx, &self.engine, note, &data).await?;
        }
        Ok(after)
    }
}

impl UseCase for Update {
    fn committed(&self, engine: &Engine, _: &Outcome<Entry>) {
        engine.wake.dispatch.ring();
    }
}

/// Deletes a contact with its conversations and messages, at every sender; the answer is what it was.
pub struct Delete {
    pub engine: Engine,
    pub organization: Id,
    pub id: Id,
}

impl Work for Delete {
    type Output = Outcome<Entry>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Entry>> {
        let found = entry(tx, &self.organization, &self.id).await?;
        if let Ok(entry) = &found {
            crate::billing::give_back_of(tx, &self.engine, &self.organization, &self.id).await?;
            rows::delete(tx, &self.organization, &self.id).await?;
            let note = Note::new(&self.organization, events::CONTACT_DELETED, &self.id);
            events::append(tx, &self.engine, note, &card(entry)).await?;
        }
        Ok(found)
    }
}

impl UseCase for Delete {
    fn committed(&self, engine: &Engine, _: &Outcome<Entry>) {
        engine.wake.dispatch.ring();
    }
}

fn apply(contact: &mut Contact, change: &Change) {
    let keep = |new: &Option<Option<String>>, old: &mut Option<String>| {
        if let Some(new) = new {
            old.clone_from(new);
        }
    };
    keep(&change.name, &mut contact.name);
    keep(&change.email, &mut contact.email);
    keep(&change.country, &mut contact.country);
    keep(&change.owner, &mut contact.owner);
    if let Some(attributes) = &change.attributes {
        contact.attributes = Value::Object(attributes.clone()).to_string();
    }
}

/// A contact as one JSON object, by the engine's names.
#[must_use]
pub fn card(entry: &Entry) -> Map<String, Value> {
    let contact = &entry.contact;
    let attributes: Map<String, Value> = serde_json::from_str(&contact.attributes).unwrap_or_default();
    let text = |text: &Option<String>| text.as_ref().map_or(Value::Null, |text| Value::from(text.as_str()));
    Map::from_iter([
        ("phone_number".to_owned(), text(&contact.phone)),
        ("name".to_owned(), text(&contact.name)),
        ("email".to_owned(), text(&contact.email)),
        ("country".to_owned(), text(&contact.country)),
        ("owner".to_owned(), text(&contact.owner)),
        ("tags".to_owned(), entry.tags.clone().into()),
        ("attributes".to_owned(), attributes.into()),
        ("created_at".to_owned(), contact.created_at.into()),
    ])
}

/// What changed: `{"name": {"old": …, "new": …}}`; attributes each by itself, as `attributes.NAME`.
pub(crate) fn difference(before: &Entry, after: &Entry) -> Map<String, Value> {
    let flat = |entry: &Entry| {
        let mut flat = card(entry);
        if let Some(Value::Object(attributes)) = flat.remove("attributes") {
            flat.extend(attributes.into_iter().map(|(name, value)| (format!("attributes.{name}"), value)));
        }
        flat
    };
    let (old, new) = (flat(before), flat(after));
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed = names.into_iter().filter_map(|name| {
        let (old, new) = (old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null));
        (old != new).then(|| (name.clone(), serde_json::json!({ "old": old, "new": new })))
    });
    changed.collect()
}

pub(crate) async fn entry(tx: &mut Tx, organization: &Id, id: &Id) -> Result<Outcome<Entry>> {
    match rows::get(tx, organization, id).await? {
        Some(contact) => beside(tx, contact).await.map(Ok),
        None => Ok(Err(Refusal::NotFound("contact"))),
    }
}

async fn beside(tx: &mut Tx, contact: Contact) -> Result<Entry> {
    let tags = rows::tags(tx, &contact.id).await?;
    let (last_seen, last_address) = rows::activity(tx, &contact.id).await?;
    Ok(Entry { contact, tags, last_seen, last_address })
}

impl Engine {
    pub async fn directory_entry(&self, organization: &Id, id: &Id) -> Result<Option<Entry>> {
        Ok(entry(&mut *self.db.reader().await?, organization, id).await?.ok())
    }

    /// Who has a number.
    pub async fn directory_id(&self, organization: &Id, phone: &str) -> Result<Option<Id>> {
        rows::by_address(&mut *self.db.reader().await?, organization, PHONE, phone).await
    }

    /// Oldest first.
    pub async fn directory(&self, organization: &Id, filter: &Wide, limit: i64, offset: i64) -> Result<Vec<Entry>> {
        let mut reader = self.db.reader().await?;
        let mut entries = Vec::new();
        for contact in rows::wide(&mut reader, organization, filter, limit, offset).await? {
            entries.push(beside(&mut reader, contact).await?);
        }
        Ok(entries)
    }

    pub async fn directory_count(&self, organization: &Id, filter: &Wide) -> Result<i64> {
        rows::count_wide(&mut *self.db.reader().await?, organization, filter).await
    }

    /// Whether anybody in an organization has a tag.
    pub async fn is_tag(&self, organization: &Id, tag: &str) -> Result<bool> {
        rows::is_tag(&mut *self.db.reader().await?, organization, tag).await
    }
}
