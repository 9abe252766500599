//! The same done to many contacts, in one commit. Who is not the caller's does not exist.

use std::collections::BTreeSet;

use store::contacts::{self as rows, Contact};
use store::labels::Target;
use store::{Id, Result, Tx, Work};

use super::{Source, labels, mind, tell};
use crate::events::{self, Note};
use crate::{Engine, UseCase, directory};

/// What is to be done to each of them.
#[derive(Clone, Debug)]
pub enum Action {
    AddTags(Vec<String>),
    RemoveTags(Vec<String>),
    /// By name; made where there is none.
    AddLabels(Vec<String>),
    RemoveLabels(Vec<String>),
    /// They want to hear from us, or do not.
    Consent(bool),
    Block(bool),
}

pub struct Bulk {
    pub engine: Engine,
    pub organization: Id,
    pub ids: Vec<Id>,
    pub action: Action,
    /// The channel that consent is for.
    pub channel: &'static str,
    /// What shows that the caller asked for it.
    pub proof: String,
}

/// How many were the caller's, and how many of them were not yet as wished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    pub matched: i64,
    pub modified: i64,
}

impl Work for Bulk {
    type Output = Touched;
    async fn run(&self, tx: &mut Tx) -> Result<Touched> {
        let mut touched = Touched::default();
        // Each once and in one order, so that two of these cannot wait for each other.
        for id in self.ids.iter().collect::<BTreeSet<_>>() {
            rows::lock(tx, &self.organization, id).await?;
            let Ok(before) = directory::entry(tx, &self.organization, id).await? else { continue };
            touched.matched += 1;
            if self.act(tx, &before).await? {
                touched.modified += 1;
                tell(tx, &self.engine, &before).await?;
            }
        }
        Ok(touched)
    }
}

impl Bulk {
    /// Whether that changed anything.
    async fn act(&self, tx: &mut Tx, before: &directory::Entry) -> Result<bool> {
        let (organization, contact) = (&self.organization, &before.contact);
        match &self.action {
            Action::AddTags(tags) => {
                let new = tags.iter().filter(|tag| !before.tags.contains(tag));
                let all: Vec<String> = before.tags.iter().chain(new).cloned().collect();
                self.retag(tx, before, &all).await
            }
            Action::RemoveTags(tags) => {
                let kept: Vec<String> = before.tags.iter().filter(|tag| !tags.contains(tag)).cloned().collect();
                self.retag(tx, before, &kept).await
            }
            Action::AddLabels(names) => {
                let mut changed = false;
                for name in names {
                    let label = labels::named(tx, &self.engine, organization, name).await?;
                    changed |= store::labels::attach(tx, Target::Contact, &contact.id, &label).await?;
                }
                Ok(changed)
            }
            Action::RemoveLabels(names) => {
                let mut changed = false;
                for label in store::labels::on(tx, Target::Contact, &contact.id).await? {
                    if names.contains(&label.name) {
                        changed |= store::labels::detach(tx, Target::Contact, &contact.id, &label.id).await?;
                    }
                }
                Ok(changed)
            }
            Action::Consent(wanted) => {
                let source = Source { channel: self.channel, proof: &self.proof };
                mind(tx, &self.engine, contact, *wanted, &source).await
            }
            Action::Block(blocked) => {
                let changed = contact.blocked != *blocked;
                let (blocked, updated_at) = (*blocked, self.engine.now());
                if changed {
                    rows::update(tx, &Contact { blocked, updated_at, ..contact.clone() }).await?;
                }
                Ok(changed)
            }
        }
    }

    async fn retag(&self, tx: &mut Tx, before: &directory::Entry, tags: &[String]) -> Result<bool> {
        let changed = before.tags != tags;
        if changed {
            rows::set_tags(tx, &self.organization, &before.contact.id, tags).await?;
        }
        Ok(changed)
    }
}

impl UseCase for Bulk {
    fn committed(&self, engine: &Engine, _: &Touched) {
        engine.wake.dispatch.ring();
    }
}

/// Deletes contacts with their conversations and messages, at every sender; tells how many there were.
pub struct DeleteMany {
    pub engine: Engine,
    pub organization: Id,
    pub ids: Vec<Id>,
}

impl Work for DeleteMany {
    type Output = i64;
    async fn run(&self, tx: &mut Tx) -> Result<i64> {
        let mut deleted = 0;
        for id in self.ids.iter().collect::<BTreeSet<_>>() {
            let Ok(entry) = directory::entry(tx, &self.organization, id).await? else { continue };
            crate::billing::give_back_of(tx, &self.engine, &self.organization, id).await?;
            rows::delete(tx, &self.organization, id).await?;
            let note = Note::new(&self.organization, events::CONTACT_DELETED, id);
            events::append(tx, &self.engine, note, &directory::card(&entry)).await?;
            deleted += 1;
        }
        Ok(deleted)
    }
}

impl UseCase for DeleteMany {
    fn committed(&self, engine: &Engine, _: &i64) {
        engine.wake.dispatch.ring();
    }
}
