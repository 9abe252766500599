//! Messages whose keys are used up and that are not here.
//!
//! The library writes down how far it has read a conversation together with other things, and may die, or lose its
//! connection, before it has written down what it read. WhatsApp delivers such a message again, the library cannot open
//! it a second time, finds nothing kept of it and acknowledges it. So the note that it is wanted is on the disk before
//! the library is told that there is nothing; it stays until the message is here or the phone has answered.

use engine::{Engine, Id};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use wacore::store::error::Result;
use wacore::store::traits::ProtocolStore;
use web_wire::jid::{HIDDEN, Jid, PEOPLE};

use super::change::{DeleteOlder, PutNew};
use super::error::tell;
use super::key::{WANTED, key};
use super::{Backend, json};

/// Phones are not asked for older messages.
const LONGEST_MS: i64 = 14 * 24 * 60 * 60 * 1000;
/// Looked at together.
const MOST: i64 = 500;

/// A message, as its stanza names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    pub chat: String,
    pub sender: String,
    pub id: String,
    /// It was on its way while the account could not be reached.
    pub late: bool,
}

impl Wanted {
    fn key(&self) -> Vec<u8> {
        key(&[&self.chat, &self.sender, &self.id])
    }
}

/// Where to look for messages, and whom to wake.
pub(super) struct Watch {
    engine: Engine,
    sender: Id,
    bell: Notify,
}

impl Backend {
    /// From now on messages that come again and are not here are noted.
    #[must_use]
    pub(crate) fn watching(self, engine: Engine, sender: Id) -> Self {
        Self { watch: Some(Watch { engine, sender, bell: Notify::new() }), ..self }
    }

    /// Returns when a message was noted since the last time.
    pub(crate) async fn missed(&self) {
        match &self.watch {
            Some(watch) => watch.bell.notified().await,
            None => std::future::pending().await,
        }
    }

    /// A message came again of which nothing is kept for a second try.
    pub(super) async fn miss(&self, chat: &str, sender: &str, id: &str) -> Result<()> {
        let Some(watch) = &self.watch else { return Ok(()) };
        let wanted = Wanted { chat: chat.into(), sender: sender.into(), id: id.into(), late: true };
        if self.want(&wanted).await? {
            tracing::warn!(id, "a message was lost before it was kept; the phone is asked for it");
            watch.bell.notify_one();
        }
        Ok(())
    }

    /// Notes a message as wanted; `false` if it is here.
    pub(crate) async fn want(&self, wanted: &Wanted) -> Result<bool> {
        let Some(watch) = &self.watch else { return Ok(false) };
        if self.is_here(wanted).await? {
            return Ok(false);
        }
        let value = json::write(wanted).map_err(tell)?;
        let entry = self.seal(WANTED, wanted.key(), &value)?.at(watch.engine.now());
        self.write(PutNew(entry)).await.map(|()| true)
    }

    /// What is wanted; what was so for too long is forgotten.
    pub(crate) async fn wanted(&self) -> Result<Vec<Wanted>> {
        let Some(watch) = &self.watch else { return Ok(Vec::new()) };
        let (found, oldest) = (self.noted().await?, watch.engine.now() - LONGEST_MS);
        if found.iter().all(|(at, _)| *at >= oldest) {
            return Ok(found.into_iter().map(|(_, wanted)| wanted).collect());
        }
        self.write(DeleteOlder { kinds: &[WANTED], before: oldest.div_euclid(1000) }).await?;
        Ok(found.into_iter().filter(|(at, _)| *at >= oldest).map(|(_, wanted)| wanted).collect())
    }

    async fn noted(&self) -> Result<Vec<(i64, Wanted)>> {
        let mut reader = self.reader().await?;
        let mut state = self.scope.read(&mut reader);
        let keys = state.keys(WANTED, b"", MOST).await.map_err(tell)?;
        let found = state.get_many(WANTED, &keys).await.map_err(tell)?;
        let read = |found: &store::session_state::Found| Ok((found.at.unwrap_or_default(), json::read(&found.value)?));
        found.iter().map(|found| read(found).map_err(tell)).collect()
    }

    /// They are here, or nobody has them any more.
    pub(crate) async fn no_longer_wanted(&self, wanted: &[Wanted]) -> Result<()> {
        self.delete(WANTED, wanted.iter().map(Wanted::key).collect()).await
    }

    /// Whether the platform has a message, whichever of their addresses it names people by.
    pub(crate) async fn is_here(&self, wanted: &Wanted) -> Result<bool> {
        let Some(watch) = &self.watch else { return Ok(false) };
        let (chats, authors) = (self.names(&wanted.chat).await?, self.names(&wanted.sender).await?);
        watch.engine.has_message(&watch.sender, &wanted.id, &chats, &authors).await.map_err(tell)
    }

    /// A chat's or person's addresses without devices: the one given, and the other one of the same person.
    pub(crate) async fn names(&self, jid: &str) -> Result<Vec<String>> {
        let jid = jid.parse::<Jid>().unwrap_or_default().bare();
        let other = match jid.server.as_str() {
            HIDDEN => self.get_lid_mapping(&jid.user).await?.map(|found| Jid::new(&*found.phone_number, PEOPLE)),
            PEOPLE => self.get_pn_mapping(&jid.user).await?.map(|found| Jid::new(&*found.lid, HIDDEN)),
            _ => None,
        };
        Ok(std::iter::once(jid).chain(other).map(|jid| jid.to_string()).collect())
    }
}
