//! `/admin/instances/status`: how connections stand, page by page.

use engine::Id;
use serde_json::{Value, json};

use super::users;
use crate::answer::Answer;
use crate::body::split_names;
use crate::call::{Admin, Handled};
use crate::errors::Error;

const MOST: i64 = 1000;
const USUAL: i64 = 200;

pub(crate) async fn status(call: Admin) -> Handled {
    let limit = number(&call, "limit", USUAL)?;
    let offset = number(&call, "offset", 0)?;
    if !(1..=MOST).contains(&limit) {
        return Err(Error::bad("invalid limit parameter"));
    }
    if offset < 0 {
        return Err(Error::bad("invalid offset parameter"));
    }
    let wanted = wanted(&call)?;
    let mut members = users::members(&call.digigo, &call.organization).await?;
    if let Some(wanted) = &wanted {
        members.retain(|sender| wanted.contains(&sender.id));
    }
    let total = members.len() as i64;
    let page = members.into_iter().skip(usize::try_from(offset).unwrap_or(usize::MAX)).take(limit as usize);
    let mut data = Vec::new();
    for sender in page {
        data.push(instance(&call, users::of(&call.digigo, sender).await?));
    }
    let more = offset + (data.len() as i64) < total;
    let mut pagination = json!({
        "limit": limit, "offset": offset, "has_more": more, "next_offset": more.then_some(offset + limit),
    });
    if text(&call, "include_total")? == "true" {
        pagination["total"] = json!(total);
    }
    Ok(Answer::of(Value::Array(data)).beside("pagination", pagination))
}

fn instance(call: &Admin, seen: super::Shown) -> Value {
    let linked = seen.connected() && seen.logged_in();
    let health = if seen.has_client() { seen.health() } else { "no_client" };
    let mut all = json!({
        "id": seen.user.id(), "name": seen.user.sender.name, "jid": seen.jid(),
        "connected": seen.connected(), "loggedIn": seen.logged_in(), "hasClient": seen.has_client(),
        "connectionHealth": health, "lastSuccessfulConnect": seen.last_connect(),
        "autoReconnectErrors": seen.failures(), "enableAutoReconnect": true,
        "source": if seen.has_client() { "runtime" } else { "database" },
        "timestamp": call.digigo.options.rfc3339(call.engine().now()),
    });
    if !linked {
        all["qrcode"] = json!(seen.qr_picture());
        all["qrcode_text"] = json!(seen.qr_text().unwrap_or_default());
    }
    all
}

fn wanted(call: &Admin) -> Result<Option<Vec<Id>>, Error> {
    let names = split_names(&[text(call, "ids")?]);
    Ok((!names.is_empty()).then(|| names.iter().filter_map(|id| Id::parse_hex32(&id.to_ascii_lowercase())).collect()))
}

fn number(call: &Admin, name: &str, usual: i64) -> Result<i64, Error> {
    match text(call, name)?.as_str() {
        "" => Ok(usual),
        text => text.parse().map_err(|_| Error::bad(format!("invalid {name} parameter"))),
    }
}

fn text(call: &Admin, name: &str) -> Result<String, Error> {
    crate::call::query_text(&call.query, name)
}
