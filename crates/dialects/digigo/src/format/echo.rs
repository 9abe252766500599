//! What was sent through this API, told as the user's own message (notes §4): who, where and when, around the message
//! as its receivers see it.

use std::collections::HashMap;

use engine::content::Content;
use engine::events::Event;
use engine::format::Context;
use engine::messages::Message;
use web_wire::event::{self, Happening, MediaRef, MessageInfo, Source, Time};
use web_wire::jid::{CHANNEL, Jid, STATUS};
use web_wire::send::{Body, Media, MediaKind, Outgoing};

use super::sent::{File, Sent};
use crate::options::Options;
use crate::settings::Settings;

/// `None` where it is not to be told.
pub(super) async fn of(options: &Options, settings: &Settings, event: &Event, context: &Context) -> Option<Happening> {
    let message = context.message.as_ref()?;
    let outgoing = outgoing(message)?;
    if !options.echoes(settings, &outgoing) {
        return None;
    }
    let chat = Jid::of_text(&message.address).ok()?;
    let info = info(message, event, context, &chat);
    let sent = Sent {
        chat: &chat,
        me: &own(context, "jid").bare(),
        outgoing: &outgoing,
        at: event.created_at,
        files: &files(options, &outgoing.body).await,
    };
    let happening = Happening::from(event::Message::echo(info, sent.message()));
    Some(match media_ref(message, &outgoing.body) {
        Some(media) => happening.with_media(media),
        None => happening,
    })
}

fn outgoing(message: &Message) -> Option<Outgoing> {
    match Content::parse(&message.content).ok()? {
        Content::Native(native) if native.format == web_wire::FORMAT => serde_json::from_value(native.json).ok(),
        _ => None,
    }
}

fn info(message: &Message, event: &Event, context: &Context, chat: &Jid) -> MessageInfo {
    MessageInfo {
        source: source(context, chat),
        id: message.provider_id.clone().unwrap_or_default(),
        push_name: super::identity(context, "push_name").to_owned(),
        timestamp: Time::from_secs(event.created_at / 1000),
        ..MessageInfo::default()
    }
}

/// The account's own address, of one kind or the other, with its device.
fn own(context: &Context, kind: &str) -> Jid {
    super::identity(context, kind).parse().unwrap_or_default()
}

/// As another device of the account would have told it (reference: digigo-events §3).
fn source(context: &Context, chat: &Jid) -> Source {
    let phone = own(context, "jid");
    let mut hidden = own(context, "lid");
    if !hidden.is_empty() {
        hidden.device = phone.device;
    }
    let base = Source { chat: chat.clone(), is_from_me: true, ..Source::default() };
    match () {
        () if chat.server == CHANNEL => Source { sender: chat.clone(), ..base },
        () if chat.to_string() == STATUS || !(chat.is_group() || chat.is_person()) => {
            Source { sender: phone, is_group: true, ..base }
        }
        () if chat.is_group() => {
            Source { sender: phone, sender_alt: hidden, is_group: true, addressing_mode: "pn".into(), ..base }
        }
        () => {
            let (sender, mode) = if chat.is_hidden() { (hidden, "lid") } else { (phone, "pn") };
            Source { sender, addressing_mode: mode.into(), recipient_alt: other(context, chat), ..base }
        }
    }
}

/// The recipient's address of the other kind, where it is known.
fn other(context: &Context, chat: &Jid) -> Jid {
    let known = context.addresses.iter().filter_map(|address| Jid::of_neutral(&address.kind, &address.value).ok());
    known.filter(Jid::is_person).find(|jid| jid.is_hidden() != chat.is_hidden()).unwrap_or_default()
}

/// What is known of the files of a message that are here still.
async fn files(options: &Options, body: &Body) -> HashMap<String, File> {
    let mut files = HashMap::new();
    for blob in body.blobs() {
        // One that was removed is described without.
        if let Ok(opened) = options.blobs.open(blob).await {
            files.insert(blob.to_owned(), File { length: opened.size, sha256: opened.sha256 });
        }
    }
    files
}

fn media_ref(message: &Message, body: &Body) -> Option<MediaRef> {
    let Body::Media(Media { kind, blob, mime, animated, .. }) = body else { return None };
    (*kind != MediaKind::Ptv).then(|| MediaRef {
        key: blob.clone(),
        mime: mime.clone(),
        file_name: message.provider_id.clone().unwrap_or_default(),
        is_sticker: *kind == MediaKind::Sticker,
        sticker_animated: *animated,
    })
}

#[cfg(test)]
mod tests;
