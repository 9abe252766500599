//! The four calls that are needed.

use bytes::BytesMut;
use engine::Id;
use engine::numbers::{Bill, Session, Standing};
use engine::provider::CallError;
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Stripe;

/// Bytes of an answer; real ones have some thousands.
const MAX: usize = 1024 * 1024;
/// Amounts come in millionths of a unit.
const UNIT: i64 = 1_000_000;
/// Currencies without a smaller unit.
const WHOLE: [&str; 16] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"];

/// A session, as far as it matters.
#[derive(Deserialize)]
pub(crate) struct CheckoutSession {
    pub(crate) id: String,
    url: Option<String>,
    status: Option<String>,
    payment_status: Option<String>,
    payment_intent: Option<Intent>,
    pub(crate) client_reference_id: Option<String>,
}

/// A payment: its name alone, or all of it where that was asked for.
#[derive(Deserialize)]
#[serde(untagged)]
enum Intent {
    Named(String),
    Whole { id: String, status: Option<String> },
}

impl Intent {
    fn id(&self) -> &str {
        match self {
            Self::Named(id) | Self::Whole { id, .. } => id,
        }
    }

    /// The buyer was done with his part, and his bank did not pay.
    fn has_failed(&self) -> bool {
        let Self::Whole { status, .. } = self else { return false };
        matches!(status.as_deref(), Some("requires_payment_method" | "canceled"))
    }
}

impl CheckoutSession {
    /// Where nothing had to be paid the session stands for the payment.
    pub(crate) fn standing(&self) -> Standing {
        let failed = || self.payment_intent.as_ref().is_some_and(Intent::has_failed);
        match (self.payment_status.as_deref(), self.status.as_deref()) {
            (Some("paid" | "no_payment_required"), _) => {
                let reference = self.payment_intent.as_ref().map_or(self.id.as_str(), Intent::id);
                Standing::Paid { reference: reference.to_owned() }
            }
            (_, Some("expired")) => Standing::Ended,
            (_, Some("complete")) if failed() => Standing::Ended,
            _ => Standing::Open,
        }
    }
}

#[derive(Deserialize)]
struct Refund {
    id: String,
}

#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    error: Details,
}

#[derive(Default, Deserialize)]
struct Details {
    code: Option<String>,
    message: Option<String>,
}

/// Why there is no answer, or none that helps.
struct No {
    /// 0: nobody answered.
    status: u16,
    details: Details,
}

impl From<No> for CallError {
    fn from(No { status, details }: No) -> Self {
        let message = details.message.unwrap_or_else(|| format!("HTTP {status} without an explanation"));
        match status {
            401 | 403 => Self::Unauthorized { message, code: None },
            0 | 409 | 429 | 500.. | 300..=399 => Self::Unreachable(message.into()),
            _ => Self::Refused { message, code: None, details: details.code },
        }
    }
}

impl Stripe {
    pub(crate) async fn open_session(&self, bill: &Bill) -> Result<Session, CallError> {
        let (order, amount) = (bill.order.hex24(), smallest(bill.amount, &bill.currency).to_string());
        let (currency, expires_at) = (bill.currency.to_lowercase(), (bill.expires_at / 1000).to_string());
        let back = self.options.return_url.as_str();
        let form = [
            ("mode", "payment"),
            ("line_items[0][price_data][currency]", &currency),
            ("line_items[0][price_data][unit_amount]", &amount),
            ("line_items[0][price_data][product_data][name]", &bill.title),
            ("line_items[0][quantity]", "1"),
            ("success_url", back),
            ("cancel_url", back),
            ("client_reference_id", &order),
            ("metadata[order_id]", &order),
            ("expires_at", &expires_at),
        ];
        let request = self.call(Method::POST, &["checkout", "sessions"]).header("idempotency-key", &order).form(&form);
        let session: CheckoutSession = ask(request).await?;
        let url = session.url.ok_or_else(|| CallError::Unreadable("a session without an address".into()))?;
        Ok(Session { id: session.id, url })
    }

    /// One that is over cannot be ended: then it is looked at, together with its payment, which may fail days after the
    /// session was complete.
    pub(crate) async fn end_session(&self, session: &str) -> Result<Standing, CallError> {
        let ended: Result<CheckoutSession, No> =
            ask(self.call(Method::POST, &["checkout", "sessions", session, "expire"])).await;
        match ended {
            Ok(session) => Ok(session.standing()),
            Err(no) if (400..500).contains(&no.status) && !matches!(no.status, 401 | 403 | 409 | 429) => {
                let look = self.call(Method::GET, &["checkout", "sessions", session]);
                let found: CheckoutSession = ask(look.query(&[("expand[]", "payment_intent")])).await?;
                Ok(found.standing())
            }
            Err(no) => Err(no.into()),
        }
    }

    pub(crate) async fn give_back(&self, order: &Id, reference: &str) -> Result<String, CallError> {
        if !reference.starts_with("pi_") {
            return Ok("nothing had to be paid".to_owned());
        }
        let (order, key) = (order.hex24(), format!("refund-{}", order.hex24()));
        let form = [("payment_intent", reference), ("metadata[order_id]", &order)];
        let request = self.call(Method::POST, &["refunds"]).header("idempotency-key", key).form(&form);
        match ask::<Refund>(request).await {
            Ok(refund) => Ok(refund.id),
            // By hand, or by us and the key is forgotten.
            Err(no) if no.details.code.as_deref() == Some("charge_already_refunded") => Ok("already".to_owned()),
            Err(no) => Err(no.into()),
        }
    }

    fn call(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.options.base_url.clone();
        // Segments are escaped, so that no id can leave its place.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        let request = self.options.client.request(method, url).timeout(self.options.timeout);
        request.bearer_auth(self.options.secret_key.expose_secret())
    }
}

/// As it is counted in the currency's smallest unit, rounded up.
fn smallest(amount: i64, currency: &str) -> i64 {
    let parts = if WHOLE.contains(&currency) { UNIT } else { UNIT / 100 };
    amount.max(0).div_euclid(parts) + i64::from(amount.max(0) % parts > 0)
}

async fn ask<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, No> {
    let silent = |why: &str| No { status: 0, details: Details { message: Some(why.to_owned()), code: None } };
    let mut response = request.send().await.map_err(|_| silent("the till did not answer"))?;
    let (status, mut body) = (response.status().as_u16(), BytesMut::new());
    while let Some(chunk) = response.chunk().await.map_err(|_| silent("the till's answer broke off"))? {
        if body.len() + chunk.len() > MAX {
            return Err(silent("the till's answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    if (200..300).contains(&status) {
        return serde_json::from_slice(&body).map_err(|_| silent("the till's answer cannot be read"));
    }
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
    Err(No { status, details: problem.error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_counted_in_the_smallest_unit() {
        for (amount, currency, counted) in
            [(2_000_000, "USD", 200), (1_999_999, "EUR", 200), (500_000_000, "JPY", 500), (1, "USD", 1), (-1, "USD", 0)]
        {
            assert_eq!(smallest(amount, currency), counted, "{amount} {currency}");
        }
    }

    #[test]
    fn a_session_says_how_it_stands() {
        for (json, standing) in [
            (r#"{"id":"cs_1","status":"open","payment_status":"unpaid"}"#, Standing::Open),
            (r#"{"id":"cs_1","status":"complete","payment_status":"unpaid"}"#, Standing::Open),
            (
                r#"{"id":"cs_1","status":"complete","payment_status":"unpaid","payment_intent":{"id":"pi_1","status":"processing"}}"#,
                Standing::Open,
            ),
            (
                r#"{"id":"cs_1","status":"complete","payment_status":"unpaid","payment_intent":{"id":"pi_1","status":"requires_payment_method"}}"#,
                Standing::Ended,
            ),
            (r#"{"id":"cs_1","status":"expired","payment_status":"unpaid"}"#, Standing::Ended),
            (
                r#"{"id":"cs_1","status":"complete","payment_status":"paid","payment_intent":"pi_1"}"#,
                Standing::Paid { reference: "pi_1".into() },
            ),
            (r#"{"id":"cs_1","payment_status":"no_payment_required"}"#, Standing::Paid { reference: "cs_1".into() }),
        ] {
            assert_eq!(serde_json::from_str::<CheckoutSession>(json).unwrap().standing(), standing, "{json}");
        }
    }
}
