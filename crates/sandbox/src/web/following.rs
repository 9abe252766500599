//! Takes down what phones hear: messages, changes to messages, ticks, typing, calls that were turned down.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sandbox_web::phone::show::{self, Change};
use sandbox_web::{Arrival, Chat, Number, Tick};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::speaking::{show_file, store};
use super::{crossing, name};
use crate::delivery;
use crate::journal::Line;
use crate::phones::chats::Seen;
use crate::phones::messages::{Direction, Status};
use crate::world::Shared;

/// One after the other: what comes first is shown first.
pub(super) fn follow(world: &Shared, mut arrivals: mpsc::UnboundedReceiver<Arrival>) {
    let follower = Shared::clone(world);
    world.spawn(async move {
        while let Some(arrival) = arrivals.recv().await {
            take(&follower, arrival).await;
        }
    });
}

async fn take(world: &Shared, arrival: Arrival) {
    match arrival {
        Arrival::Message { phone, chat, from, id, at, message } => {
            let content = content(world, &chat, &phone, &from, &message).await;
            let came = Came { phone, chat, from, id, at };
            let business = |number: &Number| world.state().number_of(number.digits()).is_some();
            if business(&came.phone) {
                crossing::arrive(world, &came, &content).await;
            } else if !matches!(&came.chat, Chat::With(other) if business(other)) {
                heard(world, &came, content);
            }
        }
        Arrival::Receipt { phone, from, ids, tick, .. } => ticked(world, &phone, &from, &ids, tick),
        Arrival::Typing { phone, chat, from, state } => {
            let from = if matches!(chat, Chat::Group(_)) { name(&chat) } else { from.to_string() };
            world.state().chats.set_typing(phone.digits(), from, state);
            delivery::show(world, phone.digits());
        }
        Arrival::CallRejected { phone, call, .. } => {
            world.state().chats.end_call(phone.digits(), &call, "rejected");
            delivery::show(world, phone.digits());
        }
        Arrival::Linked { phone, .. } | Arrival::Unlinked { phone, .. } => delivery::show(world, phone.digits()),
    }
}

/// A message that came to a phone, without what it says.
pub(super) struct Came {
    pub(super) phone: Number,
    pub(super) chat: Chat,
    pub(super) from: Number,
    pub(super) id: String,
    pub(super) at: i64,
}

/// What a message says: something of its own, or a change to another.
pub(super) enum Content {
    Whole(Map<String, Value>),
    Change(Change),
    Vote { poll: String, options: Vec<String> },
}

async fn content(
    world: &Shared,
    chat: &Chat,
    phone: &Number,
    from: &Number,
    message: &sandbox_web::phone::Message,
) -> Content {
    let handle = world.web.as_ref().map(|web| &web.handle);
    match show::change(message) {
        Some(Change::Vote { id }) => {
            let options = handle.and_then(|handle| handle.open_vote(phone, chat, from, message));
            let options = options.map_or_else(Vec::new, |(_, options)| options);
            return Content::Vote { poll: id, options };
        }
        Some(change) => return Content::Change(change),
        None => {}
    }
    let Value::Object(mut shown) = show::content(message) else { return Content::Whole(Map::new()) };
    let (kind, mime) = (shown["type"].as_str().unwrap_or_default().to_owned(), shown.get("mime_type").cloned());
    if let Some(bytes) = handle.filter(|_| mime.is_some()).and_then(|handle| handle.open_file(message)) {
        let mime = mime.and_then(|mime| mime.as_str().map(str::to_owned)).unwrap_or_default();
        match store(world, bytes.into()).await {
            Ok(stored) => show_file(world, &mut shown, &kind, &stored, &mime),
            Err(error) => tracing::warn!(error, "a file that a phone got could not be kept"),
        }
    }
    Content::Whole(shown)
}

fn heard(world: &Shared, came: &Came, content: Content) {
    let phone = came.phone.digits();
    let from = came.from.to_string();
    let mut state = world.state();
    let changed = match content {
        Content::Whole(shown) => {
            let mut seen = came.seen(&shown);
            seen.status = state.chats.put(seen.clone());
            Some(seen)
        }
        Content::Vote { poll, options } => {
            let part = json!({"poll_id": poll, "options": options});
            let shown = Map::from_iter([("type".to_owned(), json!("poll_vote")), ("poll_vote".to_owned(), part)]);
            let mut seen = came.seen(&shown);
            seen.status = state.chats.put(seen.clone());
            Some(seen)
        }
        Content::Change(Change::Reaction { id, emoji }) => {
            state.chats.change(phone, &id, |seen| seen.react(&from, emoji))
        }
        Content::Change(Change::Delete { id }) => state.chats.change(phone, &id, |seen| seen.deleted = true),
        Content::Change(Change::Edit { id, content }) => state.chats.change(phone, &id, |seen| reword(seen, content)),
        Content::Change(Change::Vote { .. } | Change::Expiration { .. } | Change::Silent) => None,
    };
    drop(state);
    if let Some(seen) = changed {
        world.journal.add(Line::Seen(seen));
        delivery::show(world, phone);
    }
}

/// New words; what the message is besides (a file, a quotation) stays.
fn reword(seen: &mut Seen, new: Value) {
    let mut content: Map<String, Value> = serde_json::from_str(seen.content.get()).unwrap_or_default();
    let kind = content.get("type").and_then(Value::as_str).unwrap_or("text").to_owned();
    let (told, words) = match &new["text"]["body"] {
        Value::Null => (new["type"].as_str().unwrap_or_default(), &new[kind.as_str()]["caption"]),
        words => ("text", words),
    };
    let word = if kind == "text" { "body" } else { "caption" };
    if !words.is_null() {
        content.entry(kind).or_insert_with(|| json!({}))[word] = words.clone();
    } else if let Some(part) = new.get(told) {
        content.insert(told.to_owned(), part.clone());
    }
    if let Ok(content) = to_raw_value(&content) {
        seen.content = content;
    }
    seen.edited = true;
}

impl Came {
    fn seen(&self, shown: &Map<String, Value>) -> Seen {
        let own = self.from == self.phone;
        let chat = name(&self.chat);
        let in_group = matches!(self.chat, Chat::Group(_) | Chat::Status);
        let to = if own || in_group { chat } else { self.phone.to_string() };
        Seen {
            phone: self.phone.digits().into(),
            id: self.id.as_str().into(),
            direction: if own { Direction::Out } else { Direction::In },
            from: self.from.to_string().into(),
            to: to.into(),
            content: to_raw_value(shown).expect("a JSON object can always be printed"),
            status: if own { Status::Sent } else { Status::Delivered },
            at: self.at,
            reactions: Vec::new(),
            edited: false,
            deleted: false,
        }
    }
}

fn ticked(world: &Shared, phone: &Number, from: &Number, ids: &[String], tick: Tick) {
    if from == phone {
        return;
    }
    let status = match tick {
        Tick::Delivered => Status::Delivered,
        Tick::Read => Status::Read,
        Tick::Played => Status::Played,
    };
    let mut state = world.state();
    for id in ids {
        if crossing::ticked(world, &mut state, id, status) {
            continue;
        }
        let changed = state.chats.tick(phone.digits(), id, status);
        changed.into_iter().for_each(|seen| world.journal.add(Line::Seen(seen)));
    }
    drop(state);
    delivery::show(world, phone.digits());
}

/// The bytes behind a `sha256` that a phone shows, in base64.
pub(super) async fn kept(world: &Shared, sha256: &str) -> Option<String> {
    let bytes = tokio::fs::read(world.files.path(sha256)).await.ok()?;
    Some(STANDARD.encode(bytes))
}
