//! Labels: made by people, stuck on contacts and conversations.

pub use store::labels::{Label, Target};
use store::{Id, Result, Tx, Work};

use crate::events::{self, Note};
use crate::{Engine, Outcome, Refusal, UseCase};

/// The team of an organization that has no other.
pub const TEAM: &str = "default";

pub struct Create(Label);

#[must_use]
pub fn create(engine: &Engine, organization: Id, team: &str, name: &str, color: &str) -> Create {
    let id = engine.new_id();
    Create(Label {
        id,
        organization_id: organization,
        team: team.into(),
        name: name.into(),
        color: color.into(),
        created_at: id.millis(),
        updated_at: id.millis(),
    })
}

impl Work for Create {
    type Output = Outcome<Label>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Label>> {
        taken(store::labels::insert(tx, &self.0).await, self.0.clone())
    }
}

impl UseCase for Create {}

/// A name is unique within its team.
fn taken(written: Result<bool>, label: Label) -> Result<Outcome<Label>> {
    Ok(if written? { Ok(label) } else { Err(Refusal::Taken { field: "name" }) })
}

pub struct Update {
    pub organization: Id,
    pub id: Id,
    pub name: Option<String>,
    pub color: Option<String>,
    pub now: i64,
}

impl Work for Update {
    type Output = Outcome<Label>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Label>> {
        let Some(mut label) = store::labels::get(tx, &self.organization, &self.id).await? else {
            return Ok(Err(Refusal::NotFound("label")));
        };
        label.name = self.name.clone().unwrap_or(label.name);
        label.color = self.color.clone().unwrap_or(label.color);
        label.updated_at = self.now;
        taken(store::labels::update(tx, &label).await, label)
    }
}

impl UseCase for Update {}

pub struct Delete {
    pub organization: Id,
    pub id: Id,
}

impl Work for Delete {
    type Output = Outcome<()>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<()>> {
        let deleted = store::labels::delete(tx, &self.organization, &self.id).await?;
        Ok(if deleted { Ok(()) } else { Err(Refusal::NotFound("label")) })
    }
}

impl UseCase for Delete {}

/// Sticks a label on a contact or conversation of a sender, or takes it off.
pub struct Stick {
    pub engine: Engine,
    pub organization: Id,
    pub sender: Id,
    pub target: Target,
    pub id: Id,
    pub label: Id,
    pub attach: bool,
}

impl Work for Stick {
    type Output = Outcome<()>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<()>> {
        if !self.target_exists(tx).await? {
            return Ok(Err(Refusal::NotFound(match self.target {
                Target::Contact => "contact",
                Target::Conversation => "conversation",
            })));
        }
        if store::labels::get(tx, &self.organization, &self.label).await?.is_none() {
            return Ok(Err(Refusal::NotFound("label")));
        }
        let changed = stick(tx, self.target, &self.id, &self.label, self.attach).await?;
        if changed && self.target == Target::Contact {
            tell(tx, &self.engine, &self.organization, &self.sender, &self.id).await?;
        }
        Ok(Ok(()))
    }
}

impl Stick {
    async fn target_exists(&self, tx: &mut Tx) -> Result<bool> {
        Ok(match self.target {
            Target::Contact => {
                store::contacts::of_sender(tx, &self.organization, &self.sender, &self.id).await?.is_some()
            }
            Target::Conversation => store::conversations::get(tx, &self.organization, &self.id)
                .await?
                .is_some_and(|conversation| conversation.sender_id == self.sender),
        })
    }
}

impl UseCase for Stick {
    fn committed(&self, engine: &Engine, _: &Outcome<()>) {
        engine.wake.dispatch.ring();
    }
}

async fn stick(tx: &mut Tx, target: Target, id: &Id, label: &Id, attach: bool) -> Result<bool> {
    match attach {
        true => store::labels::attach(tx, target, id, label).await,
        false => store::labels::detach(tx, target, id, label).await,
    }
}

/// A contact's labels are part of it.
async fn tell(tx: &mut Tx, engine: &Engine, organization: &Id, sender: &Id, contact: &Id) -> Result<()> {
    let note = Note::new(organization, events::CONTACT_UPDATED, contact).of_sender(sender);
    events::append(tx, engine, note, &serde_json::json!({})).await.map(drop)
}

/// One label on or off many contacts of a sender, in one transaction.
pub struct StickMany {
    pub engine: Engine,
    pub organization: Id,
    pub sender: Id,
    pub contacts: Vec<Id>,
    pub label: Id,
    pub attach: bool,
}

/// How many contacts have the label as wished now, and how many are not the caller's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stuck {
    pub applied: i64,
    pub foreign: i64,
}

impl Work for StickMany {
    type Output = Outcome<Stuck>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Stuck>> {
        if store::labels::get(tx, &self.organization, &self.label).await?.is_none() {
            return Ok(Err(Refusal::NotFound("label")));
        }
        let mut stuck = Stuck::default();
        for id in &self.contacts {
            if store::contacts::of_sender(tx, &self.organization, &self.sender, id).await?.is_none() {
                stuck.foreign += 1;
                continue;
            }
            stuck.applied += 1;
            if stick(tx, Target::Contact, id, &self.label, self.attach).await? {
                tell(tx, &self.engine, &self.organization, &self.sender, id).await?;
            }
        }
        Ok(Ok(stuck))
    }
}

impl UseCase for StickMany {
    fn committed(&self, engine: &Engine, _: &Outcome<Stuck>) {
        engine.wake.dispatch.ring();
    }
}

impl Engine {
    pub async fn label(&self, organization: &Id, id: &Id) -> Result<Option<Label>> {
        store::labels::get(&mut *self.db.reader().await?, organization, id).await
    }

    /// Newest first.
    pub async fn labels(&self, organization: &Id, before: Option<&Id>, limit: i64) -> Result<Vec<Label>> {
        store::labels::list(&mut *self.db.reader().await?, organization, before, limit).await
    }
}
