//! The library's storage on our databases.

mod contract;
mod life;

use provider_whatsapp_web::backend::Backend;
use store::accounts::{self, Account};
use store::organizations::{self, Organization};
use store::senders::{self, Sender};
use store::session_state::Scope;
use store::{Db, Id, Result, SecretKey, Tx, Work, sessions};
use testkit::Scratch;

/// A database with sessions in it.
pub struct Place {
    pub db: Db,
    key: SecretKey,
}

impl Place {
    pub async fn new(scratch: &Scratch) -> Self {
        Self { db: scratch.migrated().await, key: SecretKey::new([7; 32]) }
    }

    /// The storage of a session that is taken now, by a process of that number.
    pub async fn session(&self, number: u64, process: i64) -> Backend {
        let fence = self.db.write(Take { number, process }).await.unwrap();
        Backend::new(self.db.clone(), Scope::new(Id::from_parts(1, number), fence, self.key.clone()))
    }
}

/// Takes a sender's session, which is made where there is none.
struct Take {
    number: u64,
    process: i64,
}

impl Work for Take {
    type Output = i64;
    async fn run(&self, tx: &mut Tx) -> Result<i64> {
        let (id, provider) = (Id::from_parts(1, self.number), format!("provider {}", self.number));
        if senders::get(tx, &id).await?.is_none() {
            make_sender(tx, id, &provider).await?;
        }
        let mut session = sessions::ensure(tx, &id, &id, "off", 0).await?;
        session.wanted = true;
        sessions::update(tx, &session).await?;
        // Each process comes when the lease of the one before has run out.
        let (process, now) = (self.process.to_string(), self.process * 100);
        let taken = sessions::take(tx, &provider, &process, now, now + 10, 1).await?;
        Ok(taken[0].fence)
    }
}

/// A sender with an organization and an account of its own, all with the same id.
async fn make_sender(tx: &mut Tx, id: Id, provider: &str) -> Result<()> {
    organizations::insert(tx, &Organization { id, name: provider.into(), created_at: 0 }).await?;
    let account = Account {
        id,
        organization_id: id,
        provider: provider.into(),
        external_id: "account".into(),
        name: String::new(),
        config: "{}".into(),
        secrets: Vec::new(),
        status: "connected".into(),
        status_reason: None,
        heard_at: None,
        created_at: 0,
        updated_at: 0,
    };
    accounts::put(tx, &account).await?;
    let sender = Sender {
        id,
        organization_id: id,
        account_id: id,
        channel: "whatsapp".into(),
        provider: provider.into(),
        external_id: "sender".into(),
        address: String::new(),
        name: None,
        status: "connected".into(),
        status_reason: None,
        config: "{}".into(),
        settings: "{}".into(),
        created_at: 0,
        updated_at: 0,
    };
    senders::put(tx, &sender).await.map(drop)
}
