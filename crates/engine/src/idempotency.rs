//! A caller's key makes a wish come true once: the answer is committed with what it tells of.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use store::idempotency::Answer;
use store::{Id, Result, SecretKey, Tx, Work};

use crate::{Engine, UseCase};

/// The first half of a SHA-256: the store has half as much to sort, and finding two of one's own that are equal
/// still takes 2^64 tries.
type Hash = store::idempotency::Key;

/// A caller's key, bound to what was asked with it.
#[derive(Clone)]
pub struct Once {
    /// Names the key within its organization and dialect.
    key: Hash,
    fingerprint: Hash,
}

impl Once {
    /// `asked` is everything that makes two requests the same, in a canonical form.
    #[must_use]
    pub fn new(organization: &Id, dialect: &str, key: &str, asked: &[&[u8]]) -> Self {
        let mut fingerprint = Sha256::new();
        for part in asked {
            fingerprint.update((part.len() as u64).to_be_bytes());
            fingerprint.update(part);
        }
        let named = Sha256::new().chain_update(organization.as_bytes()).chain_update(dialect).chain_update([0]);
        Self { key: half(named.chain_update(key)), fingerprint: half(fingerprint) }
    }

    /// For bookkeeping in memory.
    #[must_use]
    pub fn key(&self) -> Hash {
        self.key
    }

    fn purpose(&self) -> String {
        ["idempotency/", &hex::encode(self.key)].concat()
    }
}

fn half(hash: Sha256) -> Hash {
    let mut half = Hash::default();
    half.copy_from_slice(&hash.finalize()[..16]);
    half
}

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub status: u16,
    pub body: Vec<u8>,
}

/// What became of a wish with a key.
pub enum Kept<T> {
    /// Carried out now.
    Fresh(T, Given),
    /// Carried out before: the same answer again.
    Replayed(Given),
    /// The key was used for something else.
    Reused,
}

impl Engine {
    /// Commits a use case together with the answer that `render` makes of its output.
    pub async fn perform_once<U, R>(&self, use_case: U, once: &Once, render: R) -> Result<Kept<U::Output>>
    where
        U: UseCase,
        R: Fn(&U::Output) -> Given + Send + Sync + 'static,
    {
        let keyed = Arc::new(Keyed { use_case, once: once.clone(), render, key: self.key.clone(), now: self.now() });
        let kept = self.db.write(crate::Shared(keyed.clone())).await?;
        if let Kept::Fresh(output, _) = &kept {
            keyed.use_case.committed(self, output);
        }
        Ok(kept)
    }

    /// What was answered under a key before.
    pub async fn answered(&self, once: &Once) -> Result<Option<Kept<()>>> {
        self.db.write(Look { once: once.clone(), key: self.key.clone(), now: self.now() }).await
    }

    /// Keeps an answer to which no transaction belongs.
    pub async fn remember(&self, once: &Once, given: Given) -> Result<()> {
        let keep = Remember { once: once.clone(), given, key: self.key.clone(), now: self.now() };
        self.db.write(keep).await
    }
}

struct Keyed<U, R> {
    use_case: U,
    once: Once,
    render: R,
    key: SecretKey,
    now: i64,
}

impl<U, R> Work for Keyed<U, R>
where
    U: UseCase,
    R: Fn(&U::Output) -> Given + Send + Sync + 'static,
{
    type Output = Kept<U::Output>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output> {
        if let Some(kept) = found(tx, &self.key, &self.once, self.now).await? {
            return Ok(match kept {
                Kept::Replayed(given) => Kept::Replayed(given),
                Kept::Fresh(..) | Kept::Reused => Kept::Reused,
            });
        }
        let output = self.use_case.run(tx).await?;
        let given = (self.render)(&output);
        keep(tx, &self.key, &self.once, &given, self.now).await?;
        Ok(Kept::Fresh(output, given))
    }
}

struct Look {
    once: Once,
    key: SecretKey,
    now: i64,
}

impl Work for Look {
    type Output = Option<Kept<()>>;
    async fn run(&self, tx: &mut Tx) -> Result<Self::Output> {
        found(tx, &self.key, &self.once, self.now).await
    }
}

struct Remember {
    once: Once,
    given: Given,
    key: SecretKey,
    now: i64,
}

impl Work for Remember {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        match found(tx, &self.key, &self.once, self.now).await? {
            Some(_) => Ok(()),
            None => keep(tx, &self.key, &self.once, &self.given, self.now).await,
        }
    }
}

/// Writes the answer down. Where another transaction has taken the key since we looked (PostgreSQL only; it is
/// waited for), all of this one is undone and run again, and then finds the other's answer.
async fn keep(tx: &mut Tx, key: &SecretKey, once: &Once, given: &Given, now: i64) -> Result<()> {
    let answer = Answer {
        fingerprint: once.fingerprint.to_vec(),
        status: i64::from(given.status),
        answer: key.seal(&once.purpose(), &given.body)?,
    };
    match store::idempotency::put(tx, &once.key, &answer, now).await? {
        true => Ok(()),
        false => Err(store::Error::contended("another request took the idempotency key")),
    }
}

async fn found(tx: &mut Tx, key: &SecretKey, once: &Once, now: i64) -> Result<Option<Kept<()>>> {
    let Some(answer) = store::idempotency::get(tx, &once.key, now).await? else {
        return Ok(None);
    };
    if answer.fingerprint != once.fingerprint {
        return Ok(Some(Kept::Reused));
    }
    let body = key.open(&once.purpose(), &answer.answer)?;
    Ok(Some(Kept::Replayed(Given { status: u16::try_from(answer.status).unwrap_or(500), body })))
}
