//! What is done outside for each state. Nothing here writes: what came of it is committed by `record`.

use store::Id;

use super::order::{Order, Payment, Place, State};
use super::purchase::till;
use super::record::in_words;
use super::{Bill, Bought, Method, Offer, Onboarding, Proof, Refund, Session, Shop, Standing, code, wishes};
use crate::Engine;
use crate::provider::{Account, CallError, FoundSender};

/// Offers that are looked at.
const OFFERS: usize = 20;

/// What came of a step.
#[derive(Debug)]
pub(super) enum Done {
    Found(Vec<Offer>),
    Reserved(Option<String>),
    Opened(Session),
    Payment(Standing),
    Bought(Bought),
    Added {
        id: String,
        proof: Proof,
    },
    Adopted {
        id: String,
    },
    Asked(Method),
    Proven(Proof),
    /// The network says that this is not the code. `tried`: sealed.
    Wrong {
        why: String,
        tried: Option<Vec<u8>>,
    },
    Registered(Box<FoundSender>),
    Removed {
        /// What is still at the network, and why.
        left_behind: Option<String>,
    },
    /// What had been paid is given back. `None`: nothing had been paid, or it was given back before.
    Refunded(Option<Refund>),
    /// There was nothing to do but to wait, and the wait is over.
    Waited,
}

pub(super) type Outcome = Result<Done, CallError>;

pub(super) async fn take(engine: &Engine, order: &Order) -> Outcome {
    match order.state {
        // Nobody begins anything that is not wanted any more.
        state if order.details.cancelled && !state.is_undoing() => Ok(Done::Waited),
        State::Searching => search(engine, order).await,
        State::Reserving => reserve(engine, order).await,
        State::PendingPayment => payment(engine, order).await,
        State::Ordering => buy(engine, order).await,
        State::Adding => add(engine, order).await,
        // A code has overtaken the news that it was asked for, or somebody knows one.
        State::Asking if order.code.is_some() && !order.details.again => Ok(Done::Waited),
        State::Asking => ask(engine, order).await,
        State::Verifying => verify(engine, order).await,
        State::Registering => register(engine, order).await,
        State::Adopting => adopt(engine, order).await,
        State::Releasing | State::Failing => give_back(engine, order).await,
        State::Refunding => refund(engine, order).await,
        State::AwaitingCode | State::Active | State::Lapsed | State::Released | State::Failed => Ok(Done::Waited),
    }
}

/// An account with its provider's capability.
struct With<'a, C: ?Sized> {
    account: std::sync::Arc<Account>,
    can: &'a C,
}

fn gone(what: &str) -> CallError {
    CallError::Unauthorized { message: format!("our account at the {what} is not there any more"), code: None }
}

async fn carrier<'a>(engine: &'a Engine, order: &Order) -> Result<With<'a, dyn Shop + 'a>, CallError> {
    let account = engine.account(&order.carrier_id).await?.ok_or_else(|| gone("carrier"))?;
    let can = engine.provider(&account.provider).and_then(|it| it.shop()).ok_or_else(|| gone("carrier"))?;
    Ok(With { account, can })
}

async fn network<'a>(engine: &'a Engine, order: &Order) -> Result<With<'a, dyn Onboarding + 'a>, CallError> {
    network_at(engine, &order.account_id).await
}

async fn network_at<'a>(engine: &'a Engine, account: &Id) -> Result<With<'a, dyn Onboarding + 'a>, CallError> {
    let account = engine.account(account).await?.ok_or_else(|| gone("network"))?;
    let can = engine.provider(&account.provider).and_then(|it| it.onboarding()).ok_or_else(|| gone("network"))?;
    Ok(With { account, can })
}

fn number(order: &Order) -> Result<&str, CallError> {
    order.number.as_deref().ok_or_else(|| CallError::Unreadable("the order has no number".into()))
}

fn network_id(order: &Order) -> Result<&str, CallError> {
    let id = order.details.provider_number.as_deref();
    id.ok_or_else(|| CallError::Unreadable("the network has no name for the number".into()))
}

async fn search(engine: &Engine, order: &Order) -> Outcome {
    let shop = carrier(engine, order).await?;
    shop.can.available(&shop.account, &order.details.wish, OFFERS).await.map(Done::Found)
}

async fn reserve(engine: &Engine, order: &Order) -> Outcome {
    let shop = carrier(engine, order).await?;
    shop.can.reserve(&shop.account, &order.id, number(order)?).await.map(Done::Reserved)
}

/// Opens the place where it is paid; later, when nobody has paid in time, closes it.
async fn payment(engine: &Engine, order: &Order) -> Outcome {
    let details = &order.details;
    if details.payment != Payment::Checkout || details.paid_at.is_some() {
        return Ok(Done::Waited);
    }
    let till = till(engine).ok_or_else(|| gone("till"))?;
    match &details.session {
        None => till.open(&bill(order)?).await.map(Done::Opened),
        Some(session) => till.end(session).await.map(Done::Payment),
    }
}

fn bill(order: &Order) -> Result<Bill, CallError> {
    let details = &order.details;
    Ok(Bill {
        order: order.id,
        amount: details.amount,
        currency: details.currency.clone(),
        title: format!("Phone number {}", number(order)?),
        expires_at: details.pay_until,
    })
}

async fn buy(engine: &Engine, order: &Order) -> Outcome {
    let shop = carrier(engine, order).await?;
    shop.can.buy(&shop.account, &order.id, number(order)?).await.map(Done::Bought)
}

async fn add(engine: &Engine, order: &Order) -> Outcome {
    let (net, details) = (network(engine, order).await?, &order.details);
    let id = net.can.add(&net.account, number(order)?, &details.display_name, details.place).await?;
    let proof = net.can.proof(&net.account, &id, details.place).await?;
    Ok(Done::Added { id, proof })
}

async fn ask(engine: &Engine, order: &Order) -> Outcome {
    let net = network(engine, order).await?;
    let method = method(engine, order).await;
    net.can.request_code(&net.account, network_id(order)?, method).await.map(|()| Done::Asked(method))
}

/// As it is wished. Where texts do not come, the last try is a call, if the carrier hears it.
async fn method(engine: &Engine, order: &Order) -> Method {
    let (tries, details) = (engine.settings.numbers.code_tries, &order.details);
    let last = tries > 1 && details.codes_asked + 1 == tries;
    match last && !details.again && carrier(engine, order).await.is_ok_and(|shop| shop.can.hears_calls()) {
        true => Method::Voice,
        false => details.method,
    }
}

/// Brings a number of the pool onto the account that wants it.
async fn adopt(engine: &Engine, order: &Order) -> Outcome {
    let details = &order.details;
    let account = details.adopted_by.as_deref().and_then(Id::parse_hex24).unwrap_or(order.account_id);
    let (net, name) = (network_at(engine, &account).await?, &details.display_name);
    net.can.adopt(&net.account, number(order)?, name, network_id(order)?).await.map(|id| Done::Adopted { id })
}

/// Whether a number is proven, and not only by the proof that is to be renewed.
fn is_new(order: &Order, proof: Proof) -> bool {
    let newer = |known: i64| proof.until.is_some_and(|until| until > known);
    proof.verified && order.details.verified_until.is_none_or(newer)
}

/// The answer to an earlier try may have been lost: a number that is verified needs no code.
async fn verify(engine: &Engine, order: &Order) -> Outcome {
    let (net, id, place) = (network(engine, order).await?, network_id(order)?, order.details.place);
    let proof = net.can.proof(&net.account, id, place).await?;
    if is_new(order, proof) {
        return Ok(Done::Proven(proof));
    }
    let Some(sealed) = &order.code else { return Ok(Done::Wrong { why: "there is no code".into(), tried: None }) };
    let code = code::open(&engine.key, &order.id, sealed)?;
    match net.can.verify_code(&net.account, id, &code).await {
        Ok(()) => {
            net.can.proof(&net.account, id, place).await.map(|proof| Done::Proven(Proof { verified: true, ..proof }))
        }
        Err(CallError::Refused { message: why, .. }) => Ok(Done::Wrong { why, tried: Some(sealed.clone()) }),
        Err(error) => Err(error),
    }
}

async fn register(engine: &Engine, order: &Order) -> Outcome {
    let (net, pin) = (network(engine, order).await?, wishes::pin(engine, &order.organization_id, number(order)?));
    let found = net.can.register(&net.account, network_id(order)?, &pin).await?;
    Ok(Done::Registered(Box::new(found)))
}

/// Takes the number from the network and gives it back to the carrier, as far as it came. The carrier is asked whatever
/// the network says: a number that stays there is paid for. Where the network is away both are asked again, and the
/// carrier leaves alone what it has back already.
async fn give_back(engine: &Engine, order: &Order) -> Outcome {
    let removed = take_from_network(engine, order).await;
    give_to_carrier(engine, order).await?;
    removed.map(|left_behind| Done::Removed { left_behind })
}

/// What stays there, and why: nothing goes on by itself where the network does not let us in, or says no.
async fn take_from_network(engine: &Engine, order: &Order) -> Result<Option<String>, CallError> {
    let Some(id) = &order.details.provider_number else { return Ok(None) };
    // Whoever takes his account away takes its numbers with it.
    if engine.account(&order.account_id).await?.is_none() {
        return Ok(None);
    }
    let removed = match network(engine, order).await {
        Ok(net) => net.can.remove(&net.account, id, order.details.place).await,
        Err(error) => Err(error),
    };
    match removed {
        Err(error @ (CallError::Unauthorized { .. } | CallError::Refused { .. })) => {
            Ok(Some(format!("it is still on the account at the network: {}", in_words(&error))))
        }
        removed => removed.map(|()| None),
    }
}

async fn give_to_carrier(engine: &Engine, order: &Order) -> Result<(), CallError> {
    let details = &order.details;
    if let Some(number) = order.number.as_deref().filter(|_| details.bought) {
        let shop = carrier(engine, order).await?;
        shop.can.release(&shop.account, &order.id, number).await?;
    }
    if let Some(reservation) = &details.reservation {
        let shop = carrier(engine, order).await?;
        shop.can.cancel(&shop.account, reservation).await?;
    }
    Ok(())
}

/// Nobody can have paid where no session was opened, or none that anybody was told of.
async fn refund(engine: &Engine, order: &Order) -> Outcome {
    let details = &order.details;
    let Some(session) = details.session.as_ref().filter(|_| details.refunded_at.is_none()) else {
        return Ok(Done::Refunded(None));
    };
    let till = till(engine).ok_or_else(|| gone("till"))?;
    let reference = match &details.payment_reference {
        Some(known) => known.clone(),
        None => match till.end(session).await? {
            Standing::Paid { reference } => reference,
            Standing::Ended => return Ok(Done::Refunded(None)),
            Standing::Open => return Err(still_open()),
        },
    };
    let refund = till.refund(&order.id, &reference, details.refund.as_deref()).await?;
    Ok(Done::Refunded(Some(refund)))
}

fn still_open() -> CallError {
    CallError::Unreadable("the payment can neither be ended nor given back".into())
}

/// Where a verified number goes on to.
pub(super) fn after_proof(place: Place) -> State {
    match place {
        Place::Account => State::Registering,
        Place::Pool => State::Active,
    }
}
