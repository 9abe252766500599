//! Templates: the name and language of one that is approved, and what fills it. The fillings are checked
//! as far as the contract goes and passed on in Meta's words.

use api::At;
use engine::content::{Content, Native, Template};

use crate::META;
use crate::errors::Error;

pub(super) fn read(at: &At<'_>) -> Result<Content, Error> {
    let name = at.need("name")?.string(1..=512)?;
    let language = language(&at.need("language")?)?;
    let components = at.read("components", |at| components(&at))?;
    Ok(Content::Template(Template { name, language, components }))
}

/// A bare code, or an object around one.
fn language(at: &At<'_>) -> Result<String, Error> {
    if at.value().is_string() {
        return Ok(at.string(2..=15)?);
    }
    at.read("policy", |at| at.string(0..=64))?;
    Ok(at.need("code")?.string(2..=15)?)
}

fn components(at: &At<'_>) -> Result<Native, Error> {
    for component in at.items(0..=100)? {
        check(&component)?;
    }
    Ok(Native { format: META.into(), name: "components".into(), json: at.value().clone(), text: None })
}

fn check(component: &At<'_>) -> Result<(), Error> {
    component.need("type")?.word(&[("header", ()), ("body", ()), ("button", ())])?;
    let words = [("url", ()), ("quick_reply", ()), ("copy_code", ()), ("flow", ())];
    component.read("sub_type", |at| at.word(&words))?;
    component.read("index", |at| at.integer(0..=i64::MAX))?;
    let parameters = component.read("parameters", |at| at.items(0..=100))?;
    for parameter in parameters.unwrap_or_default() {
        parameter.object()?;
    }
    Ok(())
}
