//! The rules: what may be sent, what happened, who is told. No HTTP, no SQL, no vendor's word.
//!
//! A caller's wish is a use case: a value that is committed as one transaction ([`UseCase`]) and, once
//! it is, wakes whoever has work from it. Three workers carry the consequences: `outbound` (messages to
//! providers, lane by lane), `dispatch` (events to deliveries) and `deliver` (deliveries to receivers).
//! What they have to do stands in the database, so each of them can be killed at any line.

pub mod accounts;
pub mod attempts;
pub mod billing;
pub mod cache;
pub mod campaigns;
pub mod chats;
pub mod clock;
pub mod consent;
pub mod contacts;
pub mod content;
pub mod conversations;
pub mod custom_events;
pub mod deliveries;
pub mod directory;
pub mod enrolment;
pub mod events;
pub mod explain;
pub mod facts;
pub mod failure;
pub mod format;
pub mod idempotency;
pub mod keys;
pub mod labels;
pub mod media;
pub mod messages;
pub mod metrics;
pub mod numbers;
pub mod organizations;
pub mod policy;
pub mod provider;
pub mod receive;
pub mod regions;
pub mod replay;
pub mod retention;
pub mod roster;
pub mod routes;
pub mod senders;
pub mod sessions;
pub mod settings;
pub mod subscriptions;
pub mod templates;
pub mod transport;
pub mod verification;
pub mod wake;
pub mod workers;

mod deliver;
mod dispatch;
mod outbound;
mod refusal;

use std::sync::Arc;

use store::{Db, Ids, SecretKey, Work};

pub use clock::Clock;
pub use refusal::Refusal;
pub use settings::Settings;
pub use store::{Error, Id};

/// What callers get: done, refused for a reason they can act on, or the database failed.
pub type Outcome<T> = Result<T, Refusal>;

/// A caller's wish: one transaction, and what follows from its commit.
pub trait UseCase: Work {
    /// Rings the bells of those who have work now.
    fn committed(&self, engine: &Engine, output: &Self::Output) {
        let _ = (engine, output);
    }
}

/// The cheap handle that everything else holds.
#[derive(Clone)]
pub struct Engine(Arc<Inside>);

/// An engine's parts, and what it knows only while it runs.
pub struct Inside {
    parts: Parts,
    sessions: sessions::Hub,
    resting: outbound::Resting,
    troubles: deliver::Troubles,
    reaches: campaigns::Reaches,
    up_since: i64,
}

/// What an engine is made of.
pub struct Parts {
    pub db: Db,
    pub clock: Clock,
    pub ids: Arc<Ids>,
    pub key: SecretKey,
    pub settings: Settings,
    pub providers: Vec<Arc<dyn provider::Provider>>,
    pub dialects: Vec<policy::Dialect>,
    pub transports: Vec<Arc<dyn transport::Transport>>,
    pub wake: wake::Wake,
    pub cache: cache::Cache,
}

impl std::ops::Deref for Engine {
    type Target = Inside;
    fn deref(&self) -> &Inside {
        &self.0
    }
}

impl std::ops::Deref for Inside {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Engine {
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let up_since = parts.clock.now();
        Self(Arc::new(Inside {
            parts,
            sessions: sessions::Hub::default(),
            resting: outbound::Resting::default(),
            troubles: deliver::Troubles::default(),
            reaches: campaigns::Reaches::default(),
            up_since,
        }))
    }

    #[must_use]
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    #[must_use]
    pub fn new_id(&self) -> Id {
        self.ids.next(self.now())
    }

    /// Whether the database can be reached.
    pub async fn is_up(&self) -> bool {
        self.db.reader().await.is_ok()
    }

    /// Commits a use case.
    pub async fn perform<U: UseCase>(&self, use_case: U) -> store::Result<U::Output> {
        let use_case = Arc::new(use_case);
        let output = self.db.write(Shared(use_case.clone())).await?;
        use_case.committed(self, &output);
        Ok(output)
    }

    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&Arc<dyn provider::Provider>> {
        self.providers.iter().find(|provider| provider.name() == name)
    }

    #[must_use]
    pub fn dialect(&self, name: &str) -> Option<&policy::Dialect> {
        self.dialects.iter().find(|dialect| dialect.name == name)
    }

    #[must_use]
    pub fn transport(&self, name: &str) -> Option<&Arc<dyn transport::Transport>> {
        self.transports.iter().find(|transport| transport.name() == name)
    }
}

/// Lets a use case be looked at after it was committed.
pub(crate) struct Shared<W>(pub(crate) Arc<W>);

impl<W: Work> Work for Shared<W> {
    type Output = W::Output;
    async fn run(&self, tx: &mut store::Tx) -> store::Result<W::Output> {
        self.0.run(tx).await
    }
}
