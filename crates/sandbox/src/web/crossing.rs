//! The bridge between Meta's business numbers and WhatsApp Web: a linked account that writes to a business number reaches the Cloud API,
//! and what a business sends reaches the linked devices of the customer's phone as well.
//!
//! A message that crosses has two ids, one on each side. Both are remembered, so that ticks, reactions and replies find their message.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sandbox_web::phone::show::Change;
use sandbox_web::{Chat, Number};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::following::{Came, Content, kept};
use crate::control::speak;
use crate::delivery;
use crate::phones::messages::{Message, Status};
use crate::state::State;
use crate::text::Text;
use crate::world::Shared;

/// Pairs of ids that are remembered.
const REMEMBERED: usize = 100_000;

/// A message of a business on its way to a customer's linked devices.
pub(crate) struct Leaving {
    /// Meta's id.
    id: Text,
    /// Digits of the business.
    from: Number,
    to: Number,
    kind: Text,
    content: Map<String, Value>,
}

/// The way out, and which id is which.
pub(super) struct Crossing {
    out: mpsc::UnboundedSender<Leaving>,
    ids: Mutex<Ids>,
}

#[derive(Default)]
struct Ids {
    to_meta: HashMap<String, Text>,
    to_web: HashMap<Text, String>,
    order: VecDeque<(String, Text)>,
}

impl Crossing {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Leaving>) {
        let (out, leaving) = mpsc::unbounded_channel();
        (Self { out, ids: Mutex::default() }, leaving)
    }

    fn ids(&self) -> MutexGuard<'_, Ids> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pair(&self, web: &str, meta: &Text) {
        let mut ids = self.ids();
        ids.to_meta.insert(web.to_owned(), meta.clone());
        ids.to_web.insert(meta.clone(), web.to_owned());
        ids.order.push_back((web.to_owned(), meta.clone()));
        if ids.order.len() > REMEMBERED
            && let Some((web, meta)) = ids.order.pop_front()
        {
            ids.to_meta.remove(&web);
            ids.to_web.remove(&meta);
        }
    }

    fn meta(&self, web: &str) -> Option<Text> {
        self.ids().to_meta.get(web).cloned()
    }

    fn web(&self, meta: &str) -> Option<String> {
        self.ids().to_web.get(meta).cloned()
    }
}

/// A business's message was accepted: the customer's linked devices get it too, if there are any.
pub(crate) fn carry(world: &Shared, state: &State, message: &Message) {
    let Some(web) = &world.web else { return };
    let Some(business) = state.numbers.get(&message.number) else { return };
    let (Ok(from), Ok(to)) = (business.phone.parse::<Number>(), message.phone.parse::<Number>()) else { return };
    if web.handle.devices(&to).is_empty() {
        return;
    }
    let content = serde_json::from_str(message.content.get()).unwrap_or_default();
    let leaving = Leaving { id: message.id.clone(), from, to, kind: message.kind.clone(), content };
    // The other end lives as long as the world.
    let _ = web.crossing.out.send(leaving);
}

pub(super) fn follow(world: &Shared, mut leaving: mpsc::UnboundedReceiver<Leaving>) {
    let carrier = Shared::clone(world);
    world.spawn(async move {
        while let Some(message) = leaving.recv().await {
            leave(&carrier, message).await;
        }
    });
}

async fn leave(world: &Shared, message: Leaving) {
    let Some(web) = &world.web else { return };
    let Some(body) = body(world, &web.crossing, &message).await else { return };
    // Under the state's lock, so that no tick comes before the pair is known.
    let state = world.state();
    match web.handle.speak(&message.from, &Chat::With(message.to), &body, None) {
        Ok(id) => web.crossing.pair(&id, &message.id),
        Err(error) => tracing::warn!(%error, id = %message.id, "a business's message did not reach the linked devices"),
    }
    drop(state);
}

/// The message as a phone would write it; `None` if it cannot be said there.
async fn body(world: &Shared, crossing: &Crossing, message: &Leaving) -> Option<Value> {
    let kind = &*message.kind;
    let part = message.content.get(kind);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mut body = match kind {
        "text" | "location" | "contacts" => json!({"type": kind, kind: part?}),
        "reaction" => {
            let target = crossing.web(part?["message_id"].as_str()?)?;
            json!({"type": kind, kind: {"message_id": target, "emoji": part?["emoji"]}})
        }
        "image" | "video" | "audio" | "document" | "sticker" => {
            let mut part = part?.clone();
            part["data"] = kept(world, part["sha256"].as_str()?).await?.into();
            json!({"type": kind, kind: part})
        }
        // What people see of templates and interactive messages is their text.
        _ => {
            let words = message.content.get("text").and_then(|it| text(it).or_else(|| text(&it["body"])));
            let words = words.or_else(|| text(&part?["body"]["text"]))?;
            json!({"type": "text", "text": {"body": words}})
        }
    };
    let quoted = message.content.get("context").and_then(|context| context["message_id"].as_str());
    if let Some(quoted) = quoted.and_then(|id| crossing.web(id)) {
        body["context"] = json!({"message_id": quoted});
    }
    Some(body)
}

/// A message from WhatsApp Web came to a business number.
pub(super) async fn arrive(world: &Shared, came: &Came, content: &Content) {
    let (Some(web), Chat::With(_)) = (&world.web, &came.chat) else { return };
    if came.from == came.phone {
        return;
    }
    let Some(business) = world.state().number_of(came.phone.digits()).map(|number| number.id.clone()) else { return };
    let given = match content {
        Content::Whole(shown) => whole(world, &web.crossing, shown).await,
        Content::Change(Change::Reaction { id, emoji }) => web.crossing.meta(id).map(|target| {
            let part = json!({"message_id": target, "emoji": emoji});
            Map::from_iter([("type".to_owned(), json!("reaction")), ("reaction".to_owned(), part)])
        }),
        // Businesses on the Cloud API are told of no other change.
        Content::Change(_) | Content::Vote { .. } => None,
    };
    let Some(given) = given else { return };
    match speak::to_business(world, came.from.digits().to_owned(), business, &given).await {
        Ok(id) => web.crossing.pair(&came.id, &id),
        Err(refusal) => tracing::warn!(why = refusal.why(), "a linked account's message did not reach the business"),
    }
}

/// The Meta-shaped object of a message.
async fn whole(world: &Shared, crossing: &Crossing, shown: &Map<String, Value>) -> Option<Map<String, Value>> {
    let kind = match shown.get("type")?.as_str()? {
        "contact" => "contacts",
        "ptv" => "video",
        kind => kind,
    };
    let name = if kind == "video" && shown.contains_key("ptv") { "ptv" } else { kind };
    let mut given = Map::from_iter([("type".to_owned(), json!(kind))]);
    match kind {
        "text" | "location" | "contacts" | "interactive" => {
            given.insert(kind.to_owned(), shown.get(name)?.clone());
        }
        "image" | "video" | "audio" | "document" | "sticker" => {
            let mut part = shown.get(name)?.clone();
            part["data"] = kept(world, part["sha256"].as_str()?).await?.into();
            given.insert(kind.to_owned(), part);
        }
        other => {
            given.insert("type".to_owned(), json!("unsupported"));
            given.insert("unsupported".to_owned(), json!({"type": other}));
        }
    }
    let quoted = shown.get("context").and_then(|context| context["message_id"].as_str());
    if let Some(quoted) = quoted.and_then(|id| crossing.meta(id)) {
        given.insert("context".to_owned(), json!({"message_id": quoted}));
    }
    Some(given)
}

/// Somebody's device has, or read, a message; tells whether it is one that crossed.
pub(super) fn ticked(world: &Shared, state: &mut State, id: &str, status: Status) -> bool {
    let Some(meta) = world.web.as_ref().and_then(|web| web.crossing.meta(id)) else { return false };
    if status >= Status::Read {
        delivery::ticked(world, state, &meta, Status::Read);
    }
    true
}

/// A business read what a linked account wrote to it.
pub(crate) fn read_by_business(world: &Shared, business: &str, id: &str) {
    let Some(web) = &world.web else { return };
    let (Ok(number), Some(id)) = (business.parse::<Number>(), web.crossing.web(id)) else { return };
    web.handle.read(&number, Some(&[id]));
}
