//! `POST /{phone}/messages`: check as Meta checks, take it, answer. What happens next is `delivery`'s.

pub(crate) mod free;
mod interactive;
pub(crate) mod wanted;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Call;
use super::check::At;
use super::error::{Outcome, of, parameter, plain};
use super::input;
use crate::accounts::Number;
use crate::delivery::{self, Outgoing};
use crate::limits::Excess;
use crate::phones::messages::Category;
use crate::phones::{self, WINDOW_MS};
use crate::state::State;
use crate::templates::Template;
use crate::templates::fill::fill;
use crate::text::Text;
use crate::world::Shared;
use wanted::{Source, Wanted};

/// Which door a message came through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Messages,
    Marketing,
}

/// Whom a message is for.
struct Recipient {
    input: String,
    phone: Text,
    user_id: Option<String>,
}

pub(crate) fn send(call: &Call, number: &Text, door: Door, fields: Map<String, Value>) -> Outcome {
    input::product(&fields)?;
    if fields.contains_key("status") {
        return receipt(call, number, &fields);
    }
    let body = Value::Object(fields);
    let kind = kind(&body)?;
    if door == Door::Marketing && kind != "template" {
        return Err(of(134100, "Only marketing template messages are supported by this endpoint."));
    }
    let opaque =
        At::root(body.get("biz_opaque_callback_data"), "biz_opaque_callback_data").maybe_text(512)?.map(Text::from);
    let mut wanted = Vec::new();
    let mut content = if kind == "template" { Map::new() } else { own_content(kind, &body, &mut wanted)? };

    let world = &call.world;
    let mut guard = world.state();
    let state = &mut *guard;
    let sender = ready(state, number)?;
    let business = state.wabas.get(&sender.waba).map(|waba| waba.business_id.clone()).unwrap_or_default();
    let to = recipient(world, state, &body, &sender, &business)?;
    let identity = identity(world, state, &body, &to)?;
    let context = context(state, &body, kind)?;
    let (mut category, mut ttl) = (Category::Service, 30 * 86_400_000);
    if kind == "template" {
        let template = find_template(state, &sender, &body)?;
        (category, ttl) = (price(&template, door)?, template.ttl_ms());
        content = filled(&template, &body, category, &to, &mut wanted)?;
    }
    content.extend(context);
    let failure = wanted::ids(world, state, number, &wanted, &mut content)?;
    take_limits(world, state, &sender, &to, &business)?;
    state.stats.count_send(number, opaque.as_deref());
    let id = Text::from(world.ids.wamid(&to.phone, true));
    let answer = answer(&to, &id, kind);
    let out = Outgoing {
        id,
        number: number.clone(),
        phone: to.phone,
        kind: kind.into(),
        content,
        opaque,
        identity,
        category,
        ttl,
        failure,
    };
    if wanted.iter().any(|one| matches!(one.source, Source::Link(_))) && out.failure.is_none() {
        fetch_then_accept(world, out, wanted);
    } else {
        delivery::accept(world, state, out);
    }
    Ok(answer)
}

fn filled(
    template: &Template,
    body: &Value,
    category: Category,
    to: &Recipient,
    wanted: &mut Vec<Wanted>,
) -> Outcome<Map<String, Value>> {
    if to.user_id.is_some() && category == Category::Authentication {
        return Err(of(131062, "Business-scoped user IDs cannot receive this authentication template."));
    }
    let mut content = fill(template, &At::root(body.get("template"), "template"), wanted)?;
    content.insert("template".to_owned(), body["template"].clone());
    Ok(content)
}

fn fetch_then_accept(world: &Shared, mut out: Outgoing, wanted: Vec<Wanted>) {
    let task_world = Arc::clone(world);
    // Not cancelled by a stop: the caller has been told that it was taken.
    world.tasks.spawn(async move {
        out.failure = wanted::links(&task_world, &wanted, &mut out.content).await;
        delivery::accept(&task_world, &mut task_world.state(), out);
    });
}

fn kind(body: &Value) -> Outcome<&'static str> {
    let recipient_type = body.get("recipient_type").and_then(Value::as_str).unwrap_or("individual");
    if !recipient_type.eq_ignore_ascii_case("individual") {
        return Err(of(
            100,
            "Param recipient_type must be one of {INDIVIDUAL}; groups are not enabled for this number.",
        ));
    }
    let Some(kind) = body.get("type") else {
        return Ok("text");
    };
    let found = kind.as_str().and_then(|kind| free::TYPES.iter().find(|known| known.eq_ignore_ascii_case(kind)));
    match found {
        Some(&"hsm") => Err(of(131051, "Message type hsm is no longer supported")),
        Some(known) => Ok(known),
        None => Err(of(
            100,
            format!("Param type must be one of {{{}}} - got {kind}.", free::TYPES.join(", ").to_uppercase()),
        )),
    }
}

fn own_content(kind: &'static str, body: &Value, wanted: &mut Vec<Wanted>) -> Outcome<Map<String, Value>> {
    free::check(kind, body, wanted)?;
    Ok(Map::from_iter([(kind.to_owned(), body[kind].clone())]))
}

/// The sending number, if it may send.
fn ready(state: &State, id: &Text) -> Outcome<Number> {
    let number = state.numbers.get(id).ok_or_else(|| of(33, "The phone number does not exist."))?;
    if !number.registered {
        return Err(of(133010, "The phone number is not registered on the WhatsApp Business Platform."));
    }
    Ok(number.clone())
}

fn recipient(world: &Shared, state: &State, body: &Value, sender: &Number, business: &str) -> Outcome<Recipient> {
    let given = |key: &str| match body.get(key) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let (input, digits, user_id) = match (given("to"), given("recipient")) {
        (Some(input), _) => {
            let digits = phones::digits(&input).ok_or_else(|| of(131009, "Param to must be a phone number."))?;
            (input, digits, None)
        }
        (None, Some(user_id)) => {
            let digits = world.seed.phone_of(business, &user_id);
            let digits =
                digits.ok_or_else(|| of(131009, "Param recipient is not a user ID known to this business."))?;
            (user_id.clone(), digits, Some(user_id))
        }
        (None, None) => return Err(parameter("The parameter to is required.")),
    };
    if *digits == *sender.phone {
        return Err(of(131021, "The sender and the recipient phone numbers are the same."));
    }
    if sender.blocked.contains(&digits) {
        return Err(of(130403, "The recipient is on the block list of this business number."));
    }
    // One copy of the number in memory, however many messages name it.
    let phone = state.phones.get_key_value(&*digits).map_or_else(|| Text::from(digits), |(known, _)| known.clone());
    Ok(Recipient { input, phone, user_id })
}

/// The keys that the message is only for, if the caller says so.
fn identity(world: &Shared, state: &State, body: &Value, to: &Recipient) -> Outcome<Option<Text>> {
    let key = "recipient_identity_key_hash";
    let given = At::root(body.get(key).filter(|value| !value.is_null()), key).maybe_text(512)?;
    match given {
        Some(given) if given != phones::identity::of(&world.seed, state, &to.phone) => {
            Err(of(137000, "The recipient's identity key hash is another one now; the message was not sent."))
        }
        given => Ok(given.map(Text::from)),
    }
}

/// The quoted message, as the phone shows it.
fn context(state: &State, body: &Value, kind: &str) -> Outcome<Map<String, Value>> {
    let at = At::root(body.get("context").filter(|value| !value.is_null()), "context");
    let mut context = Map::new();
    if !at.is_there() {
        return Ok(context);
    }
    at.object()?;
    let quoted = at.get("message_id");
    let quoted_id = quoted.text(512)?;
    if !quoted_id.starts_with("wamid.") {
        return Err(quoted.wrong("is not a message id."));
    }
    if kind == "reaction" {
        return Err(at.wrong("is not allowed with reactions."));
    }
    if state.messages.find(quoted_id).is_some() {
        context.insert("context".to_owned(), json!({"message_id": quoted_id}));
    }
    Ok(context)
}

fn find_template(state: &State, sender: &Number, body: &Value) -> Outcome<Arc<Template>> {
    let at = At::root(body.get("template"), "template");
    at.object()?;
    let name = at.get("name").text(512)?;
    let language = at.get("language");
    let code = match language.value() {
        Some(Value::String(code)) => code.clone(),
        _ => language.object()?.get("code").text(20)?.to_owned(),
    };
    let mut languages = state.languages_of(&sender.waba, name);
    let template = languages.find(|template| template.language == code);
    let template = template.ok_or_else(|| of(132001, format!("template name ({name}) does not exist in {code}")))?;
    match template.status.as_str() {
        "APPROVED" => Ok(Arc::clone(template)),
        "PAUSED" => Err(of(132015, format!("template ({name}) is paused because of its low quality"))),
        "DISABLED" => Err(of(132016, format!("template ({name}) is disabled"))),
        _ => Err(of(132001, format!("template name ({name}) is not approved in {code}"))),
    }
}

fn price(template: &Template, door: Door) -> Outcome<Category> {
    match (template.category.as_str(), door) {
        ("MARKETING", Door::Marketing) => Ok(Category::MarketingLite),
        (_, Door::Marketing) => Err(of(134100, "Only marketing messages are supported by this endpoint.")),
        ("MARKETING", Door::Messages) => Ok(Category::Marketing),
        ("AUTHENTICATION", _) => Ok(Category::Authentication),
        _ => Ok(Category::Utility),
    }
}

fn take_limits(world: &Shared, state: &mut State, sender: &Number, to: &Recipient, business: &str) -> Outcome<()> {
    let now = world.clock.now();
    let open = state
        .phones
        .get(&*to.phone)
        .and_then(|phone| phone.last_wrote(&sender.id))
        .is_some_and(|at| now - at < WINDOW_MS);
    state.limits.take(&sender.id, &to.phone, business, !open, now).map_err(|excess| match excess {
        Excess::Throughput => of(130429, "Cloud API message throughput has been reached."),
        Excess::Pair => of(131056, "Too many messages sent from the sender phone number to the same recipient phone number in a short period of time."),
        Excess::Tier => of(131048, "The messaging limit of the business portfolio has been reached."),
    })
}

fn answer(to: &Recipient, id: &Text, kind: &str) -> Value {
    let contact = match &to.user_id {
        Some(user_id) => json!({"input": to.input, "user_id": user_id}),
        None => json!({"input": to.input, "wa_id": to.phone}),
    };
    let mut message = json!({"id": id});
    if kind == "template" {
        message["message_status"] = json!("accepted");
    }
    json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]})
}

/// `status: read`, perhaps with a typing indicator.
fn receipt(call: &Call, number: &Text, fields: &Map<String, Value>) -> Outcome {
    let status = At::root(fields.get("status"), "status");
    if status.text(20)? != "read" {
        return Err(plain(400, 100, "(#100) Param status must be one of {READ}"));
    }
    let id = At::root(fields.get("message_id"), "message_id");
    let id = id.text(512)?;
    let typing = At::root(fields.get("typing_indicator"), "typing_indicator");
    if typing.is_there() {
        typing.object()?.get("type").word(&["text"])?;
    }
    let mut state = call.world.state();
    ready(&state, number)?;
    if !delivery::read_by_business(&call.world, &mut state, number, id) {
        return Err(of(131009, "Param message_id is not a message that this number received."));
    }
    if typing.is_there() {
        let phone = state.messages.by_id(id).map(|message| message.phone.clone());
        if let Some(phone) = phone {
            let _ = call.world.screens.send(format!("typing:{phone}"));
        }
    }
    Ok(json!({"success": true}))
}
