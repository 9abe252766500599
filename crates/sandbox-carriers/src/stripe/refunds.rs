//! Refunds: most arrive at once. A bank that thinks about one for a minute has it pending until then, and then takes it or
//! not; one that did not take the first takes the second. Nothing goes wrong with looking at them: what is to go wrong is
//! for the wish for one.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, Uri};
use serde_json::{Map, Value, json};

use super::books::Standing;
use super::calls::{Change, Form, Problem, Shared, customer};
use super::{Account, Desk};

/// How long a bank thinks, in seconds.
const THINKS: i64 = 60;

/// What a buyer's bank makes of a refund.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Bank {
    #[default]
    Takes,
    TakesLate,
    Refuses,
}

impl Bank {
    /// As faults spell it.
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "refund-late" => Some(Self::TakesLate),
            "refund-failed" => Some(Self::Refuses),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Refund {
    pub(super) id: String,
    intent: String,
    amount: u64,
    currency: String,
    metadata: Map<String, Value>,
    reason: Option<String>,
    /// Seconds since 1970.
    created: i64,
    bank: Bank,
}

impl Refund {
    fn status(&self, now: i64) -> &'static str {
        match self.bank {
            Bank::Takes => "succeeded",
            _ if now < self.created + THINKS => "pending",
            Bank::TakesLate => "succeeded",
            Bank::Refuses => "failed",
        }
    }

    /// It did not come to nothing.
    pub(super) fn holds(&self, now: i64) -> bool {
        self.status(now) != "failed"
    }

    /// In Stripe's shape.
    fn shown(&self, now: i64) -> Value {
        let mut shown = json!({
            "id": self.id, "object": "refund", "amount": self.amount, "currency": self.currency,
            "created": self.created, "metadata": self.metadata, "payment_intent": self.intent, "reason": self.reason,
            "status": self.status(now),
        });
        if !self.holds(now) {
            shown["failure_reason"] = json!("lost_or_stolen_card");
        }
        shown
    }
}

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/v1/refunds", get(list).post(create)).route("/v1/refunds/{refund}", get(retrieve))
}

async fn create(State(desk): State<Shared>, change: Change) -> Response {
    change.once(&desk, |account, form| created(&desk, account, form)).await
}

fn created(desk: &Desk, account: &Account, form: &Form) -> Result<Value, Problem> {
    form.only(|name| matches!(name, "payment_intent" | "reason"))?;
    let (intent, now) = (form.need("payment_intent")?, desk.now());
    let mut books = desk.books();
    let id = books.fresh("re_", desk.world.now());
    let Some(session) = books.paid_by(&account.secret_key, intent) else {
        return Err(Problem::unknown("payment_intent", intent, "payment_intent"));
    };
    if !matches!(session.standing, Standing::Paid { .. }) {
        let message = format!("This PaymentIntent ({intent}) does not have a successful charge to refund.");
        return Err(Problem::new(400, None, Some("payment_intent"), message));
    }
    if session.refunds.iter().any(|refund| refund.holds(now)) {
        let message = format!("The charge of {intent} has already been refunded.");
        return Err(Problem::new(400, Some("charge_already_refunded"), None, message));
    }
    let refund = Refund {
        id,
        intent: intent.to_owned(),
        amount: session.amount,
        currency: session.currency.clone(),
        metadata: form.metadata(),
        reason: form.get("reason").map(str::to_owned),
        created: now,
        bank: std::mem::take(&mut session.bank),
    };
    let shown = refund.shown(now);
    session.refunds.push(refund);
    Ok(shown)
}

async fn retrieve(State(desk): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let found = customer(&desk, &headers).and_then(|account| {
        let (books, now) = (desk.books(), desk.now());
        let found = books.refunds(&account.secret_key).find(|refund| refund.id == id);
        found.map(|refund| refund.shown(now)).ok_or_else(|| Problem::unknown("refund", &id, "id"))
    });
    answer(found)
}

/// Those of one payment, or all, newest first.
async fn list(State(desk): State<Shared>, uri: Uri, headers: HeaderMap) -> Response {
    let found = customer(&desk, &headers).and_then(|account| {
        let (mut intent, mut limit) = (None, 10);
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match (&*name, value.parse::<usize>()) {
                ("payment_intent", _) => intent = Some(value.into_owned()),
                ("limit", Ok(number @ 1..=100)) => limit = number,
                _ => return Err(Problem::new(400, None, Some(&name), "This parameter is not taken here.")),
            }
        }
        let (books, now) = (desk.books(), desk.now());
        let of = |refund: &&Refund| intent.as_ref().is_none_or(|intent| *intent == refund.intent);
        let mut found: Vec<Value> =
            books.refunds(&account.secret_key).filter(of).map(|refund| refund.shown(now)).collect();
        found.reverse();
        let has_more = found.len() > limit;
        found.truncate(limit);
        Ok(json!({ "object": "list", "url": "/v1/refunds", "has_more": has_more, "data": found }))
    });
    answer(found)
}

fn answer(found: Result<Value, Problem>) -> Response {
    found.map(Json).into_response()
}
