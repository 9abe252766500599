//! Phones and what they show.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State as AxumState};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use super::{Answer, bad, phone, refuse};
use crate::delivery;
use crate::journal::Line;
use crate::phones::messages::{Direction, Message};
use crate::phones::{Phone, digits, show};
use crate::state::State;
use crate::text::Text;
use crate::web;
use crate::world::{Shared, World};

fn view(number: &str, phone: &Phone) -> Value {
    json!({
        "phone": format!("+{number}"),
        "name": phone.name,
        "online": phone.online,
        "registered": phone.registered,
        "opted_out": phone.opted_out,
        "passkey": phone.passkey,
        "business": phone.business,
        "blocked": phone.blocked.iter().map(|number| format!("+{number}")).collect::<Vec<_>>(),
        "messages": phone.thread.len(),
    })
}

pub(super) async fn list(AxumState(world): AxumState<Shared>) -> Response {
    let state = world.state();
    let mut all: Vec<(&Text, &Phone)> = state.phones.iter().collect();
    all.sort_by_key(|(_, phone)| (!phone.kept, std::cmp::Reverse(phone.thread.back().copied())));
    let data: Vec<Value> = all.into_iter().take(500).map(|(number, phone)| view(number, phone)).collect();
    Json(json!({"data": data, "total": state.phones.len()})).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    name: Option<String>,
}

pub(super) async fn put(AxumState(world): AxumState<Shared>, Path(number): Path<String>, body: Bytes) -> Answer {
    let (number, made): (_, Made) = (phone(&number)?, super::read(&body)?);
    let mut state = world.state();
    let record = state.phone(&number);
    record.kept = true;
    record.name = made.name.or(record.name.take());
    let answer = view(&number, record);
    world.web.iter().for_each(|web| web.behave(&number, record));
    world.touch();
    Ok(Json(answer).into_response())
}

pub(super) async fn get(AxumState(world): AxumState<Shared>, Path(number): Path<String>) -> Answer {
    let number = phone(&number)?;
    let state = world.state();
    let record = state.phones.get(&*number);
    let mut record = record.map_or_else(|| view(&number, &Phone::default()), |record| view(&number, record));
    record["typing"] = state.chats.typing(&number).into();
    record["web"] = web::about(&world, &state, &number);
    Ok(Json(record).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: Option<String>,
    online: Option<bool>,
    registered: Option<bool>,
    opted_out: Option<bool>,
    blocked: Option<Vec<String>>,
    passkey: Option<bool>,
    business: Option<Value>,
}

pub(super) async fn change(AxumState(world): AxumState<Shared>, Path(number): Path<String>, body: Bytes) -> Answer {
    let (number, change): (_, Change) = (phone(&number)?, super::read(&body)?);
    let blocked = change.blocked.map(|list| list.iter().map(|text| digits(text)).collect::<Option<_>>());
    if matches!(blocked, Some(None)) {
        return Err(bad("`blocked` must be a list of business numbers"));
    }
    let mut state = world.state();
    let record = state.phone(&number);
    record.kept = true;
    record.name = change.name.or(record.name.take());
    record.registrations += u32::from(change.registered == Some(true) && !record.registered);
    record.registered = change.registered.unwrap_or(record.registered);
    record.passkey = change.passkey.unwrap_or(record.passkey);
    record.business = change.business.or(record.business.take()).filter(|business| !business.is_null());
    let before: Vec<String> = record.blocked.iter().cloned().collect();
    record.blocked = blocked.flatten().unwrap_or_else(|| std::mem::take(&mut record.blocked));
    let came_online = change.online == Some(true) && !record.online;
    record.online = change.online.unwrap_or(record.online);
    let decided = change.opted_out.filter(|out| *out != record.opted_out);
    record.opted_out = change.opted_out.unwrap_or(record.opted_out);
    if let Some(web) = &world.web {
        web.behave(&number, record);
        web.block(&number, &before, &record.blocked.iter().cloned().collect::<Vec<_>>());
    }
    if came_online {
        delivery::come_online(&world, &mut state, &number);
    }
    if let Some(out) = decided {
        tell_preference(&world, &state, &number, out);
    }
    let answer = state.phones.get(&*number).map(|record| view(&number, record));
    world.touch();
    delivery::show(&world, &number);
    Ok(Json(answer).into_response())
}

/// Every business that this customer has talked with learns about marketing.
fn tell_preference(world: &Shared, state: &State, phone: &str, out: bool) {
    let Some(record) = state.phones.get(phone) else {
        return;
    };
    let mut businesses: Vec<Text> =
        record.thread.iter().filter_map(|seq| state.messages.get(*seq)).map(|m| m.number.clone()).collect();
    businesses.sort_unstable();
    businesses.dedup();
    for id in businesses {
        let Some(number) = state.numbers.get(&id) else {
            continue;
        };
        let business = state.wabas.get(&number.waba).map(|waba| waba.business_id.clone()).unwrap_or_default();
        let user_id = world.seed.user_id(&business, phone);
        let name = record.name.clone().unwrap_or_else(|| format!("+{phone}"));
        let value = json!({
            "messaging_product": "whatsapp",
            "metadata": crate::webhooks::body::metadata(&number.phone, &number.id),
            "contacts": [{"profile": {"name": name}, "wa_id": phone, "user_id": user_id}],
            "user_preferences": [{
                "wa_id": phone,
                "user_id": user_id,
                "detail": if out { "User requested to stop marketing messages" } else { "User requested to resume marketing messages" },
                "category": "marketing_messages",
                "value": if out { "stop" } else { "resume" },
                "timestamp": world.clock.now() / 1000,
            }],
        });
        delivery::tell_number(world, state, &id, "user_preferences", &value);
    }
}

#[derive(Deserialize)]
pub(super) struct Window {
    /// Only the last so many.
    limit: Option<usize>,
}

/// What the phone shows, oldest first.
pub(super) async fn messages(
    AxumState(world): AxumState<Shared>,
    Path(number): Path<String>,
    Query(window): Query<Window>,
) -> Answer {
    let number = phone(&number)?;
    let chosen: Vec<Message> = {
        let state = world.state();
        let thread = state.phones.get(&*number).map(|record| &record.thread);
        let shown = thread
            .into_iter()
            .flatten()
            .rev()
            .filter_map(|seq| state.messages.get(*seq))
            .filter(|message| message.shown);
        shown.take(window.limit.unwrap_or(usize::MAX)).cloned().collect()
    };
    let state = world.state();
    let mut data: Vec<(i64, Value)> = chosen.iter().map(|it| (it.at, show::message(&state, it))).collect();
    let limit = window.limit.unwrap_or(usize::MAX);
    data.extend(state.chats.thread(&number).rev().take(limit).map(|seen| (seen.at, seen.view())));
    drop(state);
    // Newest first until here; within a moment both lists keep their order.
    data.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    data.truncate(limit);
    let data: Vec<Value> = data.into_iter().rev().map(|(_, message)| message).collect();
    Ok(Json(json!({"data": data})).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    ids: Option<Vec<String>>,
}

pub(super) async fn read(AxumState(world): AxumState<Shared>, Path(number): Path<String>, body: Bytes) -> Answer {
    let (number, wanted): (_, Read) = (phone(&number)?, super::read(&body)?);
    let ids = wanted.ids.as_deref();
    let count = delivery::read(&world, &mut world.state(), &number, ids);
    let count = count + web::read(&world, &number, ids);
    delivery::show(&world, &number);
    Ok(Json(json!({"read": count})).into_response())
}

#[derive(Deserialize)]
struct Typing {
    to: String,
    #[serde(default = "composing")]
    state: String,
}

fn composing() -> String {
    "composing".to_owned()
}

/// The Cloud API does not tell businesses that a customer types; linked accounts see it.
pub(super) async fn typing(AxumState(world): AxumState<Shared>, Path(number): Path<String>, body: Bytes) -> Answer {
    let (number, typing): (_, Typing) = (phone(&number)?, super::read(&body)?);
    let to_business = business(&world.state(), &typing.to).is_ok();
    if !to_business {
        web::typing(&world, &number, &typing.to, &typing.state)?;
    }
    Ok(Json(json!({"success": true})).into_response())
}

/// The business number that `to` names.
pub(super) fn business(state: &State, to: &str) -> Answer<Text> {
    let number = digits(to).and_then(|digits| state.number_of(&digits));
    let number = number.or_else(|| state.numbers.get(to));
    number
        .map(|number| number.id.clone())
        .ok_or_else(|| refuse(StatusCode::NOT_FOUND, format!("{to} is not a business number here")))
}

#[derive(Deserialize)]
struct Edit {
    text: String,
}

/// The customer changes what they wrote. Businesses on the Cloud API are not told.
pub(super) async fn edit(
    AxumState(world): AxumState<Shared>,
    Path((number, id)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let (number, edit): (_, Edit) = (phone(&number)?, super::read(&body)?);
    if let Some(changed) = web::change(&world, &number, &id, Some(&edit.text))? {
        return Ok(Json(changed).into_response());
    }
    alter(&world, &number, &id, |message| {
        let mut content: Map<String, Value> = serde_json::from_str(message.content.get()).unwrap_or_default();
        content.insert("text".to_owned(), json!({"body": edit.text}));
        if let Ok(content) = to_raw_value(&content) {
            message.content = content;
        }
        message.edited = true;
    })
}

pub(super) async fn delete(AxumState(world): AxumState<Shared>, Path((number, id)): Path<(String, String)>) -> Answer {
    let number = phone(&number)?;
    if let Some(changed) = web::change(&world, &number, &id, None)? {
        return Ok(Json(changed).into_response());
    }
    alter(&world, &number, &id, |message| message.deleted = true)
}

fn alter(world: &World, number: &str, id: &str, change: impl FnOnce(&mut Message)) -> Answer {
    let mut state = world.state();
    let seq = state.messages.find(id);
    let message = seq
        .and_then(|seq| state.messages.get_mut(seq))
        .filter(|m| *m.phone == *number && m.direction == Direction::Out);
    let Some(message) = message else {
        return Err(refuse(StatusCode::NOT_FOUND, "this phone wrote no such message"));
    };
    change(message);
    world.journal.add(Line::Message(message.clone()));
    let changed = message.clone();
    Ok(Json(show::message(&state, &changed)).into_response())
}
