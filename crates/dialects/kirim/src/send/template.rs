//! Templates: the name and language of one that is approved, and what fills it. The fillings are checked
//! as far as the contract goes and passed on in Meta's words.

use api::At;
use engine::content::{Content, Native, Template};

use crate::META;
use crate::errors::Error;

pub(super) fn read(at: &At<'_>) -> Result<Content, Error> {
    let name = at.need("name")?.text(1..=512)?.to_owned();
    let language = language(&at.need("language")?)?;
    let components = at
        .maybe("components")?
        .map(|at| components(&at))
        .transpose()?;
    Ok(Content::Template(Template {
        name,
        language,
        components,
    }))
}

/// A bare code, or an object around one.
fn language(at: &At<'_>) -> Result<String, Error> {
    if at.value().is_string() {
        return Ok(at.text(2..=15)?.to_owned());
    }
    if let Some(policy) = at.maybe("policy")? {
        policy.text(0..=64)?;
    }
    Ok(at.need("code")?.text(2..=15)?.to_owned())
}

fn components(at: &At<'_>) -> Result<Native, Error> {
    for component in at.items(0..=100)? {
        check(&component)?;
    }
    Ok(Native {
        format: META.into(),
        name: "components".into(),
        json: at.value().clone(),
        text: None,
    })
}

fn check(component: &At<'_>) -> Result<(), Error> {
    component
        .need("type")?
        .word(&[("header", ()), ("body", ()), ("button", ())])?;
    if let Some(at) = component.maybe("sub_type")? {
        at.word(&[
            ("url", ()),
            ("quick_reply", ()),
            ("copy_code", ()),
            ("flow", ()),
        ])?;
    }
    if let Some(at) = component.maybe("index")? {
        at.integer(0..=i64::MAX)?;
    }
    for parameter in component
        .maybe("parameters")?
        .map(|at| at.items(0..=100))
        .transpose()?
        .unwrap_or_default()
    {
        parameter.object()?;
    }
    Ok(())
}
