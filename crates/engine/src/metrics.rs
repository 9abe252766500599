//! What is counted, under names that dashboards rely on.

use metrics::{counter, gauge, histogram};

use crate::accounts::{ACTIVE, BLOCKED, REMOVED};
use crate::sessions::{Counts, State};

pub(crate) fn accepted(dialect: &'static str) {
    counter!("hermod_messages_accepted_total", "dialect" => dialect).increment(1);
}

pub(crate) fn received(count: usize) {
    counter!("hermod_messages_received_total").increment(count as u64);
}

pub(crate) fn sent(outcome: &'static str, millis: i64) {
    counter!("hermod_sends_total", "outcome" => outcome).increment(1);
    histogram!("hermod_send_seconds").record(millis as f64 / 1000.0);
}

pub(crate) fn delivered(outcome: &'static str, millis: i64) {
    counter!("hermod_deliveries_total", "outcome" => outcome).increment(1);
    histogram!("hermod_delivery_seconds").record(millis as f64 / 1000.0);
}

/// A try at a file that came with a message.
pub(crate) fn fetched(outcome: &'static str) {
    counter!("hermod_media_fetches_total", "outcome" => outcome).increment(1);
}

/// Two sends of one message both turned out to have been taken.
pub(crate) fn doubled() {
    counter!("hermod_messages_doubled_total").increment(1);
}

pub(crate) fn sessions(counts: &Counts) {
    for state in State::ALL {
        gauge!("hermod_sessions", "state" => state.as_str()).set(counts.of(state) as f64);
    }
    gauge!("hermod_sessions_wanted").set(counts.wanted as f64);
    gauge!("hermod_sessions_held").set(counts.held as f64);
}

/// The depth and age of each queue, read when metrics are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Backlog {
    pub queue: &'static str,
    pub depth: i64,
    /// How long the first has been due, in milliseconds; 0 when none is.
    pub age_ms: i64,
}

/// How all organizations' accounts with one provider stand, read when metrics are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub provider: &'static str,
    /// How many there are, by status.
    pub accounts: [(&'static str, i64); 3],
    /// Senders of which nothing is sent for a while, or before a person has looked.
    pub senders_held: i64,
    /// How long nothing was heard from the provider, in milliseconds; `None` when nothing ever was.
    pub silent_ms: Option<i64>,
}

impl crate::Engine {
    /// One for each provider that this program has, so that what is over reads as zero.
    pub async fn standings(&self) -> store::Result<Vec<Standing>> {
        let (mut reader, now) = (self.db.reader().await?, self.now());
        let tallies = store::accounts::tally(&mut reader).await?;
        let held = store::lanes::held_by_provider(&mut reader, now, REMOVED).await?;
        let standing = |provider: &'static str| {
            let own = || tallies.iter().filter(|tally| tally.provider == provider);
            let count = |status| own().filter(|tally| tally.status == status).map(|tally| tally.count).sum();
            let heard_at = own().filter_map(|tally| tally.heard_at).max();
            Standing {
                provider,
                accounts: [ACTIVE, BLOCKED, REMOVED].map(|status| (status, count(status))),
                senders_held: held.iter().find(|(name, _)| name == provider).map_or(0, |(_, count)| *count),
                silent_ms: heard_at.map(|at| (now - at).max(0)),
            }
        };
        Ok(self.providers.iter().map(|provider| standing(provider.name())).collect())
    }

    pub async fn backlogs(&self) -> store::Result<Vec<Backlog>> {
        let (mut reader, now) = (self.db.reader().await?, self.now());
        let found = [
            ("send", store::jobs::backlog(&mut reader, crate::outbound::SEND).await?),
            ("media", store::jobs::backlog(&mut reader, crate::media::FETCH).await?),
            ("campaigns", store::jobs::backlog(&mut reader, crate::campaigns::JOB).await?),
            ("events", store::events::backlog(&mut reader).await?),
            ("deliveries", store::deliveries::backlog(&mut reader).await?),
        ];
        let age = |since: Option<i64>| since.map_or(0, |since| (now - since).max(0));
        Ok(found.into_iter().map(|(queue, (depth, since))| Backlog { queue, depth, age_ms: age(since) }).collect())
    }
}
