//! What people do on their phones: link a device, write, edit, type.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as AxumState};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use sandbox_web::{Chat, LinkError, Linked, Number, SpeakError};
use serde::Deserialize;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use super::{chat, name, person, web};
use crate::control::{Answer, Refusal, bad, phone, read as read_body, refuse};
use crate::delivery;
use crate::journal::Line;
use crate::media::{MAX_BYTES, Stored};
use crate::phones::chats::Seen;
use crate::phones::messages::{Direction, Status};
use crate::world::Shared;

/// Types that carry a file.
const FILES: [&str; 6] = ["image", "video", "ptv", "audio", "document", "sticker"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    qr: Option<String>,
    code: Option<String>,
}

/// Answers when the client is linked, or was asked for the owner's passkey.
pub(super) async fn link(AxumState(world): AxumState<Shared>, Path(number): Path<String>, body: Bytes) -> Answer {
    let web = web(&world)?;
    let (number, link): (_, Link) = (person(&phone(&number)?)?, read_body(&body)?);
    let known = world.state().phone(number.digits()).clone();
    web.behave(number.digits(), &known);
    let linked = match link {
        Link { qr: Some(text), code: None } => web.handle.link_by_qr(&number, &text).await,
        Link { qr: None, code: Some(code) } => web.handle.link_by_code(&number, &code).await,
        _ => return Err(bad("give either `qr` or `code`")),
    };
    let answer = match linked.map_err(unlinked)? {
        Linked::Device(device) => json!({"linked": true, "device": device}),
        Linked::PasskeyDemanded => json!({"linked": false, "passkey": "demanded"}),
    };
    Ok(Json(answer).into_response())
}

/// The phone's owner takes a device off the list.
pub(super) async fn unlink(AxumState(world): AxumState<Shared>, Path((number, device)): Path<(String, u16)>) -> Answer {
    let number = person(&phone(&number)?)?;
    if !web(&world)?.handle.unlink(&number, device) {
        return Err(refuse(StatusCode::NOT_FOUND, format!("{number} has no linked device {device}")));
    }
    Ok(Json(json!({"success": true})).into_response())
}

fn unlinked(error: LinkError) -> Refusal {
    let status = match error {
        LinkError::NobodyWaits => StatusCode::NOT_FOUND,
        LinkError::Refused(_) => StatusCode::BAD_REQUEST,
        LinkError::Gone | LinkError::Late => StatusCode::REQUEST_TIMEOUT,
    };
    refuse(status, error.to_string())
}

/// The owner's authenticator signs `{challenge}`: the options the client was shown, or only their challenge.
pub(super) async fn passkey(AxumState(world): AxumState<Shared>, Path(number): Path<String>, body: Bytes) -> Answer {
    let number = person(&phone(&number)?)?;
    let given: Value = read_body(&body)?;
    let options = match given.get("challenge") {
        // `{challenge}` alone, or whole options that have a `challenge` among the rest.
        Some(challenge) if given.as_object().is_some_and(|fields| fields.len() == 1) => challenge,
        _ => &given,
    };
    let assertion = web(&world)?.handle.assert_passkey(&number, options);
    Ok(Json(assertion.map_err(|error| bad(error.to_string()))?).into_response())
}

/// A phone writes to another phone, a linked account or a group.
pub(crate) async fn write(world: &Shared, phone: &str, to: &str, given: &Map<String, Value>) -> Answer<String> {
    let web = web(world)?;
    let (from, chat) = (person(phone)?, chat(to)?);
    let mut body = Value::Object(given.clone());
    let kind = given.get("type").and_then(Value::as_str).unwrap_or("text").to_owned();
    let mut shown = shown(&kind, &body);
    let mut fetched = None;
    if FILES.contains(&kind.as_str()) {
        let (stored, bytes, mime) = file(world, &body[&kind], &kind).await?;
        body[&kind]["mime_type"] = json!(mime);
        show_file(world, &mut shown, &kind, &stored, &mime);
        fetched = Some(bytes);
        body[&kind]["link"] = json!("fetched");
        if let Some(part) = body[&kind].as_object_mut() {
            part.remove("data");
        }
    }
    let mut state = world.state();
    let id = web.handle.speak(&from, &chat, &body, fetched).map_err(unsaid)?;
    if kind == "reaction" {
        let (target, emoji) = (&body["reaction"]["message_id"], body["reaction"]["emoji"].as_str().unwrap_or_default());
        let target = target.as_str().unwrap_or_default();
        let changed = state.chats.change(phone, target, |seen| seen.react(&from.to_string(), emoji.to_owned()));
        changed.into_iter().for_each(|seen| world.journal.add(Line::Seen(seen)));
    } else {
        let seen = own(&from, &chat, &id, &shown, world.clock.now());
        world.journal.add(Line::Seen(seen.clone()));
        state.chats.put(seen);
    }
    drop(state);
    delivery::show(world, phone);
    Ok(id)
}

fn own(from: &Number, chat: &Chat, id: &str, shown: &Map<String, Value>, at: i64) -> Seen {
    Seen {
        phone: from.digits().into(),
        id: id.into(),
        direction: Direction::Out,
        from: from.to_string().into(),
        to: name(chat).into(),
        content: to_raw_value(shown).expect("a JSON object can always be printed"),
        status: Status::Sent,
        at,
        reactions: Vec::new(),
        edited: false,
        deleted: false,
    }
}

/// What the phone shows of its own message: the type's part and what stands beside it.
fn shown(kind: &str, body: &Value) -> Map<String, Value> {
    let mut shown = Map::from_iter([("type".to_owned(), json!(kind))]);
    let part = match &body[kind] {
        Value::String(text) if kind == "text" => json!({"body": text}),
        Value::Null if kind == "poll_vote" => json!({"poll_id": body["poll_id"], "options": body["options"]}),
        part => part.clone(),
    };
    shown.insert(kind.to_owned(), part);
    for beside in ["context", "mentions", "expiration"] {
        if let Some(value) = body.get(beside) {
            shown.insert(beside.to_owned(), value.clone());
        }
    }
    shown
}

pub(super) fn show_file(world: &Shared, shown: &mut Map<String, Value>, kind: &str, stored: &Stored, mime: &str) {
    let facts = [
        ("mime_type", json!(mime)),
        ("sha256", json!(stored.sha256)),
        ("link", json!(world.media_link(&stored.sha256, mime))),
    ];
    let mut part = shown.get(kind).and_then(Value::as_object).cloned().unwrap_or_default();
    part.remove("data");
    for (name, value) in facts {
        part.insert(name.to_owned(), value.clone());
        shown.insert(name.to_owned(), value);
    }
    shown.insert(kind.to_owned(), Value::Object(part));
}

/// The bytes of what a person attaches, kept for the phone's own screen.
async fn file(world: &Shared, part: &Value, kind: &str) -> Answer<(Stored, Bytes, String)> {
    let given = part["mime_type"].as_str().map(str::to_owned);
    if let Some(data) = part["data"].as_str() {
        let bytes = Bytes::from(STANDARD.decode(data.trim()).map_err(|_| bad("`data` is not base64"))?);
        let stored = store(world, bytes.clone()).await.map_err(bad)?;
        return Ok((stored, bytes, given.unwrap_or_else(|| usual_mime(kind).to_owned())));
    }
    let link = part["link"].as_str().ok_or_else(|| bad("media need `link` or `data`"))?;
    let fetched = world.outbound.fetch(link, &world.files, &world.ids.hex()).await;
    let (stored, found) = fetched.map_err(|error| bad(format!("`link` could not be fetched: {error}")))?;
    let bytes = tokio::fs::read(world.files.path(&stored.sha256)).await;
    let bytes = bytes.map_err(|error| bad(format!("`link` could not be kept: {error}")))?;
    Ok((stored, bytes.into(), given.unwrap_or(found)))
}

fn usual_mime(kind: &str) -> &'static str {
    match kind {
        "image" => "image/jpeg",
        "video" | "ptv" => "video/mp4",
        "audio" => "audio/ogg; codecs=opus",
        "sticker" => "image/webp",
        _ => "application/octet-stream",
    }
}

pub(super) async fn store(world: &Shared, bytes: Bytes) -> Result<Stored, String> {
    let part = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(bytes)]);
    world.files.store(&world.ids.hex(), MAX_BYTES, part).await.map_err(|error| format!("the file {error}"))
}

pub(super) fn unsaid(error: SpeakError) -> Refusal {
    let status = match error {
        SpeakError::NotInGroup | SpeakError::NoSuchMessage(_) | SpeakError::Nobody => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_REQUEST,
    };
    refuse(status, error.to_string())
}

/// New words for a message of this phone, or none: it is gone for everyone. `None` if the phone wrote no such message.
pub(crate) fn change(world: &Shared, phone: &str, id: &str, text: Option<&str>) -> Answer<Option<Value>> {
    let mut state = world.state();
    let Some(web) = &world.web else { return Ok(None) };
    let mine = |seen: &&Seen| *seen.id == *id && seen.direction == Direction::Out;
    if !state.chats.thread(phone).rev().any(|seen| mine(&seen)) {
        return Ok(None);
    }
    web.handle.change(&person(phone)?, id, text).map_err(unsaid)?;
    let changed = state.chats.change(phone, id, |seen| match text {
        Some(text) => reword(seen, text),
        None => seen.deleted = true,
    });
    Ok(changed.map(|seen| {
        world.journal.add(Line::Seen(seen.clone()));
        seen.view()
    }))
}

fn reword(seen: &mut Seen, text: &str) {
    let mut content: Map<String, Value> = serde_json::from_str(seen.content.get()).unwrap_or_default();
    let kind = content.get("type").and_then(Value::as_str).unwrap_or("text").to_owned();
    let word = if FILES.contains(&kind.as_str()) { "caption" } else { "body" };
    content.entry(kind).or_insert_with(|| json!({}))[word] = json!(text);
    if let Ok(content) = to_raw_value(&content) {
        seen.content = content;
    }
    seen.edited = true;
}

/// Blue ticks; returns how many messages were not read before.
pub(crate) fn read(world: &Shared, phone: &str, ids: Option<&[String]>) -> usize {
    let (Some(web), Ok(number)) = (&world.web, person(phone)) else { return 0 };
    let mut state = world.state();
    web.handle.read(&number, ids);
    let wanted = |seen: &&Seen| {
        seen.direction == Direction::In
            && seen.status == Status::Delivered
            && ids.is_none_or(|ids| ids.iter().any(|id| **id == *seen.id))
    };
    let unread: Vec<_> = state.chats.thread(phone).filter(wanted).map(|seen| seen.id.clone()).collect();
    for id in &unread {
        let read = state.chats.change(phone, id, |seen| seen.status = Status::Read);
        read.into_iter().for_each(|seen| world.journal.add(Line::Seen(seen)));
    }
    unread.len()
}

/// `composing`, `recording` or `paused`.
pub(crate) fn typing(world: &Shared, phone: &str, to: &str, state: &str) -> Answer<()> {
    web(world)?.handle.typing(&person(phone)?, &chat(to)?, state).map_err(unsaid)
}
