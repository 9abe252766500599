//! How many people an account may still write to first: providers allow so many within 24 hours.
//!
//! Counting them is slow, so it is done from time to time, outside of any commit. After a count only half of what is left is
//! used before the next one, so that several processes, each with its own count, do not use it twice. Somebody who was
//! written to yesterday counts for as long as 24 hours last, also if he is written to again: we rather wait.
//!
//! Turns of several campaigns are under way at once: each takes its share out before it begins, and what it did not use
//! goes back when it is over, however it ends. A count cannot see what turns do meanwhile, so that is taken off it.

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

/// What a turn may do about a limit.
pub(super) enum Leave<'a> {
    /// It begins, with its share of what is left where there is a limit.
    Go(Left, Option<Share<'a>>),
    /// Other turns have all of it: it may try again when they are over.
    Busy,
}

/// People that no other turn writes to. Whom its own did not use goes back with it.
pub(super) struct Share<'a> {
    reaches: &'a Reaches,
    account: Id,
    people: i64,
    used: i64,
}

impl Share<'_> {
    fn left(&self, tier: i64) -> Left {
        Left { people: Some(self.people), opens_at: None, tier }
    }

    /// So many were written to.
    pub(super) fn used(mut self, people: i64) {
        self.used = people;
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.reaches.with(&self.account, |known| known.give_back(self.people, self.used));
    }
}

/// What is known of accounts, in this process only.
#[derive(Default)]
pub struct Reaches(Mutex<HashMap<Id, Known>>);

#[derive(Clone, Copy, Default)]
struct Known {
    tier: Option<i64>,
    asked_at: Option<i64>,
    /// What may be handed out until it is counted again.
    quota: i64,
    counted_at: i64,
    /// What turns that are under way have.
    out: i64,
    /// What turns that are over used, since the process began.
    used: i64,
}

impl Known {
    fn is_good(&self, now: i64) -> bool {
        self.asked_at.is_some_and(|at| now - at < GOOD_MS)
    }

    /// What a count came to that began when `used` was what it was then.
    fn counted(&mut self, people: i64, used: i64, now: i64) {
        let sure = (people - self.out - (self.used - used)).max(0);
        (self.quota, self.counted_at) = (if sure > FEW { sure / 2 } else { sure }, now);
    }

    fn take(&mut self, most: i64) -> i64 {
        let people = self.quota.min(most);
        (self.quota, self.out) = (self.quota - people, self.out + people);
        people
    }

    fn give_back(&mut self, people: i64, used: i64) {
        (self.quota, self.out, self.used) = (self.quota + people - used, self.out - people, self.used + used);
    }
}

impl Reaches {
    /// A turn's share, at most `most` people.
    pub(super) async fn share(&self, engine: &Engine, sender: &Sender, most: i64) -> Result<Leave<'_>> {
        let (account, now) = (&sender.account_id, engine.now());
        let Some(tier) = self.tier(engine, sender).await? else { return Ok(Leave::Go(Left::default(), None)) };
        let (fresh, used) = self.with(account, |known| (now - known.counted_at < GOOD_MS, known.used));
        if fresh && let Some(share) = self.take(account, most) {
            return Ok(Leave::Go(share.left(tier), Some(share)));
        }
        let left = count(engine, account, tier).await?;
        self.with(account, |known| known.counted(left.people.unwrap_or(0), used, now));
        Ok(match self.take(account, most) {
            Some(share) => Leave::Go(share.left(tier), Some(share)),
            None if left.people == Some(0) => Leave::Go(left, None),
            None => Leave::Busy,
        })
    }

    /// What the provider said a moment ago, or says now.
    async fn tier(&self, engine: &Engine, sender: &Sender) -> Result<Option<i64>> {
        let (account, now) = (&sender.account_id, engine.now());
        let known = self.with(account, |known| *known);
        if known.is_good(now) {
            return Ok(known.tier);
        }
        let tier = self.ask(engine, sender, known.tier).await?;
        self.with(account, |known| (known.tier, known.asked_at) = (tier, Some(now)));
        Ok(tier)
    }

    /// What the provider says; what it said before, if it cannot be asked now.
    async fn ask(&self, engine: &Engine, sender: &Sender, before: Option<i64>) -> Result<Option<i64>> {
        let Some(reach) = engine.provider(&sender.provider).and_then(|provider| provider.reach()) else {
            return Ok(None);
        };
        let Some(account) = engine.account(&sender.account_id).await? else { return Ok(None) };
        match reach.people_per_day(&account, sender).await {
            Ok(tier) => Ok(tier),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(account = %account.id, error, "how many people may be written to could not be asked");
                Ok(before)
            }
        }
    }

    fn take(&self, account: &Id, most: i64) -> Option<Share<'_>> {
        let people = self.with(account, |known| known.take(most));
        (people > 0).then(|| Share { reaches: self, account: *account, people, used: 0 })
    }

    fn with<T>(&self, account: &Id, what: impl FnOnce(&mut Known) -> T) -> T {
        what(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(*account).or_default())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(people: i64) -> (Reaches, Id) {
        let (reaches, account) = (Reaches::default(), Id::floor(1));
        reaches.with(&account, |known| known.counted(people, 0, 0));
        (reaches, account)
    }

    #[test]
    fn nobody_is_handed_out_twice() {
        let (reaches, account) = counted(60);
        let first = reaches.take(&account, 64).unwrap();
        assert!(first.people == 60 && reaches.take(&account, 64).is_none());
        first.used(45);
        assert_eq!(reaches.take(&account, 10).unwrap().people, 10);
        assert_eq!(reaches.take(&account, 64).unwrap().people, 15, "what was cut off is back");
    }

    /// Whether it saw what a turn did meanwhile or not.
    #[test]
    fn a_count_leaves_out_what_it_may_not_have_seen() {
        let (reaches, account) = counted(200);
        let [over, under_way] = [10, 20].map(|people| reaches.take(&account, people).unwrap());
        let used = reaches.with(&account, |known| known.used);
        over.used(10);
        reaches.with(&account, |known| known.counted(60, used, 0));
        assert_eq!(reaches.take(&account, 64).unwrap().people, 30);
        drop(under_way);
        assert_eq!(reaches.take(&account, 64).unwrap().people, 50);
    }
}
