//! What texts, calls and mails have in common: they go over carriers, from addresses of the account's.

use std::sync::Arc;

use api::At;
use api::query::Query;
use engine::billing::Bill;
use engine::clock::rfc3339;
use engine::contacts::{Address, PHONE};
use engine::content::Content;
use engine::messages::{self, Consult, Echo, Message, New, Span, Terms};
use engine::regions;
use engine::senders::Sender;
use serde::Serialize;

use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::callbacks;
use crate::errors::{Code, Error};
use crate::ids::Noun;
use crate::messages::shape::error_code;
use crate::messages::timeline::Timeline;
use crate::paging::Page;

pub(crate) const SMS: &str = "sms";
pub(crate) const VOICE: &str = "voice";
pub(crate) const EMAIL: &str = "email";

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// An address of the account's on a channel; without a name, the first there is.
pub(crate) async fn sender(call: &Call, channel: &str, address: Option<&str>) -> Result<Arc<Sender>, Error> {
    let found = call.engine().sender_on(&call.organization(), channel, address).await?;
    found.ok_or_else(|| Error::new(Code::SenderIdUnavailable, "this account has no such sender"))
}

/// A name, or a number as carriers spell it.
pub(crate) fn sender_id(sender: &Sender) -> &str {
    &sender.address
}

/// What the caller wants handed back. The address for reports is subscribed to them here.
pub(crate) async fn echo(call: &Call, at: &At<'_>, event: &str) -> Result<Echo, Error> {
    let external_id = at.read_nullable("externalId", |at| at.string(0..=255))?.flatten();
    let callback_url = at.read_nullable("callbackUrl", |at| at.string(0..=500))?.flatten();
    let callback_url = callback_url.filter(|url| !url.is_empty());
    if let Some(url) = &callback_url {
        callbacks::ensure(call, url, event).await?;
    }
    Ok(Echo { external_id: external_id.filter(|id| !id.is_empty()), callback_url, ..Echo::default() })
}

/// Takes one message for a phone.
pub(crate) async fn take(
    call: &Call,
    sender: Arc<Sender>,
    to: String,
    content: Content,
    echo: Echo,
) -> Result<Message, Error> {
    let new = New {
        sender,
        to: Address { kind: PHONE.into(), value: to },
        content,
        reply_to: None,
        provider_id: None,
        origin: crate::NAME,
        request_id: call.request_id().to_owned(),
        // Who told a carrier's number to stop gets no more.
        terms: Terms { echo, opted_out: Consult::Always, ..Terms::default() },
    };
    call.perform(messages::send(call.engine(), new)).await
}

/// What is shown of every message to a phone that goes over a carrier.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Carried {
    id: String,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_code: Option<String>,
    total_price: f64,
    currency: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    create_time: String,
    update_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<String>,
    biz_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_id: Option<String>,
}

impl Carried {
    /// `biz_type` is what it is called unless it brings a code.
    pub(crate) fn of(message: &Message, timeline: &Timeline, biz_type: &'static str) -> Self {
        let (echo, (total_price, currency)) = (Echo::of(message), Bill::price_of(message));
        Self {
            id: Noun::Message.spell(&message.id),
            to: message.address.clone(),
            region_code: regions::of_number(&message.address),
            total_price,
            currency,
            status: status(timeline),
            error_code: timeline.failure.as_ref().map(error_code),
            create_time: rfc3339(message.created_at),
            update_time: rfc3339(timeline.updated_at.unwrap_or(message.created_at)),
            external_id: echo.external_id,
            callback_url: echo.callback_url,
            biz_type: if echo.verification.is_some() { "verify" } else { biz_type },
            verification_id: echo.verification,
        }
    }
}

/// How far a message over a carrier came.
pub(crate) fn status(timeline: &Timeline) -> &'static str {
    match (timeline.status, timeline.submitted_at) {
        (Some("failed"), Some(_)) => "undelivered",
        (Some("failed"), None) => "failed",
        (Some("delivered" | "read"), _) => "delivered",
        (Some("sent"), _) | (None, Some(_)) => "sent",
        _ => "accepted",
    }
}

/// Without a time, those of the last day; with an id, that one alone.
pub(crate) async fn list<T: Serialize>(
    call: &Call,
    channel: &str,
    shape: impl Fn(&Message, &Sender, &Timeline) -> T,
) -> Handled {
    let query = call.query()?;
    let page = Page::of(&query)?;
    if let Some(id) = query.at().read("filter.id", |at| at.string(1..=128))? {
        return one(call, channel, &id, page, shape).await;
    }
    let (organization, span) = (call.organization(), span(call, &query)?);
    let total = match page.with_total {
        true => Some(call.engine().count_sent_on(&organization, channel, &span).await?),
        false => None,
    };
    let mut shown = Vec::new();
    for message in call.engine().sent_on(&organization, channel, &span, page.limit, page.offset).await? {
        shown.extend(show(call, &message, &shape).await?);
    }
    Ok(Answer::of(&page.show(shown, total)))
}

fn span(call: &Call, query: &Query) -> Result<Span, Error> {
    let time = |name: &str| query.at().read(name, |at| at.time());
    let from = time("filter.createTime.gte")?.unwrap_or(call.engine().now() - DAY_MS);
    Ok(Span { from: Some(from), to: time("filter.createTime.lte")? })
}

async fn one<T: Serialize>(
    call: &Call,
    channel: &str,
    id: &str,
    page: Page,
    shape: impl Fn(&Message, &Sender, &Timeline) -> T,
) -> Handled {
    let found = match Noun::Message.parse(id) {
        Ok(id) => call.engine().message_of(&call.organization(), &id).await?,
        Err(_) => None,
    };
    let mut shown = Vec::new();
    if let Some(message) = found.filter(|message| message.direction == messages::Direction::Outbound) {
        let sender = call.engine().sender_by_id(&message.sender_id).await?;
        if sender.is_some_and(|sender| sender.channel == channel) {
            shown.extend(show(call, &message, &shape).await?);
        }
    }
    Ok(Answer::of(&page.cut(shown)))
}

async fn show<T>(
    call: &Call,
    message: &Message,
    shape: &impl Fn(&Message, &Sender, &Timeline) -> T,
) -> Result<Option<T>, Error> {
    let Some(sender) = call.engine().sender_by_id(&message.sender_id).await? else { return Ok(None) };
    let events = call.engine().message_events(&message.id).await?;
    Ok(Some(shape(message, &sender, &Timeline::of(&events))))
}
