//! Values of the installation itself, by name.

use crate::db::{Error, Result, Tx};
use crate::{SecretKey, params};

pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<String>> {
    let row = tx.query_opt("SELECT value FROM settings WHERE name = ?1", params![name]).await?;
    row.map(|mut row| row.take()).transpose()
}

pub async fn put(tx: &mut Tx, name: &str, value: &str) -> Result<()> {
    let sql =
        "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.post(sql, params![name, value]).await
}

/// Whether a key has been named to this database yet.
pub async fn has_key(tx: &mut Tx) -> Result<bool> {
    Ok(get(tx, "key.check").await?.is_some())
}

/// Remembers the key at the first start and refuses another one later.
pub async fn check_key(tx: &mut Tx, key: &SecretKey) -> Result<()> {
    let wanted = key.check_value();
    match get(tx, "key.check").await? {
        None => put(tx, "key.check", &wanted).await,
        Some(found) if found == wanted => Ok(()),
        Some(_) => Err(Error::Refused("the secret key is not the one this database was made with".into())),
    }
}

/// Tells other processes that what they remember of keys, senders or subscriptions may be old.
pub async fn touch_caches(tx: &mut Tx) -> Result<()> {
    tx.post("UPDATE revisions SET value = value + 1 WHERE name = 'cache'", &[]).await
}

/// How often that was.
pub(crate) async fn caches(tx: &mut Tx) -> Result<i64> {
    let row = tx.query_opt("SELECT value FROM revisions WHERE name = 'cache'", &[]).await?;
    row.map_or(Ok(0), |mut row| row.take())
}
