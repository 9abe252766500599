//! Addresses that fail too often, as far as this process has seen. What follows from it is written into the database,
//! for all processes.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use store::{Result, Tx, Work};

use crate::UseCase;
use crate::policy::Suspension;

/// When failures happened and how long each took, in milliseconds, by address.
#[derive(Default)]
pub struct Troubles(Mutex<HashMap<String, VecDeque<(i64, i64)>>>);

/// Addresses are swept out when there are this many.
const MANY: usize = 1000;

impl Troubles {
    /// Notes a failure; tells until when the address is left alone if it was one too many.
    pub(super) fn note(&self, policy: Suspension, url: &str, at: i64, duration_ms: i64) -> Option<i64> {
        let (now, within) = (at + duration_ms, millis(policy.within));
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if troubles.len() >= MANY {
            troubles.retain(|_, failures| failures.back().is_some_and(|(at, _)| *at > now - within));
        }
        let failures = troubles.entry(url.to_owned()).or_default();
        failures.push_back((now, duration_ms));
        while failures.front().is_some_and(|(at, _)| *at <= now - within) {
            failures.pop_front();
        }
        let failing: i64 = failures.iter().map(|(_, took)| took).sum();
        let too_many = failures.len() >= policy.failures || failing >= millis(policy.failing);
        too_many.then(|| {
            troubles.remove(url);
            now + millis(policy.pause)
        })
    }
}

fn millis(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}

/// Nothing is sent to an address before a moment.
pub(super) struct Suspend {
    pub dialect: &'static str,
    pub url: String,
    pub until: i64,
}

impl Work for Suspend {
    type Output = ();
    async fn run(&self, tx: &mut Tx) -> Result<()> {
        store::subscriptions::suspend(tx, self.dialect, &self.url, self.until).await
    }
}

impl UseCase for Suspend {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const POLICY: Suspension = Suspension {
        failures: 3,
        failing: Duration::from_secs(20),
        within: Duration::from_secs(60),
        pause: Duration::from_secs(180),
    };

    #[test]
    fn too_many_or_too_slow_failures_within_the_time_suspend() {
        let troubles = Troubles::default();
        assert_eq!(troubles.note(POLICY, "a", 0, 10), None);
        assert_eq!(troubles.note(POLICY, "a", 61_000, 10), None, "the first is forgotten");
        assert_eq!(troubles.note(POLICY, "b", 61_000, 10), None, "each address by itself");
        assert_eq!(troubles.note(POLICY, "a", 62_000, 10), None);
        assert_eq!(troubles.note(POLICY, "a", 63_000, 10), Some(243_010));
        assert_eq!(troubles.note(POLICY, "a", 64_000, 10), None, "and it begins anew");
        assert_eq!(troubles.note(POLICY, "c", 0, 10_000), None);
        assert_eq!(troubles.note(POLICY, "c", 5_000, 10_000), Some(195_000), "slow ones count by their time");
    }
}
