//! What comes from outside while an order waits: the text with its code, the news of its payment.

use store::senders::Sender;
use store::{Id, Result, Tx, Work, numbers as rows};

use super::order::{Order, State};
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
    let Some(id) = rows::open_for(tx, &sender.address).await? else { return Ok(false) };
    let Some(row) = rows::get_for_update(tx, &id).await? else { return Ok(false) };
    let mut order = Order::of(row)?;
    let waits = matches!(order.state, State::Asking | State::AwaitingCode | State::Verifying);
    if !waits || order.organization_id != sender.organization_id {
        return Ok(false);
    }
    // The newest counts: networks forget the codes before it.
    order.code = Some(code::seal(&engine.key, &order.id, &code)?);
    hurry(tx, &order, engine.now()).await?;
    Ok(true)
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
        if order.details.session.as_ref().is_some_and(|known| *known != self.session) {
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
