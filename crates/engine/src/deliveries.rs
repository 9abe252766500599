//! What was, is and could not be delivered, and doing it again.

use store::deliveries as rows;
pub use store::deliveries::{Delivery, Filter, Outcome as Made, Status};
use store::{Id, Result, Tx, Work, subscriptions};

use crate::{Engine, Outcome, Refusal, UseCase};

/// Sends a delivery again, as a new one with the same body; the old one stays and is marked.
pub struct Replay {
    pub engine: Engine,
    pub organization: Id,
    pub dialect: &'static str,
    pub id: Id,
}

impl Work for Replay {
    type Output = Outcome<Delivery>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Delivery>> {
        let Some(old) = rows::get(tx, &self.organization, &self.id).await? else {
            return Ok(Err(Refusal::NotFound("delivery")));
        };
        let subscription = subscriptions::get(tx, &self.organization, self.dialect, &old.subscription_id).await?;
        let Some(subscription) = subscription else { return Ok(Err(Refusal::NotFound("delivery"))) };
        if subscription.status == subscriptions::Status::Disabled {
            return Ok(Err(Refusal::Disabled));
        }
        Ok(Ok(again(tx, &self.engine, &old).await?))
    }
}

impl UseCase for Replay {
    fn committed(&self, engine: &Engine, _: &Outcome<Delivery>) {
        engine.wake.subscriptions.ring_all();
    }
}

async fn again(tx: &mut Tx, engine: &Engine, old: &Delivery) -> Result<Delivery> {
    let id = engine.new_id();
    let new = Delivery {
        id,
        status: Status::Pending,
        // A replay comes from the past and waits for nobody.
        ordered: false,
        attempt_count: 0,
        last_attempt_at: None,
        next_attempt_at: Some(id.millis()),
        response_status: None,
        response_snippet: None,
        error: None,
        duration_ms: None,
        replayed_from: Some(old.id),
        replayed: false,
        created_at: id.millis(),
        updated_at: id.millis(),
        ..old.clone()
    };
    rows::replaced(tx, &old.id, id.millis()).await?;
    rows::insert(tx, &new).await?;
    Ok(new)
}

/// Sends many again, oldest first; those that a replay has replaced already are left out.
pub struct ReplayMany {
    pub engine: Engine,
    pub organization: Id,
    pub dialect: &'static str,
    pub subscription: Id,
    pub filter: Filter,
    pub cap: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed {
    pub enqueued: usize,
    /// There was more than the cap allows.
    pub capped: bool,
}

impl Work for ReplayMany {
    type Output = Outcome<Replayed>;
    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Replayed>> {
        let subscription = subscriptions::get(tx, &self.organization, self.dialect, &self.subscription).await?;
        let Some(subscription) = subscription else { return Ok(Err(Refusal::NotFound("subscription"))) };
        if subscription.status == subscriptions::Status::Disabled {
            return Ok(Err(Refusal::Disabled));
        }
        let filter = Filter { subscription: Some(self.subscription), ..self.filter.clone() };
        let most = i64::try_from(self.cap).unwrap_or(i64::MAX - 1) + 1;
        let found = rows::replayable(tx, &self.organization, self.dialect, &filter, most).await?;
        for old in found.iter().take(self.cap) {
            again(tx, &self.engine, old).await?;
        }
        Ok(Ok(Replayed { enqueued: found.len().min(self.cap), capped: found.len() > self.cap }))
    }
}

impl UseCase for ReplayMany {
    fn committed(&self, engine: &Engine, _: &Outcome<Replayed>) {
        engine.wake.subscriptions.ring_all();
    }
}

impl Engine {
    /// One of a dialect's deliveries.
    pub async fn delivery(&self, organization: &Id, dialect: &str, id: &Id) -> Result<Option<Delivery>> {
        let mut reader = self.db.reader().await?;
        let Some(found) = rows::get(&mut reader, organization, id).await? else { return Ok(None) };
        let owner = subscriptions::read_only(&mut reader, organization, dialect, &found.subscription_id).await?;
        Ok(owner.map(|_| found))
    }

    /// Newest first.
    pub async fn deliveries(
        &self,
        organization: &Id,
        dialect: &str,
        filter: &Filter,
        limit: i64,
    ) -> Result<Vec<Delivery>> {
        rows::list(&mut *self.db.reader().await?, organization, dialect, filter, limit).await
    }
}
