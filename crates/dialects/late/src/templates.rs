//! `/whatsapp/templates`: by name alone. Where a name has several languages, the approved one stands for all, else the
//! newest.

use api::At;
use engine::provider::CallError;
use engine::senders::Sender;
use engine::templates::{self, APPROVED, ChangeError, Filter, Template};
use serde_json::{Map, Value, json};

use crate::accounts::{self, Business};
use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::Error;

/// More than an account may have.
const ALL: i64 = 10_000;

/// Three states are known here. What may come back is pending.
fn status(word: &str) -> &'static str {
    match word {
        APPROVED => "APPROVED",
        "PENDING" | "IN_APPEAL" | "PAUSED" => "PENDING",
        _ => "REJECTED",
    }
}

fn shape(template: &Template) -> Map<String, Value> {
    let shown = json!({
        "id": template.external_id.as_deref().unwrap_or_default(),
        "name": template.name,
        "status": status(&template.status),
        "category": template.category,
        "language": template.language,
        "components": serde_json::from_str::<Value>(&template.components).unwrap_or_default(),
    });
    let Value::Object(shown) = shown else { return Map::new() };
    shown
}

fn without(template: &Template, names: &[&str]) -> Map<String, Value> {
    let mut shown = shape(template);
    shown.retain(|name, _| !names.contains(&name.as_str()));
    shown
}

async fn all(call: &Call, sender: &Sender, name: Option<&str>) -> Result<Vec<Template>, Error> {
    let filter = Filter { name: name.map(str::to_owned), ..Filter::default() };
    Ok(call.engine().templates(&call.organization(), &sender.account_id, &filter, ALL).await?)
}

/// All languages of the name in the path, the one that stands for them first.
async fn named(call: &Call, sender: &Sender) -> Result<Vec<Template>, Error> {
    let mut found = all(call, sender, Some(call.param("templateName"))).await?;
    found.sort_by_key(|template| template.status != APPROVED);
    if found.is_empty() { Err(Error::not_found()) } else { Ok(found) }
}

async fn behind(call: &Call, sender: &Sender) -> Result<Business, Error> {
    let business = accounts::behind(call, sender).await?;
    match business.provider.templates() {
        Some(_) => Ok(business),
        None => Err(Error::invalid("This account has no WhatsApp Business account").at("accountId")),
    }
}

pub(crate) async fn list(call: Call) -> Handled {
    let query = call.query()?;
    let sender = call.account(&query.at()).await?;
    behind(&call, &sender).await?;
    let shown: Vec<_> = all(&call, &sender, None).await?.iter().map(shape).collect();
    Ok(Answer::success(&json!({ "templates": shown })))
}

pub(crate) async fn get(call: Call) -> Handled {
    let query = call.query()?;
    let sender = call.account(&query.at()).await?;
    let found = named(&call, &sender).await?;
    Ok(Answer::success(&json!({ "template": found.first().map(shape) })))
}

pub(crate) async fn create(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let categories = ["AUTHENTICATION", "MARKETING", "UTILITY"].map(|word| (word, word));
    let definition = json!({
        "name": name(&at.need("name")?)?,
        "language": at.need("language")?.string(2..=15)?,
        "category": at.need("category")?.word(&categories)?,
        "components": components(&at.need("components")?)?,
    });
    let sender = call.account(&at).await?;
    let business = behind(&call, &sender).await?;
    let made = templates::create(call.engine(), &business.account, &definition).await.map_err(refused)?;
    Ok(Answer::success(&json!({ "template": without(&made, &["components"]) })))
}

/// Stricter than Meta's: a letter comes first.
fn name(at: &At<'_>) -> Result<String, Error> {
    let text = at.text(1..=512)?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let good = text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(plain);
    let why = "must begin with a lower-case letter and have lower-case letters, digits and underscores only";
    if good { Ok(text.to_owned()) } else { Err(at.refuse(why).into()) }
}

/// What a template is made of, in Meta's words. Their kinds may come in lower case. Meta checks the inside.
fn components(at: &At<'_>) -> Result<Value, Error> {
    let mut all = Vec::new();
    for component in at.items(1..=20)? {
        let kind = component.need("type")?.text(1..=64)?.to_uppercase();
        let mut members = component.object()?.clone();
        members.insert("type".into(), kind.into());
        if let Some(Value::String(format)) = members.get("format") {
            let format = format.to_uppercase();
            members.insert("format".into(), format.into());
        }
        if let Some(Value::Array(buttons)) = members.get_mut("buttons") {
            for button in buttons {
                if let Some(Value::String(kind)) = button.get("type") {
                    let kind = kind.to_uppercase();
                    button["type"] = kind.into();
                }
            }
        }
        all.push(Value::Object(members));
    }
    Ok(Value::Array(all))
}

pub(crate) async fn edit(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let change = json!({ "components": components(&at.need("components")?)? });
    let sender = call.account(&at).await?;
    let business = behind(&call, &sender).await?;
    let found = named(&call, &sender).await?;
    let template = found.first().ok_or_else(Error::not_found)?;
    let edited = templates::edit(call.engine(), &business.account, template, &change).await.map_err(refused)?;
    Ok(Answer::success(&json!({ "template": without(&edited, &["components", "category", "language"]) })))
}

/// In all languages.
pub(crate) async fn delete(call: Call) -> Handled {
    let said = call.body_or_query(&[])?;
    let sender = call.account(&At::top(&said)).await?;
    let business = behind(&call, &sender).await?;
    let (name, gone) = (call.param("templateName"), named(&call, &sender).await?);
    templates::delete(call.engine(), &business.account, name, &gone, false).await.map_err(refused)?;
    Ok(Answer::success(&json!({ "message": format!("Template \"{name}\" deleted successfully") })))
}

fn refused(error: ChangeError) -> Error {
    match error {
        ChangeError::Unsupported => Error::invalid("This account has no WhatsApp Business account").at("accountId"),
        ChangeError::Call(CallError::Refused { message, code, details }) => {
            Error::of_meta(message, code, details.as_deref())
        }
        ChangeError::Call(error) => error.into(),
        ChangeError::Store(error) => error.into(),
    }
}
