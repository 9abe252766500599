//! `/whatsapp/phone-numbers`: numbers that are bought here, proven to be ours and given back.
//!
//! An organization has one profile, which has its id.

use api::At;
use engine::clock::rfc3339;
use engine::numbers::{self, Method, New, Offer, Order, Place, Purchased, Release, State, Wish};
use engine::{Id, Refusal};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::{Code, Error};
use crate::ids;
use crate::paging::number;

const LISTED: &[&str] = &[
    "_id",
    "phoneNumber",
    "country",
    "status",
    "profileId",
    "provisionedAt",
    "metaPreverifiedId",
    "metaVerificationStatus",
    "accountId",
    "createdAt",
];
const SHOWN: &[&str] = &[
    "id",
    "phoneNumber",
    "status",
    "country",
    "provisionedAt",
    "metaPreverifiedId",
    "metaVerificationStatus",
    "accountId",
];
const RELEASED: &[&str] = &["id", "phoneNumber", "status", "releasedAt"];
/// How long a proof holds at Meta, in milliseconds.
const VALID: i64 = 90 * 24 * 60 * 60 * 1000;

impl From<numbers::Error> for Error {
    fn from(error: numbers::Error) -> Self {
        match error {
            numbers::Error::Refused(refusal) => refused(refusal),
            numbers::Error::Call(error) => error.into(),
            numbers::Error::Store(error) => error.into(),
        }
    }
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::NotFound("carrier") => Error::invalid("There is no carrier account that numbers can be bought from"),
        Refusal::NotFound("account") => Error::invalid("There is no WhatsApp account that numbers can be added to"),
        Refusal::Taken { field: "state" } => Error::invalid("Phone number is already released or being released"),
        Refusal::Invalid { field: "state", why } => Error::invalid(why),
        other => other.into(),
    }
}

/// A number that is proven once more, or registered elsewhere, can be used meanwhile (`provisioned`), unless its proof has
/// `run_out`.
pub(crate) fn status(state: State, provisioned: bool, run_out: bool) -> &'static str {
    match state {
        State::PendingPayment => "pending_payment",
        State::Releasing => "releasing",
        State::Released | State::Failing | State::Refunding | State::Failed => "released",
        State::Lapsed => "suspended",
        _ if run_out => "suspended",
        State::Active | State::Adopting => "active",
        _ if provisioned => "active",
        _ => "provisioning",
    }
}

/// By itself what is gone is not listed.
fn is_listed(status: &str, wanted: Option<&str>) -> bool {
    wanted.map_or(status != "released", |wanted| wanted == status)
}

/// The states that a list has to look at.
fn states(wanted: Option<&str>) -> Vec<State> {
    let ways = [(false, false), (false, true), (true, false), (true, true)];
    let can_be = |state: &State| ways.iter().any(|&(used, run_out)| is_listed(status(*state, used, run_out), wanted));
    State::ALL.into_iter().filter(can_be).collect()
}

fn standing(order: &Order, now: i64) -> &'static str {
    let details = &order.details;
    status(order.state, details.provisioned_at.is_some(), details.verified_until.is_some_and(|until| until <= now))
}

fn verification(order: &Order, now: i64) -> &'static str {
    match (order.details.verified_at, order.details.verified_until) {
        (None, _) => "NOT_VERIFIED",
        (Some(_), Some(until)) if until <= now => "EXPIRED",
        (Some(_), _) => "VERIFIED",
    }
}

fn shape(call: &Call, order: &Order, names: &[&str]) -> Map<String, Value> {
    let details = &order.details;
    let id = order.id.hex24();
    let shown = json!({
        "_id": id,
        "id": id,
        "phoneNumber": order.number,
        "country": details.country,
        "status": standing(order, call.engine().now()),
        "profileId": { "_id": profile(call) },
        "provisionedAt": details.provisioned_at.map(rfc3339),
        "metaPreverifiedId": details.provider_number.as_ref().filter(|_| details.place == Place::Pool),
        "metaVerificationStatus": verification(order, call.engine().now()),
        // Not published: what the other operations call it once it can send.
        "accountId": details.sender,
        "releasedAt": details.released_at.map(rfc3339),
        "createdAt": rfc3339(order.created_at),
    });
    let Value::Object(mut shown) = shown else { return Map::new() };
    shown.retain(|name, value| names.contains(&name.as_str()) && !value.is_null());
    shown
}

fn profile(call: &Call) -> String {
    call.organization().hex24()
}

/// The profile that a purchase is for.
fn need_profile(call: &Call, at: &At<'_>) -> Result<(), Error> {
    let place = at.need("profileId")?;
    match place.text(1..=64)? == profile(call) {
        true => Ok(()),
        false => Err(place.refuse("is not a profile of this account").into()),
    }
}

pub(crate) async fn list(call: Call) -> Handled {
    let query = call.query()?;
    let at = query.at();
    let words = ["pending_payment", "provisioning", "active", "suspended", "releasing", "released"];
    let wanted = at.read("status", |at| at.word(&words.map(|word| (word, word))))?;
    let of_another =
        at.read("profileId", |at| at.string(0..=64))?.is_some_and(|id| !id.is_empty() && id != profile(&call));
    let mut orders = call.engine().number_orders(&call.organization(), None, &states(wanted)).await?;
    let now = call.engine().now();
    orders.retain(|order| !of_another && is_listed(standing(order, now), wanted));
    let shown: Vec<_> = orders.iter().map(|order| shape(&call, order, LISTED)).collect();
    Ok(Answer::of(&json!({ "numbers": shown })))
}

pub(crate) async fn available(call: Call) -> Handled {
    let query = call.query()?;
    let at = query.at();
    let text = |name: &str| at.read(name, |at| at.string(0..=64)).map(|text| text.filter(|text| !text.is_empty()));
    let wish =
        Wish { prefix: text("prefix")?, locality: text("locality")?, contains: text("contains")?, ..Wish::default() };
    let limit = at.read("limit", |at| number(&at, 1, 100))?.unwrap_or(20);
    let limit = usize::try_from(limit).unwrap_or(20);
    let found = match numbers::available(call.engine(), &call.organization(), &wish, limit).await {
        Err(numbers::Error::Refused(refusal)) => {
            return Err(Error::new(Code::Forbidden, refused(refusal).message().to_owned()));
        }
        other => other?,
    };
    Ok(Answer::of(&json!({ "numbers": found.into_iter().map(offer).collect::<Vec<_>>() })))
}

fn offer(it: Offer) -> Map<String, Value> {
    let shown =
        json!({ "phoneNumber": it.number, "country": it.country, "locality": it.locality, "region": it.region });
    let Value::Object(mut shown) = shown else { return Map::new() };
    shown.retain(|_, value| !value.is_null());
    shown
}

/// Those in Meta's pool whose proof still holds, and that nobody is taking over.
pub(crate) async fn preverified(call: Call) -> Handled {
    need_profile(&call, &call.query()?.at())?;
    let now = call.engine().now();
    let orders = call.engine().number_orders(&call.organization(), None, &states(Some("active"))).await?;
    let good = orders.iter().filter_map(|order| {
        let (verified_at, until) = (order.details.verified_at?, order.details.verified_until?);
        let id = order.details.provider_number.clone()?;
        let pooled = order.details.place == Place::Pool && order.state != State::Adopting;
        let stands = pooled && standing(order, now) == "active";
        stands.then(|| {
            json!({
                "id": order.id.hex24(),
                "phoneNumber": order.number,
                "metaPreverifiedId": id,
                "metaVerifiedAt": rfc3339(verified_at),
                "metaVerificationExpiresAt": rfc3339(until),
            })
        })
    });
    let shown: Vec<Value> = good.collect();
    let names: Vec<&Value> = shown.iter().map(|it| &it["metaPreverifiedId"]).collect();
    Ok(Answer::of(&json!({ "preVerifiedIds": names, "numbers": shown })))
}

pub(crate) async fn purchase(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    need_profile(&call, &at)?;
    let new = New {
        organization: call.organization(),
        origin: crate::NAME,
        profile: profile(&call),
        wish: Wish::default(),
        number: None,
        account: None,
        place: if call.late.options.preverified { Place::Pool } else { Place::Account },
        display_name: None,
        intent: at.read_nullable("purchaseIntentId", |at| at.string(1..=128))?.flatten(),
        allow_multiple: at.read_nullable("allowMultiple", |at| at.boolean())?.flatten().unwrap_or(false),
    };
    let bought = call.engine().perform(numbers::purchase(call.engine(), new)).await?.map_err(refused)?;
    let Purchased::Placed(order) = bought else {
        let why = "A number was bought within the last ten minutes; send allowMultiple to buy another";
        return Err(Error::new(Code::PurchaseVelocity, why));
    };
    numbers::drive(call.engine(), &order.id).await?;
    let order = of(&call, &order.id).await?;
    Ok(Answer::of(&match order.details.checkout_url.as_ref().filter(|_| order.state == State::PendingPayment) {
        Some(url) => json!({ "message": "Checkout session created", "checkoutUrl": url }),
        None => json!({ "message": "Phone number provisioning started", "phoneNumber": shape(&call, &order, SHOWN) }),
    }))
}

async fn of(call: &Call, id: &Id) -> Result<Order, Error> {
    call.engine().number_order(&call.organization(), id).await?.ok_or_else(Error::not_found)
}

fn named(call: &Call) -> Result<Id, Error> {
    ids::parse(call.param("phoneNumberId"))
}

pub(crate) async fn get(call: Call) -> Handled {
    let order = of(&call, &named(&call)?).await?;
    Ok(Answer::of(&json!({ "phoneNumber": shape(&call, &order, SHOWN) })))
}

pub(crate) async fn release(call: Call) -> Handled {
    let (engine, organization, id) = (call.engine().clone(), call.organization(), named(&call)?);
    call.engine().perform(Release { engine, organization, id }).await?.map_err(refused)?;
    numbers::drive(call.engine(), &id).await?;
    let order = of(&call, &id).await?;
    let message = "Phone number released successfully";
    Ok(Answer::of(&json!({ "message": message, "phoneNumber": shape(&call, &order, RELEASED) })))
}

pub(crate) async fn request_code(call: Call) -> Handled {
    let (id, body) = (named(&call)?, call.body()?);
    let methods = [("SMS", ("SMS", Method::Sms)), ("VOICE", ("VOICE", Method::Voice))];
    let method = body.at().read_nullable("method", |at| at.word(&methods))?.flatten();
    let (word, method) = method.unwrap_or(("SMS", Method::Sms));
    numbers::request_code(call.engine(), &call.organization(), &id, method).await?;
    Ok(Answer::of(&json!({ "message": format!("Verification code sent via {word}"), "method": word })))
}

pub(crate) async fn verify(call: Call) -> Handled {
    let (id, body) = (named(&call)?, call.body()?);
    let place = body.at().need("code")?;
    let code = place.text(6..=6)?;
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(place.refuse("must have six digits").into());
    }
    let code = SecretString::from(code.to_owned());
    let order = numbers::verify(call.engine(), &call.organization(), &id, code).await?;
    let verified_at = order.details.verified_at.unwrap_or(order.updated_at);
    let until = order.details.verified_until.unwrap_or(verified_at + VALID);
    Ok(Answer::of(&json!({
        "message": "Phone number verified successfully",
        "metaVerifiedAt": rfc3339(verified_at),
        "metaVerificationExpiresAt": rfc3339(until),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_active_while_it_can_be_used() {
        for (state, provisioned, run_out, expected) in [
            (State::AwaitingCode, false, false, "provisioning"),
            (State::AwaitingCode, true, false, "active"),
            (State::AwaitingCode, true, true, "suspended"),
            (State::Active, true, false, "active"),
            (State::Active, true, true, "suspended"),
            (State::Adopting, true, false, "active"),
            (State::Lapsed, true, true, "suspended"),
            (State::Releasing, true, true, "releasing"),
            (State::Failing, false, true, "released"),
        ] {
            assert_eq!(status(state, provisioned, run_out), expected, "{state:?}");
        }
    }
}
