//! The messages that carry codes: filled in when they go, and what follows from what becomes of them.

use std::sync::Arc;

use store::messages::{Message, Status};
use store::verifications::{self as rows, Verification};
use store::{Id, Result, Tx, Work};

use super::start::terms;
use super::{Options, PENDING, UNDELIVERED, code, end, purpose};
use crate::Engine;
use crate::failure::{Code, Retry, SendError};
use crate::messages::{self, Echo};
use crate::provider::Outgoing;

/// How soon a failure must be known for the code to go another way. Who waited longer has asked again.
const FALLBACK_WITHIN_MS: i64 = 30_000;

/// The verification whose code a message carries.
fn carries(message: &Message) -> Option<Id> {
    message.echo.as_ref()?;
    Echo::of(message).verification.as_deref().and_then(Id::parse_hex24)
}

/// Fills a code in, just before the message is handed over. A code that nobody waits for any more is not sent.
pub(crate) async fn with_code(
    engine: &Engine,
    message: &Message,
    outgoing: Outgoing,
) -> std::result::Result<Outgoing, SendError> {
    let Some(id) = carries(message) else { return Ok(outgoing) };
    let late = || SendError::refused(Code::Expired, "Nobody waits for this code any more.");
    match open(engine, &id).await {
        Ok(Some(code)) => match code::fill(outgoing.content, &code) {
            Ok(content) => Ok(Outgoing { content, ..outgoing }),
            Err(error) => Err(SendError::refused(Code::Other, error.to_string())),
        },
        Ok(None) => Err(late()),
        Err(error) if error.is_unavailable() => {
            tracing::warn!(message = %message.id, error = &error as &dyn std::error::Error, "a code could not be read");
            Err(SendError { retry: Retry::BackOff, ..SendError::refused(Code::Other, "The code could not be read.") })
        }
        Err(error) => Err(SendError::refused(Code::Other, error.to_string())),
    }
}

async fn open(engine: &Engine, id: &Id) -> Result<Option<String>> {
    let found = rows::find(&mut *engine.db.reader().await?, id).await?;
    let Some(it) = found.filter(|it| it.status == PENDING && engine.now() < it.expires_at) else { return Ok(None) };
    let Some(sealed) = it.sealed else { return Ok(None) };
    let plain = engine.key.open(&purpose(id), &sealed)?;
    String::from_utf8(plain).map(Some).map_err(|_| store::Error::corrupt("a code"))
}

/// A message's status has just been written. Returns the sender that has a message to carry now.
pub(crate) async fn moved(tx: &mut Tx, engine: &Engine, message: &Message) -> Result<Option<Id>> {
    let Some(id) = carries(message) else { return Ok(None) };
    if message.status < Status::Failed {
        return Ok(None);
    }
    let now = engine.now();
    let Some(mut it) = rows::get_for_update(tx, &id).await? else { return Ok(None) };
    let newest = it.fallback_id.or(it.message_id) == Some(message.id);
    if it.status != PENDING || now >= it.expires_at || !newest {
        return Ok(None);
    }
    if message.status > Status::Failed {
        // It is there: it will not have to be sent again.
        it.sealed = None;
        return rows::update(tx, &it).await.map(|()| None);
    }
    if it.fallback_id.is_none()
        && now - it.created_at <= FALLBACK_WITHIN_MS
        && let Some(second) = another_way(tx, engine, &it).await?
    {
        (it.fallback_id, it.updated_at) = (Some(second.id), now);
        return rows::update(tx, &it).await.map(|()| Some(second.sender_id));
    }
    end(tx, &mut it, UNDELIVERED, now).await.map(|()| None)
}

/// Takes the second message, if there is another way and it can be gone.
async fn another_way(tx: &mut Tx, engine: &Engine, it: &Verification) -> Result<Option<Message>> {
    let Options { request_id, external_id, fallback: Some(way) } = Options::of(it) else { return Ok(None) };
    let Some(origin) = engine.dialect(&it.origin).map(|dialect| dialect.name) else { return Ok(None) };
    let Some(sender) = Id::parse_hex24(&way.sender) else { return Ok(None) };
    let sender = store::senders::get(tx, &sender).await?;
    let Some(sender) = sender.filter(|sender| sender.organization_id == it.organization_id) else { return Ok(None) };
    let wish = messages::New {
        sender: Arc::new(sender),
        to: it.address.clone(),
        content: way.content,
        reply_to: None,
        provider_id: None,
        origin,
        request_id,
        terms: terms(&it.id, external_id),
    };
    match Box::pin(messages::send(engine, wish).run(tx)).await? {
        Ok(message) => Ok(Some(message)),
        Err(refusal) => {
            tracing::warn!(verification = %it.id, %refusal, "a code could not go another way");
            Ok(None)
        }
    }
}
