//! `/sms`: texts to phones.

use engine::content::Content;
use engine::messages::Message;
use engine::senders::Sender;
use serde::Serialize;

use crate::answer::Answer;
use crate::call::{Call, Handled, reachable};
use crate::carried::{self, Carried, SMS};
use crate::format::names::SMS_UPDATED;
use crate::messages::timeline::Timeline;

/// More than any carrier takes.
const LONGEST: usize = 1600;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    #[serde(flatten)]
    carried: Carried,
    text: String,
    sender_id: String,
    total_segments: usize,
}

pub(crate) fn shape(message: &Message, sender: &Sender, timeline: &Timeline) -> Shown {
    let content = Content::parse(&message.content).ok();
    let text = content.as_ref().and_then(Content::text).unwrap_or_default().to_owned();
    Shown {
        carried: Carried::of(message, timeline, "sms"),
        total_segments: sms_text::split(&text).parts.len().max(1),
        text,
        sender_id: carried::sender_id(sender).to_owned(),
    }
}

pub(crate) async fn send(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let to = reachable(&at.need("to")?)?;
    let text = at.need("text")?.string(1..=LONGEST)?;
    let signature = at.read_nullable("signature", |at| at.string(0..=50))?.flatten();
    let text = match signature.filter(|signature| !signature.is_empty()) {
        Some(signature) => format!("【{signature}】{text}"),
        None => text,
    };
    let from = at.read_nullable("senderId", |at| at.string(0..=32))?.flatten().filter(|from| !from.is_empty());
    let sender = carried::sender(&call, SMS, from.as_deref()).await.map_err(|error| error.at("senderId"))?;
    let echo = carried::echo(&call, &at, SMS_UPDATED).await?;
    let message = carried::take(&call, sender.clone(), to, Content::Text { body: text, preview: false }, echo).await?;
    Ok(Answer::of(&shape(&message, &sender, &Timeline::default())))
}

pub(crate) async fn list(call: Call) -> Handled {
    carried::list(&call, SMS, shape).await
}
