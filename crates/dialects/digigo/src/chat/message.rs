//! What is done to single messages.

use serde_json::{Value, json};
use web_wire::ask::Ask;
use web_wire::jid::Jid;
use web_wire::send::{Body, Outgoing, Target};

use super::address;
use crate::answer::Answer;
use crate::asking::ask;
use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::send;

/// How a caller says that a message is his own.
const OWN: &str = "me:";

pub(super) async fn delete(call: Call) -> Handled {
    let chat = address(&call, &["Phone"], "missing Phone in Payload")?;
    let id = call.body.needed(&["Id"], "missing Id in Payload")?;
    let target = Target { id, own: true, author: None };
    send::deliver(&call, chat, Outgoing::new(Body::Revoke { target }), None).await?;
    Ok(Answer::details("Message deleted"))
}

/// One's own message is marked by `me:` before the number or before the id (notes §10).
pub(super) async fn react(call: Call) -> Handled {
    let phone = call.body.needed(&["Phone"], "missing Phone in Payload")?;
    let id = call.body.needed(&["Id"], "missing Id in Payload")?;
    let emoji = call.body.text(&["Body"])?.ok_or_else(|| Error::bad("missing Body in Payload"))?;
    let own = phone.starts_with(OWN) || id.starts_with(OWN);
    let bare = |text: &str| text.strip_prefix(OWN).unwrap_or(text).to_owned();
    let chat = Jid::of_text(&bare(&phone)).map_err(|_| Error::bad("could not parse Phone"))?;
    let author = call.body.text(&["Participant", "Sender"])?;
    let author =
        author.map(|text| Jid::of_text(&text)).transpose().map_err(|_| Error::bad("could not parse Participant"))?;
    // Taking a reaction back is an empty one; some clients say so with a word.
    let emoji = if emoji == "remove" { String::new() } else { emoji };
    let target = Target { id: bare(&id), own, author };
    let sent = send::deliver(&call, chat, Outgoing::new(Body::Reaction { target, emoji }), None).await?;
    Ok(sent.answer(&call.digigo.options))
}

pub(super) async fn mark_read(call: Call) -> Handled {
    let ids = call.body.texts(&["Id"])?.filter(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| Error::bad("missing Id in Payload"))?;
    let chat = address(&call, &["Chat", "ChatPhone"], "missing Chat in Payload")?;
    let author = call.body.text(&["Sender", "SenderPhone"])?.filter(|text| !text.is_empty());
    let author =
        author.map(|text| Jid::of_text(&text)).transpose().map_err(|_| Error::bad("could not parse Sender"))?;
    let _: Value = ask(&call, Ask::MarkRead { chat, author, ids }).await?;
    Ok(Answer::details("Message(s) marked as read"))
}

pub(super) async fn star(call: Call) -> Handled {
    let chat = address(&call, &["chat_jid"], "missing chat_jid in payload")?;
    let id = call.body.needed(&["message_id"], "missing message_id in payload")?;
    let starred = call.body.flag(&["star"])?.ok_or_else(|| Error::bad("missing star in payload"))?;
    let own = call.body.is(&["from_me"])?;
    let author = call.body.text(&["sender_jid"])?.filter(|text| !text.is_empty());
    let author =
        author.map(|text| Jid::of_text(&text)).transpose().map_err(|_| Error::bad("could not parse sender_jid"))?;
    if chat.is_group() && author.is_none() && !own {
        return Err(Error::bad("missing sender_jid in payload"));
    }
    let wish = Ask::Star { chat: chat.clone(), id: id.clone(), author, own, starred };
    let _: Value = ask(&call, wish).await?;
    let message = if starred { "Message starred successfully" } else { "Message unstarred successfully" };
    Ok(Answer::of(json!({
        "success": true, "message": message, "chat_jid": chat, "message_id": id, "starred": starred,
    })))
}
