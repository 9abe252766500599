//! What people want of an order: to be rid of it, to have it approved, a code, an answer to one.

use secrecy::{ExposeSecret, SecretString};
use store::jobs::State as JobState;
use store::{Id, Result, Tx, Work, numbers as rows};

use super::order::{Order, Payment, Place, State, Why};
use super::{Method, code, drive, record};
use crate::provider::CallError;
use crate::{Engine, Outcome, Refusal, UseCase};

/// Codes that are asked for in all, also by people.
const MOST_CODES: u32 = 10;

/// Why something that somebody waits for was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The six digits that protect a number at its network: the same ones whenever the organization buys it, and kept nowhere.
/// A network remembers them beyond a release.
#[must_use]
pub fn pin(engine: &Engine, organization: &Id, number: &str) -> SecretString {
    let hash = engine.key.hash("number pins", &format!("{}/{number}", organization.hex24()));
    let number = hash.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    format!("{:06}", number % 1_000_000).into()
}

/// Locks a caller's order for a change.
pub(super) async fn locked(tx: &mut Tx, organization: &Id, id: &Id) -> Result<Outcome<Order>> {
    let found = rows::get_for_update(tx, id).await?;
    match found.filter(|found| found.organization_id == *organization) {
        Some(row) => Order::of(row).map(Ok),
        None => Ok(Err(Refusal::NotFound("number"))),
    }
}

/// Keeps what was written on an order, and has it looked at now. Whoever works on it at this moment will mind it.
pub(super) async fn hurry(tx: &mut Tx, order: &Order, now: i64) -> Result<()> {
    rows::update(tx, &order.row()?).await?;
    match store::jobs::about(tx, &order.id).await? {
        None => store::jobs::insert(tx, &super::purchase::job(order, now)).await,
        Some(job) if job.state == JobState::Ready => {
            store::jobs::update(tx, &store::jobs::Job { due_at: now, ..job }).await
        }
        Some(_) => Ok(()),
    }
}

/// Gives a number back, or ends an order that has not come so far.
pub struct Release {
    pub engine: Engine,
    pub organization: Id,
    pub id: Id,
}

impl Work for Release {
    type Output = Outcome<Order>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Order>> {
        let mut order = match locked(tx, &self.organization, &self.id).await? {
            Ok(order) => order,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if order.state.is_over() || order.state.is_undoing() || order.details.cancelled {
            return Ok(Err(Refusal::Taken { field: "state" }));
        }
        let (now, before) = (self.engine.now(), order.state);
        (order.details.cancelled, order.updated_at) = (true, now);
        if before == State::Active {
            (order.state, order.details.since) = (State::Releasing, now);
            record::tell(tx, &self.engine, &order, Some(before)).await?;
        }
        hurry(tx, &order, now).await?;
        Ok(Ok(order))
    }
}

impl UseCase for Release {
    fn committed(&self, engine: &Engine, _: &Outcome<Order>) {
        engine.wake.jobs.ring();
        engine.wake.dispatch.ring();
    }
}

/// An operator lets an order go on without money of the till's.
pub struct Approve {
    pub engine: Engine,
    pub organization: Id,
    pub id: Id,
}

impl Work for Approve {
    type Output = Outcome<Order>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Order>> {
        decide(tx, &self.engine, &self.organization, &self.id, true).await
    }
}

impl UseCase for Approve {
    fn committed(&self, engine: &Engine, _: &Outcome<Order>) {
        engine.wake.jobs.ring();
    }
}

/// An operator says no.
pub struct Decline {
    pub engine: Engine,
    pub organization: Id,
    pub id: Id,
}

impl Work for Decline {
    type Output = Outcome<Order>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Order>> {
        decide(tx, &self.engine, &self.organization, &self.id, false).await
    }
}

impl UseCase for Decline {
    fn committed(&self, engine: &Engine, _: &Outcome<Order>) {
        engine.wake.jobs.ring();
        engine.wake.dispatch.ring();
    }
}

async fn decide(tx: &mut Tx, engine: &Engine, organization: &Id, id: &Id, yes: bool) -> Result<Outcome<Order>> {
    let mut order = match locked(tx, organization, id).await? {
        Ok(order) => order,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if order.state != State::PendingPayment || order.details.payment != Payment::Operator {
        return Ok(Err(not_now(&order)));
    }
    let (now, before) = (engine.now(), order.state);
    order.updated_at = now;
    match yes {
        true => order.details.paid_at = Some(now),
        false => {
            record::fail(&mut order, Why::Declined, "the operator said no");
            order.details.since = now;
            record::tell(tx, engine, &order, Some(before)).await?;
        }
    }
    hurry(tx, &order, now).await?;
    Ok(Ok(order))
}

pub(super) fn not_now(order: &Order) -> Refusal {
    Refusal::Invalid { field: "state", why: format!("the number is {}", order.state.as_str()) }
}

/// Has the network bring another code.
struct Ask {
    engine: Engine,
    organization: Id,
    id: Id,
    method: Method,
}

impl Work for Ask {
    type Output = Outcome<Order>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Order>> {
        let mut order = match locked(tx, &self.organization, &self.id).await? {
            Ok(order) => order,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if can_be_renewed(&order) {
            let (now, before) = (self.engine.now(), order.state);
            order.renew();
            // Nothing of the last time is on its way.
            order.details.code_until = 0;
            (order.details.since, order.updated_at) = (now, now);
            record::tell(tx, &self.engine, &order, Some(before)).await?;
        }
        if !order.state.awaits_code() {
            return Ok(Err(not_now(&order)));
        }
        if order.details.codes_asked >= MOST_CODES {
            return Ok(Err(Refusal::Full("codes")));
        }
        (order.details.method, order.details.again) = (self.method, true);
        hurry(tx, &order, self.engine.now()).await?;
        Ok(Ok(order))
    }
}

impl UseCase for Ask {}

/// Its proof runs out some day, or has run out; nothing is being done about it.
fn can_be_renewed(order: &Order) -> bool {
    let pooled = order.state == State::Active && order.details.place == Place::Pool && !order.details.cancelled;
    pooled || order.state == State::Lapsed
}

/// Asks for another code; comes back when it was asked for, or when that was refused.
pub async fn request_code(
    engine: &Engine,
    organization: &Id,
    id: &Id,
    method: Method,
) -> std::result::Result<Order, Error> {
    let (organization, id) = (*organization, *id);
    engine.perform(Ask { engine: engine.clone(), organization, id, method }).await??;
    drive(engine, &id).await?;
    let order = now(engine, &organization, &id).await?;
    let why = order.details.trouble.as_deref().or(order.reason().map(|reason| reason.text.as_str()));
    match (why, order.state) {
        (_, State::Verifying) | (None, State::AwaitingCode) => Ok(order),
        (Some(why), _) => Err(refused(why)),
        (None, _) if is_proven(&order) => Ok(order),
        (None, _) => Err(not_now(&order).into()),
    }
}

async fn now(engine: &Engine, organization: &Id, id: &Id) -> std::result::Result<Order, Error> {
    Ok(engine.number_order(organization, id).await?.ok_or(Refusal::NotFound("number"))?)
}

fn refused(why: &str) -> Error {
    CallError::Refused { message: why.to_owned(), code: None, details: None }.into()
}

/// Somebody read the code.
struct Give {
    engine: Engine,
    organization: Id,
    id: Id,
    /// Sealed.
    code: Vec<u8>,
}

impl Work for Give {
    /// When it was proven before.
    type Output = Outcome<Option<i64>>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Option<i64>>> {
        let mut order = match locked(tx, &self.organization, &self.id).await? {
            Ok(order) => order,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !order.state.awaits_code() {
            return Ok(if is_proven(&order) { Ok(order.details.verified_at) } else { Err(not_now(&order)) });
        }
        order.code = Some(self.code.clone());
        hurry(tx, &order, self.engine.now()).await?;
        Ok(Ok(order.details.verified_at))
    }
}

impl UseCase for Give {}

/// Gives a code to the network; comes back when it was taken. A number that is verified already is fine.
pub async fn verify(
    engine: &Engine,
    organization: &Id,
    id: &Id,
    code: SecretString,
) -> std::result::Result<Order, Error> {
    let Some(digits) = code::find(code.expose_secret()) else { return Err(wrong("a code has six digits").into()) };
    let (organization, id) = (*organization, *id);
    let code = code::seal(&engine.key, &id, &digits)?;
    let before = engine.perform(Give { engine: engine.clone(), organization, id, code }).await??;
    drive(engine, &id).await?;
    let order = now(engine, &organization, &id).await?;
    match &order.details.trouble {
        why if is_proven(&order) && (why.is_none() || order.details.verified_at != before) => Ok(order),
        Some(why) => Err(wrong(why).into()),
        None => Err(not_now(&order).into()),
    }
}

/// And need not be proven again.
fn is_proven(order: &Order) -> bool {
    order.details.verified_at.is_some() && !order.state.awaits_code() && order.state != State::Lapsed
}

fn wrong(why: &str) -> Refusal {
    Refusal::Invalid { field: "code", why: why.to_owned() }
}
