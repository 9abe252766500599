//! Saying that a message was read, and that an answer is being written. WhatsApp is told before the
//! caller is answered.

use api::At;
use engine::messages::mark_read;
use engine::senders::Sender;

use crate::call::{Call, Handled};
use crate::messages::shape;

pub(super) async fn send(call: &Call, sender: &Sender, at: &At<'_>) -> Handled {
    at.need("status")?.word(&[("read", ())])?;
    let message_id = at.need("message_id")?.text(1..=512)?;
    let typing = at.read("typing_indicator", |at| at.need("type")?.word(&[("text", ())]))?;
    if let Some(answer) = call.before().await? {
        return Ok(answer);
    }
    let message = mark_read(call.engine(), sender, message_id, typing.is_some()).await?;
    call.done(&shape::message(&message, &sender.address)).await
}
