//! Handing a message over, and waiting for what becomes of it.
//!
//! The message's id is committed before the first attempt. While the connection is away the message waits for it, but
//! only as long as its caller does: then it is withdrawn, so that what was answered as failed is never sent later. The
//! waiting goes on when the caller hangs up.

use std::time::Duration;

use axum::http::StatusCode;
use engine::contacts::Address;
use engine::content::{Content, Native};
use engine::failure::{Code, Failure};
use engine::messages::{self, Message, New, Status, Terms};
use engine::{Engine, Id, Refusal};
use media::Blobs;
use serde_json::json;
use web_wire::jid::Jid;
use web_wire::send::Outgoing;

use crate::answer::Answer;
use crate::call::Call;
use crate::errors::Error;
use crate::options::Options;

/// How long a message may wait for the connection and for WhatsApp's word, typing not counted.
const PATIENCE: Duration = Duration::from_secs(25);
/// What is on its way is waited for so often, and each time so long.
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(5);

/// A message that WhatsApp has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) id: String,
    /// Milliseconds.
    pub(crate) at: i64,
}

impl Delivered {
    /// The answer of operations that send.
    pub(crate) fn answer(&self, options: &Options) -> Answer {
        Answer::of(json!({ "Details": "Sent", "Id": self.id, "Timestamp": options.rfc3339(self.at) }))
    }
}

/// Refuses at once where nobody asked for a connection.
pub(crate) async fn wanted(call: &Call) -> Result<(), Error> {
    let session = call.engine().session(&call.user.sender.id).await?;
    session.filter(|session| session.wanted).map(drop).ok_or_else(Error::no_session)
}

/// Sends a message under the caller's id or a fresh one. Its files are removed once they are of no use: when it failed,
/// and when it was sent and is not told as an event.
pub(crate) async fn deliver(call: &Call, to: Jid, outgoing: Outgoing, id: Option<String>) -> Result<Delivered, Error> {
    let id = id.unwrap_or_else(|| fresh_id(&call.digigo.options.random));
    let sending = Sending {
        engine: call.engine().clone(),
        blobs: call.digigo.options.blobs.clone(),
        files: outgoing.body.blobs().into_iter().map(str::to_owned).collect(),
        echoes: call.digigo.options.echoes(&call.user.settings, &outgoing),
        patience: PATIENCE + outgoing.typing.map_or(Duration::ZERO, |typing| milliseconds(typing.milliseconds)),
    };
    let message = match accept(call, to, outgoing, id.clone()).await {
        Ok(message) => message,
        Err(error) => {
            sending.remove_files().await;
            return Err(error);
        }
    };
    let outcome = tokio::spawn(async move { sending.settle(&message.id).await }).await;
    let at = outcome.map_err(|_| Error::failed("something went wrong on our side"))??;
    Ok(Delivered { id, at })
}

fn milliseconds(count: u32) -> Duration {
    Duration::from_millis(u64::from(count))
}

/// Looks like the ids of WhatsApp's own clients.
fn fresh_id(random: &crate::Random) -> String {
    let mut bytes = [0; 9];
    random(&mut bytes);
    format!("3EB0{}", hex::encode_upper(bytes))
}

async fn accept(call: &Call, to: Jid, outgoing: Outgoing, id: String) -> Result<Message, Error> {
    wanted(call).await?;
    let new = New {
        sender: call.user.sender.clone(),
        to: address(&to),
        content: content(&outgoing)?,
        reply_to: outgoing.context.and_then(|context| context.reply_to).map(|reply| reply.id),
        provider_id: Some(id),
        origin: crate::NAME,
        request_id: call.request_id.clone(),
        terms: Terms::default(),
    };
    match call.engine().perform(messages::send(call.engine(), new)).await {
        Ok(Ok(message)) => Ok(message),
        Ok(Err(refusal)) => Err(refused(&refusal)),
        Err(engine::Error::Exists(_)) => Err(Error::conflict("there is already a message with this Id")),
        Err(error) => Err(error.into()),
    }
}

fn address(to: &Jid) -> Address {
    let (kind, value) = to.to_neutral();
    Address { kind: kind.into(), value }
}

fn content(outgoing: &Outgoing) -> Result<Content, Error> {
    let json = serde_json::to_value(outgoing).map_err(|error| Error::failed(error.to_string()))?;
    let (name, text) = (outgoing.body.kind().to_owned(), outgoing.body.text().map(str::to_owned));
    Ok(Content::Native(Native { format: web_wire::FORMAT.into(), name, json, text }))
}

fn refused(refusal: &Refusal) -> Error {
    match refusal {
        Refusal::NotConnected { .. } => not_connected(),
        other => Error::bad(other.to_string()),
    }
}

fn not_connected() -> Error {
    Error::failed("not connected")
}

/// What goes on after a message was accepted.
struct Sending {
    engine: Engine,
    blobs: Blobs,
    files: Vec<String>,
    echoes: bool,
    patience: Duration,
}

impl Sending {
    /// Waits until it is sent, and tells when that was (milliseconds).
    async fn settle(self, id: &Id) -> Result<i64, Error> {
        let mut message = messages::settled(&self.engine, id, self.patience).await?;
        for _ in 0..ROUNDS {
            if message.status != Status::Pending {
                break;
            }
            if messages::withdraw(&self.engine, id).await? {
                self.remove_files().await;
                return Err(not_connected());
            }
            message = messages::settled(&self.engine, id, ROUND).await?;
        }
        match message.status {
            // It may be on its way still, so its files stay.
            Status::Pending => Err(Error::failed("WhatsApp did not answer in time")),
            Status::Failed => {
                self.remove_files().await;
                Err(failed(&message))
            }
            _ => {
                if !self.echoes {
                    self.remove_files().await;
                }
                Ok(message.updated_at)
            }
        }
    }

    async fn remove_files(&self) {
        crate::files::remove(&self.blobs, &self.files).await;
    }
}

/// Why a message failed, with the status that says whose fault it was.
fn failed(message: &Message) -> Error {
    let failure = message.error.as_deref().and_then(|text| serde_json::from_str::<Failure>(text).ok());
    let Some(failure) = failure else { return Error::failed("the message could not be sent") };
    match failure.code {
        Code::Withdrawn => not_connected(),
        Code::RecipientUnreachable | Code::RecipientBlocked | Code::RecipientOptedOut | Code::Rejected => {
            Error::new(StatusCode::BAD_REQUEST, failure.message)
        }
        _ => Error::failed(failure.message),
    }
}

#[cfg(test)]
mod tests;
