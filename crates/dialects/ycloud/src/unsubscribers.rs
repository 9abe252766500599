//! `/unsubscribers`: who does not want to hear from us, by customer and channel.

use api::At;
use engine::clock::rfc3339;
use engine::consent::{self, Address, BY_CALLER, Enter, Filter, MARKETING, OptOut, Wish};
use engine::contacts::PHONE;
use engine::regions;
use serde::Serialize;

use crate::answer::Answer;
use crate::call::{Call, Handled, e164, phone};
use crate::errors::{Code, Error};
use crate::ids::Noun;
use crate::paging::{self, Page};

const CHANNEL: &str = "whatsapp";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(rename = "type")]
    kind: &'static str,
    customer: String,
    channel: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_code: Option<String>,
    create_time: String,
}

fn shown(opt_out: &OptOut) -> Shown {
    Shown {
        kind: "PHONE_NUMBER",
        customer: opt_out.address.value.clone(),
        channel: opt_out.channel.clone(),
        region_code: opt_out.region.clone(),
        create_time: rfc3339(opt_out.created_at),
    }
}

fn channel(at: &At<'_>) -> Result<(), Error> {
    Ok(at.word(&[(CHANNEL, ())])?)
}

fn region(at: &At<'_>) -> Result<String, Error> {
    let text = at.text(2..=2)?;
    let letters = text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if letters { Ok(text.to_uppercase()) } else { Err(at.refuse("must be a two-letter country code").into()) }
}

fn wish(call: &Call, customer: String, wanted: bool, region: Option<String>) -> Wish {
    Wish {
        organization: call.organization(),
        addresses: vec![Address { kind: PHONE.into(), value: customer }],
        channel: CHANNEL.into(),
        purpose: MARKETING.into(),
        wanted,
        source: BY_CALLER,
        proof: Some(call.request_id().to_owned()),
        region,
    }
}

pub(crate) async fn create(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    at.need("type")?.word(&[("PHONE_NUMBER", ())])?;
    let customer = phone(&at.need("customer")?)?;
    channel(&at.need("channel")?)?;
    let region = match at.read_nullable("regionCode", |at| region(&at))?.flatten() {
        Some(region) => Some(region),
        None => regions::of_number(&customer),
    };
    let wish = wish(&call, customer, false, region);
    let made = call.engine().perform(Enter { engine: call.engine().clone(), wish }).await?;
    match made.first() {
        Some(made) => Ok(Answer::of(&shown(made))),
        None => Err(Error::new(Code::AlreadyExists, "this customer is an unsubscriber already").at("customer")),
    }
}

/// Of the ledger's channels this resource knows one.
fn of(customer: Option<String>) -> Filter {
    Filter { kind: Some(PHONE.into()), value: customer, channel: Some(CHANNEL.into()), ..Filter::default() }
}

fn customer(call: &Call) -> Result<String, Error> {
    e164(call.param("customer")).ok_or_else(|| Error::not_found("unsubscriber"))
}

/// A bare array, empty where there is none.
pub(crate) async fn of_customer(call: Call) -> Handled {
    let Ok(customer) = customer(&call) else { return Ok(Answer::of::<[Shown; 0]>(&[])) };
    let found = call.engine().opt_outs(&call.organization(), &of(Some(customer)), 100, 0).await?;
    Ok(Answer::of(&found.iter().map(shown).collect::<Vec<_>>()))
}

pub(crate) async fn get(call: Call) -> Handled {
    if call.param("channel") != CHANNEL {
        return Err(Error::not_found("unsubscriber"));
    }
    let found = call.engine().opt_outs(&call.organization(), &of(Some(customer(&call)?)), 1, 0).await?;
    Ok(Answer::of(&shown(found.first().ok_or_else(|| Error::not_found("unsubscriber"))?)))
}

/// Answers with what it was.
pub(crate) async fn delete(call: Call) -> Handled {
    let customer = customer(&call)?;
    if call.param("channel") != CHANNEL {
        return Err(Error::not_found("unsubscriber"));
    }
    let wish = wish(&call, customer, true, None);
    let taken = call.engine().perform(consent::Enter { engine: call.engine().clone(), wish }).await?;
    Ok(Answer::of(&shown(taken.first().ok_or_else(|| Error::not_found("unsubscriber"))?)))
}

pub(crate) async fn list(call: Call) -> Handled {
    let (query, organization) = (call.query()?, call.organization());
    let (page, at) = (Page::of(&query)?, query.at());
    let after = paging::after(&query, Noun::Event)?;
    at.read("filter.channel", |at| channel(&at))?;
    let filter = Filter {
        region: at.read("filter.regionCode", |at| region(&at))?,
        before: after.flatten(),
        ..of(at.read("filter.customer", |at| phone(&at))?)
    };
    let total = match page.with_total {
        true => Some(call.engine().count_opt_outs(&organization, &filter).await?),
        false => None,
    };
    let page = if after.is_some() { Page { offset: 0, ..page } } else { page };
    let mut found = call.engine().opt_outs(&organization, &filter, page.limit + 1, page.offset).await?;
    let more = found.len() as i64 > page.limit;
    found.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more).map(|last| Noun::Event.spell(&last.id));
    Ok(Answer::of(&page.show(found.iter().map(shown).collect(), total).before_more(next)))
}
