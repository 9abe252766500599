//! Writing a campaign: what it says and whom it goes to.

use std::sync::Arc;

use serde_json::{Map, Value};
use store::campaigns as rows;
use store::campaigns::counts::{self, Counts};
use store::senders::Sender;
use store::{Id, Result, Tx, Work};

use super::{Campaign, MOST_AT_ONCE, Outcome, Refusal, State, Whose, tell, to_row};
use crate::contacts::Address;
use crate::content::{Content, Template};
use crate::{Engine, UseCase};

/// Somebody a campaign is to go to.
#[derive(Clone, Debug)]
pub struct Addressee {
    pub address: Address,
    pub name: Option<String>,
    /// What is put into the template for him.
    pub variables: Map<String, Value>,
}

pub struct New {
    pub organization: Id,
    pub sender: Arc<Sender>,
    /// The dialect it comes through.
    pub origin: &'static str,
    pub name: String,
    pub description: Option<String>,
    pub template: Template,
    /// The first of them: as many as the caller's request may hold.
    pub recipients: Vec<Addressee>,
}

/// Makes a draft and adds its first recipients: all in one commit, so that there never is a part of it.
pub struct Create {
    engine: Engine,
    new: New,
    content: String,
    people: Vec<rows::recipients::New>,
}

#[must_use]
pub fn create(engine: &Engine, mut new: New) -> Create {
    let content = Content::Template(new.template.clone()).to_json();
    let people = std::mem::take(&mut new.recipients).iter().map(to_row).collect();
    Create { engine: engine.clone(), new, content, people }
}

impl Work for Create {
    type Output = Campaign;
    async fn run(&self, tx: &mut Tx) -> Result<Campaign> {
        let mut it = self.row();
        rows::insert(tx, &it).await?;
        add(tx, &mut it, &self.people).await?;
        rows::update(tx, &it).await?;
        tell(tx, &self.engine, &it).await?;
        Ok(it)
    }
}

impl Create {
    fn row(&self) -> Campaign {
        let (new, id) = (&self.new, self.engine.new_id());
        Campaign {
            id,
            organization_id: new.organization,
            sender_id: new.sender.id,
            origin: new.origin.into(),
            name: new.name.clone(),
            description: new.description.clone(),
            content: self.content.clone(),
            state: State::Draft,
            reason: None,
            resumes_at: None,
            scheduled_at: None,
            started_at: None,
            completed_at: None,
            last_position: 0,
            taken: 0,
            told_at: 0,
            created_at: id.millis(),
            updated_at: id.millis(),
            counts: Counts::default(),
        }
    }
}

impl UseCase for Create {
    fn committed(&self, engine: &Engine, _: &Campaign) {
        engine.wake.dispatch.ring();
    }
}

/// Adds people, and keeps the campaign's counts and last position in step.
async fn add(tx: &mut Tx, it: &mut Campaign, people: &[rows::recipients::New]) -> Result<i64> {
    let added = rows::recipients::add(tx, &it.id, it.last_position, people).await?;
    it.last_position += people.len() as i64;
    let difference = Counts { pending: added, ..Counts::default() };
    counts::add(tx, &it.id, counts::OWN, &difference).await?;
    it.counts = it.counts.and(difference);
    Ok(added)
}

/// Changes a draft; what is `None` stays.
pub struct Edit {
    pub engine: Engine,
    pub whose: Whose,
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub template: Option<Template>,
}

impl Work for Edit {
    type Output = Outcome<Campaign>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Campaign>> {
        let mut it = match super::draft(tx, &self.whose).await? {
            Ok(it) => it,
            Err(refusal) => return Ok(Err(refusal)),
        };
        it.name = self.name.clone().unwrap_or(it.name);
        it.description = self.description.clone().unwrap_or(it.description);
        if let Some(template) = &self.template {
            it.content = Content::Template(template.clone()).to_json();
        }
        it.updated_at = self.engine.now();
        rows::update(tx, &it).await?;
        Ok(Ok(it))
    }
}

impl UseCase for Edit {}

/// Adds recipients to a draft.
pub struct Add {
    pub engine: Engine,
    pub whose: Whose,
    pub recipients: Vec<Addressee>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    pub added: i64,
    /// Addresses that were there already, in the campaign or in this call.
    pub duplicates: i64,
    pub total: i64,
}

impl Work for Add {
    type Output = Outcome<Added>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Added>> {
        if self.recipients.len() > MOST_AT_ONCE {
            return Ok(Err(Refusal::TooMany { most: MOST_AT_ONCE }));
        }
        let mut it = match super::draft(tx, &self.whose).await? {
            Ok(it) => it,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let people: Vec<_> = self.recipients.iter().map(to_row).collect();
        let added = add(tx, &mut it, &people).await?;
        it.updated_at = self.engine.now();
        rows::update(tx, &it).await?;
        let duplicates = self.recipients.len() as i64 - added;
        Ok(Ok(Added { added, duplicates, total: it.counts.total() }))
    }
}

impl UseCase for Add {}

/// Takes recipients out of a draft.
pub struct Remove {
    pub engine: Engine,
    pub whose: Whose,
    pub addresses: Vec<Address>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    pub removed: i64,
    pub total: i64,
}

impl Work for Remove {
    type Output = Outcome<Removed>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Removed>> {
        let mut it = match super::draft(tx, &self.whose).await? {
            Ok(it) => it,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut removed = 0;
        for address in &self.addresses {
            removed += i64::from(rows::recipients::remove(tx, &it.id, address).await?);
        }
        counts::add(tx, &it.id, counts::OWN, &Counts { pending: -removed, ..Counts::default() }).await?;
        it.updated_at = self.engine.now();
        rows::update(tx, &it).await?;
        Ok(Ok(Removed { removed, total: it.counts.total() - removed }))
    }
}

impl UseCase for Remove {}
