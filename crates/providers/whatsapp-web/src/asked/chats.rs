//! What is done to chats and messages on all of the owner's devices.

use engine::sessions::CallError;
use waproto::whatsapp::sync_action_value::SyncActionMessageRange;
use web_wire::ask::Last;
use web_wire::jid::Jid;
use whatsapp_rust::Client;
use whatsapp_rust::features::{message_key, message_range};

use super::errors;
use crate::jids::theirs;
use crate::live::Connection;

pub(super) async fn typing(client: &Client, chat: &Jid, typing: bool, recording: bool) -> Result<(), CallError> {
    let (states, chat) = (client.chatstate(), theirs(chat));
    let done = match (typing, recording) {
        (true, true) => states.send_recording(&chat).await,
        (true, false) => states.send_composing(&chat).await,
        (false, _) => states.send_paused(&chat).await,
    };
    done.map_err(errors::of)
}

pub(super) async fn mark_read(
    client: &Client,
    chat: &Jid,
    author: Option<&Jid>,
    ids: &[String],
) -> Result<(), CallError> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    // In a direct chat the author is the chat.
    let author = author.filter(|_| !chat.is_person()).map(theirs);
    let done = client.mark_as_read(&theirs(chat), author.as_ref(), &ids).await;
    done.map_err(|error| errors::of_any(&error))
}

pub(super) async fn pin(client: &Client, chat: &Jid, pinned: bool) -> Result<(), CallError> {
    let (actions, chat) = (client.chat_actions(), theirs(chat));
    let done = if pinned { actions.pin_chat(&chat).await } else { actions.unpin_chat(&chat).await };
    done.map_err(errors::of)
}

/// An archived chat is pinned no longer.
pub(super) async fn archive(client: &Client, chat: &Jid, archived: bool, last: Option<Last>) -> Result<(), CallError> {
    let (actions, to, range) = (client.chat_actions(), theirs(chat), range(chat, last));
    if !archived {
        return actions.unarchive_chat(&to, range).await.map_err(errors::of);
    }
    actions.archive_chat(&to, range).await.map_err(errors::of)?;
    actions.unpin_chat(&to).await.map_err(errors::of)
}

pub(super) async fn mute(client: &Client, chat: &Jid, muted: bool, until: Option<i64>) -> Result<(), CallError> {
    let (actions, chat) = (client.chat_actions(), theirs(chat));
    let done = match (muted, until) {
        (true, Some(until)) => actions.mute_chat_until(&chat, until).await,
        (true, None) => actions.mute_chat(&chat).await,
        (false, _) => actions.unmute_chat(&chat).await,
    };
    done.map_err(errors::of)
}

pub(super) async fn star(
    client: &Client,
    chat: &Jid,
    id: &str,
    author: Option<&Jid>,
    own: bool,
    starred: bool,
) -> Result<(), CallError> {
    let (actions, chat, author) = (client.chat_actions(), theirs(chat), author.map(theirs));
    let done = match starred {
        true => actions.star_message(&chat, author.as_ref(), id, own).await,
        false => actions.unstar_message(&chat, author.as_ref(), id, own).await,
    };
    done.map_err(errors::of)
}

pub(super) async fn delete(client: &Client, chat: &Jid, last: Option<Last>) -> Result<(), CallError> {
    client.chat_actions().delete_chat(&theirs(chat), true, range(chat, last)).await.map_err(errors::of)
}

/// Up to where something is meant, if the owner said so.
fn range(chat: &Jid, last: Option<Last>) -> Option<SyncActionMessageRange> {
    let last = last?;
    let at = last.at?;
    let author = last.author.as_ref().map(theirs);
    let named = |id: String| (message_key(id, &theirs(chat), last.own, author.as_ref()), at);
    Some(message_range(at, None, last.id.clone().map(named).into_iter().collect()))
}

pub(super) async fn reject_call(live: &Connection, call_id: &str, from: &Jid) -> Result<(), CallError> {
    let from = theirs(from);
    live.client.voip().reject_call(call_id, &from, &from).await.map_err(errors::of)?;
    live.ringing.end(call_id);
    Ok(())
}
