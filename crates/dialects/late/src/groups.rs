//! `/whatsapp/groups`: labels on an account's contacts. A group is there for as long as somebody is in it.

use api::At;
use engine::roster::{DeleteLabel, Filter, RenameLabel};
use serde_json::json;

use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::Error;

pub(crate) async fn list(call: Call) -> Handled {
    let query = call.query()?;
    let sender = call.account(&query.at()).await?;
    let engine = call.engine();
    let groups = engine.roster_labels(&sender).await?;
    let total = engine.roster_count(&sender, &Filter::default()).await?;
    let opted_in = engine.roster_count(&sender, &Filter { opted_in: Some(true), ..Filter::default() }).await?;
    let shown: Vec<_> = groups
        .iter()
        .map(|group| json!({ "name": group.name, "totalCount": group.total, "optedInCount": group.opted_in }))
        .collect();
    let summary = json!({ "totalContacts": total, "optedInContacts": opted_in, "groupCount": shown.len() });
    Ok(Answer::success(&json!({ "groups": shown, "summary": summary })))
}

fn name(at: &At<'_>, member: &str) -> Result<String, Error> {
    Ok(at.need(member)?.string(1..=100)?)
}

pub(crate) async fn rename(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let (old, new) = (name(&at, "oldName")?, name(&at, "newName")?);
    if old == new {
        return Err(Error::of_field("newName", "must not be the old name"));
    }
    let sender = call.account(&at).await?;
    let message = format!("Group renamed from \"{old}\" to \"{new}\"");
    let modified = call.engine().perform(RenameLabel { engine: call.engine().clone(), sender, old, new }).await?;
    Ok(Answer::success(&json!({ "message": message, "modified": modified })))
}

pub(crate) async fn delete(call: Call) -> Handled {
    let said = call.body_or_query(&[])?;
    let at = At::top(&said);
    let (sender, name) = (call.account(&at).await?, name(&at, "groupName")?);
    let message = format!("Group \"{name}\" deleted");
    let modified = call.engine().perform(DeleteLabel { engine: call.engine().clone(), sender, name }).await?;
    Ok(Answer::success(&json!({ "message": message, "modified": modified })))
}
