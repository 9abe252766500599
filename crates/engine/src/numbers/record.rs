//! What follows from a step: the next state, and when it is to be worked on. One commit with what came of the step.
//!
//! Only who holds the claim moves an order on. What happens meanwhile (a code, a payment, somebody who does not want it any
//! more) is written on the order and minded here.

use std::sync::Arc;

use store::jobs::{Job, State as JobState};
use store::senders::Sender;
use store::{Id, Result, Tx, Work, numbers as rows};

use super::order::{self, Order, Payment, Place, Reason, State, Why};
use super::steps::{Done, Outcome, after_proof};
use super::{Bought, Method, Offer, Proof, Refund, Standing, pool};
use crate::events::{self, Note, NumberData};
use crate::provider::{CallError, FoundSender};
use crate::settings::Numbers;
use crate::{Engine, UseCase, routes, senders};

/// How many numbers are tried one after the other.
const NUMBERS: usize = 3;
/// How long somebody outside may be away, or a carrier make up its mind.
const GIVE_UP_MS: i64 = 24 * 60 * 60 * 1000;
/// The longest pauses, while something is got and while something is given back.
const PAUSE_MS: i64 = 10 * 60 * 1000;
const UNDOING_PAUSE_MS: i64 = 60 * 60 * 1000;
/// Before a code is asked for again that the network did not want to send.
const ASK_AGAIN_MS: i64 = 60_000;
/// Before a till is asked again that could not say whether it was paid.
const LOOK_AGAIN_MS: i64 = 60_000;
/// How long a number stays verified in a pool.
const POOL_MS: i64 = 90 * 24 * 60 * 60 * 1000;
const NO_CODE: &str = "no code came";

pub(super) struct Record {
    pub(super) engine: Engine,
    /// As it was claimed.
    pub(super) job: Job,
    pub(super) outcome: Arc<Outcome>,
}

impl Work for Record {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let Some(row) = rows::get_for_update(tx, &self.job.id).await? else { return Ok(()) };
        if !store::jobs::is_held(tx, &self.job).await? {
            return Ok(());
        }
        let mut order = Order::of(row)?;
        let (before, asked_to_pay) = (order.state, order.details.checkout_url.is_some());
        let was_usable = order.details.provisioned_at.is_some();
        let due = match &*self.outcome {
            Ok(done) => {
                answered(&mut order);
                self.came(tx, &mut order, done).await?
            }
            Err(error) => self.went_wrong(&mut order, error),
        };
        heed(&mut order, was_usable);
        pool::lapse(&mut order, self.now());
        let told = order.state != before || order.details.checkout_url.is_some() != asked_to_pay;
        self.keep(tx, order, before, due, told).await
    }
}

impl UseCase for Record {
    fn committed(&self, engine: &Engine, (): &()) {
        engine.cache.clear();
        engine.wake.jobs.ring();
        engine.wake.dispatch.ring();
    }
}

/// Whoever was in the way is not any more.
fn answered(order: &mut Order) {
    if order.details.trouble_since.take().is_some() {
        order.details.trouble = None;
    }
}

/// Somebody does not want it any more. What became usable only after that was never had.
fn heed(order: &mut Order, was_usable: bool) {
    match order.state {
        _ if !order.details.cancelled || order.state.is_over() || order.state.is_undoing() => {}
        _ if was_usable => order.state = State::Releasing,
        _ => {
            order.details.provisioned_at = None;
            fail(order, Why::Cancelled, "the buyer did not want it any more");
        }
    }
}

/// What could not be had is given up. A number that can be used stays, and says what is wrong.
pub(super) fn fail(order: &mut Order, code: Why, text: impl Into<String>) {
    if order.details.provisioned_at.is_some() {
        order.details.trouble = Some(text.into());
        order.state = State::Active;
        return;
    }
    order.details.reason = Some(Reason { code, text: text.into() });
    order.state = State::Failing;
}

impl Record {
    fn now(&self) -> i64 {
        self.engine.now()
    }

    fn settings(&self) -> &Numbers {
        &self.engine.settings.numbers
    }

    /// Times are due times where the state stays; a new state is worked on at once.
    async fn came(&self, tx: &mut Tx, order: &mut Order, done: &Done) -> Result<i64> {
        let now = self.now();
        match (order.state, done) {
            (State::Searching, Done::Found(offers)) => choose(tx, order, offers).await?,
            (State::Reserving, Done::Reserved(name)) => self.reserved(order, name.as_ref()),
            (State::PendingPayment, done) => return Ok(self.payment(order, done)),
            (State::Ordering, Done::Bought(Bought::Ours)) => self.bought(tx, order).await?,
            (State::Ordering, Done::Bought(Bought::Pending)) => return Ok(self.patience(order)),
            (State::Ordering, Done::Bought(Bought::Gone { why })) => another(order, why),
            (State::Adding, Done::Added { id, proof }) => self.added(order, id, *proof),
            (State::Asking, Done::Asked(method)) => return Ok(self.asked(order, *method)),
            (State::Asking, _) if order.code.is_some() => order.state = State::Verifying,
            (State::AwaitingCode, _) => return Ok(self.awaited(order)),
            (State::Verifying, Done::Proven(proof)) => self.proven(order, *proof),
            (State::Verifying, Done::Wrong { why, tried }) => return Ok(self.wrong(order, why, tried.as_deref())),
            (State::Registering, Done::Registered(found)) => self.registered(tx, order, found).await?,
            (State::Active | State::Lapsed, _) if pool::next_proof(order).is_some_and(|at| at <= now) => order.renew(),
            (State::Adopting, Done::Adopted { id }) => pool::adopted(order, id),
            (State::Releasing | State::Failing, Done::Removed { left_behind }) => {
                order.details.left_behind.clone_from(left_behind);
                self.removed(tx, order).await?;
            }
            (State::Refunding, Done::Refunded(refund)) => return Ok(self.refunded(order, refund.as_ref())),
            _ => {}
        }
        Ok(now)
    }

    fn reserved(&self, order: &mut Order, name: Option<&String>) {
        order.details.reservation = name.cloned();
        if self.is_paid(order) {
            return ready_to_buy(order);
        }
        let wait = i64::try_from(self.settings().payment_wait.as_millis()).unwrap_or(i64::MAX / 4);
        order.details.pay_until = self.now() + wait;
        order.state = State::PendingPayment;
    }

    /// Or need not be.
    fn is_paid(&self, order: &Order) -> bool {
        let details = &order.details;
        let free = details.payment == Payment::Checkout && details.amount == 0;
        free || details.payment == Payment::None || details.paid_at.is_some()
    }

    fn payment(&self, order: &mut Order, done: &Done) -> i64 {
        let (now, details) = (self.now(), &mut order.details);
        match done {
            Done::Opened(session) => {
                details.session = Some(session.id.clone());
                details.checkout_url = Some(session.url.clone());
            }
            Done::Payment(Standing::Paid { reference }) => {
                details.paid_at.get_or_insert(now);
                details.payment_reference.get_or_insert_with(|| reference.clone());
            }
            _ => {}
        }
        let until = details.pay_until;
        let ended = matches!(done, Done::Payment(Standing::Ended));
        if self.is_paid(order) {
            ready_to_buy(order);
        } else if ended || (now >= until && order.details.payment == Payment::Operator) {
            fail(order, Why::PaymentExpired, "nobody paid in time");
        }
        until.max(now + LOOK_AGAIN_MS)
    }

    async fn bought(&self, tx: &mut Tx, order: &mut Order) -> Result<()> {
        let add = routes::AddSender {
            engine: self.engine.clone(),
            organization: order.organization_id,
            account: order.carrier_id,
            address: order.number.clone().unwrap_or_default(),
            name: None,
        };
        order.details.text_sender = add.run(tx).await?.ok().map(|sender| sender.id.hex24());
        order.details.reservation = None;
        order.state = State::Adding;
        Ok(())
    }

    /// The carrier takes its time.
    fn patience(&self, order: &mut Order) -> i64 {
        if self.now() - order.details.since > GIVE_UP_MS {
            fail(order, Why::OrderRefused, "the carrier did not come to an end with the order");
        }
        self.pause(PAUSE_MS)
    }

    fn added(&self, order: &mut Order, id: &str, proof: Proof) {
        order.details.provider_number = Some(id.to_owned());
        match proof.verified {
            true => self.proven(order, proof),
            false => order.state = State::Asking,
        }
    }

    fn asked(&self, order: &mut Order, method: Method) -> i64 {
        let wait = i64::try_from(self.settings().code_wait.as_millis()).unwrap_or(i64::MAX / 4);
        let details = &mut order.details;
        details.codes_asked += 1;
        details.trouble = None;
        details.code_until = self.now() + wait;
        // Somebody wished for another way meanwhile.
        if details.again && details.method != method {
            return self.now();
        }
        (details.method, details.again) = (method, false);
        order.state = State::AwaitingCode;
        self.awaited(order)
    }

    fn awaited(&self, order: &mut Order) -> i64 {
        let (now, details) = (self.now(), &order.details);
        if order.code.is_some() {
            order.state = State::Verifying;
        } else if details.again {
            order.state = State::Asking;
        } else if now >= details.code_until {
            self.no_code(order, NO_CODE);
        }
        if order.state == State::AwaitingCode { order.details.code_until } else { now }
    }

    /// A code that came is tried before the pause is over; the one that is on its way is waited for, whatever comes of a
    /// wish for another.
    fn not_asked(&self, order: &mut Order, why: &str) -> i64 {
        let (now, details) = (self.now(), &mut order.details);
        let on_its_way = std::mem::take(&mut details.again) && now < details.code_until;
        if !on_its_way {
            details.codes_asked += 1;
            details.code_until = now + ASK_AGAIN_MS;
        }
        let until = details.code_until;
        if order.code.is_some() {
            order.state = State::Verifying;
        } else if on_its_way {
            order.state = State::AwaitingCode;
        } else {
            self.no_code(order, why);
        }
        until
    }

    fn no_code(&self, order: &mut Order, why: &str) {
        match order.details.codes_asked < self.settings().code_tries {
            true => order.state = State::Asking,
            false => fail(order, Why::CodeNeverArrived, why),
        }
    }

    fn proven(&self, order: &mut Order, proof: Proof) {
        let now = self.now();
        order.code = None;
        (order.details.verified_at, order.details.trouble) = (Some(now), None);
        if order.details.place == Place::Pool {
            order.details.verified_until = Some(proof.until.unwrap_or(now + POOL_MS));
            order.details.provisioned_at.get_or_insert(now);
        }
        order.state = after_proof(order.details.place);
    }

    /// Anybody may have written it: the right one may still come, or have come while this one was tried.
    fn wrong(&self, order: &mut Order, why: &str, tried: Option<&[u8]>) -> i64 {
        order.code = order.code.take().filter(|newer| tried.is_some_and(|tried| tried != newer.as_slice()));
        order.details.trouble = Some(why.to_owned());
        order.state = State::AwaitingCode;
        self.awaited(order)
    }

    async fn registered(&self, tx: &mut Tx, order: &mut Order, found: &FoundSender) -> Result<()> {
        let Some(account) = store::accounts::get(tx, &order.account_id).await? else {
            return Err(store::Error::Dangling);
        };
        let (id, channel) = (self.engine.new_id(), self.engine.provider(&account.provider).map(|it| it.channel()));
        let sender = Sender {
            id,
            organization_id: order.organization_id,
            account_id: account.id,
            channel: channel.unwrap_or_default().into(),
            provider: account.provider,
            external_id: found.external_id.clone(),
            address: found.address.clone(),
            name: found.name.clone(),
            status: found.status.clone(),
            status_reason: found.status_reason.clone(),
            config: found.config.clone(),
            settings: "{}".into(),
            created_at: id.millis(),
            updated_at: id.millis(),
        };
        let stored = store::senders::put(tx, &sender).await?;
        store::settings::touch_caches(tx).await?;
        order.details.sender = Some(stored.id.hex24());
        order.details.provisioned_at.get_or_insert(self.now());
        order.details.trouble = None;
        order.state = State::Active;
        Ok(())
    }

    async fn removed(&self, tx: &mut Tx, order: &mut Order) -> Result<()> {
        let details = &order.details;
        for sender in [&details.sender, &details.text_sender].into_iter().flatten().filter_map(|id| Id::parse_hex24(id))
        {
            let why = Some("the number was given back");
            store::senders::set_status(tx, &sender, senders::DISCONNECTED, why, self.now()).await?;
            store::settings::touch_caches(tx).await?;
        }
        order.details.bought = false;
        if order.state == State::Releasing {
            order.details.released_at = Some(self.now());
            order.state = State::Released;
            return Ok(());
        }
        rows::forget_purchase(tx, &order.id).await?;
        order.state = if order.details.session.is_some() { State::Refunding } else { State::Failed };
        Ok(())
    }

    fn refunded(&self, order: &mut Order, refund: Option<&Refund>) -> i64 {
        let details = &mut order.details;
        details.refund = refund.map(|it| it.id.clone()).or(details.refund.take());
        if refund.is_some_and(|it| !it.settled) {
            details.trouble = Some("the money is on its way back".into());
            return self.pause(UNDOING_PAUSE_MS);
        }
        details.refunded_at = refund.map(|_| self.now()).or(details.refunded_at);
        order.state = State::Failed;
        self.now()
    }
}

/// The first that nobody has and that was not tried.
async fn choose(tx: &mut Tx, order: &mut Order, offers: &[Offer]) -> Result<()> {
    let details = &order.details;
    let wanted = |offer: &&Offer| details.chosen.as_ref().is_none_or(|chosen| *chosen == offer.number);
    for offer in offers.iter().filter(wanted).filter(|offer| !details.gone.contains(&offer.number)) {
        if rows::open_for(tx, &offer.number).await?.is_none() {
            order.number = Some(offer.number.clone());
            order.state = State::Reserving;
            return Ok(());
        }
    }
    fail(order, Why::NoneAvailable, "the carrier has no such number");
    Ok(())
}

/// From here on the carrier may have sold it to us.
fn ready_to_buy(order: &mut Order) {
    order.details.bought = true;
    order.state = State::Ordering;
}

/// This number cannot be had.
fn another(order: &mut Order, why: &str) {
    let details = &mut order.details;
    details.bought = false;
    details.reservation = None;
    details.gone.extend(order.number.take());
    match details.chosen.is_some() || details.gone.len() >= NUMBERS {
        true => fail(order, Why::OrderRefused, why),
        false => order.state = State::Searching,
    }
}

impl Record {
    fn went_wrong(&self, order: &mut Order, error: &CallError) -> i64 {
        let (why, refused) = (in_words(error), matches!(error, CallError::Refused { .. }));
        order.details.trouble = Some(why.clone());
        if order.state.is_undoing() {
            tracing::warn!(order = %order.id, state = order.state.as_str(), why, "a number could not be given back yet");
            order.details.refund.take_if(|_| refused && order.state == State::Refunding);
            order.details.trouble_since.get_or_insert(self.now());
            return self.pause(UNDOING_PAUSE_MS);
        }
        if refused {
            order.details.trouble_since = None;
            return self.refused(order, why);
        }
        if self.now() - *order.details.trouble_since.get_or_insert(self.now()) > GIVE_UP_MS {
            fail(order, Why::Unreachable, why);
        }
        self.pause(PAUSE_MS)
    }

    fn refused(&self, order: &mut Order, why: String) -> i64 {
        match order.state {
            State::Searching => fail(order, Why::NoneAvailable, why),
            State::Reserving => another(order, &why),
            State::PendingPayment => fail(order, Why::PaymentRefused, why),
            State::Ordering => fail(order, Why::OrderRefused, why),
            State::Adding => fail(order, Why::NotTaken, why),
            State::Asking => return self.not_asked(order, &why),
            State::Verifying => return self.wrong(order, &why, None),
            _ => fail(order, Why::RegistrationRefused, why),
        }
        self.now()
    }

    fn pause(&self, longest: i64) -> i64 {
        let doubled = 1000_i64 << self.job.attempts.clamp(0, 20);
        self.now() + doubled.min(longest)
    }

    async fn keep(&self, tx: &mut Tx, mut order: Order, before: State, due: i64, told: bool) -> Result<()> {
        let (now, moved) = (self.now(), order.state != before);
        order.updated_at = now;
        if moved {
            (order.details.since, order.details.trouble_since) = (now, None);
            let tells = matches!(order.state, State::AwaitingCode | State::Active | State::Lapsed);
            order.details.trouble = order.details.trouble.filter(|_| tells);
        }
        rows::update(tx, &order.row()?).await?;
        if told {
            tell(tx, &self.engine, &order, Some(before)).await?;
        }
        let due_at = match order.state {
            State::Active | State::Lapsed => pool::next_proof(&order),
            state if state.is_over() => None,
            State::AwaitingCode => Some(due),
            _ => Some(if moved { now } else { due }),
        };
        let Some(due_at) = due_at else { return store::jobs::delete(tx, &order.id).await };
        let attempts = if moved { 0 } else { self.job.attempts };
        let job = Job { state: JobState::Ready, attempts, due_at, called_at: None, ..self.job.clone() };
        store::jobs::update(tx, &job).await
    }
}

pub(super) fn in_words(error: &CallError) -> String {
    match error {
        CallError::Refused { message, details: Some(details), .. } => format!("{message} ({details})"),
        CallError::Refused { message, .. } => message.clone(),
        other => other.to_string(),
    }
}

/// Writes down that an order stands otherwise than before.
pub(super) async fn tell(tx: &mut Tx, engine: &Engine, order: &Order, before: Option<State>) -> Result<()> {
    let details = &order.details;
    let asked = details.payment == Payment::Operator || details.checkout_url.is_some();
    let kind = match order.state {
        State::PendingPayment if asked => events::NUMBER_PAYMENT_WANTED,
        // One that can be used is proven once more without anybody's help.
        State::AwaitingCode if details.provisioned_at.is_none() => events::NUMBER_CODE_WANTED,
        State::Active if details.trouble.is_none() => events::NUMBER_ACTIVATED,
        State::Released => events::NUMBER_RELEASED,
        State::Failed => events::NUMBER_FAILED,
        _ => events::NUMBER_MOVED,
    };
    let tells = matches!(order.state, State::Active | State::Lapsed);
    let trouble = details.trouble.as_ref().filter(|_| tells);
    let why = details.reason.as_ref().map(|reason| &reason.text).or(trouble);
    let data = NumberData {
        number: order.number.clone(),
        profile: order.profile.clone(),
        state: order.state.as_str().into(),
        previous: before.filter(|before| *before != order.state).map(|before| before.as_str().into()),
        reason: order::in_one([why, details.left_behind.as_ref()]),
    };
    events::append(tx, engine, Note::new(&order.organization_id, kind, &order.id), &data).await.map(drop)
}
