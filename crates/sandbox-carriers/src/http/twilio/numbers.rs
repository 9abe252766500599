//! Numbers: search, purchase, list, release.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::course::{self, Course};
use super::super::desk::{Shared, is_e164};
use super::super::numbers::{Shown, Sold, Wanted};
use super::{Form, Problem, VERSION, customer};
use crate::outside::Target;
use crate::serve::cut;

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(rename = "AreaCode")]
    area_code: Option<String>,
    #[serde(rename = "Contains")]
    contains: Option<String>,
    #[serde(rename = "PageSize")]
    page_size: Option<usize>,
}

pub(super) async fn available(
    State(desk): State<Shared>,
    Path((sid, country, kind)): Path<(String, String, String)>,
    Query(search): Query<Search>,
    headers: HeaderMap,
) -> Response {
    if let Err(problem) = customer(&desk, &headers, &sid) {
        return problem.into_response();
    }
    let wanted = Wanted {
        country: country.clone(),
        prefix: search.area_code,
        contains: search.contains,
        limit: search.page_size.unwrap_or(50),
    };
    let found = if kind == "Local.json" { desk.stock("twilio", &wanted) } else { Vec::new() };
    let shown = |number: &String| {
        json!({
            "friendly_name": number, "phone_number": number, "iso_country": country, "locality": "New York", "region": "NY",
            "postal_code": null, "address_requirements": "none", "beta": false,
            "capabilities": { "voice": true, "SMS": true, "MMS": true },
        })
    };
    let uri = format!("/{VERSION}/Accounts/{sid}/AvailablePhoneNumbers/{country}/{kind}");
    Json(json!({ "uri": uri, "available_phone_numbers": found.iter().map(shown).collect::<Vec<_>>() })).into_response()
}

fn shown(sid: &str, sold: &Sold) -> Value {
    json!({
        "sid": sold.id, "account_sid": sid, "phone_number": sold.number, "friendly_name": sold.reference,
        "sms_url": sold.inbound_url, "sms_method": "POST", "voice_url": sold.voice_url, "voice_method": "POST", "status": "in-use", "api_version": VERSION,
        "uri": format!("/{VERSION}/Accounts/{sid}/IncomingPhoneNumbers/{}.json", sold.id),
    })
}

#[derive(Deserialize)]
pub(super) struct Filter {
    #[serde(rename = "PhoneNumber")]
    phone_number: Option<String>,
}

pub(super) async fn list(
    State(desk): State<Shared>,
    Path(sid): Path<String>,
    Query(filter): Query<Filter>,
    headers: HeaderMap,
) -> Response {
    if let Err(problem) = customer(&desk, &headers, &sid) {
        return problem.into_response();
    }
    let part = filter.phone_number.unwrap_or_default();
    let all = desk.sold_to(&sid).into_iter().filter(|sold| sold.is_seen() && sold.number.contains(&part));
    let all: Vec<Value> = all.map(|sold| shown(&sid, &sold)).collect();
    Json(json!({ "incoming_phone_numbers": all, "page": 0, "page_size": 50, "next_page_uri": null })).into_response()
}

pub(super) async fn buy(
    State(desk): State<Shared>,
    Path(sid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let account = match customer(&desk, &headers, &sid) {
        Ok(account) => account,
        Err(problem) => return problem.into_response(),
    };
    let form = Form::read(&body);
    let Some(number) = form.get("PhoneNumber").filter(|number| is_e164(number)) else {
        return Problem::new(400, 21421, "PhoneNumber is invalid").into_response();
    };
    let take = match course::of(&desk.world, Target::Numbers).await {
        Course::Refuse(number) => return Problem::demanded(number).into_response(),
        Course::Silence => return course::silence(&desk.world).await,
        Course::Take(take) => take,
    };
    let sold = Sold {
        id: format!("PN{}", &desk.fresh()[..32]),
        account: sid.clone(),
        number: number.to_owned(),
        reference: form.get("FriendlyName").unwrap_or(number).to_owned(),
        inbound_url: form.get("SmsUrl").map(str::to_owned),
        voice_url: form.get("VoiceUrl").map(str::to_owned),
        sold_at: desk.world.now(),
        released_at: None,
        shown: Shown::of(&take),
    };
    let Some(sold) = desk.sell(&account, sold) else {
        return Problem::new(400, 21422, format!("{number} is not available")).into_response();
    };
    if take.cut || !sold.is_seen() {
        return cut();
    }
    (StatusCode::CREATED, Json(shown(&sid, &sold))).into_response()
}

pub(super) async fn release(
    State(desk): State<Shared>,
    Path((sid, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match customer(&desk, &headers, &sid) {
        Ok(account) if desk.take_back(&account, file.trim_end_matches(".json")) => {
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(_) => Problem::new(404, 20404, "The requested resource was not found").into_response(),
        Err(problem) => problem.into_response(),
    }
}
