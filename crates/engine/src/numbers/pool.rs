//! Numbers that are verified beforehand: how long their proof holds, and how they come onto an account.
//!
//! Who acts: the order's job wakes up some days before the proof runs out and the number is proven once more, as it was the
//! first time. Where that fails it is tried again each day; once the proof has run out the order is [`State::Lapsed`]. An
//! owner's wish to have the number on an account begins at once, and what the network refuses leaves it where it is.

use store::{Id, Result, Tx, Work};

use super::order::{Order, Place, State};
use super::record;
use super::wishes::{hurry, locked, not_now};
use crate::accounts::ACTIVE;
use crate::{Engine, Outcome, Refusal, UseCase};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How long before its end a proof is renewed.
const RENEW_MS: i64 = 7 * DAY_MS;
const RAN_OUT: &str = "its verification has run out";

/// When a number is to be proven again: some days before its proof runs out, when it runs out, and once a day where that
/// failed. `None`: the proof holds for good.
pub(super) fn next_proof(order: &Order) -> Option<i64> {
    let (tried, until) = (order.details.since, order.details.verified_until?);
    let first = until - RENEW_MS;
    match tried < first {
        true => Some(first),
        false if tried < until => Some(until.min(tried + DAY_MS)),
        false => Some(tried + DAY_MS),
    }
}

/// Its proof has run out.
pub(super) fn lapse(order: &mut Order, now: i64) {
    if order.state == State::Active && order.details.verified_until.is_some_and(|until| until <= now) {
        order.state = State::Lapsed;
        order.details.trouble.get_or_insert_with(|| RAN_OUT.to_owned());
    }
}

/// It is on the account now, and in the pool no more.
pub(super) fn adopted(order: &mut Order, id: &str) {
    let details = &mut order.details;
    let account = details.adopted_by.take().as_deref().and_then(Id::parse_hex24);
    order.account_id = account.unwrap_or(order.account_id);
    (details.place, details.verified_until) = (Place::Account, None);
    details.provider_number = Some(id.to_owned());
    order.state = State::Registering;
}

/// Brings a number of the pool onto an account, where it becomes a sender. One that did not come so far is tried again.
pub struct Adopt {
    pub engine: Engine,
    pub organization: Id,
    pub id: Id,
    /// `None`: the account that it was brought to the pool with.
    pub account: Option<Id>,
    /// What customers see; `None`: as it was ordered.
    pub display_name: Option<String>,
}

impl Work for Adopt {
    type Output = Outcome<Order>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Order>> {
        let mut order = match locked(tx, &self.organization, &self.id).await? {
            Ok(order) => order,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if order.state != State::Active || order.details.sender.is_some() || order.details.cancelled {
            return Ok(Err(not_now(&order)));
        }
        let account = self.account.unwrap_or(order.account_id);
        if !takes_numbers(tx, &self.engine, &self.organization, &account).await? {
            return Ok(Err(Refusal::NotFound("account")));
        }
        if order.details.place == Place::Account && account != order.account_id {
            let why = "the number is on another account already".to_owned();
            return Ok(Err(Refusal::Invalid { field: "account", why }));
        }
        let now = self.engine.now();
        order.details.adopted_by = Some(account.hex24());
        order.details.display_name = self.display_name.clone().unwrap_or(order.details.display_name);
        (order.state, order.details.since, order.updated_at) = (begun(order.details.place), now, now);
        order.details.trouble = None;
        record::tell(tx, &self.engine, &order, Some(State::Active)).await?;
        hurry(tx, &order, now).await?;
        Ok(Ok(order))
    }
}

impl UseCase for Adopt {
    fn committed(&self, engine: &Engine, _: &Outcome<Order>) {
        engine.wake.jobs.ring();
        engine.wake.dispatch.ring();
    }
}

/// What is on the account already needs to be registered only.
fn begun(place: Place) -> State {
    match place {
        Place::Pool => State::Adopting,
        Place::Account => State::Registering,
    }
}

async fn takes_numbers(tx: &mut Tx, engine: &Engine, organization: &Id, account: &Id) -> Result<bool> {
    let found = store::accounts::get(tx, account).await?;
    let own = found.filter(|row| row.organization_id == *organization && row.status == ACTIVE);
    Ok(own.is_some_and(|row| engine.provider(&row.provider).is_some_and(|it| it.onboarding().is_some())))
}
