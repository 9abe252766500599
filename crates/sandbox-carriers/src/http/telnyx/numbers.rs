//! Numbers: search, reservation, order, list, release. An order is pending in its first answer and a success from then
//! on, whatever becomes of its number, which does not get its reference.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::super::account::Account;
use super::super::course::{self, Course};
use super::super::desk::{Shared, rfc3339};
use super::super::numbers::{Shown, Sold, Wanted};
use super::{Problem, customer, object, text};
use crate::outside::Target;
use crate::serve::cut;

/// A query with brackets in its names.
struct Filters(Vec<(String, String)>);

impl Filters {
    fn read(query: Option<String>) -> Self {
        Self(url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<String> {
        let name = format!("filter{name}");
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
    }
}

pub(super) async fn available(State(desk): State<Shared>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    if let Err(problem) = customer(&desk, &headers) {
        return problem.into_response();
    }
    let filters = Filters::read(query);
    let country = filters.get("[country_code]").unwrap_or_else(|| "US".to_owned());
    let wanted = Wanted {
        country: country.clone(),
        prefix: filters.get("[national_destination_code]"),
        contains: filters.get("[phone_number][contains]"),
        limit: filters.get("[limit]").and_then(|limit| limit.parse().ok()).unwrap_or(100),
    };
    let shown = |number: &String| {
        json!({
            "record_type": "available_phone_number", "phone_number": number, "reservable": true,
            "region_information": [
                { "region_type": "country_code", "region_name": country },
                { "region_type": "state", "region_name": "NY" },
            ],
            "features": [{ "name": "sms" }, { "name": "voice" }],
        })
    };
    let data: Vec<Value> = desk.stock("telnyx", &wanted).iter().map(shown).collect();
    Json(json!({ "data": data, "meta": { "total_results": data.len() } })).into_response()
}

/// A reservation holds nothing here: nobody is so fast.
fn reservation(reference: &str, number: &str) -> Value {
    json!({
        "record_type": "number_reservation", "id": format!("res-{reference}-{}", number.trim_start_matches('+')),
        "status": "success", "customer_reference": reference,
        "phone_numbers": [{ "phone_number": number, "status": "success" }],
    })
}

fn wanted(body: &[u8]) -> Result<(String, String), Problem> {
    let json = object(body)?;
    let number = text(&json["phone_numbers"][0], "phone_number").ok_or_else(|| Problem::lacks("phone_numbers"))?;
    Ok((number.to_owned(), text(&json, "customer_reference").unwrap_or_default().to_owned()))
}

/// Nothing is remembered of reservations.
pub(super) async fn reservations(State(desk): State<Shared>, headers: HeaderMap) -> Response {
    match customer(&desk, &headers) {
        Ok(_) => Json(json!({ "data": [] })).into_response(),
        Err(problem) => problem.into_response(),
    }
}

pub(super) async fn reserve(State(desk): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    match customer(&desk, &headers).and_then(|_| wanted(&body)) {
        Ok((number, reference)) => Json(json!({ "data": reservation(&reference, &number) })).into_response(),
        Err(problem) => problem.into_response(),
    }
}

fn order(sold: &Sold, status: &str) -> Value {
    json!({
        "record_type": "number_order", "id": format!("order-{}", sold.id), "status": status,
        "customer_reference": sold.reference,
        "phone_numbers": [{ "phone_number": sold.number, "status": status }],
        "created_at": rfc3339(sold.sold_at), "updated_at": rfc3339(sold.sold_at),
    })
}

fn orders_under(desk: &Shared, account: &Account, reference: Option<&str>) -> Vec<Sold> {
    let mut all = desk.ever_sold_to(&account.credentials.name());
    all.retain(|sold| sold.is_seen() && reference.is_none_or(|reference| reference == sold.reference));
    all
}

pub(super) async fn orders(State(desk): State<Shared>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let account = match customer(&desk, &headers) {
        Ok(account) => account,
        Err(problem) => return problem.into_response(),
    };
    let found = orders_under(&desk, &account, Filters::read(query).get("[customer_reference]").as_deref());
    Json(json!({ "data": found.iter().map(|sold| order(sold, "success")).collect::<Vec<_>>() })).into_response()
}

pub(super) async fn buy(State(desk): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let wanted = customer(&desk, &headers).and_then(|account| Ok((account, wanted(&body)?)));
    let (account, (number, reference)) = match wanted {
        Ok(wanted) => wanted,
        Err(problem) => return problem.into_response(),
    };
    let take = match course::of(&desk.world, Target::Numbers).await {
        Course::Refuse(number) => return Problem::demanded(number).into_response(),
        Course::Silence => return course::silence(&desk.world).await,
        Course::Take(take) => take,
    };
    let name = account.credentials.name();
    let sold = Sold {
        id: desk.uuid(),
        account: name,
        number,
        reference,
        inbound_url: None,
        voice_url: None,
        sold_at: desk.world.now(),
        released_at: None,
        shown: Shown::of(&take),
    };
    match desk.sell(&account, sold) {
        None => Problem::new(422, 85000, "Number unavailable", "The number is not available any more.").into_response(),
        Some(sold) if take.cut || !sold.is_seen() => cut(),
        Some(sold) => Json(json!({ "data": order(&sold, "pending") })).into_response(),
    }
}

pub(super) async fn list(State(desk): State<Shared>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let account = match customer(&desk, &headers) {
        Ok(account) => account,
        Err(problem) => return problem.into_response(),
    };
    let (filters, now) = (Filters::read(query), desk.world.now());
    let (part, wanted) = (filters.get("[phone_number]"), filters.get("[status]"));
    let mut all = desk.ever_sold_to(&account.credentials.name());
    all.retain(|sold| sold.is_listed(now) && status(sold) == wanted.as_deref().unwrap_or(ACTIVE));
    all.retain(|sold| part.as_deref().is_none_or(|part| finds(part, &sold.number)));
    Json(json!({ "data": all.iter().map(listed).collect::<Vec<_>>() })).into_response()
}

const ACTIVE: &str = "active";

fn status(sold: &Sold) -> &'static str {
    if sold.released_at.is_some() { "deleted" } else { ACTIVE }
}

/// Numbers are found by three of their digits or more, and by nothing else: a plus finds none.
fn finds(part: &str, number: &str) -> bool {
    part.len() >= 3 && part.bytes().all(|byte| byte.is_ascii_digit()) && number.contains(part)
}

fn listed(sold: &Sold) -> Value {
    json!({
        "record_type": "phone_number", "id": sold.id, "phone_number": sold.number, "status": status(sold),
        "customer_reference": null, "purchased_at": rfc3339(sold.sold_at), "created_at": rfc3339(sold.sold_at),
        "updated_at": rfc3339(sold.released_at.unwrap_or(sold.sold_at)),
    })
}

pub(super) async fn release(State(desk): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match customer(&desk, &headers) {
        Ok(account) if desk.take_back(&account, &id) => {
            Json(json!({ "data": { "id": id, "record_type": "phone_number", "status": "deleted" } })).into_response()
        }
        Ok(_) => Problem::new(404, 10005, "Resource not found", "The number is not the account's.").into_response(),
        Err(problem) => problem.into_response(),
    }
}
