//! `POST /{phone_number_id}/messages`: one path for sending and for saying that something was read.
//! Which of the two is meant shows in whether the body has a `status`; what is sent, in its `type`.

mod interactive;
mod media;
mod receipt;
mod template;
mod text;

use std::sync::Arc;

use api::At;
use engine::contacts::{Address, PHONE};
use engine::content::{Content, MediaKind};
use engine::messages::{self, Consult, New, Terms};
use engine::senders::Sender;

use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::messages::shape;
use crate::phone;

type Reader = fn(&At<'_>) -> Result<Content, Error>;

/// What can be sent, and who reads it.
const TYPES: [(&str, Reader); 7] = [
    ("text", text::read),
    ("image", |at| media::read(at, MediaKind::Image)),
    ("document", |at| media::read(at, MediaKind::Document)),
    ("video", |at| media::read(at, MediaKind::Video)),
    ("audio", |at| media::read(at, MediaKind::Audio)),
    ("template", template::read),
    ("interactive", interactive::read),
];

pub(crate) async fn send(call: Call) -> Handled {
    let (sender, body) = (call.sender().await?, call.body()?);
    let at = body.at();
    at.need("messaging_product")?.word(&[("whatsapp", ())])?;
    if at.has("status") && !at.has("type") {
        // Boxed, so that sending is not as large as this.
        return Box::pin(receipt::send(&call, &sender, &at)).await;
    }
    let wish = messages::send(call.engine(), new(&call, sender.clone(), &at)?);
    call.commit(wish, move |message| shape::message(message, &sender.address)).await
}

fn new(call: &Call, sender: Arc<Sender>, at: &At<'_>) -> Result<New, Error> {
    let content = content(at)?;
    at.read("recipient_type", |at| at.word(&[("individual", ())]))?;
    let to = phone::read(&at.need("to")?)?;
    let reply_to = at.read("context", |at| at.need("message_id")?.string(1..=512))?;
    Ok(New {
        sender,
        to: Address { kind: PHONE.into(), value: to },
        content,
        reply_to,
        provider_id: None,
        origin: crate::NAME,
        request_id: call.request_id().to_owned(),
        terms: Terms { opted_out: Consult::Marketing, ..Terms::default() },
    })
}

fn content(at: &At<'_>) -> Result<Content, Error> {
    let kind = at.need("type")?;
    let read = kind.word(&TYPES)?;
    let name = kind.text(1..=64)?;
    read(&at.need(name)?)
}
