//! Typing and recording.

use serde_json::Value;
use web_wire::ask::Ask;

use super::address;
use crate::answer::Answer;
use crate::asking::ask;
use crate::call::{Call, Handled};
use crate::errors::Error;

pub(super) async fn set(call: Call) -> Handled {
    let chat = address(&call, &["Phone"], "missing Phone in Payload")?;
    let state = call.body.needed(&["State"], "missing State in Payload")?;
    let typing = match state.as_str() {
        "composing" | "recording" => true,
        "paused" => false,
        _ => return Err(Error::bad("invalid State, must be: composing or paused")),
    };
    let recording = state == "recording" || call.body.text(&["Media"])?.as_deref() == Some("audio");
    let _: Value = ask(&call, Ask::Typing { chat, typing, recording }).await?;
    // Spelt as published.
    Ok(Answer::details("Chat presence set successfuly"))
}
