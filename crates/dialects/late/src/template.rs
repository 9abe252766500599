//! A template that is to be sent, and whom to.

use api::At;
use engine::contacts::{Address, PHONE};
use engine::content::{Native, Template};
use engine::regions;
use meta_wire::FORMAT;
use serde_json::{Map, Value};

use crate::errors::Error;

/// What is sent to everybody; each may have values of their own in it.
pub(crate) fn read(at: &At<'_>) -> Result<Template, Error> {
    let components = at.read_nullable("components", |at| components(&at))?.flatten();
    Ok(Template { name: at.need("name")?.string(1..=512)?, language: at.need("language")?.string(2..=15)?, components })
}

/// As they are sent to Meta, whose business their inside is.
fn components(at: &At<'_>) -> Result<Native, Error> {
    let mut all = Vec::new();
    for component in at.items(0..=20)? {
        let kind = component.need("type")?.text(1..=64)?.to_lowercase();
        let mut members = component.object()?.clone();
        members.insert("type".into(), kind.into());
        all.push(Value::Object(members));
    }
    Ok(Native { format: FORMAT.into(), name: "components".into(), json: all.into(), text: None })
}

/// One recipient's values, by the names of the template's variables.
pub(crate) fn variables(at: &At<'_>) -> Result<Map<String, Value>, Error> {
    let Some(place) = at.maybe("variables")?.and_then(At::or_null) else { return Ok(Map::new()) };
    let members = place.object()?;
    if members.len() > 100 {
        return Err(place.refuse("must have 0 to 100 members").into());
    }
    for name in members.keys() {
        place.need(name)?.text(0..=1024)?;
    }
    Ok(members.clone())
}

/// A recipient's number. One that nobody can have is taken as it stands, and fails by itself when it is sent to.
pub(crate) fn recipient(at: &At<'_>) -> Result<Address, Error> {
    address(&at.need("phone")?)
}

pub(crate) fn address(place: &At<'_>) -> Result<Address, Error> {
    let text = place.text(1..=64)?;
    let value = regions::read(text).or_else(|| impossible(text));
    let why = "must be a phone number in E.164 format, like +14155552671";
    Ok(Address { kind: PHONE.into(), value: value.ok_or_else(|| place.refuse(why))? })
}

/// A number that nobody can have, without the signs that people write between digits.
fn impossible(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !"-./()".contains(*c)).collect();
    let digits = text.trim_start_matches('+');
    let numeric = (3..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    numeric.then(|| format!("+{digits}"))
}
