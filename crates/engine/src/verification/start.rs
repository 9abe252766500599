//! Asking for a code to be sent.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use store::senders::Sender;
use store::verifications::{self as rows, Verification};
use store::{Id, Result, Tx, Work};

use super::{BLOCKED, Fallback, Options, PENDING, code, purpose};
use crate::contacts::{Address, PHONE};
use crate::content::Content;
use crate::messages::{self, Echo, Message, Terms};
use crate::settings::Pace;
use crate::{Engine, Outcome, UseCase};

/// Numbers that differ in their last digits only belong together: whoever is paid for messages to numbers owns them
/// in rows.
const SERIES_DIGITS: usize = 4;

/// What a caller wants.
pub struct New {
    pub to: Address,
    pub code: SecretString,
    pub way: Way,
    /// How the code goes when the provider says at once that it could not be brought.
    pub fallback: Option<Way>,
    /// Handed back with the messages.
    pub external_id: Option<String>,
    /// The dialect it came through.
    pub origin: &'static str,
    pub request_id: String,
}

/// A sender, and what it sends.
pub struct Way {
    pub sender: Arc<Sender>,
    /// With a [`mask`](super::mask) where the code belongs.
    pub content: Content,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Begun {
    Taken(Box<Taken>),
    /// Too many codes for this recipient; one more may be asked for at this moment. Nothing is stored.
    TooOften {
        again_at: i64,
    },
}

#[derive(Clone, Debug)]
pub struct Taken {
    pub verification: Verification,
    /// `None`: it is blocked.
    pub message: Option<Message>,
}

/// The verification and the message that carries its code, in one commit.
pub struct Start {
    engine: Engine,
    id: Id,
    new: New,
    send: messages::Send,
    hash: [u8; 32],
    sealed: Vec<u8>,
    options: String,
}

/// Fails when the code cannot be sealed.
pub fn start(engine: &Engine, new: New) -> Result<Start> {
    let id = engine.new_id();
    let plain = new.code.expose_secret();
    let (hash, sealed) = (code::hash(&engine.key, &id, plain), engine.key.seal(&purpose(&id), plain.as_bytes())?);
    let fallback = new.fallback.as_ref();
    let options = Options {
        request_id: new.request_id.clone(),
        external_id: new.external_id.clone(),
        fallback: fallback.map(|way| Fallback { sender: way.sender.id.hex24(), content: way.content.clone() }),
    };
    let options =
        serde_json::to_string(&options).map_err(|error| store::Error::Corrupt(format!("a verification: {error}")))?;
    let send = message(engine, &id, &new);
    Ok(Start { engine: engine.clone(), id, new, send, hash, sealed, options })
}

fn message(engine: &Engine, id: &Id, new: &New) -> messages::Send {
    let wish = messages::New {
        sender: new.way.sender.clone(),
        to: new.to.clone(),
        content: new.way.content.clone(),
        reply_to: None,
        provider_id: None,
        origin: new.origin,
        request_id: new.request_id.clone(),
        terms: terms(id, new.external_id.clone()),
    };
    messages::send(engine, wish)
}

/// On what terms messages with codes are taken: whoever asked for one wants it.
pub(super) fn terms(id: &Id, external_id: Option<String>) -> Terms {
    let echo = Echo { external_id, verification: Some(id.hex24()), ..Echo::default() };
    Terms { approved_only: true, echo, ..Terms::default() }
}

impl Work for Start {
    type Output = Outcome<Begun>;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome<Begun>> {
        // Refusals come before anything is written.
        if let Err(refusal) = self.send.sendable(tx).await? {
            return Ok(Err(refusal));
        }
        let settings = &self.engine.settings.verify;
        let to = &self.new.to;
        if let Err(again_at) = self.take(tx, &format!("to/{}", to.value), settings.per_recipient).await? {
            return Ok(Ok(Begun::TooOften { again_at }));
        }
        let message = match self.is_blocked(tx).await? {
            true => None,
            false => match Box::pin(self.send.run(tx)).await? {
                Ok(message) => Some(message),
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        let verification = self.row(message.as_ref());
        rows::insert(tx, &verification).await?;
        Ok(Ok(Begun::Taken(Box::new(Taken { verification, message }))))
    }
}

impl UseCase for Start {
    fn committed(&self, engine: &Engine, output: &Outcome<Begun>) {
        if let Ok(Begun::Taken(taken)) = output
            && let Some(message) = &taken.message
        {
            self.send.committed(engine, &Ok(message.clone()));
        }
    }
}

impl Start {
    fn organization(&self) -> &Id {
        &self.new.way.sender.organization_id
    }

    async fn take(&self, tx: &mut Tx, name: &str, pace: Pace) -> Result<std::result::Result<(), i64>> {
        if pace.most == 0 {
            return Ok(Ok(()));
        }
        let within = i64::try_from(pace.within.as_millis()).unwrap_or(i64::MAX / 4);
        let burst = i64::from(pace.most);
        let pace = rows::Pace { burst, interval: (within / burst).max(1) };
        rows::take(tx, self.organization(), name, pace, self.engine.now()).await
    }

    /// By somebody who knows the recipient, or because too many codes go to numbers like this.
    async fn is_blocked(&self, tx: &mut Tx) -> Result<bool> {
        let (to, pace) = (&self.new.to, self.engine.settings.verify.per_prefix);
        if store::contacts::is_blocked(tx, self.organization(), to).await? {
            return Ok(true);
        }
        if to.kind != PHONE {
            return Ok(false);
        }
        let series = to.value.len().saturating_sub(SERIES_DIGITS);
        let prefix = to.value.get(..series).unwrap_or(&to.value);
        Ok(self.take(tx, &format!("like/{prefix}"), pace).await?.is_err())
    }

    fn row(&self, message: Option<&Message>) -> Verification {
        let now = self.engine.now();
        let expiry = i64::try_from(self.engine.settings.verify.expiry.as_millis()).unwrap_or(i64::MAX / 4);
        Verification {
            id: self.id,
            organization_id: *self.organization(),
            origin: self.new.origin.into(),
            channel: self.new.way.sender.channel.clone(),
            address: self.new.to.clone(),
            hash: self.hash.to_vec(),
            sealed: message.map(|_| self.sealed.clone()),
            status: if message.is_some() { PENDING } else { BLOCKED }.into(),
            wrong: 0,
            message_id: message.map(|message| message.id),
            fallback_id: None,
            options: self.options.clone(),
            created_at: now,
            expires_at: now + expiry,
            updated_at: now,
        }
    }
}
