//! A customer writes to a business: a Meta-shaped message object, turned into what Meta would tell the business. To an
//! SMS sender it is an SMS.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as AxumState};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::customers::business;
use super::{Answer, bad, carriers, phone, read};
use crate::delivery::{self, Written};
use crate::graph::{address, keep};
use crate::media::{INBOUND_LIFE_MS, MAX_BYTES, Stored};
use crate::text::Text;
use crate::web;
use crate::world::Shared;

const MEDIA: [&str; 5] = ["image", "video", "audio", "document", "sticker"];
/// Types that pass as they are.
const PLAIN: [&str; 8] = ["text", "location", "contacts", "button", "interactive", "order", "reaction", "system"];

pub(super) async fn write(AxumState(world): AxumState<Shared>, Path(number): Path<String>, body: Bytes) -> Answer {
    let number = phone(&number)?;
    let given: Map<String, Value> = read(&body)?;
    let Some(to) = given.get("to").and_then(Value::as_str) else {
        return Err(bad("`to` must name a business number, an SMS sender, a phone or a group"));
    };
    let business = business(&world.state(), to).ok();
    let id = match business {
        Some(business) => to_business(&world, number, business, &given).await?.to_string(),
        None => match carriers::reply(&world, &number, to, &given).await? {
            Some(id) => id,
            None => web::write(&world, &number, to, &given).await?,
        },
    };
    Ok(Json(json!({"id": id})).into_response())
}

/// A customer writes to a business on the Cloud API. Gives the message's id.
pub(crate) async fn to_business(
    world: &Shared,
    number: String,
    business: Text,
    given: &Map<String, Value>,
) -> Answer<Text> {
    let kind = given.get("type").and_then(Value::as_str).unwrap_or("text").to_owned();
    let (mut told, mut shown) = (Map::new(), Map::new());
    if MEDIA.contains(&kind.as_str()) {
        let media =
            given.get(&kind).and_then(Value::as_object).ok_or_else(|| bad(format!("`{kind}` must be an object")))?;
        let (telling, showing) = media_parts(world, &business, &kind, media).await?;
        told.insert(kind.clone(), telling);
        shown.insert(kind.clone(), showing);
    } else if kind == "unsupported" {
        told.insert(
            "errors".to_owned(),
            json!([crate::graph::error::in_webhook(131051, "Message type is currently not supported.")]),
        );
        told.insert(
            "unsupported".to_owned(),
            given.get("unsupported").cloned().unwrap_or_else(|| json!({"type": "unknown"})),
        );
    } else if PLAIN.contains(&kind.as_str()) {
        let part = plain_part(&kind, given)?;
        shown.insert(kind.clone(), part.clone());
        told.insert(kind.clone(), without_empty_emoji(part));
    } else {
        return Err(bad(format!("a customer cannot send type {kind}")));
    }
    for key in ["referral", "errors"] {
        if let Some(value) = given.get(key) {
            told.insert(key.to_owned(), value.clone());
        }
    }
    let mut state = world.state();
    // One copy of the number in memory, however many messages name it.
    let phone = state.phones.get_key_value(&*number).map_or_else(|| Text::from(number), |(known, _)| known.clone());
    if let Some(context) = given.get("context").and_then(Value::as_object) {
        let (telling, showing) = context_parts(&state, &business, &phone, context);
        told.insert("context".to_owned(), telling);
        shown.insert("context".to_owned(), showing);
    }
    Ok(delivery::write(world, &mut state, Written { phone, number: business, kind, told, shown }))
}

fn plain_part(kind: &str, given: &Map<String, Value>) -> Answer<Value> {
    let part = match given.get(kind) {
        Some(Value::String(text)) if kind == "text" => json!({"body": text}),
        Some(part @ (Value::Object(_) | Value::Array(_))) => part.clone(),
        _ => return Err(bad(format!("`{kind}` is missing"))),
    };
    let needed: &[&str] = match kind {
        "text" => &["/body"],
        "location" => &["/latitude", "/longitude"],
        "button" => &["/text"],
        "interactive" => &["/type"],
        "reaction" => &["/message_id"],
        "contacts" => &["/0/name"],
        _ => &[],
    };
    match needed.iter().find(|pointer| part.pointer(pointer).is_none_or(Value::is_null)) {
        Some(missing) => Err(bad(format!("`{kind}{}` is missing", missing.replace('/', ".")))),
        None => Ok(part),
    }
}

/// A removed reaction has no emoji at all.
fn without_empty_emoji(mut part: Value) -> Value {
    if part["emoji"] == ""
        && let Some(object) = part.as_object_mut()
    {
        object.remove("emoji");
    }
    part
}

fn context_parts(
    state: &crate::state::State,
    business: &Text,
    phone: &Text,
    given: &Map<String, Value>,
) -> (Value, Value) {
    let id = given.get("message_id").or(given.get("id")).cloned().unwrap_or_default();
    let own = id
        .as_str()
        .and_then(|id| state.messages.by_id(id))
        .is_some_and(|m| m.direction == crate::phones::messages::Direction::Out);
    let number = state.numbers.get(business).map(|number| number.phone.clone());
    let mut told = given.clone();
    told.remove("message_id");
    if !id.is_null() {
        told.insert("from".to_owned(), if own { json!(phone) } else { json!(number) });
        told.insert("id".to_owned(), id.clone());
    }
    (Value::Object(told), json!({"message_id": id}))
}

/// Stores what the customer sends; returns what the business is told and what the phone shows.
async fn media_parts(
    world: &Shared,
    business: &Text,
    kind: &str,
    given: &Map<String, Value>,
) -> Answer<(Value, Value)> {
    let text = |key: &str| given.get(key).and_then(Value::as_str);
    let (file, found) = bytes(world, text("link"), text("data")).await?;
    let usual = match kind {
        "image" => "image/jpeg",
        "video" => "video/mp4",
        "audio" => "audio/ogg; codecs=opus",
        "sticker" => "image/webp",
        _ => "application/pdf",
    };
    let mime = text("mime_type").map(str::to_owned).or(found).unwrap_or_else(|| usual.to_owned());
    let until = world.clock.now() + INBOUND_LIFE_MS;
    let id = keep(world, business, &mime, file.clone(), until);
    let mut shared = Map::new();
    for key in ["caption", "filename", "voice", "animated"] {
        if let Some(value) = given.get(key) {
            shared.insert(key.to_owned(), value.clone());
        }
    }
    let mut told = shared.clone();
    let sha = hex::decode(&file.sha256).unwrap_or_default();
    told.extend([
        ("mime_type".to_owned(), json!(mime)),
        ("sha256".to_owned(), json!(STANDARD.encode(sha))),
        ("id".to_owned(), json!(id)),
        ("url".to_owned(), json!(address(world, &id))),
    ]);
    if kind == "audio" {
        told.entry("voice").or_insert(json!(false));
    }
    if kind == "sticker" {
        told.entry("animated").or_insert(json!(false));
    }
    shared.extend([
        ("mime_type".to_owned(), json!(mime)),
        ("sha256".to_owned(), json!(file.sha256)),
        ("link".to_owned(), json!(world.media_link(&file.sha256, &mime))),
    ]);
    Ok((Value::Object(told), Value::Object(shared)))
}

async fn bytes(world: &Shared, link: Option<&str>, data: Option<&str>) -> Answer<(Stored, Option<String>)> {
    let name = world.ids.hex();
    if let Some(data) = data {
        let bytes = STANDARD.decode(data.trim()).map_err(|_| bad("`data` is not base64"))?;
        let part = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(bytes.into())]);
        let stored = world.files.store(&name, MAX_BYTES, part).await;
        return stored.map(|file| (file, None)).map_err(|error| bad(format!("`data` {error}")));
    }
    let link = link.ok_or_else(|| bad("media need `link` or `data`"))?;
    let fetched = world.outbound.fetch(link, &world.files, &name).await;
    fetched.map(|(file, mime)| (file, Some(mime))).map_err(|error| bad(format!("`link` could not be fetched: {error}")))
}
