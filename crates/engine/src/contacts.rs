//! People and businesses we talk to.

pub use store::contacts::{Address, Contact, Filter};
use store::senders::Sender;
use store::{Id, Result, Tx, Work};

use crate::events::{self, Note};
use crate::{Engine, Outcome, Refusal, UseCase, billing};

/// Kinds of addresses.
pub const PHONE: &str = "phone";
/// An id that a channel gives a person towards our business.
pub const USER: &str = "user";
pub const EMAIL: &str = "email";

/// Makes a contact known to a sender. A person whom another sender of the organization knows keeps the
/// same contact and gains what is new.
pub struct Create {
    pub engine: Engine,
    pub organization: Id,
    pub sender: Id,
    /// E.164 with `+`.
    pub phone: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub metadata: Option<String>,
}

impl Work for Create {
    type Output = Outcome<Contact>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Contact>> {
        let id = self.engine.new_id();
        let known = store::contacts::by_address(tx, &self.organization, PHONE, &self.phone).await?;
        let id = match known {
            None => self.insert(tx, id).await?,
            Some(known) => known,
        };
        if !store::contacts::link(tx, &id, &self.sender).await? {
            return Ok(Err(Refusal::Taken { field: "phone_number" }));
        }
        if known.is_some() {
            self.complete(tx, &id).await?;
        }
        let note = Note::new(&self.organization, events::CONTACT_CREATED, &id).of_sender(&self.sender);
        events::append(tx, &self.engine, note, &serde_json::json!({ "source": "api" })).await?;
        let contact = store::contacts::get(tx, &self.organization, &id).await?;
        Ok(contact.ok_or(Refusal::NotFound("contact")))
    }
}

impl Create {
    async fn insert(&self, tx: &mut Tx, id: Id) -> Result<Id> {
        let fresh = Contact {
            name: self.name.clone(),
            email: self.email.clone(),
            metadata: self.metadata.clone(),
            ..Contact::new(id, self.organization, id.millis())
        };
        store::contacts::insert(tx, &fresh).await?;
        if store::contacts::add_address(tx, &self.organization, &id, PHONE, &self.phone, id.millis()).await? {
            return Ok(id);
        }
        // Somebody made the same contact between our look and our write (PostgreSQL only).
        store::contacts::delete(tx, &self.organization, &id).await?;
        let winner = store::contacts::by_address(tx, &self.organization, PHONE, &self.phone).await?;
        winner.ok_or(store::Error::Dangling)
    }

    async fn complete(&self, tx: &mut Tx, id: &Id) -> Result<()> {
        store::contacts::lock(tx, &self.organization, id).await?;
        let Some(mut contact) = store::contacts::get(tx, &self.organization, id).await? else { return Ok(()) };
        contact.name = self.name.clone().or(contact.name);
        contact.email = self.email.clone().or(contact.email);
        contact.metadata = self.metadata.clone().or(contact.metadata);
        contact.updated_at = self.engine.now();
        store::contacts::update(tx, &contact).await
    }
}

impl UseCase for Create {
    fn committed(&self, engine: &Engine, _: &Outcome<Contact>) {
        engine.wake.dispatch.ring();
    }
}

/// `None`: as it was. `Some(None)`: taken away.
pub struct Update {
    pub engine: Engine,
    pub organization: Id,
    pub sender: Id,
    pub id: Id,
    pub name: Option<Option<String>>,
    pub email: Option<Option<String>>,
    pub metadata: Option<Option<String>>,
}

impl Work for Update {
    type Output = Outcome<Contact>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Contact>> {
        store::contacts::lock(tx, &self.organization, &self.id).await?;
        let found = store::contacts::of_sender(tx, &self.organization, &self.sender, &self.id).await?;
        let Some(mut contact) = found else { return Ok(Err(Refusal::NotFound("contact"))) };
        contact.name = self.name.clone().unwrap_or(contact.name);
        contact.email = self.email.clone().unwrap_or(contact.email);
        contact.metadata = self.metadata.clone().unwrap_or(contact.metadata);
        contact.updated_at = self.engine.now();
        store::contacts::update(tx, &contact).await?;
        let note = Note::new(&self.organization, events::CONTACT_UPDATED, &self.id).of_sender(&self.sender);
        events::append(tx, &self.engine, note, &serde_json::json!({})).await?;
        Ok(Ok(contact))
    }
}

impl UseCase for Update {
    fn committed(&self, engine: &Engine, _: &Outcome<Contact>) {
        engine.wake.dispatch.ring();
    }
}

/// Deletes a contact with its conversations and messages, at every sender.
pub struct Delete {
    pub engine: Engine,
    pub organization: Id,
    pub sender: Id,
    pub id: Id,
}

impl Work for Delete {
    type Output = Outcome<()>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<()>> {
        if store::contacts::of_sender(tx, &self.organization, &self.sender, &self.id).await?.is_none() {
            return Ok(Err(Refusal::NotFound("contact")));
        }
        billing::give_back_of(tx, &self.engine, &self.organization, &self.id).await?;
        store::contacts::delete(tx, &self.organization, &self.id).await?;
        Ok(Ok(()))
    }
}

impl UseCase for Delete {}

impl Engine {
    /// A contact that a sender knows.
    pub async fn contact(&self, organization: &Id, sender: &Id, id: &Id) -> Result<Option<Contact>> {
        store::contacts::of_sender(&mut *self.db.reader().await?, organization, sender, id).await
    }

    /// Newest first.
    pub async fn contacts(&self, organization: &Id, sender: &Id, filter: &Filter, limit: i64) -> Result<Vec<Contact>> {
        store::contacts::list(&mut *self.db.reader().await?, organization, sender, filter, limit).await
    }
}

/// The contact behind an address, made when there is none; tells whether it was made.
pub(crate) async fn ensure(
    tx: &mut Tx,
    engine: &Engine,
    sender: &Sender,
    addresses: &[Address],
    name: Option<&str>,
) -> Result<(Id, bool)> {
    let (organization, now) = (&sender.organization_id, engine.now());
    for address in addresses {
        if let Some(known) = store::contacts::by_address(tx, organization, &address.kind, &address.value).await? {
            return Ok((known, false));
        }
    }
    let id = engine.new_id();
    let fresh = Contact { name: name.map(str::to_owned), ..Contact::new(id, *organization, now) };
    store::contacts::insert(tx, &fresh).await?;
    for address in addresses {
        if !store::contacts::add_address(tx, organization, &id, &address.kind, &address.value, now).await? {
            // Lost a race on PostgreSQL: the winner's contact is the one.
            store::contacts::delete(tx, organization, &id).await?;
            let winner = store::contacts::by_address(tx, organization, &address.kind, &address.value).await?;
            return Ok((winner.ok_or(store::Error::Dangling)?, false));
        }
    }
    Ok((id, true))
}

/// Somebody we know came with an address that is new to us.
pub(crate) async fn learn(
    tx: &mut Tx,
    engine: &Engine,
    organization: &Id,
    contact: &Id,
    addresses: &[Address],
) -> Result<bool> {
    let mut learnt = false;
    for address in addresses {
        learnt |= store::contacts::add_address(tx, organization, contact, &address.kind, &address.value, engine.now())
            .await?;
    }
    Ok(learnt)
}
