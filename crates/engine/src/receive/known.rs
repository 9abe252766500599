//! Whom a push is about, from memory where we can: pushes come by the thousand and are about a few.
//!
//! What is remembered was read before the push's transaction began, and is forgotten with every change (`cache`). Whom
//! we do not remember is looked for in the transaction.

use std::sync::Arc;

use store::accounts::Account;
use store::senders::Sender;
use store::{Id, Result, Tx};

use super::Received;
use crate::Engine;
use crate::facts::Fact;

impl Engine {
    /// Has those in memory that a push is about.
    pub(super) async fn know(&self, provider: &str, push: &Received) -> Result<()> {
        for name in &push.accounts {
            let key = key(provider, name);
            if self.cache.accounts_by_name.get(&key).is_none() {
                let generation = self.cache.generation();
                let found = store::accounts::by_external_id(&mut *self.db.reader().await?, provider, name).await?;
                found.map(|found| self.cache.keep(&self.cache.accounts_by_name, generation, key, found));
            }
        }
        for name in push.facts.iter().filter_map(sender_of) {
            let key = key(provider, name);
            if self.cache.senders_by_name.get(&key).is_none() {
                let generation = self.cache.generation();
                let found = store::senders::by_external_id(&mut *self.db.reader().await?, provider, name).await?;
                found.map(|found| self.cache.keep(&self.cache.senders_by_name, generation, key, found));
            }
        }
        Ok(())
    }
}

impl Engine {
    /// Whether a message that came to a sender is here, under any of the provider's names of its chat and of its author;
    /// one of ours is known by its id alone.
    pub async fn has_message(
        &self,
        sender: &Id,
        provider_id: &str,
        chats: &[String],
        authors: &[String],
    ) -> Result<bool> {
        let mut reader = self.db.reader().await?;
        for chat in chats {
            for author in authors {
                if store::messages::is_known(&mut reader, sender, provider_id, chat, author).await? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// The sender of what comes often.
fn sender_of(fact: &Fact) -> Option<&str> {
    match fact {
        Fact::Message(message) => Some(&message.sender),
        Fact::Receipt(receipt) => Some(&receipt.sender),
        _ => None,
    }
}

pub(super) async fn account(tx: &mut Tx, engine: &Engine, provider: &str, name: &str) -> Result<Option<Arc<Account>>> {
    if let Some(known) = engine.cache.accounts_by_name.get(&key(provider, name)) {
        return Ok(Some(known));
    }
    Ok(store::accounts::by_external_id(tx, provider, name).await?.map(Arc::new))
}

pub(super) async fn sender(tx: &mut Tx, engine: &Engine, provider: &str, name: &str) -> Result<Option<Arc<Sender>>> {
    if let Some(known) = engine.cache.senders_by_name.get(&key(provider, name)) {
        return Ok(Some(known));
    }
    Ok(store::senders::by_external_id(tx, provider, name).await?.map(Arc::new))
}

fn key(provider: &str, name: &str) -> (String, String) {
    (provider.to_owned(), name.to_owned())
}
