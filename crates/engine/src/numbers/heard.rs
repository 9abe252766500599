//! What comes from outside while an order waits: the text or the call with its code, the news of its payment.

use store::senders::Sender;
use store::{Id, Result, Tx, Work, numbers as rows};

use super::order::{Order, Payment, State};
use super::wishes::hurry;
use super::{Standing, code, record};
use crate::content::Content;
use crate::{Engine, UseCase};

/// The channel on which codes come.
const SMS: &str = "sms";

/// Somebody wrote to one of our numbers: perhaps the network, with the code that it was asked for. It may come before we
/// have written down that we asked.
pub(crate) async fn heard(tx: &mut Tx, engine: &Engine, sender: &Sender, content: &Content) -> Result<bool> {
    let Content::Text { body, .. } = content else { return Ok(false) };
    if sender.channel != SMS {
        return Ok(false);
    }
    let Some(code) = code::find(body) else { return Ok(false) };
    take(tx, engine, &sender.organization_id, &sender.address, &code).await
}

/// Keeps a code that came to a number, if the number waits for one.
async fn take(tx: &mut Tx, engine: &Engine, organization: &Id, number: &str, code: &str) -> Result<bool> {
    let Some(id) = rows::open_for(tx, number).await? else { return Ok(false) };
    let Some(row) = rows::get_for_update(tx, &id).await? else { return Ok(false) };
    let mut order = Order::of(row)?;
    if !order.state.awaits_code() || order.organization_id != *organization {
        return Ok(false);
    }
    // The newest counts: networks forget the codes before it.
    order.code = Some(code::seal(&engine.key, &order.id, code)?);
    hurry(tx, &order, engine.now()).await?;
    Ok(true)
}

/// Whether a number (E.164 with `+`) waits for a code. Whoever calls any other is not listened to.
pub async fn expects_code(engine: &Engine, organization: &Id, number: &str) -> Result<bool> {
    let mut reader = engine.db.reader().await?;
    let Some(id) = rows::open_for(&mut reader, number).await? else { return Ok(false) };
    let Some(order) = rows::find(&mut reader, &id).await?.map(Order::of).transpose()? else { return Ok(false) };
    Ok(order.state.awaits_code() && order.organization_id == *organization)
}

/// What somebody said in a call to a number, as a carrier understood it: perhaps the network, with the code.
pub struct Spoken {
    pub engine: Engine,
    pub organization: Id,
    /// E.164 with `+`.
    pub number: String,
    pub words: String,
}

impl Work for Spoken {
    /// Whether it was a code, and one that somebody waits for.
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        let Some(code) = code::find_spoken(&self.words) else { return Ok(false) };
        take(tx, &self.engine, &self.organization, &self.number, &code).await
    }
}

impl UseCase for Spoken {
    fn committed(&self, engine: &Engine, _: &bool) {
        engine.wake.jobs.ring();
    }
}

/// A till's news of a payment. It may come again, late, and for an order that has failed meanwhile.
pub struct Paid {
    pub engine: Engine,
    pub order: Id,
    /// The till's name for where it was paid.
    pub session: String,
    pub standing: Standing,
}

impl Work for Paid {
    /// Whether the order is one of ours.
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        let Some(row) = rows::get_for_update(tx, &self.order).await? else { return Ok(false) };
        let mut order = Order::of(row)?;
        let another = order.details.session.as_ref().is_some_and(|known| *known != self.session);
        if another || order.details.payment != Payment::Checkout {
            return Ok(false);
        }
        match &self.standing {
            Standing::Open => Ok(true),
            Standing::Ended => self.ended(tx, order).await,
            Standing::Paid { .. } if order.details.payment_reference.is_some() => Ok(true),
            Standing::Paid { reference } => {
                order.details.session = Some(self.session.clone());
                order.details.payment_reference = Some(reference.clone());
                self.paid(tx, order).await
            }
        }
    }
}

impl UseCase for Paid {
    fn committed(&self, engine: &Engine, _: &bool) {
        engine.wake.jobs.ring();
        engine.wake.dispatch.ring();
    }
}

impl Paid {
    async fn paid(&self, tx: &mut Tx, mut order: Order) -> Result<bool> {
        let (now, before) = (self.engine.now(), order.state);
        (order.details.paid_at, order.updated_at) = (Some(now), now);
        if before == State::Failed {
            (order.state, order.details.since) = (State::Refunding, now);
            record::tell(tx, &self.engine, &order, Some(before)).await?;
        }
        hurry(tx, &order, now).await.map(|()| true)
    }

    /// The till is asked once more: it knows best.
    async fn ended(&self, tx: &mut Tx, order: Order) -> Result<bool> {
        if order.state == State::PendingPayment {
            hurry(tx, &order, self.engine.now()).await?;
        }
        Ok(true)
    }
}
