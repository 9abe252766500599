//! Stories of the store alone: `scripts/postgres cargo nextest run -p hermod-store`.

#![expect(clippy::unwrap_used, reason = "what cannot go on has failed its test")]

mod append;
mod campaigns;
mod chain;
mod commit;
mod keys;
mod schema;
mod session_state;
mod sessions;
mod whole;

use store::organizations::{self, Organization};
use store::{Db, Id, Result, Tx, Work};

/// Adds an organization, then does something else.
pub struct Add {
    pub number: u64,
    pub then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Nothing,
    Fail,
    Panic,
    /// Waits for something that is not the store.
    Wait,
}

impl Work for Add {
    type Output = u64;
    async fn run(&self, tx: &mut Tx) -> Result<u64> {
        let id = Id::from_parts(1, self.number);
        organizations::insert(tx, &Organization { id, name: self.number.to_string(), created_at: 1 }).await?;
        match self.then {
            Then::Nothing => Ok(self.number),
            Then::Fail => Err(store::Error::Unsupported("as told")),
            Then::Panic => panic!("as told"),
            Then::Wait => std::future::pending().await,
        }
    }
}

pub fn add(number: u64) -> Add {
    Add { number, then: Then::Nothing }
}

/// The numbers of all organizations.
pub async fn numbers(db: &Db) -> Vec<u64> {
    let rows = organizations::list(&mut db.reader().await.unwrap()).await.unwrap();
    rows.into_iter().map(|row| row.name.parse().unwrap()).collect()
}
