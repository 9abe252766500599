//! `/labels`: an organization's labels.

use api::At;
use engine::clock::rfc3339;
use engine::labels::{self, Label, TEAM};
use serde::Serialize;
use serde_json::json;

use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::ids::Noun;
use crate::paging::Page;

/// What a label may look like; the first when nothing is said.
const COLORS: [(&str, &str); 13] = {
    const fn same(word: &'static str) -> (&'static str, &'static str) {
        (word, word)
    }
    [
        same("gray"),
        same("red"),
        same("orange"),
        same("amber"),
        same("yellow"),
        same("lime"),
        same("green"),
        same("emerald"),
        same("teal"),
        same("sky"),
        same("blue"),
        same("violet"),
        same("pink"),
    ]
};

#[derive(Serialize)]
struct Shown {
    id: String,
    object: &'static str,
    name: String,
    color: String,
    team_id: String,
    created_at: String,
    updated_at: String,
}

fn shown(label: &Label) -> Shown {
    Shown {
        id: Noun::Label.spell(&label.id),
        object: "label",
        name: label.name.clone(),
        color: label.color.clone(),
        team_id: label.team.clone(),
        created_at: rfc3339(label.created_at),
        updated_at: rfc3339(label.updated_at),
    }
}

pub(crate) async fn list(call: Call) -> Handled {
    let page: Page<engine::Id> = call.page(&call.query()?)?;
    let rows = call.engine().labels(&call.organization(), page.after.as_ref(), page.rows()).await?;
    Ok(call.paged(&page, rows, |label| label.id, shown))
}

pub(crate) async fn create(call: Call) -> Handled {
    let body = call.body()?;
    let name = body.at().need("name")?.text(1..=50)?;
    let color = color(&body.at())?.unwrap_or(COLORS[0].0);
    known_team(&body.at())?;
    let wish = labels::create(call.engine(), call.organization(), TEAM, name, color);
    call.commit(wish, shown).await
}

fn color(body: &At<'_>) -> Result<Option<&'static str>, Error> {
    Ok(body.read("color", |at| at.word(&COLORS))?)
}

/// There is one team, and it need not be named.
fn known_team(body: &At<'_>) -> Result<(), Error> {
    let Some(at) = body.maybe("team_id")? else {
        return Ok(());
    };
    if at.text(1..=64)? == TEAM { Ok(()) } else { Err(at.refuse("is not a team of this organization").into()) }
}

pub(crate) async fn get(call: Call) -> Handled {
    let id = call.id(Noun::Label, "id")?;
    let found = call.engine().label(&call.organization(), &id).await?;
    Ok(call.one(&shown(&found.ok_or_else(|| Noun::Label.not_found())?)))
}

pub(crate) async fn update(call: Call) -> Handled {
    let (id, body) = (call.id(Noun::Label, "id")?, call.body()?);
    let name = body.at().read("name", |at| at.text(1..=50))?;
    let wish = labels::Update {
        organization: call.organization(),
        id,
        name: name.map(str::to_owned),
        color: color(&body.at())?.map(str::to_owned),
        now: call.engine().now(),
    };
    Ok(call.one(&shown(&call.perform(wish).await?)))
}

pub(crate) async fn delete(call: Call) -> Handled {
    let id = call.id(Noun::Label, "id")?;
    call.perform(labels::Delete { organization: call.organization(), id }).await?;
    Ok(call.one(&json!({ "id": Noun::Label.spell(&id), "object": "label", "deleted": true })))
}
