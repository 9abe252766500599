//! Pinned, archived, muted, deleted.

use serde_json::{Value, json};
use web_wire::ask::{Ask, Last};
use web_wire::jid::Jid;

use super::address;
use crate::answer::Answer;
use crate::asking::{USUAL, ask, ask_for, told_as};
use crate::call::{Call, Handled};
use crate::errors::Error;

const HOUR_MS: i64 = 3_600_000;

pub(super) async fn pin(call: Call) -> Handled {
    let chat = address(&call, &["phone"], "missing phone in payload")?;
    let pinned = call.body.flag(&["pin"])?.ok_or_else(|| Error::bad("missing pin in payload"))?;
    let _: Value = ask(&call, Ask::Pin { chat: chat.clone(), pinned }).await?;
    let message = if pinned { "Chat pinned successfully" } else { "Chat unpinned successfully" };
    Ok(Answer::of(json!({ "success": true, "message": message, "jid": chat, "pinned": pinned })))
}

pub(super) async fn archive(call: Call) -> Handled {
    let chat = address(&call, &["phone"], "missing phone in payload")?;
    let archived = call.body.flag(&["archive"])?.ok_or_else(|| Error::bad("missing archive in payload"))?;
    let last = last(&call, &["last_message_remote_jid", "last_message_sender_jid"])?;
    let _: Value = ask(&call, Ask::Archive { chat: chat.clone(), archived, last }).await?;
    let message = if archived { "Chat archived successfully" } else { "Chat unarchived successfully" };
    Ok(Answer::of(json!({ "success": true, "message": message, "jid": chat, "archived": archived })))
}

pub(super) async fn mute(call: Call) -> Handled {
    let chat = address(&call, &["phone"], "missing phone in payload")?;
    let muted = call.body.flag(&["mute"])?.ok_or_else(|| Error::bad("missing mute in payload"))?;
    let duration =
        call.body.text(&["mute_duration"])?.filter(|text| !text.is_empty()).unwrap_or_else(|| "always".into());
    let now = call.engine().now();
    let until = match duration.as_str() {
        "8h" => Some(now + 8 * HOUR_MS),
        "1w" => Some(now + 7 * 24 * HOUR_MS),
        "always" => None,
        _ => return Err(Error::bad("invalid mute_duration, must be: 8h, 1w, or always")),
    };
    let _: Value = ask(&call, Ask::Mute { chat: chat.clone(), muted, until }).await?;
    let message = if muted { "Chat muted successfully" } else { "Chat unmuted successfully" };
    Ok(Answer::of(json!({
        "success": true, "message": message, "jid": chat, "muted": muted, "duration": duration,
    })))
}

pub(super) async fn delete(call: Call) -> Handled {
    let chat = address(&call, &["phone"], "missing phone in payload")?;
    let last = last(&call, &["last_message_sender_jid"])?;
    let wish = Ask::DeleteChat { chat: chat.clone(), last };
    let done: Result<Value, _> = ask_for(&call, wish, USUAL).await;
    done.map_err(|error| told_as("failed to delete chat", error))?;
    Ok(Answer::of(json!({ "success": true, "message": "Chat deleted successfully", "jid": chat })))
}

/// The last message of the chat, where the caller says which.
fn last(call: &Call, author: &[&str]) -> Result<Option<Last>, Error> {
    let at = call.body.integer(&["last_message_timestamp"])?;
    let id = call.body.text(&["last_message_id"])?.filter(|id| !id.is_empty());
    let own = call.body.is(&["last_message_from_me"])?;
    let author = call.body.text(author)?.filter(|text| !text.is_empty());
    let author = author.map(|text| Jid::of_text(&text)).transpose();
    let author = author.map_err(|_| Error::bad("could not parse the last message's JID"))?;
    let said = at.is_some() || id.is_some();
    Ok(said.then_some(Last { id, at, own, author }))
}
