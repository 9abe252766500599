//! Labels by their names, as they stick on a sender's contacts.

use std::sync::Arc;

use store::labels::{self as rows, Label, Target};
use store::senders::Sender;
use store::{Id, Result, Tx, Work};

use super::tell;
use crate::labels::TEAM;
use crate::{Engine, UseCase, directory};

/// A label that nobody gave a colour.
const COLOR: &str = "gray";

/// The organization's label of this name, made when there is none.
pub(super) async fn named(tx: &mut Tx, engine: &Engine, organization: &Id, name: &str) -> Result<Id> {
    if let Some(known) = rows::by_name(tx, organization, TEAM, name).await? {
        return Ok(known);
    }
    let id = engine.new_id();
    let label = Label {
        id,
        organization_id: *organization,
        team: TEAM.into(),
        name: name.into(),
        color: COLOR.into(),
        created_at: id.millis(),
        updated_at: id.millis(),
    };
    if rows::insert(tx, &label).await? {
        return Ok(id);
    }
    // Somebody else made it between our look and our write (PostgreSQL only).
    rows::by_name(tx, organization, TEAM, name).await?.ok_or(store::Error::Dangling)
}

/// Leaves exactly these on a contact.
pub(super) async fn set(tx: &mut Tx, engine: &Engine, organization: &Id, contact: &Id, names: &[String]) -> Result<()> {
    for label in rows::on(tx, Target::Contact, contact).await? {
        if !names.contains(&label.name) {
            rows::detach(tx, Target::Contact, contact, &label.id).await?;
        }
    }
    for name in names {
        let label = named(tx, engine, organization, name).await?;
        rows::attach(tx, Target::Contact, contact, &label).await?;
    }
    Ok(())
}

/// Takes a label off one contact; whether it was there.
async fn off(tx: &mut Tx, contact: &Id, name: &str) -> Result<bool> {
    let mut changed = false;
    for label in rows::on(tx, Target::Contact, contact).await?.into_iter().filter(|label| label.name == name) {
        changed |= rows::detach(tx, Target::Contact, contact, &label.id).await?;
    }
    Ok(changed)
}

/// Gives a sender's contacts another label in the place of one; tells how many had it. The labels themselves stay: other
/// senders' contacts and conversations may have them.
pub struct RenameLabel {
    pub engine: Engine,
    pub sender: Arc<Sender>,
    pub old: String,
    pub new: String,
}

impl Work for RenameLabel {
    type Output = i64;
    async fn run(&self, tx: &mut Tx) -> Result<i64> {
        let organization = &self.sender.organization_id;
        let labelled = store::roster::labelled(tx, organization, &self.sender.id, &self.old).await?;
        if labelled.is_empty() {
            return Ok(0);
        }
        let new = named(tx, &self.engine, organization, &self.new).await?;
        for id in &labelled {
            let Ok(before) = directory::entry(tx, organization, id).await? else { continue };
            off(tx, id, &self.old).await?;
            rows::attach(tx, Target::Contact, id, &new).await?;
            tell(tx, &self.engine, &before).await?;
        }
        Ok(i64::try_from(labelled.len()).unwrap_or(i64::MAX))
    }
}

impl UseCase for RenameLabel {
    fn committed(&self, engine: &Engine, _: &i64) {
        engine.wake.dispatch.ring();
    }
}

/// Takes a label off all of a sender's contacts; tells how many had it.
pub struct DeleteLabel {
    pub engine: Engine,
    pub sender: Arc<Sender>,
    pub name: String,
}

impl Work for DeleteLabel {
    type Output = i64;
    async fn run(&self, tx: &mut Tx) -> Result<i64> {
        let organization = &self.sender.organization_id;
        let labelled = store::roster::labelled(tx, organization, &self.sender.id, &self.name).await?;
        for id in &labelled {
            let Ok(before) = directory::entry(tx, organization, id).await? else { continue };
            off(tx, id, &self.name).await?;
            tell(tx, &self.engine, &before).await?;
        }
        Ok(i64::try_from(labelled.len()).unwrap_or(i64::MAX))
    }
}

impl UseCase for DeleteLabel {
    fn committed(&self, engine: &Engine, _: &i64) {
        engine.wake.dispatch.ring();
    }
}
