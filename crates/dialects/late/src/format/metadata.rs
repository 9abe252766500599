//! What a message carries beside text and files.

use engine::content::Content;
use engine::events::Event;
use engine::messages::Message;
use serde_json::{Value, json};

use super::{Members, members, said};

/// What a person would read of it. Places and cards show as a sign and a name.
pub(super) fn text(content: &Content) -> Option<String> {
    match content {
        Content::Location(place) => Some(format!("📍 {}", place.name.as_deref().unwrap_or_default()).trim().to_owned()),
        Content::Contacts { cards } => {
            let names: Vec<&str> = cards.iter().map(|card| card.name.as_str()).collect();
            Some(format!("👤 {}", names.join(", ")))
        }
        other => other.text().map(str::to_owned),
    }
}

/// Empty when there is nothing to say.
pub(super) fn of(message: &Message, content: &Content, event: &Event, referred: Option<&Message>) -> Members {
    let said = |member: &str| said(event, &format!("/value/messages/0/{member}"));
    let mut told = match content {
        Content::Choice { id, of, .. } if of == "template" => members(json!({ "buttonPayload": id })),
        Content::Choice { id, of, .. } => {
            members(json!({ "interactiveType": format!("{of}_reply"), "interactiveId": id }))
        }
        Content::Location(place) => members(json!({ "location": place })),
        Content::Contacts { cards } => {
            let whole = said("contacts").unwrap_or_else(|| cards.iter().map(card).collect());
            members(json!({ "contacts": whole }))
        }
        Content::Native(_) => beyond(said("interactive/nfm_reply"), said("order")),
        _ => Members::new(),
    };
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            told.insert(name.to_owned(), value);
        }
    };
    put("quotedMessageId", message.reply_to.clone().map(Value::from));
    put("quotedMessage", referred.map(|it| json!({ "messageId": it.id.hex24(), "platformMessageId": it.provider_id })));
    put("referral", said("referral"));
    put("referredProduct", said("context/referred_product"));
    told
}

fn card(card: &engine::content::Card) -> Value {
    match &card.native {
        Some(native) => native.json.clone(),
        None => json!({ "name": { "formatted_name": card.name }, "phones": card.phones }),
    }
}

/// The answer to a flow, or a cart.
fn beyond(reply: Option<Value>, order: Option<Value>) -> Members {
    let Some(reply) = reply else {
        return order.map_or_else(Members::new, |order| members(json!({ "order": order })));
    };
    let answer = reply.get("response_json").and_then(Value::as_str);
    let mut told = members(json!({
        "interactiveType": "nfm_reply",
        "nfmReplyName": reply.get("name"),
        "flowResponseJson": answer,
        "flowResponseData": answer.and_then(|answer| serde_json::from_str::<Value>(answer).ok()),
    }));
    told.retain(|_, member| !member.is_null());
    told
}
