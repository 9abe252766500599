//! Requests that the caller gave a key: at most one of a key is worked on at a time.
//!
//! That a thing happens once is the engine's promise: the answer is committed with what it tells of
//! (`engine::idempotency`), whichever process is asked. What is added here is courtesy: a second request
//! of the same key waits for the first one of this process and gets its answer, instead of doing work
//! that would come to nothing. A turn ends when its holder is dropped, so a caller who hangs up, a
//! handler that panics and a request that runs out of time all free the key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::idempotency::{Given, Kept, Once};
use engine::{Clock, Engine, Error};
use foldhash::fast::RandomState;
use serde_json::Value;
use tokio::sync::oneshot;

type Key = [u8; 16];

/// How long a second request waits for the first.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Whose turn it is, key by key, and who waits for it to end.
#[derive(Clone, Default)]
pub struct Turns(Arc<Mutex<HashMap<Key, Waiting, RandomState>>>);

type Waiting = Vec<oneshot::Sender<()>>;

/// The right to work under a key; ends when dropped.
pub struct Turn {
    turns: Turns,
    key: Key,
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Those who wait hear that their senders are gone.
        self.turns.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Turns {
    /// Waits for a turn; `None` when that took too long.
    pub async fn take(&self, once: &Once, clock: &Clock) -> Option<Turn> {
        let deadline = clock.now() + PATIENCE.as_millis() as i64;
        loop {
            let first = match self.try_take(once.key()) {
                Ok(turn) => return Some(turn),
                Err(first) => first,
            };
            tokio::select! {
                _ = first => {}
                () = clock.sleep_until(deadline) => return None,
            }
        }
    }

    fn try_take(&self, key: Key) -> Result<Turn, oneshot::Receiver<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = turns.get_mut(&key) {
            let (ends, first) = oneshot::channel();
            waiting.push(ends);
            return Err(first);
        }
        turns.insert(key, Vec::new());
        Ok(Turn { turns: self.clone(), key })
    }
}

/// What to answer in the end, where the handler made no transaction of its own.
#[derive(Debug, PartialEq, Eq)]
pub enum Settled {
    /// What the handler answered; it is remembered now.
    New,
    /// What was answered to the same request before.
    Before(Given),
    /// The key belongs to another request.
    Reused,
}

/// What a key stands for already.
pub async fn before(engine: &Engine, once: &Once) -> Result<Option<Settled>, Error> {
    Ok(engine.answered(once).await?.map(|kept| match kept {
        Kept::Replayed(given) => Settled::Before(given),
        Kept::Fresh(..) | Kept::Reused => Settled::Reused,
    }))
}

/// Remembers an answer, unless the key stands for another one already.
pub async fn settle(engine: &Engine, once: &Once, given: Given) -> Result<Settled, Error> {
    if let Some(settled) = before(engine, once).await? {
        return Ok(settled);
    }
    engine.remember(once, given).await?;
    Ok(Settled::New)
}

/// JSON as bytes, in a form in which the order of members makes no difference and everything else does.
#[must_use]
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    write(&mut out, value);
    out
}

fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(b'n'),
        Value::Bool(value) => out.push(if *value { b't' } else { b'f' }),
        Value::Number(number) => write_text(out, b'#', &number.to_string()),
        Value::String(text) => write_text(out, b'"', text),
        Value::Array(items) => {
            write_count(out, b'[', items.len());
            items.iter().for_each(|item| write(out, item));
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            write_count(out, b'{', members.len());
            for (name, value) in members {
                write_text(out, b'"', name);
                write(out, value);
            }
        }
    }
}

fn write_text(out: &mut Vec<u8>, kind: u8, text: &str) {
    write_count(out, kind, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn write_count(out: &mut Vec<u8>, kind: u8, count: usize) {
    out.push(kind);
    out.extend_from_slice(&(count as u64).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use engine::Id;

    use super::*;

    fn once(key: &str) -> Once {
        Once::new(&Id::from_parts(1, 1), "d", key, &[b"asked"])
    }

    #[tokio::test]
    async fn the_second_waits_for_the_first_and_not_for_ever() {
        let (turns, clock) = (Turns::default(), Clock::manual(0));
        let first = turns.take(&once("a"), &clock).await.unwrap();
        assert!(turns.take(&once("b"), &clock).await.is_some(), "other keys do not wait");

        let second = tokio::spawn({
            let (turns, clock) = (turns.clone(), clock.clone());
            async move { turns.take(&once("a"), &clock).await.is_some() }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert!(second.await.unwrap());

        let _first = turns.take(&once("a"), &clock).await.unwrap();
        let third = tokio::spawn({
            let (turns, clock) = (turns.clone(), clock.clone());
            async move { turns.take(&once("a"), &clock).await.is_some() }
        });
        tokio::task::yield_now().await;
        clock.advance(PATIENCE);
        assert!(!third.await.unwrap());
    }

    #[test]
    fn members_have_no_order_and_items_have() {
        let canon = |text: &str| canonical(&serde_json::from_str(text).unwrap());
        assert_eq!(
            canon(r#"{"b":[1,{"d":"\u00e9","c":null}],"a":1.5}"#),
            canon(r#" { "a": 1.5, "b": [1, {"c": null, "d": "é"}] } "#)
        );
        let different = ["[1,2]", "[2,1]", "[12]", r#"["1",2]"#, "[[1],2]", "[[1,2]]", "[true,2]", "[null,2]", "{}"];
        let canons: std::collections::HashSet<_> = different.into_iter().map(canon).collect();
        assert_eq!(canons.len(), different.len());
        assert_ne!(canon(r#"{"a":"b","c":"d"}"#), canon(r#"{"a":"bc","":"d"}"#));
    }
}
