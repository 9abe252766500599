//! What becomes of a message once Meta has accepted it, and what a phone's doings mean for the business.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::journal::Line;
use crate::phones::messages::{Category, Direction, Message, Reaction, Status};
use crate::phones::{Phone, identity};
use crate::state::State;
use crate::text::Text;
use crate::web;
use crate::webhooks::{self, Failure, Item, Lane, StatusFact, body};
use crate::world::Shared;

/// A message that was accepted from a business.
pub(crate) struct Outgoing {
    pub(crate) id: Text,
    pub(crate) number: Text,
    /// Digits.
    pub(crate) phone: Text,
    pub(crate) kind: Text,
    pub(crate) content: Map<String, Value>,
    pub(crate) opaque: Option<Text>,
    /// The identity that it is for.
    pub(crate) identity: Option<Text>,
    pub(crate) category: Category,
    /// Milliseconds.
    pub(crate) ttl: i64,
    /// Already known to fail (bad media).
    pub(crate) failure: Option<Failure>,
}

fn raw(content: &Map<String, Value>) -> Box<RawValue> {
    to_raw_value(content).expect("a JSON object can always be printed")
}

/// Puts the message on its way: its statuses are owed, and it is on the screen if the phone is there.
pub(crate) fn accept(world: &Shared, state: &mut State, out: Outgoing) {
    let now = world.clock.now();
    let is_reaction = &*out.kind == "reaction";
    let business = state.numbers.get(&out.number).map(|number| number.phone.clone());
    let failure = out.failure.clone().or_else(|| refusal(state, &out, now));
    let phone = state.phone(&out.phone);
    let reachable = failure.is_none() && business.is_some_and(|number| !phone.blocked.contains(&*number));
    let mut message = Message {
        id: out.id,
        direction: Direction::In,
        phone: out.phone,
        number: out.number,
        kind: out.kind,
        content: raw(&out.content),
        status: Status::Sent,
        at: now,
        shown: false,
        opaque: out.opaque,
        identity: out.identity,
        category: out.category,
        ttl: if reachable { out.ttl } else { 0 },
        reaction: None,
        edited: false,
        deleted: false,
    };
    if let Some(failure) = failure {
        message.status = Status::Failed;
        tell(world, state, &message, now, Some(failure));
    } else {
        tell(world, state, &message, now, None);
        if is_reaction {
            react(world, state, &out.content, |reaction, emoji| reaction.business = emoji);
        } else if reachable && state.phone(&message.phone).online {
            (message.status, message.shown) = (Status::Delivered, true);
            tell(world, state, &message, now, None);
        }
    }
    let phone = message.phone.clone();
    if reachable {
        // Linked devices get it whether the phone is on or not.
        web::carry(world, state, &message);
    }
    world.journal.add(Line::Message(message.clone()));
    state.add_message(message);
    show(world, &phone);
}

/// Why an accepted message fails all the same.
fn refusal(state: &mut State, out: &Outgoing, now: i64) -> Option<Failure> {
    let fail = |code, details: &str| Some(Failure { code, details: details.to_owned() });
    let target = out.content.get("reaction").and_then(|reaction| reaction["message_id"].as_str());
    if let Some(target) = target {
        let known =
            state.messages.by_id(target).is_some_and(|target| target.phone == out.phone && &*target.kind != "reaction");
        if !known {
            return fail(131009, "The message to react to does not exist, is too old, or is a reaction itself");
        }
    }
    let Phone { registered, opted_out, .. } = *state.phone(&out.phone);
    if !registered {
        return fail(131026, "Message Undeliverable.");
    }
    if out.category.is_marketing() && opted_out {
        return fail(
            131050,
            "Recipient has chosen to stop receiving marketing messages on WhatsApp from your business",
        );
    }
    let free = &*out.kind != "template";
    if free && !state.phone(&out.phone).window_open(&out.number, now) {
        return fail(
            131047,
            "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
        );
    }
    None
}

/// Owes the message's present status to its business.
fn tell(world: &Shared, state: &State, message: &Message, at: i64, failure: Option<Failure>) {
    let Some(lane) = lane(state, &message.number) else {
        return;
    };
    let priced = matches!(message.status, Status::Sent | Status::Delivered);
    let fact = StatusFact {
        id: message.id.clone(),
        status: message.status,
        at,
        to: message.phone.clone(),
        opaque: message.opaque.clone(),
        identity: message.identity.clone(),
        pricing: priced.then_some(message.category),
        failure,
    };
    webhooks::owe(world, &lane, Item::Status(Box::new(fact)));
}

/// The number's lane, if its WABA is subscribed.
fn lane(state: &State, number: &Text) -> Option<Lane> {
    let waba = &state.numbers.get(number)?.waba;
    state.wabas.get(waba).filter(|waba| waba.subscribed).map(|_| Lane::Number(number.clone()))
}

/// Owes an account-level fact.
pub(crate) fn tell_account(world: &Shared, state: &State, waba: &Text, field: &str, value: &Value) {
    if state.wabas.get(waba).is_some_and(|waba| waba.subscribed)
        && let Ok(value) = to_raw_value(value)
    {
        let item = Item::Value { field: field.to_owned(), value, at: world.clock.now() };
        webhooks::owe(world, &Lane::Account(waba.clone()), item);
    }
}

/// Owes a conversation-level fact of one number.
pub(crate) fn tell_number(world: &Shared, state: &State, number: &Text, field: &str, value: &Value) {
    if let (Some(lane), Ok(value)) = (lane(state, number), to_raw_value(value)) {
        webhooks::owe(world, &lane, Item::Value { field: field.to_owned(), value, at: world.clock.now() });
    }
}

/// Pages showing this phone look again.
pub(crate) fn show(world: &Shared, phone: &str) {
    if world.screens.receiver_count() > 0 {
        let _ = world.screens.send(phone.to_owned());
    }
}

/// Changes a message's status and owes it.
fn advance(world: &Shared, state: &mut State, seq: u64, status: Status) {
    let Some(message) = state.messages.get_mut(seq) else {
        return;
    };
    message.status = status;
    message.shown = true;
    world.journal.add(Line::Mark(message.id.clone(), status, true));
    let message = message.clone();
    tell(world, state, &message, world.clock.now(), None);
}

/// A device of the customer's has, or read, this message of a business.
#[cfg_attr(not(feature = "web-sandbox"), expect(dead_code, reason = "only linked devices tell"))]
pub(crate) fn ticked(world: &Shared, state: &mut State, id: &str, status: Status) {
    if let Some(seq) = state.messages.find(id)
        && state.messages.get(seq).is_some_and(|it| it.direction == Direction::In && it.status < status)
    {
        advance(world, state, seq, status);
    }
}

/// The phone is online again: what waits and has not expired arrives.
pub(crate) fn come_online(world: &Shared, state: &mut State, phone: &str) {
    let now = world.clock.now();
    let waiting: Vec<u64> = thread(state, phone, |message| {
        message.direction == Direction::In
            && message.status == Status::Sent
            && !message.shown
            && &*message.kind != "reaction"
            && now - message.at < message.ttl
    });
    for seq in waiting {
        advance(world, state, seq, Status::Delivered);
    }
}

/// Blue ticks: on these messages, or on all. Returns how many changed.
pub(crate) fn read(world: &Shared, state: &mut State, phone: &str, ids: Option<&[String]>) -> usize {
    let unread = thread(state, phone, |message| {
        message.direction == Direction::In
            && message.status == Status::Delivered
            && ids.is_none_or(|ids| ids.iter().any(|id| **id == *message.id))
    });
    for seq in &unread {
        advance(world, state, *seq, Status::Read);
    }
    unread.len()
}

fn thread(state: &State, phone: &str, wanted: impl Fn(&Message) -> bool) -> Vec<u64> {
    let Some(record) = state.phones.get(phone) else {
        return Vec::new();
    };
    let seqs = record.thread.iter().copied();
    seqs.filter(|seq| state.messages.get(*seq).is_some_and(&wanted)).collect()
}

/// Sets one side's reaction on the message that `content.reaction` names.
fn react(world: &Shared, state: &mut State, content: &Map<String, Value>, set: impl Fn(&mut Reaction, Option<String>)) {
    let Some(reaction) = content.get("reaction") else {
        return;
    };
    let emoji = reaction["emoji"].as_str().filter(|emoji| !emoji.is_empty()).map(str::to_owned);
    let target = reaction["message_id"].as_str().and_then(|id| state.messages.find(id));
    if let Some(message) = target.and_then(|seq| state.messages.get_mut(seq)) {
        set(message.reaction.get_or_insert_default(), emoji);
        world.journal.add(Line::Message(message.clone()));
    }
}

/// A message that a customer writes.
pub(crate) struct Written {
    pub(crate) phone: Text,
    pub(crate) number: Text,
    pub(crate) kind: String,
    /// What the business is told beside the common members: the type's object, `context`, `referral`.
    pub(crate) told: Map<String, Value>,
    /// What the phone shows of it.
    pub(crate) shown: Map<String, Value>,
}

/// The customer writes: the phone shows it, the window opens, the business is told. Returns the message's id.
pub(crate) fn write(world: &Shared, state: &mut State, written: Written) -> Text {
    let now = world.clock.now();
    let id = Text::from(world.ids.wamid(&written.phone, false));
    let is_reaction = written.kind == "reaction";
    let blocked = state.numbers.get(&written.number).is_some_and(|number| number.blocked.contains(&*written.phone));
    if is_reaction {
        react(world, state, &written.shown, |reaction, emoji| reaction.customer = emoji);
    }
    if !blocked && let Some(value) = inbound(world, state, &written, &id, now) {
        tell_number(world, state, &written.number, "messages", &value);
    }
    let message = Message {
        id: id.clone(),
        direction: Direction::Out,
        phone: written.phone.clone(),
        number: written.number,
        kind: written.kind.into(),
        content: raw(&written.shown),
        status: if blocked { Status::Sent } else { Status::Delivered },
        at: now,
        shown: !is_reaction,
        opaque: None,
        identity: None,
        category: Category::Service,
        ttl: 0,
        reaction: None,
        edited: false,
        deleted: false,
    };
    world.journal.add(Line::Message(message.clone()));
    state.add_message(message);
    show(world, &written.phone);
    id
}

fn inbound(world: &Shared, state: &State, written: &Written, id: &Text, now: i64) -> Option<Value> {
    let number = state.numbers.get(&written.number)?;
    let business = &state.wabas.get(&number.waba)?.business_id;
    let user_id = world.seed.user_id(business, &written.phone);
    let name = state.phones.get(&*written.phone).and_then(|phone| phone.name.clone());
    let mut message = json!({
        "from": written.phone,
        "from_user_id": user_id,
        "id": id,
        "timestamp": (now / 1000).to_string(),
        "type": written.kind,
    });
    let members = message.as_object_mut()?;
    members.extend(written.told.clone());
    let mut value = json!({"messaging_product": "whatsapp", "metadata": body::metadata(&number.phone, &number.id)});
    if written.kind != "system" {
        let name = name.unwrap_or_else(|| format!("+{}", written.phone));
        value["contacts"] = json!([{"profile": {"name": name}, "wa_id": written.phone, "user_id": user_id}]);
        if identity::is_told_to(number) {
            value["contacts"][0]["identity_key_hash"] = json!(identity::of(&world.seed, state, &written.phone));
        }
    }
    value["messages"] = json!([message]);
    Some(value)
}

/// The business has read the customer's messages up to this one.
pub(crate) fn read_by_business(world: &Shared, state: &mut State, number: &Text, id: &str) -> bool {
    let Some(upto) = state.messages.find(id) else {
        return false;
    };
    let Some(phone) = state.messages.get(upto).filter(|m| m.number == *number && m.direction == Direction::Out) else {
        return false;
    };
    let phone = phone.phone.clone();
    let Some(record) = state.phones.get(&phone) else {
        return false;
    };
    let earlier: Vec<u64> = record.thread.iter().rev().copied().skip_while(|seq| *seq > upto).collect();
    for seq in earlier {
        let Some(message) = state.messages.get_mut(seq) else {
            continue;
        };
        if message.direction == Direction::Out && message.number == *number {
            if message.status >= Status::Read {
                break;
            }
            message.status = Status::Read;
            world.journal.add(Line::Mark(message.id.clone(), Status::Read, message.shown));
            if let Some(business) = state.numbers.get(number) {
                web::read_by_business(world, &business.phone, &message.id);
            }
        }
    }
    show(world, &phone);
    true
}
