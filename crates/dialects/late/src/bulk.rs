//! `/whatsapp/bulk`: one template to up to a hundred people, with an answer for each.
//!
//! Every message is accepted like any other and then waited for, all of them together and no longer than [`PATIENCE`];
//! what is still on its way then counts as sent. A caller who loses the answer finds the messages all the same.

use std::sync::Arc;
use std::time::Duration;

use engine::contacts::Address;
use engine::content::{Content, Template};
use engine::messages::{self, Consult, Message, New, Status, Terms};
use engine::senders::Sender;
use engine::{Outcome, regions};
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::accounts::{self, Business};
use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::reasons;
use crate::template;

const MOST: usize = 100;
/// Clients give up after 30 seconds.
const PATIENCE: Duration = Duration::from_secs(25);

struct Recipient {
    to: Address,
    variables: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Became {
    phone: String,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Became {
    fn failed(phone: String, error: String) -> Self {
        Self { phone, success: false, message_id: None, error: Some(error) }
    }
}

pub(crate) async fn send(call: Call) -> Handled {
    let body = call.body()?;
    let at = body.at();
    let template = template::read(&at.need("template")?)?;
    let mut recipients = Vec::new();
    for item in at.need("recipients")?.items(1..=MOST)? {
        recipients.push(Recipient { to: template::recipient(&item)?, variables: template::variables(&item)? });
    }
    let sender = call.account(&at).await?;
    let business = accounts::behind(&call, &sender).await?;
    let each = recipients.into_iter().map(|recipient| one(&call, &sender, &business, &template, recipient));
    let results = join_all(each).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let sent = results.iter().filter(|result| result.success).count();
    let summary = json!({ "total": results.len(), "sent": sent, "failed": results.len() - sent });
    Ok(Answer::success(&json!({ "summary": summary, "results": results })))
}

/// Only what goes wrong on our side is an error.
async fn one(
    call: &Call,
    sender: &Arc<Sender>,
    business: &Business,
    template: &Template,
    recipient: Recipient,
) -> Result<Became, Error> {
    let phone = recipient.to.value.clone();
    if regions::read(&phone).is_none() {
        return Ok(Became::failed(phone, reasons::INVALID.to_owned()));
    }
    let filled = business.provider.fill(template.clone(), &recipient.variables);
    let error = match answered(call, new(call, sender, recipient.to, filled)).await {
        Ok(Ok(message)) => return Ok(became(phone, &message)),
        Ok(Err(refusal)) => Error::from(refusal).message().to_owned(),
        Err(engine::Error::Dangling) => reasons::DELETED.to_owned(),
        Err(error) => return Err(error.into()),
    };
    Ok(Became::failed(phone, error))
}

/// A message as it stands once it was answered. It is dangling when somebody deleted its contact meanwhile.
async fn answered(call: &Call, new: New) -> Result<Outcome<Message>, engine::Error> {
    match call.engine().perform(messages::send(call.engine(), new)).await? {
        Ok(message) => messages::settled(call.engine(), &message.id, PATIENCE).await.map(Ok),
        Err(refusal) => Ok(Err(refusal)),
    }
}

fn new(call: &Call, sender: &Arc<Sender>, to: Address, template: Template) -> New {
    New {
        sender: sender.clone(),
        to,
        content: Content::Template(template),
        reply_to: None,
        provider_id: None,
        origin: crate::NAME,
        request_id: call.request_id().to_owned(),
        terms: Terms { opted_out: Consult::Always, blocked: Consult::Always, approved_only: true, ..Terms::default() },
    }
}

fn became(phone: String, message: &Message) -> Became {
    let success = message.status != Status::Failed;
    let error = (!success).then(|| reasons::of_message(message));
    Became { phone, success, message_id: Some(message.id.hex24()), error }
}
