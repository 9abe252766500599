//! What the account shows of itself.

use serde_json::{Value, json};
use web_wire::ask::{Ask, Privacy};

use crate::answer::Answer;
use crate::asking::ask;
use crate::call::{Call, Handled};
use crate::errors::Error;

pub(super) async fn about(call: Call) -> Handled {
    let status: String = ask(&call, Ask::About).await?;
    Ok(Answer::of(json!({ "status": status })))
}

pub(super) async fn set_about(call: Call) -> Handled {
    let status = call.body.text(&["status"])?.ok_or_else(Error::undecodable)?;
    let _: Value = ask(&call, Ask::SetAbout { text: status.clone() }).await?;
    Ok(Answer::of(json!({ "success": true, "message": "Status updated successfully", "status": status })))
}

pub(super) async fn set_push_name(call: Call) -> Handled {
    let name = call.body.needed(&["push_name"], "push name cannot be empty")?;
    let _: Value = ask(&call, Ask::SetPushName { push_name: name.clone() }).await?;
    Ok(Answer::of(json!({ "success": true, "message": "Push name updated successfully", "push_name": name })))
}

pub(super) async fn presence(call: Call) -> Handled {
    let available = match call.body.text(&["type"])?.as_deref() {
        Some("available") => true,
        Some("unavailable") => false,
        _ => return Err(Error::bad("Invalid presence type. Allowed values: 'available', 'unavailable'")),
    };
    let _: Value = ask(&call, Ask::Presence { available }).await?;
    // Spelt as published.
    Ok(Answer::details("Presence set successfuly"))
}

pub(super) async fn privacy(call: Call) -> Handled {
    let found: Privacy = ask(&call, Ask::Privacy).await?;
    Ok(Answer::of(json!({
        "group_add": found.group_add, "last_seen": found.last_seen, "status": found.about, "profile": found.picture,
        "read_receipts": found.read_receipts, "online": found.online, "call_add": found.call_add,
    })))
}
