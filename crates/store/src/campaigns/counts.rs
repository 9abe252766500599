//! How many recipients of a campaign stand how: exact at every commit, and never waited for.
//!
//! The commit that moves a recipient adds the difference to one of several shares. Which one does not matter, for only
//! their sum means anything; a single share may well be below zero.

use super::recipients::Standing;
use crate::db::{Result, Tx};
use crate::{Id, params};

/// By what they are now: each recipient is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    pub pending: i64,
    pub queued: i64,
    pub sent: i64,
    pub failed: i64,
    pub delivered: i64,
    pub read: i64,
}

impl Counts {
    #[must_use]
    pub fn total(&self) -> i64 {
        self.waiting() + self.failed + self.sent_in_all()
    }

    /// Not handed over yet.
    #[must_use]
    pub fn waiting(&self) -> i64 {
        self.pending + self.queued
    }

    /// Those that arrived included.
    #[must_use]
    pub fn sent_in_all(&self) -> i64 {
        self.sent + self.delivered_in_all()
    }

    /// Those that were read included.
    #[must_use]
    pub fn delivered_in_all(&self) -> i64 {
        self.delivered + self.read
    }

    /// How many stand so.
    pub fn of(&mut self, standing: Standing) -> &mut i64 {
        match standing {
            Standing::Pending => &mut self.pending,
            Standing::Queued => &mut self.queued,
            Standing::Sent => &mut self.sent,
            Standing::Failed => &mut self.failed,
            Standing::Delivered => &mut self.delivered,
            Standing::Read => &mut self.read,
        }
    }

    /// One that stood so stands otherwise now.
    pub fn step(&mut self, from: Standing, to: Standing) {
        *self.of(from) -= 1;
        *self.of(to) += 1;
    }

    /// With a difference.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            pending: self.pending + other.pending,
            queued: self.queued + other.queued,
            sent: self.sent + other.sent,
            failed: self.failed + other.failed,
            delivered: self.delivered + other.delivered,
            read: self.read + other.read,
        }
    }
}

/// The share of those who hold the campaign's lock.
pub const OWN: i64 = 0;
/// How many others there are.
const OTHERS: i64 = 63;

/// A share for something that has to do with a message.
#[must_use]
pub fn share(message: &Id) -> i64 {
    1 + i64::from(message.as_bytes()[11]) % OTHERS
}

/// Adds a difference to a share, which stays locked until the commit.
pub async fn add(tx: &mut Tx, campaign: &Id, share: i64, difference: &Counts) -> Result<()> {
    if *difference == Counts::default() {
        return Ok(());
    }
    let sql = "INSERT INTO campaign_counts (campaign_id, share, pending, queued, sent, failed, delivered, read)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               ON CONFLICT (campaign_id, share) DO UPDATE SET
                 pending = campaign_counts.pending + excluded.pending, queued = campaign_counts.queued + excluded.queued,
                 sent = campaign_counts.sent + excluded.sent, failed = campaign_counts.failed + excluded.failed,
                 delivered = campaign_counts.delivered + excluded.delivered, read = campaign_counts.read + excluded.read";
    let it = difference;
    let values = params![campaign, share, it.pending, it.queued, it.sent, it.failed, it.delivered, it.read];
    tx.beside().post(sql, values).await
}

/// All shares of a campaign together.
pub async fn of(tx: &mut Tx, campaign: &Id) -> Result<Counts> {
    let sql = "SELECT pending, queued, sent, failed, delivered, read FROM campaign_counts WHERE campaign_id = ?1";
    let mut sum = Counts::default();
    for mut row in tx.beside().query(sql, params![campaign]).await? {
        sum = sum.and(Counts {
            pending: row.take()?,
            queued: row.take()?,
            sent: row.take()?,
            failed: row.take()?,
            delivered: row.take()?,
            read: row.take()?,
        });
    }
    Ok(sum)
}
