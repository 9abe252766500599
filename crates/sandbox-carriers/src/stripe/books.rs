//! What became of each session, and which answers were given for which key.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Unmoved;
use super::refunds::{Bank, Refund};

/// Sessions that are kept; older ones are forgotten.
const KEPT: usize = 10_000;
/// How long an answer is remembered for its key, in seconds.
const REMEMBERED: i64 = 24 * 60 * 60;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Open,
    Expired,
    Paid {
        intent: String,
    },
    /// The buyer was done, and then his bank refused.
    Declined {
        intent: String,
    },
}

impl Standing {
    /// The events that tell of it, in their order.
    pub(super) fn told(&self) -> &'static [&'static str] {
        match self {
            Self::Open => &[],
            Self::Expired => &["checkout.session.expired"],
            Self::Paid { .. } => &["checkout.session.completed"],
            Self::Declined { .. } => &["checkout.session.completed", "checkout.session.async_payment_failed"],
        }
    }

    pub(super) fn status(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Expired => "expired",
            Self::Paid { .. } | Self::Declined { .. } => "complete",
        }
    }

    fn intent(&self) -> Option<&str> {
        match self {
            Self::Open | Self::Expired => None,
            Self::Paid { intent } | Self::Declined { intent } => Some(intent),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: String,
    /// The secret key of whose it is.
    pub(super) account: String,
    /// The page.
    pub(super) url: String,
    pub(super) title: String,
    /// In the currency's smallest unit.
    pub(super) amount: u64,
    pub(super) currency: String,
    pub(super) reference: Option<String>,
    pub(super) metadata: Map<String, Value>,
    pub(super) success_url: String,
    pub(super) cancel_url: Option<String>,
    /// Seconds since 1970.
    pub(super) created: i64,
    pub(super) expires_at: i64,
    pub(super) standing: Standing,
    pub(super) bank: Bank,
    /// Oldest first.
    pub(super) refunds: Vec<Refund>,
}

impl Session {
    /// In Stripe's shape.
    pub(super) fn shown(&self) -> Value {
        let paid = if matches!(self.standing, Standing::Paid { .. }) { "paid" } else { "unpaid" };
        json!({
            "id": self.id, "object": "checkout.session", "mode": "payment", "livemode": false, "ui_mode": "hosted",
            "amount_subtotal": self.amount, "amount_total": self.amount, "currency": self.currency,
            "client_reference_id": self.reference, "metadata": self.metadata, "customer": null,
            "success_url": self.success_url, "cancel_url": self.cancel_url,
            "url": (self.standing == Standing::Open).then_some(&self.url),
            "created": self.created, "expires_at": self.expires_at, "payment_method_types": ["card"],
            "status": self.standing.status(), "payment_status": paid, "payment_intent": self.standing.intent(),
        })
    }

    /// The same with the payment itself in the place of its name.
    pub(super) fn expanded(&self) -> Value {
        let mut shown = self.shown();
        if let Some(intent) = self.standing.intent() {
            let paid = matches!(self.standing, Standing::Paid { .. });
            let (status, received) = if paid { ("succeeded", self.amount) } else { ("requires_payment_method", 0) };
            shown["payment_intent"] = json!({
                "id": intent, "object": "payment_intent", "status": status, "amount": self.amount,
                "amount_received": received, "currency": self.currency, "livemode": false,
            });
        }
        shown
    }

    /// With the names of those refunds that did not come to nothing. `now`: seconds since 1970.
    pub(super) fn with_refunds(&self, now: i64) -> Value {
        let mut shown = self.shown();
        let held = self.refunds.iter().filter(|refund| refund.holds(now));
        shown["refunds"] = held.map(|refund| json!(refund.id)).collect();
        shown
    }
}

/// What is remembered of an answer.
#[derive(Clone)]
pub(super) enum Given {
    Done(Value),
    /// Something went wrong here, with this HTTP status.
    Broken(u16),
}

/// An answer, and what it was an answer to.
struct Answer {
    asked: [u8; 32],
    given: Given,
    /// Seconds since 1970.
    at: i64,
}

/// What is known of a key.
pub(super) enum Known {
    Fresh,
    /// The answer that it got.
    Used(Given),
    /// It stands for another request.
    Other,
}

#[derive(Default)]
pub(super) struct Books {
    sessions: VecDeque<Session>,
    /// By account and key.
    answers: HashMap<(String, String), Answer>,
    counter: u64,
}

impl Books {
    pub(super) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter()
    }

    pub(super) fn find(&self, id: &str) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == id)
    }

    pub(super) fn refunds(&self, account: &str) -> impl Iterator<Item = &Refund> {
        self.sessions.iter().filter(move |session| session.account == account).flat_map(|session| &session.refunds)
    }

    pub(super) fn paid_by(&mut self, account: &str, intent: &str) -> Option<&mut Session> {
        let mut own = self.sessions.iter_mut().filter(|session| session.account == account);
        own.find(|session| session.standing.intent() == Some(intent))
    }

    pub(super) fn open(&mut self, session: Session) {
        if self.sessions.len() == KEPT {
            self.sessions.pop_front();
        }
        self.sessions.push_back(session);
    }

    pub(super) fn banks_with(&mut self, id: &str, bank: Bank) {
        if let Some(session) = self.sessions.iter_mut().find(|session| session.id == id) {
            session.bank = bank;
        }
    }

    pub(super) fn move_on(&mut self, id: &str, standing: Standing) -> Result<Session, Unmoved> {
        let session = self.sessions.iter_mut().find(|session| session.id == id).ok_or(Unmoved::Unknown)?;
        if session.standing != Standing::Open {
            return Err(Unmoved::Over);
        }
        session.standing = standing;
        Ok(session.clone())
    }

    /// Ends the sessions whose time is over, and says which.
    pub(super) fn close(&mut self, now: i64) -> Vec<Session> {
        let open = self.sessions.iter_mut().filter(|session| session.standing == Standing::Open);
        let over = open.filter(|session| session.expires_at <= now);
        over.map(|session| {
            session.standing = Standing::Expired;
            session.clone()
        })
        .collect()
    }

    pub(super) fn known(&mut self, account: &str, key: &str, asked: &[u8; 32], now: i64) -> Known {
        self.answers.retain(|_, answer| now - answer.at < REMEMBERED);
        match self.answers.get(&(account.to_owned(), key.to_owned())) {
            None => Known::Fresh,
            Some(answer) if answer.asked == *asked => Known::Used(answer.given.clone()),
            Some(_) => Known::Other,
        }
    }

    pub(super) fn remember(&mut self, account: &str, key: &str, asked: [u8; 32], given: Given, at: i64) {
        self.answers.insert((account.to_owned(), key.to_owned()), Answer { asked, given, at });
    }

    /// A name that was never given before, also not before a restart. `now`: milliseconds since 1970.
    pub(super) fn fresh(&mut self, prefix: &str, now: i64) -> String {
        self.counter += 1;
        let digest = hex::encode(Sha256::digest(format!("{prefix}/{now}/{}", self.counter)));
        format!("{prefix}{}", &digest[..40])
    }
}
