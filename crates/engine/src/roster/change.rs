//! One contact, made or changed.

use std::sync::Arc;

use store::contacts::{self as rows, Contact};
use store::labels::{self, Target};
use store::senders::Sender;
use store::{Id, Result, Tx, Work};

use super::{Change, Entry, Source, apply, beside, entry, tell};
use crate::contacts::PHONE;
use crate::events::{self, Note};
use crate::{Engine, Outcome, Refusal, UseCase, directory};

/// Makes a contact known to a sender; refused when it is. A person whom another sender of the organization knows keeps
/// the same contact and gains what is new.
pub struct Create {
    pub engine: Engine,
    pub sender: Arc<Sender>,
    /// E.164 with `+`.
    pub phone: String,
    pub change: Change,
    /// What shows that the caller asked for it.
    pub proof: String,
}

impl Work for Create {
    type Output = Outcome<Entry>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Entry>> {
        let source = Source { channel: &self.sender.channel, proof: &self.proof };
        let made = make(tx, &self.engine, &self.sender, &self.phone, &self.change, &source).await?;
        let Some(contact) = made else { return Ok(Err(Refusal::Taken { field: "phone_number" })) };
        entry(tx, contact, &self.sender.channel, Some(&self.sender.id)).await.map(Ok)
    }
}

impl UseCase for Create {
    fn committed(&self, engine: &Engine, _: &Outcome<Entry>) {
        engine.wake.dispatch.ring();
    }
}

/// `None`: the sender knows somebody with this number.
pub(super) async fn make(
    tx: &mut Tx,
    engine: &Engine,
    sender: &Sender,
    phone: &str,
    change: &Change,
    source: &Source<'_>,
) -> Result<Option<Contact>> {
    let organization = &sender.organization_id;
    let id = match rows::by_address(tx, organization, PHONE, phone).await? {
        Some(known) => known,
        None => insert(tx, engine, organization, phone).await?,
    };
    if !rows::link(tx, &id, &sender.id).await? {
        return Ok(None);
    }
    rows::lock(tx, organization, &id).await?;
    let mut contact = rows::get(tx, organization, &id).await?.ok_or(store::Error::Dangling)?;
    apply(&mut contact, change);
    contact.updated_at = engine.now();
    rows::update(tx, &contact).await?;
    let change = adding(tx, &id, change).await?;
    beside(tx, engine, &contact, &change, source).await?;
    let note = Note::new(organization, events::CONTACT_CREATED, &id).of_sender(&sender.id);
    let data = directory::ChangedData { source: "api".into(), ..directory::ChangedData::default() };
    events::append(tx, engine, note, &data).await?;
    Ok(Some(contact))
}

/// The same change where what somebody has already stays.
async fn adding(tx: &mut Tx, contact: &Id, change: &Change) -> Result<Change> {
    let mut change = change.clone();
    if let Some(tags) = change.tags.take() {
        change.tags = Some(union(rows::tags(tx, contact).await?, tags));
    }
    if let Some(labels) = change.labels.take() {
        let known = labels::on(tx, Target::Contact, contact).await?.into_iter().map(|label| label.name);
        change.labels = Some(union(known.collect(), labels));
    }
    Ok(change)
}

fn union(mut known: Vec<String>, new: Vec<String>) -> Vec<String> {
    for word in new {
        if !known.contains(&word) {
            known.push(word);
        }
    }
    known
}

async fn insert(tx: &mut Tx, engine: &Engine, organization: &Id, phone: &str) -> Result<Id> {
    let id = engine.new_id();
    let fresh = Contact { country: crate::regions::of_number(phone), ..Contact::new(id, *organization, id.millis()) };
    rows::insert(tx, &fresh).await?;
    if rows::add_address(tx, organization, &id, PHONE, phone, id.millis()).await? {
        return Ok(id);
    }
    // Somebody made the same contact between our look and our write (PostgreSQL only).
    rows::delete(tx, organization, &id).await?;
    rows::by_address(tx, organization, PHONE, phone).await?.ok_or(store::Error::Dangling)
}

/// Changes any contact of an organization.
pub struct Update {
    pub engine: Engine,
    pub organization: Id,
    pub id: Id,
    /// The channel that consent is for.
    pub channel: &'static str,
    pub change: Change,
    /// What shows that the caller asked for it.
    pub proof: String,
}

impl Work for Update {
    type Output = Outcome<Entry>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Entry>> {
        rows::lock(tx, &self.organization, &self.id).await?;
        let Ok(before) = directory::entry(tx, &self.organization, &self.id).await? else {
            return Ok(Err(Refusal::NotFound("contact")));
        };
        let mut contact = Contact { updated_at: self.engine.now(), ..before.contact.clone() };
        apply(&mut contact, &self.change);
        rows::update(tx, &contact).await?;
        let source = Source { channel: self.channel, proof: &self.proof };
        beside(tx, &self.engine, &contact, &self.change, &source).await?;
        tell(tx, &self.engine, &before).await?;
        entry(tx, contact, self.channel, None).await.map(Ok)
    }
}

impl UseCase for Update {
    fn committed(&self, engine: &Engine, _: &Outcome<Entry>) {
        engine.wake.dispatch.ring();
    }
}
