//! `/whatsapp/contacts/bulk`: the same done to many. Ids that are nobody's do not match.

use api::At;
use engine::Id;
use engine::roster::{Action, Bulk, DeleteMany};
use serde_json::json;

use super::read::words;
use crate::answer::Answer;
use crate::call::{CHANNEL, Call, Handled};
use crate::errors::Error;

const MOST: usize = 500;

#[derive(Clone, Copy)]
enum Word {
    Tags(fn(Vec<String>) -> Action),
    Groups(fn(Vec<String>) -> Action),
    Plain(fn() -> Action),
}

const ACTIONS: [(&str, Word); 8] = [
    ("addTags", Word::Tags(Action::AddTags)),
    ("removeTags", Word::Tags(Action::RemoveTags)),
    ("addGroups", Word::Groups(Action::AddLabels)),
    ("removeGroups", Word::Groups(Action::RemoveLabels)),
    ("optIn", Word::Plain(|| Action::Consent(true))),
    ("optOut", Word::Plain(|| Action::Consent(false))),
    ("block", Word::Plain(|| Action::Block(true))),
    ("unblock", Word::Plain(|| Action::Block(false))),
];

fn contacts(at: &At<'_>) -> Result<Vec<Id>, Error> {
    let mut ids = Vec::new();
    for item in at.need("contactIds")?.items(1..=MOST)? {
        ids.extend(Id::parse_hex24(item.text(1..=64)?));
    }
    Ok(ids)
}

pub(crate) async fn update(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let name = at.need("action")?.string(1..=32)?;
    let action = match at.need("action")?.word(&ACTIONS)? {
        Word::Tags(action) => action(some(&at, "tags")?),
        Word::Groups(action) => action(some(&at, "groups")?),
        Word::Plain(action) => action(),
    };
    let (engine, organization, ids) = (call.engine().clone(), call.organization(), contacts(&at)?);
    let proof = call.request_id().to_owned();
    let wish = Bulk { engine, organization, ids, action, channel: CHANNEL, proof };
    let touched = call.engine().perform(wish).await?;
    let answer = json!({ "action": name, "modified": touched.modified, "matched": touched.matched });
    Ok(Answer::success(&answer))
}

fn some(at: &At<'_>, name: &str) -> Result<Vec<String>, Error> {
    let place = at.need(name)?;
    let words = words(&place)?;
    if words.is_empty() { Err(place.refuse("must not be empty").into()) } else { Ok(words) }
}

pub(crate) async fn delete(call: Call) -> Handled {
    let said = call.body_or_query(&["contactIds"])?;
    let (engine, organization, ids) = (call.engine().clone(), call.organization(), contacts(&At::top(&said))?);
    let deleted = call.engine().perform(DeleteMany { engine, organization, ids }).await?;
    Ok(Answer::success(&json!({ "deleted": deleted })))
}
