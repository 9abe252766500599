//! Attempts that somebody waits for: one each, made at once, in whatever state the subscription is.
//!
//! The delivery is written down when it is over, closed whatever the answer was: killed before that, nothing was done,
//! and nothing is tried again. How a subscription fares is not judged by it, whether it fails or succeeds.

use store::deliveries::{self, Delivery, Outcome, Status};
use store::subscriptions::{self, Subscription};
use store::{Id, Result, Tx, Work};

use super::{Aim, post};
use crate::format::Rendered;
use crate::subscriptions::Target;
use crate::{Engine, Refusal, UseCase};

/// Stands with deliveries of what did not happen, in place of an event's kind.
const TESTED: &str = "subscription.tested";

impl Engine {
    /// Tells a subscription something that did not happen, to see whether it listens. `id` names the event; `name` is
    /// the format's word for it.
    pub async fn try_out(
        &self,
        target: &Target,
        id: Id,
        name: &str,
        rendered: Rendered,
    ) -> Result<crate::Outcome<Outcome>> {
        let Some(subscription) = self.found(target).await? else {
            return Ok(Err(Refusal::NotFound("subscription")));
        };
        let delivery = Delivery {
            event_id: id,
            event_kind: TESTED.to_owned(),
            name: name.to_owned(),
            fact_id: rendered.fact_id,
            body: rendered.body,
            headers: serde_json::to_string(&rendered.headers).unwrap_or_else(|_| "[]".into()),
            ..blank(self, &subscription)
        };
        Ok(Ok(self.once(subscription, delivery).await?))
    }

    /// The first delivery of an event to a subscription.
    pub async fn delivery_of(&self, target: &Target, event: &Id) -> Result<Option<Delivery>> {
        match self.found(target).await? {
            Some(found) => deliveries::first_of_event(&mut *self.db.reader().await?, &found.id, event).await,
            None => Ok(None),
        }
    }

    /// Sends what a delivery holds once more, to where its subscription leads now. Once that succeeded,
    /// the event is tried no more.
    pub async fn redeliver(&self, target: &Target, old: &Delivery) -> Result<crate::Outcome<Outcome>> {
        let found = self.found(target).await?.filter(|found| found.id == old.subscription_id);
        let Some(subscription) = found else { return Ok(Err(Refusal::NotFound("delivery"))) };
        let delivery = Delivery {
            event_id: old.event_id,
            conversation_id: old.conversation_id,
            event_kind: old.event_kind.clone(),
            name: old.name.clone(),
            fact_id: old.fact_id.clone(),
            body: old.body.clone(),
            headers: old.headers.clone(),
            replayed_from: Some(old.id),
            ..blank(self, &subscription)
        };
        Ok(Ok(self.once(subscription, delivery).await?))
    }

    async fn found(&self, target: &Target) -> Result<Option<Subscription>> {
        let mut reader = self.db.reader().await?;
        subscriptions::read_only(&mut reader, &target.organization, target.dialect, &target.id).await
    }

    async fn once(&self, subscription: Subscription, delivery: Delivery) -> Result<Outcome> {
        let gone = || store::Error::Refused("its dialect or transport is not part of this program".into());
        let aim = Aim::of(self, subscription).await?.ok_or_else(gone)?;
        let (mut outcome, _) = post(self, &aim, &delivery).await;
        if outcome.status != Status::Succeeded {
            (outcome.status, outcome.next_attempt_at) = (Status::Dead, None);
        }
        self.perform(Done { delivery, outcome: outcome.clone() }).await?;
        Ok(outcome)
    }
}

/// A delivery whose first attempt is being made.
fn blank(engine: &Engine, subscription: &Subscription) -> Delivery {
    let id = engine.new_id();
    Delivery {
        id,
        organization_id: subscription.organization_id,
        subscription_id: subscription.id,
        event_id: id,
        conversation_id: None,
        event_kind: String::new(),
        name: String::new(),
        fact_id: String::new(),
        body: Vec::new(),
        headers: String::new(),
        status: Status::Pending,
        ordered: false,
        attempt_count: 1,
        last_attempt_at: Some(id.millis()),
        next_attempt_at: None,
        response_status: None,
        response_snippet: None,
        error: None,
        duration_ms: None,
        replayed_from: None,
        replayed: false,
        created_at: id.millis(),
        updated_at: id.millis(),
    }
}

struct Done {
    delivery: Delivery,
    outcome: Outcome,
}

impl Work for Done {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        // It may have been deleted meanwhile; then there is nothing to write down.
        if subscriptions::find_for_update(tx, &self.delivery.subscription_id).await?.is_none() {
            return Ok(());
        }
        deliveries::insert(tx, &self.delivery).await?;
        deliveries::record(tx, &self.outcome).await?;
        if self.outcome.status != Status::Succeeded {
            return Ok(());
        }
        let now = self.outcome.started_at + self.outcome.duration_ms;
        let Delivery { subscription_id, event_id, .. } = &self.delivery;
        deliveries::brought(tx, subscription_id, event_id, now).await
    }
}

impl UseCase for Done {}
