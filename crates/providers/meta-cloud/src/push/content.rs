//! What somebody wrote, in neutral words where there are any.

use engine::content::{Card, Content, Location, Media, MediaKind, Native, Source};
use engine::facts::File;
use meta_wire::Tagged;
use meta_wire::send::card;
use meta_wire::tagged::Kinds;
use meta_wire::webhook::Content as Wire;
use meta_wire::webhook::message as wire;
use serde_json::Value;

use crate::FORMAT;

const BYTES: &str = "application/octet-stream";

/// The content, and the file that is to be fetched.
pub(super) fn content(body: &Tagged<Wire>) -> (Content, Option<File>) {
    match &body.content {
        Wire::Image(media) => with_file(MediaKind::Image, media),
        Wire::Video(media) => with_file(MediaKind::Video, media),
        Wire::Audio(media) => with_file(MediaKind::Audio, media),
        Wire::Document(media) => with_file(MediaKind::Document, media),
        Wire::Sticker(media) => with_file(MediaKind::Sticker, media),
        other => (without_file(other), None),
    }
}

fn with_file(kind: MediaKind, media: &wire::Media) -> (Content, Option<File>) {
    let id = media.id.as_str().to_owned();
    let file = File {
        external_id: id.clone(),
        mime: media.mime_type.clone().unwrap_or_else(|| BYTES.to_owned()),
        filename: media.filename.clone(),
    };
    let content = Content::Media(Media {
        kind,
        source: Source::Id(id),
        caption: media.caption.clone(),
        filename: media.filename.clone(),
        mime: media.mime_type.clone(),
        voice: media.voice == Some(true),
    });
    (content, Some(file))
}

fn without_file(content: &Wire) -> Content {
    match content {
        Wire::Text(text) => Content::Text { body: text.body.clone(), preview: false },
        Wire::Location(place) => Content::Location(location(place)),
        Wire::Contacts(cards) => Content::Contacts { cards: cards.iter().map(card).collect() },
        Wire::Reaction(reaction) => {
            Content::Reaction { target: reaction.message_id.clone(), emoji: reaction.emoji.clone().unwrap_or_default() }
        }
        Wire::Button(button) => tapped(button),
        Wire::Interactive(reply) => answer(content, reply),
        other => native(other),
    }
}

fn location(place: &wire::Location) -> Location {
    Location {
        latitude: place.latitude.get(),
        longitude: place.longitude.get(),
        name: place.name.clone(),
        address: place.address.clone(),
    }
}

/// The whole card goes along, for it has more than a name and numbers.
fn card(card: &card::Card) -> Card {
    let whole = serde_json::to_value(card).unwrap_or_default();
    Card {
        name: card.name.formatted_name.clone(),
        phones: card.phones.iter().filter_map(|phone| phone.phone.clone()).collect(),
        native: Some(named("contact", whole, None)),
    }
}

fn tapped(button: &wire::Button) -> Content {
    let title = button.text.clone().unwrap_or_default();
    Content::Choice {
        id: button.payload.clone().unwrap_or_else(|| title.clone()),
        title,
        description: None,
        of: "template".to_owned(),
    }
}

fn answer(content: &Wire, reply: &Tagged<wire::Reply>) -> Content {
    let (choice, of) = match &reply.content {
        wire::Reply::Button(choice) => (choice, "button"),
        wire::Reply::List(choice) => (choice, "list"),
        _ => return native(content),
    };
    Content::Choice {
        id: choice.id.clone(),
        title: choice.title.clone().unwrap_or_default(),
        description: choice.description.clone(),
        of: of.to_owned(),
    }
}

/// What has no neutral words: orders, forms, news of the system, and whatever Meta adds.
fn native(content: &Wire) -> Content {
    let json = content.write().ok().flatten().unwrap_or_default();
    let name = Some(content.kind()).filter(|kind| !kind.is_empty()).unwrap_or("unknown");
    Content::Native(named(name, json, readable(content)))
}

fn readable(content: &Wire) -> Option<String> {
    match content {
        Wire::System(system) => system.body.clone(),
        Wire::Order(order) => order.text.clone(),
        Wire::Interactive(reply) => match &reply.content {
            wire::Reply::Form(form) => form.body.clone(),
            _ => None,
        },
        _ => None,
    }
}

fn named(name: &str, json: Value, text: Option<String>) -> Native {
    Native { format: FORMAT.to_owned(), name: name.to_owned(), json, text }
}
