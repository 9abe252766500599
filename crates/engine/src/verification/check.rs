//! Comparing an answer with the code that was sent.

use secrecy::{ExposeSecret, SecretString};
use store::verifications::{self as rows, Verification};
use store::{Id, Result, Tx, Work};
use subtle::ConstantTimeEq;

use super::{APPROVED, EXPIRED, PENDING, code, end};
use crate::contacts::Address;
use crate::{Engine, Outcome, Refusal, UseCase};

/// Somebody says that this is the code.
pub struct Check {
    pub engine: Engine,
    pub organization: Id,
    pub whose: Whose,
    pub code: SecretString,
}

/// Which verification is meant.
#[derive(Clone, Debug)]
pub enum Whose {
    Id(Id),
    /// The newest of an address that waits for its code, else the newest.
    Address(Address),
}

#[derive(Clone, Debug)]
pub struct Checked {
    /// The check's own name.
    pub id: Id,
    pub valid: bool,
    /// As it stands now.
    pub verification: Verification,
}

impl Work for Check {
    type Output = Outcome<Checked>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Checked>> {
        let now = self.engine.now();
        let found = match &self.whose {
            Whose::Id(id) => Some(*id),
            Whose::Address(address) => rows::latest(tx, &self.organization, address, now).await?,
        };
        let found = match found {
            Some(id) => rows::get_for_update(tx, &id).await?,
            None => None,
        };
        let Some(mut it) = found.filter(|it| it.organization_id == self.organization) else {
            return Ok(Err(Refusal::NotFound("verification")));
        };
        let valid = match it.status == PENDING {
            true => self.compare(tx, &mut it, now).await?,
            false => false,
        };
        Ok(Ok(Checked { id: self.engine.new_id(), valid, verification: it }))
    }
}

impl UseCase for Check {}

impl Check {
    /// What waits for its code ends with the right one, with its time or with its tries.
    async fn compare(&self, tx: &mut Tx, it: &mut Verification, now: i64) -> Result<bool> {
        if now >= it.expires_at {
            end(tx, it, EXPIRED, now).await?;
            return Ok(false);
        }
        let answer = code::hash(&self.engine.key, &it.id, self.code.expose_secret());
        if bool::from(answer.ct_eq(&it.hash)) {
            end(tx, it, APPROVED, now).await?;
            return Ok(true);
        }
        it.wrong += 1;
        match it.wrong >= self.engine.settings.verify.tries {
            true => end(tx, it, EXPIRED, now).await?,
            false => rows::update(tx, it).await?,
        }
        Ok(false)
    }
}
