//! The two addresses of a person: by phone number, and by an id that hides it.

use serde_json::{Value, json};
use web_wire::ask::{Ask, Pair, Pairs};
use web_wire::jid::{HIDDEN, Jid};

use crate::answer::Answer;
use crate::asking::{USUAL, ask, ask_for, told};
use crate::call::{Call, Handled, query_text};
use crate::errors::Error;

/// In the query or in the body.
fn given(call: &Call, name: &str, complaint: &str) -> Result<String, Error> {
    let text = match call.body.text(&[name])? {
        Some(text) => text,
        None => query_text(&call.query, name)?,
    };
    if text.trim().is_empty() { Err(Error::bad(complaint)) } else { Ok(text) }
}

pub(super) async fn of_phone(call: Call) -> Handled {
    const WRONG: &str = "invalid phone/JID format";
    let phone = given(&call, "phone", WRONG)?;
    let address = Jid::of_text(&phone).ok().filter(|jid| jid.is_person() && !jid.is_hidden());
    let pair = both(&call, address.ok_or_else(|| Error::bad(WRONG))?).await?;
    Ok(Answer::of(json!({
        "success": true, "phone": pair.phone, "lid": pair.hidden, "created_at": pair.known_since / 1000,
        "message": "LID retrieved successfully",
    })))
}

/// Digits, maybe a device, then `@lid` (notes §24).
pub(super) async fn of_lid(call: Call) -> Handled {
    const WRONG: &str = "invalid LID format";
    let lid = given(&call, "lid", WRONG)?;
    let address = lid
        .parse::<Jid>()
        .ok()
        .filter(|jid| jid.server == HIDDEN && jid.agent == 0 && jid.user.bytes().all(|byte| byte.is_ascii_digit()));
    let pair = both(&call, address.ok_or_else(|| Error::bad(WRONG))?).await?;
    Ok(Answer::of(json!({
        "success": true, "lid": pair.hidden, "phone": pair.phone, "created_at": pair.known_since / 1000,
        "message": "Phone/JID retrieved successfully",
    })))
}

async fn both(call: &Call, address: Jid) -> Result<Pair, Error> {
    let found: Option<Pair> = ask_for(call, Ask::BothAddresses { address }, USUAL).await.map_err(told)?;
    found.ok_or_else(|| Error::not_found("LID mapping not found"))
}

pub(super) async fn mappings(call: Call) -> Handled {
    let number = |name: &str, usual: u32| match query_text(&call.query, name)?.as_str() {
        "" => Ok(usual),
        text => text.parse().map_err(|_| Error::bad(format!("invalid {name} parameter"))),
    };
    let (limit, offset) = (number("limit", 100)?.min(1000), number("offset", 0)?);
    let found: Pairs = ask(&call, Ask::KnownPairs { limit, offset }).await?;
    let mappings: Vec<Value> = found
        .pairs
        .iter()
        .enumerate()
        .map(|(index, pair)| {
            let since = pair.known_since / 1000;
            json!({
                "id": offset as usize + index + 1, "phone": pair.phone, "lid": pair.hidden, "created_at": since,
                "last_used": since, "usage_count": 0,
            })
        })
        .collect();
    Ok(Answer::of(json!({
        "success": true, "total": found.total, "limit": limit, "offset": offset, "mappings": mappings,
        "message": "LID mappings retrieved successfully",
    })))
}
