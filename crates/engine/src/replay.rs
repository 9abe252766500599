//! Sending a stretch of the past again, to one subscription, marked as replay.

use std::sync::Arc;

use store::deliveries::Delivery;
use store::{Id, Result, events, subscriptions};

use crate::dispatch::{Again, deliveries_of};
use crate::{Engine, Refusal};

const BATCH: i64 = 500;

/// What to send again. Times are milliseconds; `from` belongs to the stretch, `to` does not.
pub struct Stretch {
    pub subscription: Id,
    pub from: i64,
    pub to: i64,
    /// The format's name of one kind of event.
    pub name: Option<String>,
}

/// Makes the deliveries and returns how many. Events are told as things stand now, under their old fact ids.
pub async fn replay(engine: &Engine, stretch: &Stretch) -> Result<std::result::Result<usize, Refusal>> {
    let found = subscriptions::find(&mut *engine.db.reader().await?, &stretch.subscription).await?;
    let Some(subscription) = found else { return Ok(Err(Refusal::NotFound("subscription"))) };
    if subscription.status == subscriptions::Status::Disabled {
        return Ok(Err(Refusal::Disabled));
    }
    let (mut after, until, mut made) = (Id::floor(stretch.from), Id::floor(stretch.to), 0);
    loop {
        let mut reader = engine.db.reader().await?;
        let batch = events::between(&mut reader, &subscription.organization_id, &after, &until, BATCH).await?;
        drop(reader);
        let mut deliveries = Vec::new();
        for event in &batch {
            after = event.id;
            deliveries.extend(deliveries_of(engine, event, Some(&subscription)).await?);
        }
        deliveries.retain(|delivery| stretch.name.as_ref().is_none_or(|name| *name == delivery.name));
        made += deliveries.len();
        let deliveries = deliveries.into_iter().map(marked).collect();
        engine.perform(Again { engine: engine.clone(), deliveries: Arc::new(deliveries) }).await?;
        if batch.len() < BATCH as usize {
            return Ok(Ok(made));
        }
    }
}

/// A replay names what it repeats: here the event itself.
fn marked(delivery: Delivery) -> Delivery {
    Delivery { replayed_from: Some(delivery.event_id), ordered: false, ..delivery }
}
