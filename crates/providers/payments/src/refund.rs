//! Giving money back. A refund may be under way for days and come to nothing in the end; then another is begun.

use engine::Id;
use engine::numbers::Refund;
use engine::provider::CallError;
use reqwest::Method;
use serde::Deserialize;

use crate::Stripe;
use crate::api::{Metadata, ask};

/// Refunds of one payment that are looked at; ours are one, and those before it that came to nothing.
const MOST: &str = "100";

#[derive(Deserialize)]
struct Found {
    id: String,
    status: Option<String>,
    failure_reason: Option<String>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Found>,
}

impl Found {
    fn is_for(&self, order: &str) -> bool {
        self.metadata.as_ref().and_then(|known| known.order_id.as_deref()) == Some(order)
    }

    fn has_failed(&self) -> bool {
        matches!(self.status.as_deref(), Some("failed" | "canceled"))
    }

    /// Only what has succeeded counts. What is pending, or waits for the buyer, is to be looked at again.
    fn stands(self) -> Result<Refund, CallError> {
        if self.has_failed() {
            let why = self.failure_reason.or(self.status).unwrap_or_default();
            let message = format!("the refund {} came to nothing: {why}", self.id);
            return Err(CallError::Refused { message, code: None, details: None });
        }
        Ok(Refund { settled: self.status.as_deref() == Some("succeeded"), id: self.id })
    }
}

impl Stripe {
    /// `begun`: one that is known.
    pub(crate) async fn give_back(
        &self,
        order: &Id,
        reference: &str,
        begun: Option<&str>,
    ) -> Result<Refund, CallError> {
        let settled = |id: &str| Ok(Refund { id: id.to_owned(), settled: true });
        if !reference.starts_with("pi_") {
            return settled("nothing had to be paid");
        }
        if let Some(id) = begun {
            return ask::<Found>(self.call(Method::GET, &["refunds", id])).await?.stands();
        }
        // The answer to an earlier try may have been lost, and its key be forgotten.
        let order = order.hex24();
        let mut ours = self.refunds_for(&order, reference).await?;
        if let Some(place) = ours.iter().position(|found| !found.has_failed()) {
            return ours.swap_remove(place).stands();
        }
        let key = match ours.len() {
            0 => format!("refund-{order}"),
            failed => format!("refund-{order}-after-{failed}"),
        };
        let form = [("payment_intent", reference), ("metadata[order_id]", order.as_str())];
        match self.once::<Found>(&["refunds"], &key, &form).await {
            Ok(found) => found.stands(),
            // By hand.
            Err(no) if no.details.code.as_deref() == Some("charge_already_refunded") => settled("already"),
            Err(no) => Err(no.into()),
        }
    }

    async fn refunds_for(&self, order: &str, reference: &str) -> Result<Vec<Found>, CallError> {
        let look = self.call(Method::GET, &["refunds"]);
        let list: List = ask(look.query(&[("payment_intent", reference), ("limit", MOST)])).await?;
        Ok(list.data.into_iter().filter(|found| found.is_for(order)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_arrived_is_given_back() {
        for (status, settled) in [
            ("succeeded", Some(true)),
            ("pending", Some(false)),
            ("requires_action", Some(false)),
            ("a new word", Some(false)),
            ("failed", None),
            ("canceled", None),
        ] {
            let json = serde_json::json!({ "id": "re_1", "status": status, "failure_reason": "lost_or_stolen_card" });
            let found: Found = serde_json::from_value(json).unwrap();
            match (found.stands(), settled) {
                (Ok(refund), Some(settled)) => assert_eq!((refund.id.as_str(), refund.settled), ("re_1", settled)),
                (Err(CallError::Refused { message, .. }), None) => assert!(message.contains("lost_or_stolen_card")),
                (other, _) => panic!("{status}: {other:?}"),
            }
        }
    }
}
