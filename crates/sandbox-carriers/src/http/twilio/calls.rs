use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::super::account::Account;
use super::super::course::{self, Course, Take};
use super::super::desk::{Shared, is_e164, rfc2822};
use super::super::journey::{self, Ring};
use super::{Form, Problem, VERSION, customer, owned, push, twiml};
use crate::ledger::Call;
use crate::outside::Target;
use crate::serve::cut;

/// Where a call is told about, and of what.
struct Callback {
    url: Option<String>,
    /// `initiated`, `ringing`, `answered`, `completed`; the last stands for every end.
    events: Vec<String>,
}

pub(super) async fn create(
    State(desk): State<Shared>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let account = match customer(&desk, &headers, &account) {
        Ok(account) => account,
        Err(problem) => return problem.into_response(),
    };
    let form = Form::read(&body);
    let call = match wanted(&desk, &account, &form) {
        Ok(call) => call,
        Err(problem) => return problem.into_response(),
    };
    let take = match course::of(&desk.world, Target::Voice).await {
        Course::Refuse(number) => return Problem::demanded(number).into_response(),
        Course::Silence => return course::silence(&desk.world).await,
        Course::Take(take) => take,
    };
    let callback = Callback {
        url: form.get("StatusCallback").map(str::to_owned),
        events: form.all("StatusCallbackEvent").flat_map(|some| some.split(' ')).map(str::to_owned).collect(),
    };
    let sameness = callback.url.clone().unwrap_or_else(|| call.id.clone());
    desk.world.voice.take(call.clone(), ("twilio", sameness));
    let (cut_off, early) = (take.cut, take.early);
    let answer = (StatusCode::CREATED, Json(shown(&account, &call))).into_response();
    let life = live(Arc::clone(&desk), account, call, callback, take);
    if early {
        life.await
    } else {
        drop(tokio::spawn(life))
    }
    if cut_off { cut() } else { answer }
}

fn wanted(desk: &Shared, account: &Account, form: &Form) -> Result<Call, Problem> {
    let Some(to) = form.get("To") else {
        return Err(Problem::new(400, 21201, "No 'To' number is specified"));
    };
    if !is_e164(to) {
        return Err(Problem::new(400, 21217, format!("Phone number {to} does not appear to be valid")));
    }
    let from = form.get("From").unwrap_or_default();
    if !is_e164(from) || !account.may_send_from(from) {
        let message = format!("The source phone number provided, {from}, is not yet verified for your account.");
        return Err(Problem::new(400, 21210, message));
    }
    let script = match (form.get("Twiml"), form.get("Url")) {
        (Some(xml), _) => twiml::read(xml).ok_or_else(|| Problem::new(400, 21218, "Invalid Twiml"))?,
        // Nobody is asked for the words: the call is silent.
        (None, Some(_)) => twiml::Script::default(),
        (None, None) => return Err(Problem::new(400, 21205, "Url parameter is required.")),
    };
    let mut more = Map::new();
    more.insert("times".to_owned(), json!(script.times));
    Ok(Call {
        id: format!("CA{}", &desk.fresh()[..32]),
        carrier: "twilio",
        from: from.to_owned(),
        to: to.to_owned(),
        text: script.text,
        language: script.language,
        status: "queued".to_owned(),
        at: desk.world.now(),
        more,
    })
}

/// As Twilio shows a call.
fn shown(account: &Account, call: &Call) -> Value {
    let own = account.credentials.name();
    let uri = format!("/{VERSION}/Accounts/{own}/Calls/{}", call.id);
    json!({
        "sid": call.id, "account_sid": own, "status": call.status, "to": call.to, "to_formatted": call.to,
        "from": call.from, "from_formatted": call.from, "direction": "outbound-api", "api_version": VERSION,
        "date_created": null, "date_updated": null, "start_time": null, "end_time": null, "duration": null,
        "price": null, "price_unit": "USD", "answered_by": null, "annotation": null, "caller_name": null,
        "forwarded_from": null, "group_sid": null, "parent_call_sid": null, "phone_number_sid": null, "queue_time": "0",
        "trunk_sid": null, "uri": format!("{uri}.json"), "subresource_uris": { "events": format!("{uri}/Events.json") },
    })
}

pub(super) async fn fetch(
    State(desk): State<Shared>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let account = match customer(&desk, &headers, &account) {
        Ok(account) => account,
        Err(problem) => return problem.into_response(),
    };
    match desk.world.voice.change(file.trim_end_matches(".json"), |call| call.clone()) {
        Some(call) => Json(shown(&account, &call)).into_response(),
        None => Problem::new(404, 20404, "The requested resource was not found").into_response(),
    }
}

async fn live(desk: Shared, account: Arc<Account>, call: Call, callback: Callback, take: Take) {
    if !journey::breathe(&desk.world, &take).await {
        return;
    }
    let mut number = 0;
    let mut tell = async |event: &str, status: &str, sip: Option<u16>| {
        desk.world.voice.change(&call.id, |call| call.status = status.to_owned());
        let wanted = event == "completed" || callback.events.iter().any(|one| one == event);
        let Some(url) = callback.url.as_ref().filter(|_| wanted) else { return };
        for _ in 0..if take.twice { 2 } else { 1 } {
            let at = rfc2822(desk.world.now());
            push(&desk, &account, url, told(&account, &call, status, number, &at, sip)).await;
        }
        number += 1;
    };
    tell("initiated", "initiated", None).await;
    tell("ringing", "ringing", None).await;
    match journey::ring(&desk.world, &call.to, &take) {
        Ring::Answered => {
            tell("answered", "in-progress", None).await;
            tell("completed", "completed", Some(200)).await;
        }
        Ring::Busy => tell("completed", "busy", Some(486)).await,
        Ring::NoAnswer => tell("completed", "no-answer", Some(487)).await,
        Ring::Declined => tell("completed", "busy", Some(603)).await,
        Ring::Failed => tell("completed", "failed", Some(404)).await,
        Ring::Word(word) => tell("completed", &word, None).await,
    }
}

fn told(
    account: &Account,
    call: &Call,
    status: &str,
    number: u32,
    at: &str,
    sip: Option<u16>,
) -> Vec<(String, String)> {
    let (own, number) = (account.credentials.name(), number.to_string());
    let mut fields = owned(&[
        ("Called", &call.to),
        ("ToState", ""),
        ("CallerCountry", "US"),
        ("Direction", "outbound-api"),
        ("Timestamp", at),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", &number),
        ("CallSid", &call.id),
        ("To", &call.to),
        ("AccountSid", &own),
        ("Caller", &call.from),
        ("From", &call.from),
        ("CallStatus", status),
        ("ApiVersion", VERSION),
    ]);
    if let Some(sip) = sip {
        fields.push(("SipResponseCode".to_owned(), sip.to_string()));
    }
    if status == "completed" {
        fields.extend(owned(&[("CallDuration", "9"), ("Duration", "1")]));
    }
    fields
}
