//! `/whatsapp/messages`: sending, now or when its turn comes, and reading what was sent; saying that something was read.

mod content;
mod direct;
mod read;
pub(crate) mod shape;
pub(crate) mod timeline;

use engine::Id;
use engine::messages::{self, Direction, ReadError};
use engine::senders::Sender;

use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::ids::Noun;

pub(crate) use direct::send as send_directly;

/// The channel of all that this resource speaks of.
pub(crate) const CHANNEL: &str = "whatsapp";

/// Takes a message; it is sent when its turn comes.
pub(crate) async fn send(call: Call) -> Handled {
    let body = call.body()?;
    let new = read::new(&call, &body.at(), read::Way::Queued).await?;
    let (sender, wish) = (new.sender.clone(), messages::send(call.engine(), new));
    let message = call.perform(wish).await?;
    let account = call.engine().account(&sender.account_id).await?;
    let waba = account.map(|account| account.external_id.clone()).unwrap_or_default();
    Ok(Answer::of(&shape::accepted(&message, &sender, &waba)))
}

/// A message of ours to somebody on WhatsApp, with what became of it.
pub(crate) async fn get(call: Call) -> Handled {
    let id = Noun::Message.parse(call.param("id"))?;
    let (message, sender) = own(&call, &id).await?.ok_or_else(|| Error::not_found("message"))?;
    if message.direction != Direction::Outbound {
        return Err(Error::not_found("message"));
    }
    shape::answer(&call, &message, &sender).await
}

/// A message of the caller's with its sender.
async fn own(call: &Call, id: &Id) -> Result<Option<(messages::Message, Sender)>, Error> {
    let Some(message) = call.engine().message_of(&call.organization(), id).await? else { return Ok(None) };
    let sender = call.engine().sender_by_id(&message.sender_id).await?;
    Ok(sender.filter(|sender| sender.channel == CHANNEL).map(|sender| (message, (*sender).clone())))
}

/// By our id or WhatsApp's; everything before it counts as read too.
pub(crate) async fn mark_as_read(call: Call) -> Handled {
    let text = call.param("id");
    let unknown = || Error::not_found("message");
    let found = match Noun::Message.parse(text) {
        Ok(id) => own(&call, &id).await?,
        Err(_) => by_wamid(&call, text).await?,
    };
    let (message, sender) = found.ok_or_else(unknown)?;
    let provider_id = message.provider_id.ok_or_else(unknown)?;
    match messages::mark_read(call.engine(), &sender, &provider_id, false).await {
        Ok(_) => Ok(Answer::nothing()),
        Err(ReadError::UnknownMessage | ReadError::Unsupported) => Err(unknown()),
        Err(ReadError::Refusal(refusal)) => Err(refusal.into()),
        Err(ReadError::Call(error)) => Err(error.into()),
        Err(ReadError::Store(error)) => Err(error.into()),
    }
}

async fn by_wamid(call: &Call, wamid: &str) -> Result<Option<(messages::Message, Sender)>, Error> {
    let organization = call.organization();
    for sender in call.engine().senders(&organization).await? {
        if sender.channel != CHANNEL {
            continue;
        }
        if let Some(message) = call.engine().message_by_provider_id(&organization, &sender.id, wamid).await? {
            return Ok(Some((message, sender)));
        }
    }
    Ok(None)
}
