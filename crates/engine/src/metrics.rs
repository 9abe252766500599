//! What is counted, under names that dashboards rely on.

use metrics::{counter, gauge, histogram};

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

impl crate::Engine {
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
