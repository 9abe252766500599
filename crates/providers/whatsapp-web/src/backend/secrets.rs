//! The secret of each message, with which later votes, reactions and edits about it are read.

use std::collections::HashMap;

use async_trait::async_trait;
use store::session_state::{Entry, Scope, Writing};
use wacore::store::error::Result;
use wacore::store::traits::{
    MessageSecret, MsgSecretEntry, MsgSecretStore, merge_msg_secret_expiry, merge_msg_secret_message_ts,
};

use super::Backend;
use super::change::{Change, DeleteOlder};
use super::error::tell;
use super::key::{SECRET, key};

#[async_trait]
impl MsgSecretStore for Backend {
    async fn put_msg_secrets(&self, entries: Vec<MsgSecretEntry>) -> Result<usize> {
        let count = entries.len();
        if count == 0 {
            return Ok(0);
        }
        let mut secrets = HashMap::with_capacity(count);
        for entry in &entries {
            let (key, secret) = (key(&[&entry.chat, &entry.sender, &entry.msg_id]), Secret::of(entry));
            let known = secrets.get(&key).copied();
            secrets.insert(key, secret.after(known));
        }
        let entries = secrets.iter().map(|(key, secret)| secret.seal(&self.scope, key.clone()));
        let entries = entries.collect::<store::Result<_>>().map_err(tell)?;
        self.write(Remember { secrets, entries }).await?;
        Ok(count)
    }

    async fn get_msg_secret(&self, chat: &str, sender: &str, msg_id: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.get_msg_secret_with_ts(chat, sender, msg_id).await?.map(|(secret, _)| secret))
    }

    async fn get_msg_secret_with_ts(&self, chat: &str, sender: &str, msg_id: &str) -> Result<Option<(Vec<u8>, i64)>> {
        let found = self.get(SECRET, &key(&[chat, sender, msg_id])).await?;
        let secret = found.map(|value| Secret::read(&value, None)).transpose().map_err(tell)?;
        Ok(secret.map(|secret| (secret.bytes.to_vec(), secret.message_ts)))
    }

    async fn delete_expired_msg_secrets(&self, cutoff: i64) -> Result<u32> {
        self.write(DeleteOlder { kinds: &[SECRET], before: cutoff.saturating_add(1) }).await
    }
}

#[derive(Clone, Copy)]
struct Secret {
    bytes: MessageSecret,
    /// Unix seconds; 0 for never.
    expires_at: i64,
    /// Unix seconds; 0 when it is not known.
    message_ts: i64,
}

impl Secret {
    fn of(entry: &MsgSecretEntry) -> Self {
        Self { bytes: entry.secret, expires_at: entry.expires_at, message_ts: entry.message_ts }
    }

    /// This one where `known` was: it lives as long as either, and a time that was known stays known.
    fn after(self, known: Option<Self>) -> Self {
        known.map_or(self, |known| Self {
            bytes: self.bytes,
            expires_at: merge_msg_secret_expiry(known.expires_at, self.expires_at),
            message_ts: merge_msg_secret_message_ts(known.message_ts, self.message_ts),
        })
    }

    fn seal(&self, scope: &Scope, key: Vec<u8>) -> store::Result<Entry> {
        let value = [&self.bytes[..], &self.message_ts.to_be_bytes()].concat();
        let entry = scope.seal(SECRET, key, &value)?;
        Ok(if self.expires_at == 0 { entry } else { entry.at(self.expires_at.saturating_mul(1000)) })
    }

    fn read(value: &[u8], at: Option<i64>) -> store::Result<Self> {
        let corrupt = || store::Error::corrupt("a message's secret of another length");
        let (bytes, rest) = value.split_first_chunk().ok_or_else(corrupt)?;
        let message_ts = i64::from_be_bytes(rest.try_into().map_err(|_| corrupt())?);
        Ok(Self { bytes: *bytes, expires_at: at.map_or(0, |at| at / 1000), message_ts })
    }
}

/// Secrets by their keys, and the same sealed: as a rule none of them is known yet.
struct Remember {
    secrets: HashMap<Vec<u8>, Secret>,
    entries: Vec<Entry>,
}

impl Change for Remember {
    type Output = ();
    async fn make(&self, scope: &Scope, mut state: Writing<'_>) -> store::Result<()> {
        let keys: Vec<_> = self.secrets.keys().cloned().collect();
        let known = state.get_many(SECRET, &keys).await?;
        state.put(&self.entries).await?;
        let mut merged = Vec::with_capacity(known.len());
        for found in known {
            let Some(secret) = self.secrets.get(&found.key) else { continue };
            let known = Secret::read(&found.value, found.at)?;
            merged.push(secret.after(Some(known)).seal(scope, found.key)?);
        }
        state.put(&merged).await
    }
}
