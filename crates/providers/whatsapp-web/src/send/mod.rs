//! One message on its way out.
//!
//! The message's id was chosen and committed before the first attempt, so trying again can never make a second
//! message: phones keep one of each id. A call returns when the server acknowledged the message. Without an
//! acknowledgement in time it is tried again, with the same id.

mod acks;
mod build;
mod cards;
mod errors;
mod files;
mod quote;

use std::time::Duration;

use engine::content::{Content, Native};
use engine::failure::{Code, SendError};
use engine::provider::{Outgoing, Sent};
use web_wire::jid::Jid;
use web_wire::send::{self as wire, Body};
use whatsapp_rust::send::{EditOptions, RevokeType, SendOptions};

pub(crate) use acks::{Ack, Acks};
use build::Build;

use crate::Options;
use crate::jids;
use crate::live::Connection;

/// How long a server may take to acknowledge a message.
const ACK_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest that typing is shown before a message.
const LONGEST_TYPING: Duration = Duration::from_secs(25);

/// Hands a message over and waits for the server's word.
pub(crate) async fn send(options: &Options, live: &Connection, message: &Outgoing) -> Result<Sent, SendError> {
    let (kind, value) = (message.to.kind.as_str(), message.to.value.as_str());
    let chat = Jid::of_neutral(kind, value)
        .map_err(|_| SendError::refused(Code::Rejected, "the recipient's address is not one of WhatsApp's"))?;
    let wanted = wanted(&message.content)?;
    if wanted.check_number {
        exists(live, &chat).await?;
    }
    if let Some(typing) = wanted.typing {
        show_typing(live, &chat, typing).await;
    }
    let id = message.provider_id.clone().unwrap_or_else(|| live.client.generate_message_id());
    let mut waiting = live.acks.wait(&id);
    hand_over(options, live, &chat, &id, &wanted).await?;
    let told = tokio::select! {
        told = &mut waiting.told => told.ok(),
        () = live.clock.sleep(ACK_TIMEOUT) => None,
    };
    match told {
        Some(Ack { error: None, .. }) => Ok(Sent::one(id)),
        Some(Ack { error: Some(code), .. }) => Err(errors::refused(&code)),
        // The same id again is the same message.
        None => Err(SendError::unknown("WhatsApp did not acknowledge the message")),
    }
}

/// What a dialect of linked accounts built, or what any other says in neutral words.
fn wanted(content: &Content) -> Result<wire::Outgoing, SendError> {
    let unsupported = |what: &str| SendError::refused(Code::Rejected, format!("a linked account cannot send {what}"));
    let body = match content {
        Content::Native(Native { format, json, .. }) if format == web_wire::FORMAT => {
            return serde_json::from_value(json.clone()).map_err(|error| {
                SendError::refused(Code::Other, format!("the stored message cannot be read: {error}"))
            });
        }
        Content::Text { body, .. } => Body::Text { text: body.clone(), preview: None },
        Content::Location(place) => Body::Location {
            latitude: place.latitude,
            longitude: place.longitude,
            name: place.name.clone().or_else(|| place.address.clone()),
        },
        Content::Reaction { target, emoji } => Body::Reaction {
            target: wire::Target { id: target.clone(), own: false, author: None },
            emoji: emoji.clone(),
        },
        other => return Err(unsupported(other.kind())),
    };
    Ok(wire::Outgoing::new(body))
}

async fn exists(live: &Connection, chat: &Jid) -> Result<(), SendError> {
    if !chat.is_person() || chat.is_hidden() {
        return Ok(());
    }
    let asked = [jids::theirs(chat)];
    let found = live.client.contacts().is_on_whatsapp(&asked).await.map_err(|error| errors::of(&error))?;
    match found.iter().any(|found| found.is_registered) {
        true => Ok(()),
        false => Err(SendError::refused(Code::RecipientUnreachable, "the number is not on WhatsApp")),
    }
}

/// Shown as long as asked for; that it cannot be shown is no reason not to send.
async fn show_typing(live: &Connection, chat: &Jid, typing: wire::Typing) {
    let (states, to) = (live.client.chatstate(), jids::theirs(chat));
    let shown = match typing.recording {
        true => states.send_recording(&to).await,
        false => states.send_composing(&to).await,
    };
    if shown.is_ok() {
        let wanted = Duration::from_millis(u64::from(typing.milliseconds));
        live.clock.sleep(wanted.min(LONGEST_TYPING)).await;
        let _ = states.send_paused(&to).await;
    }
}

async fn hand_over(
    options: &Options,
    live: &Connection,
    chat: &Jid,
    id: &str,
    wanted: &wire::Outgoing,
) -> Result<(), SendError> {
    let (client, to) = (&live.client, jids::theirs(chat));
    if let Body::Revoke { target } = &wanted.body {
        let kind = match &target.author {
            Some(author) if !target.own => RevokeType::Admin { original_sender: jids::theirs(author) },
            _ => RevokeType::Sender,
        };
        // The library names the deletion itself: it is the same for whoever sees it twice.
        let done = client.revoke_message(to, target.id.clone(), kind).await.map_err(|error| errors::of(&error));
        live.acks.tell(id, Ack { at: None, error: None });
        return done;
    }
    let mut files = Vec::new();
    for media in wanted.body.files() {
        let file = files::upload(client, &options.blobs, media).await;
        files.push(file.map_err(|error| errors::upload(&error))?);
    }
    let me = client.pn().map(|me| jids::ours(&me)).unwrap_or_default();
    let build = Build {
        chat,
        me: &me,
        context: wanted.context.as_ref(),
        expires_in: wanted.expires_in,
        now: live.clock.now(),
        secret: secret_of(id, &options.secret),
        files,
    };
    let message = build.message(&wanted.body).map_err(|error| SendError::refused(Code::Rejected, error.to_string()))?;
    let sent = match &wanted.body {
        Body::Edit { id: edited, .. } => {
            let named = EditOptions::default().with_stanza_id(id);
            client.edit_message_with_options(to, edited.clone(), message, named).await.map(drop)
        }
        _ => {
            let mut named = SendOptions::default().with_message_id(id).with_extra_stanza_nodes(extra(&wanted.body));
            if let Some(seconds) = wanted.expires_in {
                named = named.with_ephemeral_expiration(seconds);
            }
            client.send_message_with_options(to, message, named).await.map(drop)
        }
    };
    sent.map_err(|error| errors::of(&error))
}

/// Lists are only shown with a word of their own beside them.
fn extra(body: &Body) -> Vec<wacore_binary::Node> {
    use wacore_binary::builder::NodeBuilder;
    match body {
        Body::List(_) => {
            let list = NodeBuilder::new("list").attr("type", "product_list").attr("v", "2").build();
            vec![NodeBuilder::new("biz").children([list]).build()]
        }
        _ => Vec::new(),
    }
}

/// The same message has the same secret however often it is built.
fn secret_of(id: &str, key: &[u8; 32]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    digest.update(key);
    digest.update(id.as_bytes());
    digest.finalize().into()
}
