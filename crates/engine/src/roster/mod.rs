//! The contacts that a sender knows, with all that is kept beside them: tags, labels, consent, what was said.
//!
//! A person is one contact for all of an organization's senders; a sender's contacts are those it is linked to. What is
//! written here is therefore seen through every other view of contacts too. Labels are the organization's own, made when
//! somebody first gets one. Consent is the ledger's (`consent`): nothing here takes an opt-out back unless a caller says
//! in so many words that the person wants to hear from us.

mod bulk;
mod change;
mod import;
mod labels;

use serde_json::{Map, Value};
use store::contacts::Contact;
pub use store::roster::{Filter, Labelled, Traffic, Whose};
use store::senders::Sender;
use store::{Id, Result, Tx, roster as rows};

use crate::consent::{self, MARKETING};
use crate::events::{self, Note};
use crate::{Engine, directory};

pub use bulk::{Action, Bulk, DeleteMany, Touched};
pub use change::{Create, Update};
pub use import::{Import, Imported, Row};
pub use labels::{DeleteLabel, RenameLabel};

/// A contact with what lies beside it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub contact: Contact,
    pub tags: Vec<String>,
    /// Names, in the order of the alphabet.
    pub labels: Vec<String>,
    pub opted_in: bool,
    pub traffic: Traffic,
}

/// When somebody last said that they want to hear from us, and that they do not; in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minds {
    pub opted_in_at: Option<i64>,
    pub opted_out_at: Option<i64>,
}

/// What a caller says of a contact. `None`: as it was; `Some(None)`: taken away.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub name: Option<String>,
    pub email: Option<Option<String>>,
    pub company: Option<Option<String>>,
    pub notes: Option<Option<String>>,
    /// All of them; of whoever is made, these besides those that are there.
    pub tags: Option<Vec<String>>,
    /// The same, by name.
    pub labels: Option<Vec<String>>,
    /// These besides those that are there; `None` takes one away.
    pub attributes: Vec<(String, Option<Value>)>,
    pub blocked: Option<bool>,
    /// Whether they want to hear from us, in so many words.
    pub opted_in: Option<bool>,
}

fn apply(contact: &mut Contact, change: &Change) {
    let keep = |new: &Option<Option<String>>, old: &mut Option<String>| {
        if let Some(new) = new {
            old.clone_from(new);
        }
    };
    keep(&change.name.clone().map(Some), &mut contact.name);
    keep(&change.email, &mut contact.email);
    keep(&change.company, &mut contact.company);
    keep(&change.notes, &mut contact.notes);
    contact.blocked = change.blocked.unwrap_or(contact.blocked);
    if !change.attributes.is_empty() {
        let mut attributes: Map<String, Value> = serde_json::from_str(&contact.attributes).unwrap_or_default();
        for (name, value) in &change.attributes {
            match value {
                Some(value) => drop(attributes.insert(name.clone(), value.clone())),
                None => drop(attributes.shift_remove(name)),
            }
        }
        contact.attributes = Value::Object(attributes).to_string();
    }
}

/// Writes down everything of a change that is not in the contact's own row.
async fn beside(tx: &mut Tx, engine: &Engine, contact: &Contact, change: &Change, source: &Source<'_>) -> Result<()> {
    let (organization, id) = (&contact.organization_id, &contact.id);
    if let Some(tags) = &change.tags {
        store::contacts::set_tags(tx, organization, id, tags).await?;
    }
    if let Some(labels) = &change.labels {
        labels::set(tx, engine, organization, id, labels).await?;
    }
    if let Some(wanted) = change.opted_in {
        mind(tx, engine, contact, wanted, source).await?;
    }
    Ok(())
}

/// Who asked for a change: the channel it is about, and what shows it.
#[derive(Clone, Copy, Debug)]
struct Source<'a> {
    channel: &'a str,
    proof: &'a str,
}

/// Writes down what somebody wants, for all their addresses; whether that was anything new.
async fn mind(tx: &mut Tx, engine: &Engine, contact: &Contact, wanted: bool, source: &Source<'_>) -> Result<bool> {
    let addresses = store::contacts::addresses(tx, &contact.id).await?;
    let wish = consent::Wish {
        organization: contact.organization_id,
        addresses,
        channel: source.channel.into(),
        purpose: MARKETING.into(),
        wanted,
        source: consent::BY_CALLER,
        proof: Some(source.proof.to_owned()),
        region: contact.country.clone(),
    };
    Ok(!consent::enter(tx, engine, &wish).await?.is_empty())
}

/// Tells what a change made of a contact.
async fn tell(tx: &mut Tx, engine: &Engine, before: &directory::Entry) -> Result<()> {
    let (organization, id) = (&before.contact.organization_id, &before.contact.id);
    let Ok(after) = directory::entry(tx, organization, id).await? else { return Ok(()) };
    let changed = directory::difference(before, &after);
    let data = directory::ChangedData { source: "api".into(), changed };
    events::append(tx, engine, Note::new(organization, events::CONTACT_UPDATED, id), &data).await.map(drop)
}

/// The entry of a contact: what was said to one sender, or to all.
async fn entry(tx: &mut Tx, contact: Contact, channel: &str, sender: Option<&Id>) -> Result<Entry> {
    let organization = contact.organization_id;
    let tags = store::contacts::tags(tx, &contact.id).await?;
    let labels = store::labels::on(tx, store::labels::Target::Contact, &contact.id).await?;
    let traffic = rows::traffic(tx, &contact.id, sender).await?;
    let opted_out = match store::contacts::addresses(tx, &contact.id).await?.first() {
        Some(address) => store::opt_outs::exists(tx, &organization, address, channel, MARKETING).await?,
        None => false,
    };
    let labels = labels.into_iter().map(|label| label.name).collect();
    Ok(Entry { contact, tags, labels, opted_in: !opted_out, traffic })
}

fn whose(sender: &Sender) -> Whose<'_> {
    Whose { organization: &sender.organization_id, sender: &sender.id, channel: &sender.channel, purpose: MARKETING }
}

impl Engine {
    /// By name, then by age.
    pub async fn roster(&self, sender: &Sender, filter: &Filter, limit: i64, offset: i64) -> Result<Vec<Entry>> {
        let mut reader = self.db.reader().await?;
        let mut entries = Vec::new();
        for contact in rows::list(&mut reader, whose(sender), filter, limit, offset).await? {
            entries.push(entry(&mut reader, contact, &sender.channel, Some(&sender.id)).await?);
        }
        Ok(entries)
    }

    pub async fn roster_count(&self, sender: &Sender, filter: &Filter) -> Result<i64> {
        rows::count(&mut *self.db.reader().await?, whose(sender), filter).await
    }

    /// All tags of a sender's contacts.
    pub async fn roster_tags(&self, sender: &Sender) -> Result<Vec<String>> {
        rows::tags(&mut *self.db.reader().await?, &sender.organization_id, &sender.id).await
    }

    /// All labels of a sender's contacts.
    pub async fn roster_labels(&self, sender: &Sender) -> Result<Vec<Labelled>> {
        rows::labels(&mut *self.db.reader().await?, whose(sender)).await
    }

    /// Any contact of an organization, and since when it thinks of us as it does.
    pub async fn roster_entry(&self, organization: &Id, id: &Id, channel: &str) -> Result<Option<(Entry, Minds)>> {
        let mut reader = self.db.reader().await?;
        let Some(contact) = store::contacts::get(&mut reader, organization, id).await? else { return Ok(None) };
        let minds = minds(&mut reader, &contact, channel).await?;
        Ok(Some((entry(&mut reader, contact, channel, None).await?, minds)))
    }
}

/// Whichever of a contact's addresses it was said under.
async fn minds(tx: &mut Tx, contact: &Contact, channel: &str) -> Result<Minds> {
    let mut minds = Minds::default();
    for address in store::contacts::addresses(tx, &contact.id).await? {
        for entry in store::opt_outs::entries(tx, &contact.organization_id, &address).await? {
            if entry.channel == channel && entry.purpose == MARKETING {
                let at = if entry.wanted { &mut minds.opted_in_at } else { &mut minds.opted_out_at };
                *at = (*at).max(Some(entry.created_at));
            }
        }
    }
    Ok(minds)
}
