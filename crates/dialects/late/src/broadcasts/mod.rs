//! `/whatsapp/broadcasts`: the engine's campaigns.

mod recipients;
mod shape;
mod state;

use engine::campaigns::{self, Campaign, Filter, New, State, Whose};
use serde_json::json;

pub(crate) use recipients::{add, list as list_recipients, remove};
pub(crate) use state::{delete, schedule, send, unschedule};

use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::ids;
use crate::paging::Page;
use crate::template;

const USUAL: i64 = 50;

impl From<campaigns::Refusal> for Error {
    fn from(refusal: campaigns::Refusal) -> Self {
        use campaigns::Refusal::{NoRecipients, NotFound, NotInFuture, TooFar, TooMany, WrongState};
        match refusal {
            NotFound => Self::not_found(),
            WrongState { state, wish } => {
                Self::invalid(format!("A broadcast with status \"{}\" cannot be {wish}", shape::status(state)))
            }
            NoRecipients => Self::invalid("Broadcast has no recipients"),
            NotInFuture => Self::of_field("scheduledAt", "must be in the future"),
            TooFar => Self::of_field("scheduledAt", "must be within 30 days"),
            TooMany { most } => Self::of_field("recipients", &format!("must have at most {most} items")),
        }
    }
}

/// The broadcast that the path names.
async fn named(call: &Call) -> Result<Campaign, Error> {
    let id = ids::parse(call.param("broadcastId"))?;
    let found = call.engine().campaign(&call.organization(), &id).await?;
    found.ok_or_else(Error::not_found)
}

fn whose(campaign: &Campaign) -> Whose {
    Whose { organization: campaign.organization_id, id: campaign.id }
}

pub(crate) async fn list(call: Call) -> Handled {
    let query = call.query()?;
    let (page, at) = (Page::of(&query, USUAL)?, query.at());
    let words = shape::STATUSES.map(|(state, word)| (word, state));
    let state: Option<State> = at.read("status", |at| at.word(&words))?;
    let sender = call.account(&at).await?;
    let filter = Filter { sender: Some(sender.id), state };
    let found = call.engine().campaigns(&call.organization(), &filter, page.limit, page.skip).await?;
    let total = call.engine().count_campaigns(&call.organization(), &filter).await?;
    let shown: Vec<_> = found.iter().map(shape::listed).collect();
    Ok(Answer::success(&json!({ "broadcasts": shown, "pagination": page.show(total) })))
}

pub(crate) async fn get(call: Call) -> Handled {
    Ok(Answer::success(&json!({ "broadcast": shape::whole(&named(&call).await?) })))
}

pub(crate) async fn create(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let name = at.need("name")?.string(1..=255)?;
    let description = at.read_nullable("description", |at| at.string(0..=1024))?.flatten();
    let template = template::read(&at.need("template")?)?;
    // As many as a body holds.
    let recipients = match at.maybe("recipients")?.and_then(api::At::or_null) {
        Some(at) => recipients::read(&at, usize::MAX)?,
        None => Vec::new(),
    };
    let sender = call.account(&at).await?;
    let organization = call.organization();
    let new = New { organization, sender, origin: crate::NAME, name, description, template, recipients };
    let made = call.engine().perform(campaigns::create(call.engine(), new)).await?;
    Ok(Answer::success(&json!({ "broadcast": shape::created(&made) })))
}
