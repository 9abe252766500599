//! `/whatsapp/templates`: by account, name and language.

use api::At;
use engine::clock::rfc3339;
use engine::templates::{self, ChangeError, Filter, Template};
use serde_json::{Map, Value, json};

use crate::accounts::{self, Waba};
use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::{Code, Error, WhatsappApiError};
use crate::paging::Page;

/// More than an account may have.
const ALL: i64 = 10_000;
/// The states in which a template can be edited.
const EDITABLE: [&str; 3] = ["APPROVED", "REJECTED", "PAUSED"];

pub(crate) fn shape(template: &Template, waba: &str) -> Value {
    let components: Value = serde_json::from_str(&template.components).unwrap_or_default();
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            shown.insert(name.to_owned(), value);
        }
    };
    put("wabaId", waba.into());
    put("name", template.name.clone().into());
    put("language", template.language.clone().into());
    put("category", template.category.clone().into());
    put("components", components);
    put("status", template.status.clone().into());
    put("qualityRating", template.quality.as_deref().map(quality).into());
    put("reason", template.status_reason.clone().into());
    put("createTime", rfc3339(template.created_at).into());
    put("updateTime", rfc3339(template.updated_at).into());
    Value::Object(shown)
}

fn quality(word: &str) -> &'static str {
    ["GREEN", "YELLOW", "RED"].into_iter().find(|known| *known == word).unwrap_or("UNKNOWN")
}

fn name(at: &At<'_>) -> Result<String, Error> {
    let text = at.text(1..=512)?;
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    match plain {
        true => Ok(text.to_owned()),
        false => Err(at.refuse("may have lower-case letters, digits and underscores only").into()),
    }
}

/// What a template is made of, in Meta's words. Meta checks the inside.
fn components(at: &At<'_>) -> Result<Value, Error> {
    let words = ["BODY", "HEADER", "FOOTER", "BUTTONS", "LIMITED_TIME_OFFER", "CAROUSEL"].map(|word| (word, ()));
    let mut bodies = 0;
    for component in at.items(1..=20)? {
        component.need("type")?.word(&words)?;
        bodies += usize::from(component.value()["type"] == "BODY");
        component.read_nullable("text", |at| at.string(0..=1024))?;
        component.read_nullable("buttons", |at| at.items(0..=10).map(drop))?;
        component.read_nullable("cards", |at| at.items(0..=10).map(drop))?;
    }
    match bodies {
        1 => Ok(at.value().clone()),
        _ => Err(at.refuse("must have one component of type BODY").into()),
    }
}

fn ttl(at: &At<'_>) -> Result<Option<i64>, Error> {
    Ok(at.read_nullable("messageSendTtlSeconds", |at| at.integer(-1..=2_592_000))?.flatten())
}

pub(crate) async fn create(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let waba = at.need("wabaId")?.string(1..=255)?;
    let categories = ["AUTHENTICATION", "MARKETING", "UTILITY"].map(|word| (word, word));
    let mut definition = json!({
        "name": name(&at.need("name")?)?,
        "language": at.need("language")?.string(2..=15)?,
        "category": at.need("category")?.word(&categories)?,
        "components": components(&at.need("components")?)?,
    });
    if let Some(Some(word)) = at.read_nullable("subCategory", |at| at.word(&[("ORDER_STATUS", "ORDER_STATUS")]))? {
        definition["sub_category"] = word.into();
    }
    if let Some(seconds) = ttl(&at)? {
        definition["message_send_ttl_seconds"] = seconds.into();
    }
    let found = accounts::all(&call).await?.into_iter().find(|known| known.account.external_id == waba);
    let missing =
        || Error::new(Code::WabaUnavailable, format!("there is no WhatsApp business account {waba}")).at("wabaId");
    let known = found.ok_or_else(missing)?;
    let made = templates::create(call.engine(), &known.account, &definition).await.map_err(refused)?;
    Ok(Answer::of(&shape(&made, &waba)))
}

fn refused(error: ChangeError) -> Error {
    match error {
        ChangeError::Unsupported => Error::not_found("template"),
        ChangeError::Call(engine::provider::CallError::Refused { message, code, details }) => {
            let said = WhatsappApiError {
                message,
                code: code.unwrap_or_default().to_string(),
                error_data: details.map(Value::from),
                ..WhatsappApiError::default()
            };
            Error::of_meta(400, Code::BadRequest, said)
        }
        ChangeError::Call(error) => error.into(),
        ChangeError::Store(error) => error.into(),
    }
}

async fn of_account(call: &Call, waba: &Waba, filter: &Filter) -> Result<Vec<Template>, Error> {
    Ok(call.engine().templates(&call.organization(), &waba.account.id, filter, ALL).await?)
}

/// Archived ones are among them.
pub(crate) async fn list(call: Call) -> Handled {
    let query = call.query()?;
    let (page, at) = (Page::of(&query)?, query.at());
    let wanted = at.read("filter.wabaId", |at| at.string(1..=255))?;
    let statuses = at.read("filter.status", |at| at.string(0..=200))?.unwrap_or_default();
    let filter = Filter {
        statuses: statuses.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        name: at.read("filter.name", |at| at.string(1..=512))?,
        language: at.read("filter.language", |at| at.string(1..=15))?,
        before: None,
    };
    let mut shown = Vec::new();
    for waba in accounts::all(&call).await? {
        if wanted.as_ref().is_none_or(|wanted| *wanted == waba.account.external_id) {
            let found = of_account(&call, &waba, &filter).await?;
            shown.extend(found.iter().map(|template| shape(template, &waba.account.external_id)));
        }
    }
    Ok(Answer::of(&page.cut(shown)))
}

fn unknown() -> Error {
    Error::not_found("template")
}

/// The template that the path names, with its account.
async fn named(call: &Call) -> Result<(Waba, Template), Error> {
    let waba = accounts::named(call, call.param("wabaId")).await.map_err(|_| unknown())?;
    let found = call.engine().template(&waba.account.id, call.param("name"), call.param("language")).await?;
    Ok((waba, found.ok_or_else(unknown)?))
}

pub(crate) async fn get(call: Call) -> Handled {
    let (waba, template) = named(&call).await?;
    Ok(Answer::of(&shape(&template, &waba.account.external_id)))
}

/// Replaces all components.
pub(crate) async fn edit(call: Call) -> Handled {
    let body = call.body()?;
    let mut change = json!({ "components": components(&body.at().need("components")?)? });
    if let Some(seconds) = ttl(&body.at())? {
        change["message_send_ttl_seconds"] = seconds.into();
    }
    let (waba, template) = named(&call).await?;
    if !EDITABLE.contains(&template.status.as_str()) {
        let why = format!("a template that is {} cannot be edited", template.status);
        return Err(Error::new(Code::TemplateUneditable, why));
    }
    let edited = templates::edit(call.engine(), &waba.account, &template, &change).await.map_err(refused)?;
    Ok(Answer::of(&shape(&edited, &waba.account.external_id)))
}

/// Answers with the template as it was.
pub(crate) async fn delete(call: Call) -> Handled {
    let (waba, template) = named(&call).await?;
    let gone = std::slice::from_ref(&template);
    templates::delete(call.engine(), &waba.account, &template.name, gone, true).await.map_err(refused)?;
    Ok(Answer::of(&shape(&template, &waba.account.external_id)))
}

/// All languages of a name, as they were.
pub(crate) async fn delete_all(call: Call) -> Handled {
    let waba = accounts::named(&call, call.param("wabaId")).await.map_err(|_| unknown())?;
    let name = call.param("name").to_owned();
    let gone = of_account(&call, &waba, &Filter { name: Some(name.clone()), ..Filter::default() }).await?;
    if gone.is_empty() {
        return Err(unknown());
    }
    templates::delete(call.engine(), &waba.account, &name, &gone, false).await.map_err(refused)?;
    let shown: Vec<_> = gone.iter().map(|template| shape(template, &waba.account.external_id)).collect();
    Ok(Answer::of(&shown))
}
