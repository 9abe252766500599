//! A message of ours as this dialect shows it (`WhatsappMessage`).

use engine::billing::Bill;
use engine::clock::rfc3339;
use engine::content::{Content, Source};
use engine::failure::{Code, Failure};
use engine::messages::{Echo, Message};
use engine::regions;
use engine::senders::Sender;
use serde_json::{Map, Value, json};

use super::timeline::Timeline;
use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::WhatsappApiError;
use crate::ids::Noun;

/// As it was taken just now.
pub(crate) fn accepted(message: &Message, sender: &Sender, waba: &str) -> Value {
    show(message, sender, waba, &Timeline::default())
}

/// As it stands now.
pub(super) async fn answer(call: &Call, message: &Message, sender: &Sender) -> Handled {
    let events = call.engine().message_events(&message.id).await?;
    let account = call.engine().account(&sender.account_id).await?;
    let waba = account.map(|account| account.external_id.clone()).unwrap_or_default();
    Ok(Answer::of(&show(message, sender, &waba, &Timeline::of(&events))))
}

pub(crate) fn show(message: &Message, sender: &Sender, waba: &str, timeline: &Timeline) -> Value {
    let echo = Echo::of(message);
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            shown.insert(name.to_owned(), value);
        }
    };
    put("id", Noun::Message.spell(&message.id).into());
    put("wamid", timeline.wamid.clone().into());
    put("wabaId", waba.into());
    put("from", sender.address.clone().into());
    put("to", message.address.clone().into());
    put("type", message.kind.clone().into());
    if let Ok(content) = Content::parse(&message.content) {
        put(&message.kind, words(&content));
    }
    if let Some(reply_to) = &message.reply_to {
        put("context", json!({ "message_id": reply_to }));
    }
    put("externalId", echo.external_id.into());
    put("status", timeline.status.unwrap_or("accepted").into());
    if let Some(failure) = timeline.failure.as_ref().filter(|_| timeline.status == Some("failed")) {
        put("errorCode", error_code(failure).into());
        put("errorMessage", failure.message.clone().into());
        put("whatsappApiError", meta_error(failure, timeline));
    }
    put("createTime", rfc3339(message.created_at).into());
    put("updateTime", rfc3339(timeline.updated_at.unwrap_or(message.created_at)).into());
    put("sendTime", timeline.sent_at.map(rfc3339).into());
    put("deliverTime", timeline.delivered_at.map(rfc3339).into());
    put("readTime", timeline.read_at.map(rfc3339).into());
    put("conversation", conversation(timeline));
    put("regionCode", regions::of_number(&message.address).into());
    let (price, currency) = Bill::price_of(message);
    put("totalPrice", price.into());
    put("currency", currency.into());
    // An estimate, until WhatsApp says what it is.
    put("pricingCategory", Bill::of(message).map(|bill| bill.category).filter(|_| timeline.pricing.is_none()).into());
    if let Some(pricing) = &timeline.pricing {
        put("pricingCategory", pricing.get("category").cloned().unwrap_or_default());
        put("pricingModel", pricing.get("pricing_model").cloned().unwrap_or_default());
        put("pricingType", pricing.get("type").cloned().unwrap_or_default());
    }
    put("bizType", if echo.verification.is_some() { "verify" } else { "whatsapp" }.into());
    put("verificationId", echo.verification.into());
    Value::Object(shown)
}

fn conversation(timeline: &Timeline) -> Value {
    let Some(conversation) = &timeline.conversation else { return Value::Null };
    let mut shown = Map::new();
    if let Some(id) = conversation.get("id") {
        shown.insert("id".into(), id.clone());
    }
    if let Some(origin) = conversation.pointer("/origin/type") {
        shown.insert("originType".into(), origin.clone());
    }
    let seconds = conversation.get("expiration_timestamp").and_then(|at| at.as_str()?.parse::<i64>().ok());
    if let Some(seconds) = seconds {
        shown.insert("expireTime".into(), rfc3339(seconds.saturating_mul(1000)).into());
    }
    Value::Object(shown)
}

/// Meta's number where there is one, else a code of this dialect's.
pub(crate) fn error_code(failure: &Failure) -> String {
    match (failure.provider_code, failure.code) {
        (Some(code), _) => code.to_string(),
        (None, Code::RecipientOptedOut) => "RECIPIENT_UNSUBSCRIBED".into(),
        (None, Code::RecipientBlocked) => "RECIPIENT_IN_BLOCK_LIST".into(),
        (None, Code::OutsideWindow) => "131047".into(),
        (None, Code::TemplateMissing) => "WHATSAPP_TEMPLATE_UNAVAILABLE".into(),
        (None, Code::AccountProblem) => "WHATSAPP_PHONE_NUMBER_UNAVAILABLE".into(),
        (None, Code::RateLimited) => "SENDER_RATE_LIMITED".into(),
        (None, Code::ProviderUnavailable | Code::OutcomeUnknown | Code::Expired) => "SERVICE_UNAVAILABLE".into(),
        (None, _) => "INTERNAL_SERVER_ERROR".into(),
    }
}

fn meta_error(failure: &Failure, timeline: &Timeline) -> Value {
    let said = timeline.errors.as_ref().and_then(|errors| errors.get(0));
    if failure.provider_code.is_none() && said.is_none() {
        return Value::Null;
    }
    let mut error = of_failure(failure);
    if let Some(data) = said.and_then(|said| said.get("error_data")) {
        error.error_data = Some(data.clone());
    }
    serde_json::to_value(error).unwrap_or_default()
}

/// What Meta said of a failure, as far as it was kept.
pub(crate) fn of_failure(failure: &Failure) -> WhatsappApiError {
    WhatsappApiError {
        message: failure.message.clone(),
        code: failure.provider_code.unwrap_or_default().to_string(),
        kind: Some("OAuthException".into()),
        error_data: failure.details.as_ref().map(|details| json!({ "details": details })),
        ..WhatsappApiError::default()
    }
}

/// The content in the words it was sent with.
fn words(content: &Content) -> Value {
    match content {
        Content::Text { body, preview } => match preview {
            true => json!({ "body": body, "preview_url": true }),
            false => json!({ "body": body }),
        },
        Content::Media(media) => {
            let mut shown = match &media.source {
                Source::Link(link) => json!({ "link": link }),
                Source::Id(id) => json!({ "id": id }),
            };
            if let Some(caption) = &media.caption {
                shown["caption"] = caption.as_str().into();
            }
            if let Some(filename) = &media.filename {
                shown["filename"] = filename.as_str().into();
            }
            shown
        }
        Content::Location(place) => serde_json::to_value(place).unwrap_or_default(),
        Content::Contacts { cards } => cards.iter().map(card).collect(),
        Content::Reaction { target, emoji } => json!({ "message_id": target, "emoji": emoji }),
        Content::Template(template) => {
            let mut shown = json!({ "name": template.name, "language": { "code": template.language } });
            if let Some(components) = &template.components {
                shown["components"] = components.json.clone();
            }
            shown
        }
        Content::Buttons(it) => {
            let buttons: Vec<_> = it
                .buttons
                .iter()
                .map(|button| json!({ "type": "reply", "reply": { "id": button.id, "title": button.title } }))
                .collect();
            interactive("button", it.header.as_deref(), &it.body, it.footer.as_deref(), json!({ "buttons": buttons }))
        }
        Content::List(it) => {
            let action = json!({ "button": it.button, "sections": it.sections });
            interactive("list", it.header.as_deref(), &it.body, it.footer.as_deref(), action)
        }
        Content::Native(native) => native.json.clone(),
        Content::Speech { .. } | Content::Email(_) | Content::Choice { .. } => Value::Null,
    }
}

fn card(card: &engine::content::Card) -> Value {
    match &card.native {
        Some(native) => native.json.clone(),
        None => {
            let phones: Vec<_> = card.phones.iter().map(|phone| json!({ "phone": phone })).collect();
            json!({ "name": { "formatted_name": card.name }, "phones": phones })
        }
    }
}

fn interactive(kind: &str, header: Option<&str>, body: &str, footer: Option<&str>, action: Value) -> Value {
    let mut shown = json!({ "type": kind, "body": { "text": body }, "action": action });
    if let Some(text) = header {
        shown["header"] = json!({ "type": "text", "text": text });
    }
    if let Some(text) = footer {
        shown["footer"] = json!({ "text": text });
    }
    shown
}
