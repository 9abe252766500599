//! How many people an account may still write to first: providers allow so many within 24 hours.
//!
//! Counting them is slow, so it is done from time to time, outside of any commit. After a count only half of what is left is
//! used before the next one, so that several processes, each with its own count, do not use it twice. Somebody who was
//! written to yesterday counts for as long as 24 hours last, also if he is written to again: we rather wait.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use store::senders::Sender;
use store::{Id, Result, campaigns as rows};

use crate::Engine;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How much later than accepted a message may have been counted by its provider.
const SLACK_MS: i64 = 10_000;
/// How long a provider's word, and a count, are good.
const GOOD_MS: i64 = 60_000;
/// Below this, all that is left may be used at once.
const FEW: i64 = 64;

/// What is left.
#[derive(Clone, Debug, Default)]
pub(super) struct Left {
    /// People who may be written to now; `None`: any number.
    pub people: Option<i64>,
    /// When there will be one more, where there is none.
    pub opens_at: Option<i64>,
    tier: i64,
}

impl Left {
    pub(super) fn reason(&self) -> String {
        format!("the account has written to {} people in 24 hours, as many as it may", self.tier)
    }
}

/// What is known of accounts, in this process only.
#[derive(Default)]
pub struct Reaches(Mutex<HashMap<Id, Known>>);

#[derive(Clone, Copy)]
struct Known {
    tier: Option<i64>,
    asked_at: i64,
    /// What may be used until it is counted again.
    quota: i64,
    counted_at: i64,
}

impl Reaches {
    pub(super) async fn left(&self, engine: &Engine, sender: &Sender) -> Result<Left> {
        let (account, now) = (&sender.account_id, engine.now());
        let known = self.known(account).filter(|known| now - known.asked_at < GOOD_MS);
        let (tier, asked_at) = match known {
            Some(known) => (known.tier, known.asked_at),
            None => (self.ask(engine, sender).await?, now),
        };
        let Some(tier) = tier else {
            self.keep(account, Known { tier: None, asked_at, quota: 0, counted_at: now });
            return Ok(Left::default());
        };
        let fresh = known.filter(|known| known.tier.is_some() && now - known.counted_at < GOOD_MS && known.quota > 0);
        if let Some(known) = fresh {
            return Ok(Left { people: Some(known.quota), opens_at: None, tier });
        }
        let left = count(engine, account, tier).await?;
        let people = left.people.unwrap_or(0);
        let quota = if people > FEW { people / 2 } else { people };
        self.keep(account, Known { tier: Some(tier), asked_at, quota, counted_at: now });
        Ok(Left { people: Some(quota), ..left })
    }

    /// So many were written to.
    pub(super) fn used(&self, account: &Id, people: i64) {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(account) {
            known.quota = (known.quota - people).max(0);
        }
    }

    /// What the provider says; what it said before, if it cannot be asked now.
    async fn ask(&self, engine: &Engine, sender: &Sender) -> Result<Option<i64>> {
        let Some(reach) = engine.provider(&sender.provider).and_then(|provider| provider.reach()) else {
            return Ok(None);
        };
        let Some(account) = engine.account(&sender.account_id).await? else { return Ok(None) };
        match reach.people_per_day(&account, sender).await {
            Ok(tier) => Ok(tier),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(account = %account.id, error, "how many people may be written to could not be asked");
                Ok(self.known(&sender.account_id).and_then(|known| known.tier))
            }
        }
    }

    fn known(&self, account: &Id) -> Option<Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(account).copied()
    }

    fn keep(&self, account: &Id, known: Known) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(*account, known);
    }
}

async fn count(engine: &Engine, account: &Id, tier: i64) -> Result<Left> {
    let since = engine.now() - DAY_MS - SLACK_MS + 1;
    let mut reader = engine.db.reader().await?;
    let reached = rows::reached(&mut reader, account, since).await?;
    if reached < tier {
        return Ok(Left { people: Some(tier - reached), opens_at: None, tier });
    }
    let first = rows::reached_at(&mut reader, account, since, reached - tier).await?;
    let opens_at = first.map_or(engine.now() + GOOD_MS, |at| at + DAY_MS + SLACK_MS);
    Ok(Left { people: Some(0), opens_at: Some(opens_at), tier })
}
