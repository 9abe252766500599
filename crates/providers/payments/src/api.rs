//! Calls, and those for sessions.

use bytes::BytesMut;
use engine::numbers::{Bill, Session, Standing};
use engine::provider::CallError;
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Stripe;
use crate::amount::smallest;

/// Bytes of an answer; real ones have some thousands.
const MAX: usize = 1024 * 1024;
/// Keys that are tried in the place of one that only ever gets the same error.
const KEYS: usize = 20;
const REPLAYED: &str = "idempotent-replayed";

/// A session, as far as it matters.
#[derive(Deserialize)]
pub(crate) struct CheckoutSession {
    pub(crate) id: String,
    url: Option<String>,
    status: Option<String>,
    payment_status: Option<String>,
    payment_intent: Option<Intent>,
    metadata: Option<Metadata>,
}

/// Ours: whoever opens a session or a refund writes it, and no buyer can.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) order_id: Option<String>,
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
    /// What it was opened for, if it was by us.
    pub(crate) fn order(&self) -> Option<&str> {
        self.metadata.as_ref()?.order_id.as_deref()
    }

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

#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    error: Details,
}

#[derive(Default, Deserialize)]
pub(crate) struct Details {
    pub(crate) code: Option<String>,
    message: Option<String>,
}

/// Why there is no answer, or none that helps.
pub(crate) struct No {
    /// 0: nobody answered.
    status: u16,
    /// It is what was answered the first time; nothing was tried.
    replayed: bool,
    pub(crate) details: Details,
}

impl From<No> for CallError {
    fn from(No { status, details, .. }: No) -> Self {
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
        let session: CheckoutSession = self.once(&["checkout", "sessions"], &order, &form).await?;
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

    /// Makes something, once however often it is asked. Stripe answers a key for a day as it did the first time, also that
    /// something went wrong with itself: after such an answer, and never after silence, the next key is taken. Which one is
    /// asked of the keys themselves, one after the other, and one new one is used at most.
    pub(crate) async fn once<T: DeserializeOwned>(
        &self,
        path: &[&str],
        key: &str,
        form: &[(&str, &str)],
    ) -> Result<T, No> {
        let mut answer = self.with_key(path, key, form).await;
        for number in 1..KEYS {
            if !answer.as_ref().is_err_and(|no| no.replayed && no.status >= 500) {
                break;
            }
            answer = self.with_key(path, &format!("{key}-{number}"), form).await;
        }
        answer
    }

    async fn with_key<T: DeserializeOwned>(&self, path: &[&str], key: &str, form: &[(&str, &str)]) -> Result<T, No> {
        ask(self.call(Method::POST, path).header("idempotency-key", key).form(form)).await
    }

    pub(crate) fn call(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.options.base_url.clone();
        // Segments are escaped, so that no id can leave its place.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        let request = self.options.client.request(method, url).timeout(self.options.timeout);
        request.bearer_auth(self.options.secret_key.expose_secret())
    }
}

pub(crate) async fn ask<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, No> {
    let silent =
        |why: &str| No { status: 0, replayed: false, details: Details { message: Some(why.to_owned()), code: None } };
    let mut response = request.send().await.map_err(|_| silent("the till did not answer"))?;
    let (status, mut body) = (response.status().as_u16(), BytesMut::new());
    let replayed = response.headers().get(REPLAYED).is_some_and(|value| value == "true");
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
    Err(No { status, replayed, details: problem.error })
}

#[cfg(test)]
mod tests {
    use super::*;

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
