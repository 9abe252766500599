//! What a body says of a contact, its number left out.

use api::At;
use engine::roster::Change;
use serde_json::Value;

use crate::errors::Error;

const NAME: std::ops::RangeInclusive<usize> = 1..=255;
const TEXT: std::ops::RangeInclusive<usize> = 0..=255;
const NOTES: std::ops::RangeInclusive<usize> = 0..=5000;

/// One that is to be made. Whoever is known already loses nothing by it, and is not opted in again: clients send `true`
/// where their callers said nothing.
pub(super) fn new(at: &At<'_>) -> Result<Change, Error> {
    let name = at.need("name")?.string(NAME)?;
    let said = change(at)?;
    Ok(Change {
        name: Some(name),
        email: said.email.filter(Option::is_some),
        company: said.company.filter(Option::is_some),
        notes: said.notes.filter(Option::is_some),
        blocked: None,
        opted_in: said.opted_in.filter(|wanted| !wanted),
        ..said
    })
}

/// One that there is.
pub(super) fn change(at: &At<'_>) -> Result<Change, Error> {
    let nullable = |name: &str, length| at.read_nullable(name, |at| at.string(length));
    Ok(Change {
        name: at.read("name", |at| at.string(NAME))?,
        email: at.read_nullable("email", |at| email(&at))?.map(Option::flatten),
        company: nullable("company", TEXT)?,
        notes: nullable("notes", NOTES)?,
        tags: at.read_nullable("tags", |at| words(&at))?.flatten(),
        labels: at.read_nullable("groups", |at| words(&at))?.flatten(),
        attributes: at.read_nullable("customFields", |at| fields(&at))?.flatten().unwrap_or_default(),
        blocked: at.read_nullable("isBlocked", |at| at.boolean())?.flatten(),
        opted_in: at.read_nullable("isOptedIn", |at| at.boolean())?.flatten(),
    })
}

/// `None`: an empty one.
fn email(at: &At<'_>) -> Result<Option<String>, Error> {
    let text = at.text(TEXT)?;
    if text.is_empty() {
        return Ok(None);
    }
    let plausible = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
        && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if plausible { Ok(Some(text.to_owned())) } else { Err(at.refuse("must be an email address").into()) }
}

/// Names of tags or groups, each once, in the order given; empty ones are none.
pub(super) fn words(at: &At<'_>) -> Result<Vec<String>, Error> {
    let mut words: Vec<String> = Vec::new();
    for item in at.items(0..=100)? {
        let word = item.string(0..=100)?;
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
    }
    Ok(words)
}

/// Null takes a field away.
fn fields(at: &At<'_>) -> Result<Vec<(String, Option<Value>)>, Error> {
    let members = at.object()?;
    if members.len() > 200 {
        return Err(at.refuse("must have 0 to 200 members").into());
    }
    let mut fields = Vec::with_capacity(members.len());
    for name in members.keys() {
        if name.is_empty() || name.chars().count() > 100 {
            return Err(at.refuse("must have names of 1 to 100 characters").into());
        }
        let value = at.read_nullable(name, |at| at.string(NOTES))?.flatten();
        fields.push((name.clone(), value.map(Value::from)));
    }
    Ok(fields)
}
