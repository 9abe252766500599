//! An order as the engine sees it, and as it is kept.

use serde::{Deserialize, Serialize};
use store::numbers as rows;
use store::{Id, Result};

use super::{Method, Wish};

/// What is to be done next, or what it is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A number is looked for.
    Searching,
    /// It is chosen; the carrier is asked to hold it.
    Reserving,
    /// Somebody has to pay, or to approve.
    PendingPayment,
    /// It is bought.
    Ordering,
    /// It is ours; the network is told of it.
    Adding,
    /// The network is asked for a code.
    Asking,
    /// The code is on its way to the number.
    AwaitingCode,
    /// The code is given to the network.
    Verifying,
    Registering,
    Active,
    /// It is brought from the pool onto an account.
    Adopting,
    /// Its proof has run out: it is ours, and nobody can take it over until it is proven again.
    Lapsed,
    /// It is taken from the network and given back to the carrier.
    Releasing,
    Released,
    /// It cannot go on: what was got is given back.
    Failing,
    /// What was paid is given back.
    Refunding,
    Failed,
}

impl State {
    pub const ALL: [Self; 17] = [
        Self::Searching,
        Self::Reserving,
        Self::PendingPayment,
        Self::Ordering,
        Self::Adding,
        Self::Asking,
        Self::AwaitingCode,
        Self::Verifying,
        Self::Registering,
        Self::Active,
        Self::Adopting,
        Self::Lapsed,
        Self::Releasing,
        Self::Released,
        Self::Failing,
        Self::Refunding,
        Self::Failed,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Searching => "searching",
            Self::Reserving => "reserving",
            Self::PendingPayment => "pending_payment",
            Self::Ordering => "ordering",
            Self::Adding => "adding",
            Self::Asking => "asking",
            Self::AwaitingCode => "awaiting_code",
            Self::Verifying => "verifying",
            Self::Registering => "registering",
            Self::Active => "active",
            Self::Adopting => "adopting",
            Self::Lapsed => "lapsed",
            Self::Releasing => "releasing",
            Self::Released => "released",
            Self::Failing => "failing",
            Self::Refunding => "refunding",
            Self::Failed => "failed",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Nothing will ever be done about it again.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Released | Self::Failed)
    }

    /// Nobody else may want its number.
    fn is_open(self) -> bool {
        !self.is_over() && self != Self::Refunding
    }

    /// A code is on its way, or may be.
    pub(super) fn awaits_code(self) -> bool {
        matches!(self, Self::Asking | Self::AwaitingCode | Self::Verifying)
    }

    /// It is on its way out and cannot be turned back.
    #[must_use]
    pub fn is_undoing(self) -> bool {
        matches!(self, Self::Releasing | Self::Failing | Self::Refunding)
    }
}

/// Where a number is brought to at the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Onto the account, registered, as a sender.
    #[default]
    Account,
    /// Among numbers that are verified beforehand: whoever takes it over need not do it again.
    Pool,
}

/// How an order is paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    #[default]
    None,
    /// An operator says yes or no.
    Operator,
    /// The buyer pays where the till says.
    Checkout,
}

/// Why it failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub code: Why,
    /// In plain words.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    NoneAvailable,
    PaymentExpired,
    PaymentRefused,
    Declined,
    OrderRefused,
    /// The network does not take the number.
    NotTaken,
    CodeNeverArrived,
    RegistrationRefused,
    /// The buyer did not want it any more.
    Cancelled,
    /// Somebody outside cannot be reached, or does not let us in.
    Unreachable,
}

/// What is known of an order beside its state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    pub country: String,
    pub place: Place,
    pub wish: Wish,
    /// The number that the buyer chose; no other will do.
    pub chosen: Option<String>,
    /// Numbers that could not be had.
    pub gone: Vec<String>,
    pub display_name: String,
    pub reason: Option<Reason>,
    /// Why it does not move, where somebody outside is in the way.
    pub trouble: Option<String>,
    /// When somebody outside failed for the first time in a row; any answer ends that.
    pub trouble_since: Option<i64>,
    /// What could not be taken away from the network, and why.
    pub left_behind: Option<String>,
    /// Nobody wants it any more.
    pub cancelled: bool,
    /// When its state was entered; times are milliseconds.
    pub since: i64,
    pub payment: Payment,
    /// Millionths of a unit.
    pub amount: i64,
    pub currency: String,
    pub pay_until: i64,
    /// The till's name for where it is paid.
    pub session: Option<String>,
    pub checkout_url: Option<String>,
    pub paid_at: Option<i64>,
    /// The till's name for what was paid.
    pub payment_reference: Option<String>,
    /// The till's name for what gives it back, perhaps only in the end.
    pub refund: Option<String>,
    pub refunded_at: Option<i64>,
    /// The carrier's name for what it holds for us.
    pub reservation: Option<String>,
    /// The carrier may have sold it to us.
    pub bought: bool,
    /// The network's name for it.
    pub provider_number: Option<String>,
    pub method: Method,
    pub codes_asked: u32,
    /// The buyer wants another code.
    pub again: bool,
    /// Until when a code is waited for; where the network refused to send one, until it is asked again.
    pub code_until: i64,
    pub verified_at: Option<i64>,
    /// Until when that holds, in a pool.
    pub verified_until: Option<i64>,
    /// The account that it is brought to from the pool, 24 hexadecimal digits.
    pub adopted_by: Option<String>,
    /// The sender that it became on the network, 24 hexadecimal digits; and that for texts.
    pub sender: Option<String>,
    pub text_sender: Option<String>,
    /// When it could be used first. From then on it is given back only to whoever wants to be rid of it.
    pub provisioned_at: Option<i64>,
    pub released_at: Option<i64>,
}

/// A number from the search to its release.
#[derive(Clone, Debug)]
pub struct Order {
    pub id: Id,
    pub organization_id: Id,
    /// The dialect it came through.
    pub origin: String,
    /// Whose it is within the organization, in the dialect's spelling.
    pub profile: String,
    pub intent: Option<String>,
    pub state: State,
    /// E.164 with `+`, once it is chosen.
    pub number: Option<String>,
    /// Our account at the network.
    pub account_id: Id,
    /// Our account at the carrier.
    pub carrier_id: Id,
    pub details: Details,
    pub created_at: i64,
    pub updated_at: i64,
    /// Sealed.
    pub(super) code: Option<Vec<u8>>,
}

impl Order {
    pub(super) fn of(row: rows::Order) -> Result<Self> {
        let unreadable = || store::Error::corrupt("a number's order");
        Ok(Self {
            id: row.id,
            organization_id: row.organization_id,
            origin: row.origin,
            profile: row.profile,
            intent: row.intent,
            state: State::parse(&row.state).ok_or_else(unreadable)?,
            number: row.number,
            account_id: row.account_id,
            carrier_id: row.carrier_id,
            details: serde_json::from_str(&row.details).map_err(|_| unreadable())?,
            created_at: row.created_at,
            updated_at: row.updated_at,
            code: row.code,
        })
    }

    pub(super) fn row(&self) -> Result<rows::Order> {
        let details = serde_json::to_string(&self.details);
        Ok(rows::Order {
            id: self.id,
            organization_id: self.organization_id,
            origin: self.origin.clone(),
            profile: self.profile.clone(),
            intent: self.intent.clone(),
            state: self.state.as_str().into(),
            open: self.state.is_open(),
            number: self.number.clone(),
            account_id: self.account_id,
            carrier_id: self.carrier_id,
            details: details.map_err(|error| store::Error::Corrupt(error.to_string()))?,
            code: self.code.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

    /// Begins to prove it once more.
    pub(super) fn renew(&mut self) {
        self.code = None;
        (self.details.codes_asked, self.details.again, self.details.method) = (0, false, Method::Sms);
        self.state = State::Asking;
    }

    /// Why it failed.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        self.details.reason.as_ref()
    }

    /// Everything that there is to say about how it stands.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        let details = &self.details;
        in_one([self.reason().map(|reason| &reason.text), details.trouble.as_ref(), details.left_behind.as_ref()])
    }
}

/// Several things to say as one.
pub(super) fn in_one<'a>(parts: impl IntoIterator<Item = Option<&'a String>>) -> Option<String> {
    let said: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_spelt_one_way() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::json!(state), state.as_str());
        }
        assert_eq!(State::parse("sold"), None);
    }
}
