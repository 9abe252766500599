//! What carriers, networks and tills must be able to do for numbers to be bought. Each is a capability of a provider.

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::Id;

use super::Place;
use crate::provider::{Account, CallError, FoundSender};

type Called<'a, T> = BoxFuture<'a, Result<T, CallError>>;

/// Which number somebody would like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wish {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Its area code, without the country's.
    pub prefix: Option<String>,
    pub locality: Option<String>,
    /// Digits that stand in it.
    pub contains: Option<String>,
}

impl Default for Wish {
    fn default() -> Self {
        Self { country: "US".into(), prefix: None, locality: None, contains: None }
    }
}

/// A number that can be bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// E.164 with `+`.
    pub number: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub locality: Option<String>,
    pub region: Option<String>,
}

/// What came of a purchase at the carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bought {
    Ours,
    /// The carrier has not made up its mind.
    Pending,
    /// This number cannot be had.
    Gone {
        why: String,
    },
}

/// It sells numbers. `order` is ours; carriers keep it with what they sell.
pub trait Shop: Send + Sync {
    fn available<'a>(&'a self, account: &'a Account, wish: &'a Wish, limit: usize) -> Called<'a, Vec<Offer>>;

    /// Holds a number for an order, once however often it is asked; the carrier's name for that. `None`: it holds none.
    fn reserve<'a>(&'a self, account: &'a Account, order: &'a Id, number: &'a str) -> Called<'a, Option<String>> {
        let _ = (account, order, number);
        Box::pin(async { Ok(None) })
    }

    /// Lets go of what was reserved. What is not held any more is let go of already.
    fn cancel<'a>(&'a self, account: &'a Account, reservation: &'a str) -> Called<'a, ()> {
        let _ = (account, reservation);
        Box::pin(async { Ok(()) })
    }

    /// Buys a number for an order, once however often it is asked. What people write to it comes to us from then on.
    fn buy<'a>(&'a self, account: &'a Account, order: &'a Id, number: &'a str) -> Called<'a, Bought>;

    /// Whether it tells us what is spoken in calls to numbers that wait for a code, see `numbers::Spoken`.
    fn hears_calls(&self) -> bool {
        false
    }

    /// Gives a number back that was bought for an order. One that was not, or is not any more, is left alone.
    fn release<'a>(&'a self, account: &'a Account, order: &'a Id, number: &'a str) -> Called<'a, ()>;
}

/// How a network brings a code to a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    #[default]
    Sms,
    /// In a call: where the carrier does not hear calls, a person has to listen.
    Voice,
}

/// That a number is ours, as the network sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    pub verified: bool,
    /// Until when that holds, in milliseconds; `None`: for good.
    pub until: Option<i64>,
}

/// Numbers of ours can be brought to it. `id` is its name for a number.
pub trait Onboarding: Send + Sync {
    /// Makes a number known to it, once however often it is asked; its name for it.
    fn add<'a>(&'a self, account: &'a Account, number: &'a str, name: &'a str, place: Place) -> Called<'a, String>;

    /// Brings a number of the pool onto an account, once however often it is asked; its name there. `pooled`: that in the
    /// pool, where it is no more afterwards.
    fn adopt<'a>(&'a self, account: &'a Account, number: &'a str, name: &'a str, pooled: &'a str)
    -> Called<'a, String>;

    fn proof<'a>(&'a self, account: &'a Account, id: &'a str, place: Place) -> Called<'a, Proof>;

    /// Has it bring a code to the number.
    fn request_code<'a>(&'a self, account: &'a Account, id: &'a str, method: Method) -> Called<'a, ()>;

    fn verify_code<'a>(&'a self, account: &'a Account, id: &'a str, code: &'a SecretString) -> Called<'a, ()>;

    /// Connects a verified number; `pin` has six digits and is the same every time.
    fn register<'a>(&'a self, account: &'a Account, id: &'a str, pin: &'a SecretString) -> Called<'a, FoundSender>;

    /// Takes it away again. What is not there any more is away already.
    fn remove<'a>(&'a self, account: &'a Account, id: &'a str, place: Place) -> Called<'a, ()>;
}

/// What is to be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    pub order: Id,
    /// Millionths of a unit.
    pub amount: i64,
    pub currency: String,
    /// What it is for, in words.
    pub title: String,
    /// Milliseconds.
    pub expires_at: i64,
}

/// Where somebody pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: String,
    pub url: String,
}

/// How a payment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    Open,
    /// Under this name it can be given back.
    Paid {
        reference: String,
    },
    /// Nobody can pay any more, and nobody has.
    Ended,
}

/// Money that is given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    pub id: String,
    /// `false`: it is on its way, and may yet come to nothing.
    pub settled: bool,
}

/// It takes money.
pub trait Payments: Send + Sync {
    /// Opens a session for a bill, one for each order.
    fn open<'a>(&'a self, bill: &'a Bill) -> Called<'a, Session>;
    /// Ends a session unless it was paid.
    fn end<'a>(&'a self, session: &'a str) -> Called<'a, Standing>;
    /// Gives money back, once for each order, or looks at the refund that was `begun`. One that came to nothing is refused:
    /// the next call, with none, begins another.
    fn refund<'a>(&'a self, order: &'a Id, reference: &'a str, begun: Option<&'a str>) -> Called<'a, Refund>;
}
