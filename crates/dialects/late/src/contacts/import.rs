//! `/whatsapp/contacts/import`: up to a thousand contacts, and what became of each.
//!
//! A row that cannot be read fails by itself. The others are written a slice at a time, so that other writers get their
//! turn between; a process killed in between has written whole slices, and the same import, sent again, skips them.

use std::sync::Arc;

use api::At;
use engine::roster::{Import, Imported, Row};
use engine::senders::Sender;
use serde::Serialize;
use serde_json::json;

use super::read::{self, words};
use crate::answer::Answer;
use crate::call::{Call, Handled, phone};
use crate::errors::Error;

const MOST: usize = 1000;
const SLICE: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Became {
    phone: String,
    name: String,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// It was there already, which is no failure.
    #[serde(skip)]
    skipped: bool,
}

impl Became {
    fn failed(at: &At<'_>, error: &Error) -> Self {
        let text = |name: &str| at.value().get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let error = Some(error.message().to_owned());
        Self { phone: text("phone"), name: text("name"), success: false, contact_id: None, error, skipped: false }
    }

    fn of(row: &Row, imported: Imported, skips: bool) -> Self {
        let (phone, name) = (row.phone.clone(), row.change.name.clone().unwrap_or_default());
        match imported {
            Imported::Created(id) => {
                Self { phone, name, success: true, contact_id: Some(id.hex24()), error: None, skipped: false }
            }
            Imported::Known => {
                let error = Some("A contact with this phone number already exists".to_owned());
                Self { phone, name, success: false, contact_id: None, error, skipped: skips }
            }
        }
    }
}

/// What is added to every row.
struct Defaults {
    tags: Vec<String>,
    groups: Vec<String>,
}

pub(crate) async fn import(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let sender = call.account(&at).await?;
    let named = |name: &str| at.read_nullable(name, |at| words(&at)).map(|words| words.flatten().unwrap_or_default());
    let defaults = Defaults { tags: named("defaultTags")?, groups: named("defaultGroups")? };
    let skips = at.read_nullable("skipDuplicates", |at| at.boolean())?.flatten().unwrap_or(true);
    let items = at.need("contacts")?.items(1..=MOST)?;
    let mut results: Vec<Option<Became>> = Vec::with_capacity(items.len());
    let mut good: Vec<(usize, Row)> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match row(item, &defaults) {
            Ok(row) => {
                good.push((index, row));
                results.push(None);
            }
            Err(error) => results.push(Some(Became::failed(item, &error))),
        }
    }
    write(&call, &sender, good, skips, &mut results).await?;
    let results: Vec<Became> = results.into_iter().flatten().collect();
    let created = results.iter().filter(|row| row.success).count();
    let skipped = results.iter().filter(|row| row.skipped).count();
    let failed = results.len() - created - skipped;
    let summary = json!({ "total": results.len(), "created": created, "skipped": skipped, "failed": failed });
    Ok(Answer::success(&json!({ "summary": summary, "results": results })))
}

/// A row cannot say whether somebody wants to hear from us: the ledger stays as it is.
fn row(at: &At<'_>, defaults: &Defaults) -> Result<Row, Error> {
    let phone = phone(&at.need("phone")?)?;
    let mut change = read::new(at)?;
    change.opted_in = None;
    let with = |own: Option<Vec<String>>, defaults: &[String]| {
        let mut all = own.unwrap_or_default();
        for word in defaults {
            if !all.contains(word) {
                all.push(word.clone());
            }
        }
        (!all.is_empty()).then_some(all)
    };
    (change.tags, change.labels) = (with(change.tags, &defaults.tags), with(change.labels, &defaults.groups));
    Ok(Row { phone, change })
}

async fn write(
    call: &Call,
    sender: &Arc<Sender>,
    good: Vec<(usize, Row)>,
    skips: bool,
    results: &mut [Option<Became>],
) -> Result<(), Error> {
    for slice in good.chunks(SLICE) {
        let wish = Import {
            engine: call.engine().clone(),
            sender: sender.clone(),
            rows: slice.iter().map(|(_, row)| row.clone()).collect(),
            proof: call.request_id().to_owned(),
        };
        let became = call.engine().perform(wish).await?;
        for ((index, row), imported) in slice.iter().zip(became) {
            results[*index] = Some(Became::of(row, imported, skips));
        }
    }
    Ok(())
}
