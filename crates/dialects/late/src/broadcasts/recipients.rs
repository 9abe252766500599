//! Who gets a broadcast, and what became of each.

use api::At;
use engine::campaigns::{self, Add, Addressee, MOST_AT_ONCE, Recipient, Remove, Standing};
use engine::clock::rfc3339;
use serde_json::{Map, Value, json};

use super::{named, whose};
use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::paging::Page;
use crate::{reasons, template};

const USUAL: i64 = 100;

/// Handed over and not yet taken is pending too.
const STATUSES: [(&str, &[Standing]); 5] = [
    ("pending", &[Standing::Pending, Standing::Queued]),
    ("sent", &[Standing::Sent]),
    ("delivered", &[Standing::Delivered]),
    ("read", &[Standing::Read]),
    ("failed", &[Standing::Failed]),
];

fn status(standing: Standing) -> &'static str {
    STATUSES.iter().find(|(_, standings)| standings.contains(&standing)).map_or("pending", |(word, _)| word)
}

pub(super) fn read(at: &At<'_>, most: usize) -> Result<Vec<Addressee>, Error> {
    let mut all = Vec::new();
    for item in at.items(0..=most)? {
        all.push(Addressee {
            address: template::recipient(&item)?,
            name: item.read_nullable("name", |at| at.string(0..=255))?.flatten(),
            variables: template::variables(&item)?,
        });
    }
    Ok(all)
}

fn shape(it: &Recipient) -> Map<String, Value> {
    let shown = json!({
        "phone": it.address.value,
        "name": it.name,
        "variables": serde_json::from_str::<Value>(&it.variables).unwrap_or_else(|_| json!({})),
        "status": status(it.standing),
        "messageId": it.message_id.map(|id| id.hex24()),
        "error": campaigns::failure(it).map(|failure| reasons::of_failure(&failure)),
        "sentAt": it.sent_at.map(rfc3339),
        "deliveredAt": it.delivered_at.map(rfc3339),
        "readAt": it.read_at.map(rfc3339),
    });
    let Value::Object(mut shown) = shown else { return Map::new() };
    shown.retain(|_, value| !value.is_null());
    shown
}

pub(crate) async fn list(call: Call) -> Handled {
    let query = call.query()?;
    let page = Page::of(&query, USUAL)?;
    let wanted = query.at().read("status", |at| at.word(&STATUSES))?;
    let it = named(&call).await?;
    let standings = wanted.unwrap_or_default();
    let found = call.engine().campaign_recipients(&it, standings, page.limit, page.skip).await?;
    let counts = &it.counts;
    let of = |standing: &Standing| match standing {
        Standing::Pending => counts.pending,
        Standing::Queued => counts.queued,
        Standing::Sent => counts.sent,
        Standing::Failed => counts.failed,
        Standing::Delivered => counts.delivered,
        Standing::Read => counts.read,
    };
    let total = if wanted.is_some() { standings.iter().map(of).sum() } else { counts.total() };
    Ok(Answer::success(&json!({
        "recipients": found.iter().map(shape).collect::<Vec<_>>(),
        "pagination": page.show(total),
        "summary": {
            "total": counts.total(),
            "pending": counts.waiting(),
            "sent": counts.sent,
            "delivered": counts.delivered,
            "read": counts.read,
            "failed": counts.failed,
        },
    })))
}

pub(crate) async fn add(call: Call) -> Handled {
    let body = call.body()?;
    let place = body.at().need("recipients")?;
    let recipients = read(&place, MOST_AT_ONCE)?;
    if recipients.is_empty() {
        return Err(place.refuse("must not be empty").into());
    }
    let whose = whose(&named(&call).await?);
    let added = call.engine().perform(Add { engine: call.engine().clone(), whose, recipients }).await??;
    Ok(Answer::success(&json!({
        "added": added.added,
        "duplicates": added.duplicates,
        "totalRecipients": added.total,
    })))
}

pub(crate) async fn remove(call: Call) -> Handled {
    let said = call.body_or_query(&["phones"])?;
    let mut addresses = Vec::new();
    for item in At::top(&said).need("phones")?.items(1..=MOST_AT_ONCE)? {
        addresses.push(template::address(&item)?);
    }
    let whose = whose(&named(&call).await?);
    let removed = call.engine().perform(Remove { engine: call.engine().clone(), whose, addresses }).await??;
    Ok(Answer::success(&json!({ "removed": removed.removed, "totalRecipients": removed.total })))
}
