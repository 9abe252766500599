//! Introductions and the clock.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as AxumState;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, bad, read, refuse};
use crate::accounts::{self, Platform, Waba};
use crate::carriers;
use crate::clock::{parse_advance, rfc3339};
use crate::state::State;
use crate::templates::{Template, rules, variables};
use crate::text::Text;
use crate::world::{Shared, World};

#[derive(Deserialize)]
struct Introduction {
    id: String,
    base_url: String,
    webhook_url: String,
}

/// A platform says who it is and where, and is given its accounts: the same ones for the same id.
pub(super) async fn introduce(AxumState(world): AxumState<Shared>, body: Bytes) -> Answer {
    let given: Introduction = read(&body)?;
    if given.id.is_empty() || given.id.len() > 200 {
        return Err(bad("`id` must have from 1 to 200 characters"));
    }
    for url in [&given.base_url, &given.webhook_url] {
        if !url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return Err(bad(format!("{url} is not an http or https URL")));
        }
    }
    let answer = {
        let mut state = world.state();
        world.pushes.forget_url(&given.webhook_url);
        match state.platforms.iter_mut().find(|platform| platform.id == given.id) {
            Some(platform) => {
                given.base_url.trim_end_matches('/').clone_into(&mut platform.base_url);
                platform.webhook_url = given.webhook_url;
            }
            None => found(&world, &mut state, &given),
        }
        describe(&world, &state, &given.id)
    };
    if let Err(error) = world.save() {
        tracing::error!(%error, "the sandbox could not save its state");
        return Err(refuse(StatusCode::INTERNAL_SERVER_ERROR, "the introduction could not be saved"));
    }
    Ok(Json(answer).into_response())
}

fn found(world: &World, state: &mut State, given: &Introduction) {
    let now = world.clock.now();
    let (platform, wabas, numbers) =
        accounts::found(&world.seed, &given.id, &given.base_url, &given.webhook_url, state.next_number, now);
    state.next_number += numbers.len();
    for waba in &wabas {
        for template in first_templates(world, &waba.id, now) {
            state.put_template(template);
        }
    }
    state.platforms.push(platform);
    state.wabas.extend(wabas.into_iter().map(|waba| (waba.id.clone(), waba)));
    for number in numbers {
        state.number_by_phone.insert(number.phone.clone(), number.id.clone());
        state.numbers.insert(number.id.clone(), number);
    }
}

fn first_templates<'a>(world: &'a World, waba: &'a Text, now: i64) -> impl Iterator<Item = Template> + 'a {
    accounts::first_templates().into_iter().map(move |(name, language, category, components)| {
        let given = components.as_array().map_or(&[][..], Vec::as_slice);
        Template {
            id: world.seed.digits(&format!("template/{waba}/{name}"), '7', 15).parse().unwrap_or_default(),
            waba: waba.clone(),
            name: name.to_owned(),
            language: language.to_owned(),
            category: category.to_owned(),
            status: "APPROVED".to_owned(),
            components: rules::components(category, false, given)
                .expect("our own templates follow the rules, as a test holds"),
            named: false,
            rejected_reason: None,
            previous_category: None,
            quality: "GREEN".to_owned(),
            ttl_s: None,
            created_at: now,
            edits: Vec::new(),
            review_at: None,
        }
    })
}

fn describe(world: &World, state: &State, id: &str) -> Value {
    let Some(platform) = state.platform(id) else {
        return Value::Null;
    };
    let organizations: Vec<Value> = platform
        .wabas
        .iter()
        .filter_map(|waba| state.wabas.get(waba))
        .map(|waba| organization(state, platform, waba))
        .collect();
    json!({
        "clock": {"offset_ms": world.clock.offset_ms()},
        "carriers": carriers::open(world, state, platform),
        "stripe": carriers::open_till(world, platform),
        "web": world.web.as_ref().map(|web| web.urls()),
        "meta": {
            "graph_url": world.graph_url,
            "access_token": platform.access_token,
            "app_id": platform.app_id,
            "app_secret": platform.app_secret,
            "verify_token": platform.verify_token,
            "organizations": organizations,
        },
    })
}

fn organization(state: &State, platform: &Platform, waba: &Waba) -> Value {
    // Only what it was founded with, so that every introduction is answered the same.
    let numbers = waba
        .numbers
        .iter()
        .filter_map(|id| state.numbers.get(id))
        .filter(|number| number.created_at == waba.created_at);
    let numbers: Vec<Value> = numbers
        .map(|number| json!({"id": number.id, "display_phone_number": number.display(), "verified_name": number.verified_name}))
        .collect();
    let templates: Vec<Value> = accounts::first_templates()
        .into_iter()
        .map(|(name, language, category, components)| {
            let mut template = json!({"name": name, "language": language});
            let body = components.as_array().and_then(|all| crate::templates::component(all, "BODY"));
            let count = body.and_then(|body| body["text"].as_str()).map_or(0, |text| variables(text).len());
            if category != "UTILITY" {
                template["category"] = json!(category);
            }
            if count > 0 {
                template["body_parameters"] = json!(count);
            }
            template
        })
        .collect();
    debug_assert_eq!(waba.platform, platform.id);
    json!({
        "waba_id": waba.id,
        "business_id": waba.business_id,
        "name": waba.name,
        "phone_numbers": numbers,
        "templates": templates,
    })
}

/// The business numbers that a customer may write to, for the page.
pub(super) async fn businesses(AxumState(world): AxumState<Shared>) -> Response {
    let state = world.state();
    let mut data: Vec<Value> = state
        .numbers
        .values()
        .map(|number| json!({"id": number.id, "display_phone_number": number.display(), "verified_name": number.verified_name}))
        .collect();
    data.sort_by_key(|number| number["display_phone_number"].to_string());
    Json(json!({"data": data})).into_response()
}

fn time(world: &World) -> Response {
    Json(json!({"now": rfc3339(world.clock.now()), "offset_ms": world.clock.offset_ms()})).into_response()
}

pub(super) async fn clock(AxumState(world): AxumState<Shared>) -> Response {
    time(&world)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance: Option<String>,
    offset_ms: Option<i64>,
}

pub(super) async fn move_clock(AxumState(world): AxumState<Shared>, body: Bytes) -> Answer {
    let target = match read(&body)? {
        Move { advance: Some(text), offset_ms: None } => {
            let by = parse_advance(&text)
                .ok_or_else(|| bad("`advance` must be a whole number of s, m, h or d, like 25h"))?;
            world.clock.offset_ms().saturating_add(by)
        }
        Move { advance: None, offset_ms: Some(offset) } => offset,
        _ => return Err(bad("give either `advance` or `offset_ms`")),
    };
    if target < world.clock.offset_ms() {
        return Err(bad("the clock moves forward only"));
    }
    world.move_clock(target);
    Ok(time(&world))
}
