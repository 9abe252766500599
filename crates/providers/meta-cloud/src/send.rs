//! Messages on their way out.

mod content;
mod parts;

use engine::contacts::{Address, PHONE, USER};
use engine::failure::{Code, SendError};
use engine::provider::{Account, Outgoing, Sent};
use engine::senders::Sender;
use meta_wire::send as wire;

use crate::{MetaCloud, failure};

impl MetaCloud {
    pub(crate) async fn send_message(
        &self,
        account: &Account,
        sender: &Sender,
        message: &Outgoing,
    ) -> Result<Sent, SendError> {
        let body = body(message)?;
        let graph = self.graph(account).map_err(|error| SendError {
            retry: engine::failure::Retry::Stop,
            ..SendError::refused(Code::AccountProblem, error.to_string())
        })?;
        let sent = graph.send(&sender.external_id, &body).await.map_err(failure::of_send)?;
        match sent.id() {
            Some(id) if !id.is_empty() => Ok(Sent::one(id)),
            _ => Err(SendError::unknown("Meta's answer names no message.")),
        }
    }
}

/// What is posted.
fn body(message: &Outgoing) -> Result<wire::Outgoing, SendError> {
    let (to, recipient) = recipient(&message.to)?;
    let context =
        message.reply_to.as_ref().map(|id| wire::Context { message_id: id.clone(), ..wire::Context::default() });
    Ok(wire::Outgoing {
        recipient_type: Some("individual".to_owned()),
        to,
        recipient,
        context,
        biz_opaque_callback_data: Some(message.id.hex24()),
        body: content::content(&message.content)?.into(),
        ..wire::Outgoing::default()
    })
}

/// `to` and `recipient`. A number without its plus might get our own country's code put in front.
fn recipient(address: &Address) -> Result<(Option<String>, Option<String>), SendError> {
    match address.kind.as_str() {
        PHONE => Ok((Some(format!("+{}", address.value.trim_start_matches('+'))), None)),
        USER => Ok((None, Some(address.value.clone()))),
        _ => Err(rejected("Only phone numbers and user ids can be written to.")),
    }
}

fn rejected(message: &str) -> SendError {
    SendError::refused(Code::Rejected, message)
}

#[cfg(test)]
mod tests;
