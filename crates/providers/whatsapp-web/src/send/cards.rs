//! Cards with native buttons, alone or side by side.

use waproto::buffa::MessageField;
use waproto::whatsapp as wa;
use waproto::whatsapp::__buffa::oneof::message::interactive_message as cases;
use waproto::whatsapp::message::InteractiveMessage;
use waproto::whatsapp::message::interactive_message as card;
use web_wire::send::{Header, Interactive, MediaKind};

use super::files::{self, Uploaded};

pub(super) fn interactive(
    content: &Interactive,
    file: Option<Uploaded>,
    context: MessageField<wa::ContextInfo>,
) -> InteractiveMessage {
    InteractiveMessage {
        header: header(content, file),
        body: body(content.text.as_deref()),
        footer: content
            .footer
            .clone()
            .map(|text| MessageField::some(card::Footer { text: Some(text), ..Default::default() }))
            .unwrap_or_default(),
        context_info: context,
        interactive_message: Some(cases::InteractiveMessage::NativeFlowMessage(Box::new(flow(content)))),
        ..Default::default()
    }
}

/// `files`: one for each card that has one, in the order of the cards.
pub(super) fn carousel(
    text: &str,
    cards: &[Interactive],
    files: Vec<Uploaded>,
    context: MessageField<wa::ContextInfo>,
) -> InteractiveMessage {
    let mut files = files.into_iter();
    let cards = cards.iter().map(|content| {
        let file = matches!(content.header, Some(Header::Media(_))).then(|| files.next()).flatten();
        interactive(content, file, MessageField::none())
    });
    let carousel = card::CarouselMessage { cards: cards.collect(), message_version: Some(1), ..Default::default() };
    InteractiveMessage {
        body: body(Some(text)),
        context_info: context,
        interactive_message: Some(cases::InteractiveMessage::CarouselMessage(Box::new(carousel))),
        ..Default::default()
    }
}

fn body(text: Option<&str>) -> MessageField<card::Body> {
    text.map(|text| MessageField::some(card::Body { text: Some(text.to_owned()) })).unwrap_or_default()
}

fn flow(content: &Interactive) -> card::NativeFlowMessage {
    let button = |button: &web_wire::send::NativeButton| card::native_flow_message::NativeFlowButton {
        name: Some(button.name.clone()),
        button_params_json: Some(button.params.clone()),
    };
    card::NativeFlowMessage {
        buttons: content.buttons.iter().map(button).collect(),
        message_params_json: content.params.clone(),
        message_version: content.version.or(Some(1)),
    }
}

fn header(content: &Interactive, file: Option<Uploaded>) -> MessageField<card::Header> {
    let subtitle = content.subtitle.clone();
    match (&content.header, file) {
        (Some(Header::Text(title)), _) => {
            MessageField::some(card::Header { title: Some(title.clone()), subtitle, ..Default::default() })
        }
        (Some(Header::Media(media)), Some(file)) => MessageField::some(card::Header {
            title: content.title.clone(),
            subtitle,
            has_media_attachment: Some(true),
            media: Some(match media.kind {
                MediaKind::Video => cases::header::Media::VideoMessage(Box::new(files::video(media, file))),
                MediaKind::Document => cases::header::Media::DocumentMessage(Box::new(files::document(media, file))),
                _ => cases::header::Media::ImageMessage(Box::new(files::image(media, file))),
            }),
            ..Default::default()
        }),
        _ => MessageField::none(),
    }
}
