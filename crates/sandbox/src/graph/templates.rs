//! Templates over Graph: make, list, look, edit, delete.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::error::{Outcome, no_object, parameter, sub};
use super::{Call, input, listing};
use crate::state::State;
use crate::templates::review::{due, schedule};
use crate::templates::{Template, rules};
use crate::text::Text;

const KIND: &str = "WhatsAppMessageTemplate";
const DEFAULTS: [&str; 9] = [
    "name",
    "parameter_format",
    "components",
    "language",
    "status",
    "category",
    "previous_category",
    "message_send_ttl_seconds",
    "id",
];
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const CREATES_PER_HOUR: usize = 100;
const AT_MOST: usize = 6_000;

pub(super) fn create(call: &Call, waba: &Text, fields: &Map<String, Value>) -> Outcome {
    let template = read(call, waba, fields)?;
    let mut state = call.world.state();
    let own = || state.templates.values().filter(|other| other.waba == *waba);
    let now = call.world.clock.now();
    if own().count() >= AT_MOST
        || own()
            .filter(|other| now - other.created_at < HOUR_MS && other.created_at > first_second(&state, waba))
            .count()
            >= CREATES_PER_HOUR
    {
        return Err(sub(
            2388019,
            "Message template limit exceeded",
            "This account has as many templates as it may have, or made too many in an hour.",
        ));
    }
    if state.languages_of(waba, &template.name).any(|other| other.language == template.language) {
        return Err(sub(
            2388024,
            "Content in this language already exists",
            format!("There is already {} content for this template.", template.language),
        ));
    }
    state.template_locks.check(&template, now)?;
    let answer = json!({"id": template.id.to_string(), "status": template.status, "category": template.category});
    schedule(&call.world, &state.put_template(template));
    call.world.touch();
    Ok(answer)
}

/// When the account was made: the templates it came with do not count.
fn first_second(state: &State, waba: &Text) -> i64 {
    state.wabas.get(waba).map_or(0, |waba| waba.created_at)
}

fn read(call: &Call, waba: &Text, fields: &Map<String, Value>) -> Outcome<Template> {
    let name = input::required(fields, "name")?;
    rules::name(&name)?;
    let language = input::required(fields, "language")?;
    rules::language(&language)?;
    let category = input::required(fields, "category")?.to_ascii_uppercase();
    if !rules::CATEGORIES.contains(&category.as_str()) {
        return Err(parameter(format_args!("Param category must be one of {{{}}}", rules::CATEGORIES.join(", "))));
    }
    let named = match input::text(fields, "parameter_format").map(|text| text.to_ascii_uppercase()).as_deref() {
        None | Some("POSITIONAL") => false,
        Some("NAMED") => true,
        Some(_) => {
            return Err(parameter("Param parameter_format must be one of {POSITIONAL, NAMED}"));
        }
    };
    let ttl_s = ttl(fields, &category)?;
    let given = fields
        .get("components")
        .and_then(Value::as_array)
        .ok_or_else(|| parameter("The parameter components is required."))?;
    let components = rules::components(&category, named, given)?;
    let now = call.world.clock.now();
    Ok(Template {
        id: call.world.ids.digits(15).parse().unwrap_or_default(),
        waba: waba.clone(),
        review_at: due(&name, now),
        name,
        language,
        category,
        status: "PENDING".to_owned(),
        components,
        named,
        rejected_reason: None,
        previous_category: None,
        quality: "UNKNOWN".to_owned(),
        ttl_s,
        created_at: now,
        edits: Vec::new(),
    })
}

fn ttl(fields: &Map<String, Value>, category: &str) -> Outcome<Option<i64>> {
    let Some(text) = input::text(fields, "message_send_ttl_seconds") else {
        return Ok(None);
    };
    let seconds = text.parse().map_err(|_| parameter("Param message_send_ttl_seconds must be an integer"))?;
    rules::ttl(category, seconds)?;
    Ok(Some(seconds))
}

pub(super) fn get(call: &Call, id: u64) -> Outcome {
    let state = call.world.state();
    let template = state.templates.get(&id).ok_or_else(|| no_object("GET", &id.to_string()))?;
    listing::select(template.node(), KIND, &call.query, &DEFAULTS)
}

pub(super) fn list(call: &Call, waba: &Text) -> Outcome {
    let templates: Vec<Arc<Template>> = {
        let state = call.world.state();
        let mut own: Vec<_> =
            state.templates.values().filter(|t| t.waba == *waba && t.status != "DELETED").cloned().collect();
        own.sort_by_key(|template| (std::cmp::Reverse(template.created_at), template.id));
        own
    };
    let wanted = |key: &str, value: &str| {
        input::list(&call.query, key).is_none_or(|words| words.iter().any(|word| word.eq_ignore_ascii_case(value)))
    };
    let name = input::text(&call.query, "name").or_else(|| input::text(&call.query, "name_or_content"));
    let content = input::text(&call.query, "content").map(|text| text.to_lowercase());
    let found = templates.iter().filter(|template| {
        name.as_ref().is_none_or(|part| template.name.contains(part.as_str()))
            && wanted("status", &template.status)
            && wanted("category", &template.category)
            && wanted("language", &template.language)
            && wanted("quality_score", &template.quality)
            && content
                .as_ref()
                .is_none_or(|part| json!(template.components).to_string().to_lowercase().contains(part.as_str()))
    });
    let items: Outcome<Vec<_>> = found
        .map(|template| Ok((template.id.to_string(), listing::select(template.node(), KIND, &call.query, &DEFAULTS)?)))
        .collect();
    let items = items?;
    let matching = items.len();
    let mut answer = listing::page(items, &call.query, &call.url())?;
    if let Some(words) = input::list(&call.query, "summary") {
        answer["summary"] = summary(&words, matching, templates.len())?;
    }
    Ok(answer)
}

fn summary(words: &[String], matching: usize, all: usize) -> Outcome {
    let mut summary = Map::new();
    for word in words {
        let value = match word.as_str() {
            "total_count" => json!(matching),
            "message_template_count" => json!(all),
            "message_template_limit" => json!(AT_MOST),
            "are_translations_complete" => json!(false),
            other => {
                return Err(parameter(format_args!("Param summary has no field {other}")));
            }
        };
        summary.insert(word.clone(), value);
    }
    Ok(Value::Object(summary))
}

pub(super) fn edit(call: &Call, id: u64, fields: &Map<String, Value>) -> Outcome {
    let now = call.world.clock.now();
    let mut state = call.world.state();
    let old = state.templates.get(&id).ok_or_else(|| no_object("POST", &id.to_string()))?;
    let mut template = Template::clone(old);
    let was_approved = template.status == "APPROVED";
    may_be_edited(&mut template, now)?;
    let review = changed(&mut template, fields)?;
    if was_approved {
        template.edits.push(now);
    }
    if review {
        template.status = "PENDING".to_owned();
        template.review_at = due(&template.name, now);
    }
    schedule(&call.world, &state.put_template(template));
    call.world.touch();
    Ok(json!({"success": true}))
}

fn not_editable(why: &str) -> Box<super::error::Error> {
    sub(2388039, "Template cannot be edited", why)
}

fn may_be_edited(template: &mut Template, now: i64) -> Outcome<()> {
    if !["APPROVED", "REJECTED", "PAUSED"].contains(&template.status.as_str()) {
        return Err(not_editable("Only approved, rejected and paused templates can be edited."));
    }
    template.edits.retain(|at| now - at < 30 * DAY_MS);
    let often = template.edits.iter().any(|at| now - at < DAY_MS) || template.edits.len() >= 10;
    if template.status == "APPROVED" && often {
        return Err(not_editable("An approved template can be edited once a day and ten times in 30 days."));
    }
    Ok(())
}

/// Takes the changes over; whether they have to be reviewed.
fn changed(template: &mut Template, fields: &Map<String, Value>) -> Outcome<bool> {
    let (mut changed, mut review) = (false, false);
    if let Some(category) = input::text(fields, "category").map(|text| text.to_ascii_uppercase()) {
        if !rules::CATEGORIES.contains(&category.as_str()) {
            return Err(parameter("Param category is not known"));
        }
        if category != template.category {
            if template.status == "APPROVED" {
                return Err(not_editable("The category of an approved template is frozen."));
            }
            template.previous_category = Some(std::mem::replace(&mut template.category, category));
            review = true;
        }
        changed = true;
    }
    if let Some(given) = fields.get("components").and_then(Value::as_array) {
        template.components = rules::components(&template.category, template.named, given)?;
        (changed, review) = (true, true);
    }
    if let Some(seconds) = ttl(fields, &template.category)? {
        template.ttl_s = Some(seconds);
        changed = true;
    }
    if !changed {
        return Err(parameter("One of category, components and message_send_ttl_seconds is required."));
    }
    Ok(review)
}

pub(super) fn unpause(call: &Call, id: u64) -> Outcome {
    let mut state = call.world.state();
    let paused = state.templates.get(&id).is_some_and(|template| template.status == "PAUSED");
    if !paused {
        return Err(parameter("Only paused templates can be unpaused"));
    }
    crate::templates::review::decide(&call.world, &mut state, id, "APPROVED", None);
    Ok(json!({"success": true}))
}

pub(super) fn delete(call: &Call, waba: &Text, fields: &Map<String, Value>) -> Outcome {
    let (name, one, many) =
        (input::text(fields, "name"), input::text(fields, "hsm_id"), input::list(fields, "hsm_ids"));
    let mut state = call.world.state();
    let ids: Vec<u64> = match (name, one, many) {
        (None, None, Some(ids)) if ids.len() <= 100 => ids.iter().filter_map(|id| id.parse().ok()).collect(),
        (Some(name), one, None) => {
            let ids: Vec<u64> = state.languages_of(waba, &name).map(|template| template.id).collect();
            match one {
                Some(id) => ids.into_iter().filter(|other| other.to_string() == id).collect(),
                None => ids,
            }
        }
        _ => {
            return Err(parameter(
                "The parameter name, name with hsm_id, or hsm_ids with at most 100 ids, is required.",
            ));
        }
    };
    let own = |id: &u64| state.templates.get(id).filter(|template| template.waba == *waba);
    if ids.is_empty() || !ids.iter().all(|id| own(id).is_some()) {
        return Err(sub(2593002, "Message Template Not Found", "There is no such template in this account."));
    }
    if ids.iter().filter_map(own).any(|template| template.status == "DISABLED") {
        return Err(parameter("Disabled templates cannot be deleted"));
    }
    let now = call.world.clock.now();
    for id in ids {
        if let Some(template) = state.take_template(id) {
            state.template_locks.deleted(&template, now);
        }
    }
    call.world.touch();
    Ok(json!({"success": true}))
}

/// The same authentication template in several languages at once.
pub(super) fn upsert(call: &Call, waba: &Text, fields: &Map<String, Value>) -> Outcome {
    let languages = input::list(fields, "languages").filter(|list| !list.is_empty());
    let languages = languages.ok_or_else(|| parameter("The parameter languages is required."))?;
    let mut data = Vec::new();
    for language in languages {
        let mut one = fields.clone();
        one.insert("language".to_owned(), json!(language));
        one.entry("category").or_insert(json!("AUTHENTICATION"));
        let mut template = read(call, waba, &one)?;
        if template.category != "AUTHENTICATION" {
            return Err(parameter("Only authentication templates can be upserted"));
        }
        let mut state = call.world.state();
        let old = state.languages_of(waba, &template.name).find(|old| old.language == language).map(|old| old.id);
        state.template_locks.check(&template, template.created_at)?;
        template.id = old.unwrap_or(template.id);
        data.push(json!({"id": template.id.to_string(), "status": template.status, "language": language}));
        schedule(&call.world, &state.put_template(template));
    }
    call.world.touch();
    Ok(json!({"data": data}))
}
