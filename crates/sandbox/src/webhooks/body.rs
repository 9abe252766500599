//! The bytes of a webhook: Meta's envelope, ASCII only, signed.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Item, Lane, StatusFact};
use crate::graph::error;
use crate::ids::{Seed, sign};
use crate::outbound::Peer;
use crate::phones::messages::{Category, Status};
use crate::state::State;

/// No body is larger than this.
const MAX_BYTES: usize = 3_000_000;

/// Whose webhook it is and where it goes.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) peer: Peer,
    pub(crate) platform: String,
    pub(crate) secret: String,
    pub(crate) verify_token: String,
    pub(crate) waba: String,
    business: String,
    /// Display number (digits) and id, in a number's lane.
    number: Option<(String, String)>,
}

/// Where a lane leads now: override of the number, of the WABA, or the app's URL.
pub(crate) fn address(state: &State, lane: &Lane) -> Option<Address> {
    let (number, waba) = match lane {
        Lane::Number(id) => {
            let number = state.numbers.get(id)?;
            (Some(number), state.wabas.get(&number.waba)?)
        }
        Lane::Account(id) => (None, state.wabas.get(id)?),
    };
    let platform = state.platform(&waba.platform)?;
    let named = number.and_then(|number| number.webhook.as_ref().or(waba.webhook.as_ref()));
    Some(Address {
        peer: named
            .map_or_else(|| Peer::Platform(platform.webhook_url.clone()), |named| Peer::Named(named.url.clone())),
        platform: platform.id.clone(),
        secret: platform.app_secret.clone(),
        verify_token: platform.verify_token.clone(),
        waba: waba.id.to_string(),
        business: waba.business_id.clone(),
        number: number.map(|number| (number.phone.to_string(), number.id.to_string())),
    })
}

/// Renders as many items as fit; returns the body and how many are in it (at least one).
pub(crate) fn render<'a>(seed: &Seed, to: &Address, items: impl Iterator<Item = &'a Item>) -> (Vec<u8>, usize) {
    let mut text = String::from(r#"{"object":"whatsapp_business_account","entry":["#);
    let in_one_entry = to.number.is_some();
    if in_one_entry {
        let _ = write!(text, r#"{{"id":"{}","changes":["#, to.waba);
    }
    let mut count = 0;
    for item in items {
        let change = ascii(&change(seed, to, item));
        if count > 0 && text.len() + change.len() + 64 > MAX_BYTES {
            break;
        }
        if count > 0 {
            text.push(',');
        }
        if in_one_entry {
            text.push_str(&change);
        } else {
            let _ = write!(text, r#"{{"id":"{}","time":{},"changes":[{change}]}}"#, to.waba, item.at() / 1000);
        }
        count += 1;
    }
    text.push_str(if in_one_entry { "]}]}" } else { "]}" });
    (text.into_bytes(), count)
}

/// `sha256=` and the lower-case hex HMAC of the very bytes that are sent.
pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(sign(secret.as_bytes(), body)))
}

/// `metadata` of conversation fields.
pub(crate) fn metadata(phone: &str, id: &str) -> Value {
    json!({"display_phone_number": phone, "phone_number_id": id})
}

fn change(seed: &Seed, to: &Address, item: &Item) -> String {
    match item {
        Item::Value { field, value, .. } => {
            format!(r#"{{"value":{},"field":{}}}"#, value.get(), json!(field))
        }
        Item::Status(fact) => json!({"value": status_value(seed, to, fact), "field": "messages"}).to_string(),
    }
}

fn status_value(seed: &Seed, to: &Address, fact: &StatusFact) -> Value {
    let (phone, id) = to.number.as_ref().map_or(("", ""), |(phone, id)| (phone, id));
    let user_id = seed.user_id(&to.business, &fact.to);
    let mut status = json!({
        "id": fact.id,
        "status": fact.status.word(),
        "timestamp": (fact.at / 1000).to_string(),
        "recipient_id": fact.to,
        "recipient_user_id": user_id,
    });
    if let Some(opaque) = &fact.opaque {
        status["biz_opaque_callback_data"] = json!(opaque);
    }
    if let Some(identity) = &fact.identity {
        status["recipient_identity_key_hash"] = json!(identity);
    }
    if let Some(category) = fact.pricing {
        status["pricing"] = pricing(category);
    }
    let mut value = json!({"messaging_product": "whatsapp", "metadata": metadata(phone, id)});
    if let Some(failure) = &fact.failure {
        status["errors"] = json!([error::in_webhook(failure.code, &failure.details)]);
    }
    if fact.status != Status::Failed {
        value["contacts"] = json!([{"wa_id": fact.to, "user_id": user_id}]);
    }
    value["statuses"] = json!([status]);
    value
}

fn pricing(category: Category) -> Value {
    let free = category == Category::Service;
    json!({
        "billable": !free,
        "pricing_model": "PMP",
        "type": if free { "free_customer_service" } else { "regular" },
        "category": category.word(),
    })
}

/// JSON text with everything beyond printable ASCII as `\uXXXX`; such characters stand only within its strings.
pub(crate) fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_beyond_ascii_is_escaped_and_means_the_same() {
        let value = json!({"body": "Grüße 👋 \u{7f} \"/\" \n"});
        let text = ascii(&value.to_string());
        assert!(text.is_ascii());
        assert!(text.contains(r"Gr\u00fc\u00dfe \ud83d\udc4b \u007f"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn the_signature_is_the_published_one() {
        // RFC 4231, test case 2.
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
