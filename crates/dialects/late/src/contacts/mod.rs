//! `/whatsapp/contacts`: the people an account knows.

mod bulk;
mod import;
mod read;
mod shape;

use engine::roster::{Create, Filter, Update};
use engine::{Id, directory};
use serde_json::json;

pub(crate) use bulk::{delete as delete_many, update as update_many};
pub(crate) use import::import;

use crate::answer::Answer;
use crate::call::{CHANNEL, Call, Handled, phone};
use crate::errors::{Code, Error};
use crate::ids;
use crate::paging::Page;

const USUAL: i64 = 50;

pub(crate) async fn list(call: Call) -> Handled {
    let query = call.query()?;
    let (page, at) = (Page::of(&query, USUAL)?, query.at());
    let text = |name: &str| at.read(name, |at| at.string(0..=255)).map(|text| text.filter(|text| !text.is_empty()));
    let filter = Filter {
        search: text("search")?,
        tag: text("tag")?,
        label: text("group")?,
        opted_in: at.read("optedIn", |at| at.word(&[("true", true), ("false", false)]))?,
    };
    let sender = call.account(&at).await?;
    let engine = call.engine();
    let found = engine.roster(&sender, &filter, page.limit, page.skip).await?;
    let total = engine.roster_count(&sender, &filter).await?;
    let groups: Vec<_> = engine.roster_labels(&sender).await?.into_iter().map(|label| label.name).collect();
    Ok(Answer::success(&json!({
        "contacts": found.into_iter().map(shape::listed).collect::<Vec<_>>(),
        "filters": { "tags": engine.roster_tags(&sender).await?, "groups": groups },
        "pagination": page.show(total),
    })))
}

pub(crate) async fn create(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let sender = call.account(&at).await?;
    let number = phone(&at.need("phone")?)?;
    let change = read::new(&at)?;
    let (engine, proof) = (call.engine().clone(), call.request_id().to_owned());
    let made = call.engine().perform(Create { engine, sender, phone: number, change, proof }).await?;
    let taken = |_| Error::new(Code::Conflict, "A contact with this phone number already exists").at("phone");
    Ok(Answer::success(&json!({ "contact": shape::created(made.map_err(taken)?) })))
}

fn named(call: &Call) -> Result<Id, Error> {
    ids::parse(call.param("contactId"))
}

pub(crate) async fn get(call: Call) -> Handled {
    let found = call.engine().roster_entry(&call.organization(), &named(&call)?, CHANNEL).await?;
    let (entry, minds) = found.ok_or_else(Error::not_found)?;
    Ok(Answer::success(&json!({ "contact": shape::whole(entry, minds) })))
}

pub(crate) async fn update(call: Call) -> Handled {
    let (id, body) = (named(&call)?, call.body()?);
    let change = read::change(&body.at())?;
    let (engine, organization) = (call.engine().clone(), call.organization());
    let proof = call.request_id().to_owned();
    let entry = call.perform(Update { engine, organization, id, channel: CHANNEL, change, proof }).await?;
    Ok(Answer::success(&json!({ "contact": shape::updated(entry) })))
}

pub(crate) async fn delete(call: Call) -> Handled {
    let (engine, organization, id) = (call.engine().clone(), call.organization(), named(&call)?);
    call.perform(directory::Delete { engine, organization, id }).await?;
    Ok(Answer::success(&json!({ "message": "Contact deleted successfully" })))
}
