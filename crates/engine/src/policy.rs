//! Differences between dialects, as data.

use std::sync::Arc;
use std::time::Duration;

use store::subscriptions::Standing;

use crate::format::EventFormat;

/// What the engine must know of a dialect.
#[derive(Clone)]
pub struct Dialect {
    /// Its name in tables, settings and the command line.
    pub name: &'static str,
    pub format: Arc<dyn EventFormat>,
    pub delivery: DeliveryPolicy,
}

/// How a dialect's webhooks are tried.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryPolicy {
    pub timeout: Duration,
    /// The pause before each attempt, the first included.
    pub ladder: &'static [Duration],
    /// Each pause is drawn from this many percent around it.
    pub jitter_percent: u32,
    /// Client errors (4xx) that are worth another try; all others end a delivery. 3xx and 5xx are always tried again.
    pub retried_client_errors: Retried,
    /// Answers whose `Retry-After` moves the next attempt further away, never nearer.
    pub honours_retry_after: &'static [u16],
    /// When a subscription that gives nothing is switched off.
    pub disabling: Disabling,
    /// Every attempt is kept as its owner may look at it, with where it went and what was answered.
    pub shows_attempts: bool,
    /// Bytes of a receiver's answer that are kept.
    pub answer_bytes: usize,
    /// When an address is left alone for a while.
    pub suspension: Option<Suspension>,
}

/// When a subscription that gives nothing is switched off.
#[derive(Clone, Copy, Debug)]
pub enum Disabling {
    Never,
    /// When so many deliveries in a row were given up.
    GivenUp(i64),
    /// When nothing succeeded for a time, and either so many deliveries in a row were given up or every attempt
    /// failed for as long.
    Silent {
        time: Duration,
        given_up: i64,
    },
}

impl Disabling {
    /// Why a subscription that stands like this is switched off now; `None`: it is not.
    #[must_use]
    pub fn verdict(&self, standing: &Standing, now: i64) -> Option<String> {
        let count = standing.given_up;
        match *self {
            Self::Never => None,
            Self::GivenUp(most) => (count >= most).then(|| format!("{count} deliveries in a row failed")),
            Self::Silent { time, given_up } => {
                let long_ago = |at: i64| now - at >= i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
                let (hours, silent) = (time.as_secs() / 3600, long_ago(standing.well_at));
                match (silent && count >= given_up, silent && long_ago(standing.failing_since)) {
                    (true, _) => Some(format!("{count} deliveries in a row failed, and none succeeded for {hours} h")),
                    (_, true) => Some(format!("every attempt failed for {hours} h")),
                    _ => None,
                }
            }
        }
    }
}

/// Client errors that are worth another try.
#[derive(Clone, Copy, Debug)]
pub enum Retried {
    All,
    Only(&'static [u16]),
}

/// An address that fails too often is left alone; what is due meanwhile waits and loses no attempt.
#[derive(Clone, Copy, Debug)]
pub struct Suspension {
    /// So many failures, or failures that took so long in all, …
    pub failures: usize,
    pub failing: Duration,
    /// … within this time, …
    pub within: Duration,
    /// … and nothing is sent for so long.
    pub pause: Duration,
}

impl DeliveryPolicy {
    /// Whether an answer ends a delivery for good.
    #[must_use]
    pub fn is_terminal(&self, status: u16) -> bool {
        let retried = match self.retried_client_errors {
            Retried::All => true,
            Retried::Only(some) => some.contains(&status),
        };
        (400..500).contains(&status) && !retried
    }

    /// The pause before attempt `number` (from 1), or `None` when there is no such attempt.
    /// `chance` is drawn evenly from 0 to 1.
    #[must_use]
    pub fn pause_before(&self, number: i64, chance: f64) -> Option<Duration> {
        let pause = self.ladder.get(usize::try_from(number - 1).ok()?)?;
        let spread = f64::from(self.jitter_percent) / 100.0 * (2.0 * chance - 1.0);
        Some(pause.mul_f64(1.0 + spread))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * 60 * 1000;
    const DAY: i64 = 24 * HOUR;

    #[test]
    fn rules_for_switching_off() {
        let silent = Disabling::Silent { time: Duration::from_secs(3 * 24 * 60 * 60), given_up: 20 };
        // Well at 0; the rule, deliveries given up, failing since, now, and whether that is too much.
        let rows = [
            (Disabling::Never, 1000, 0, 100 * DAY, false),
            (Disabling::GivenUp(10), 9, 0, 100 * DAY, false),
            (Disabling::GivenUp(10), 10, 0, 1, true),
            (silent, 20, DAY, 3 * DAY - 1, false),
            (silent, 20, 2 * DAY, 3 * DAY, true),
            (silent, 19, 2 * DAY, 4 * DAY, false),
            (silent, 0, 2 * DAY, 5 * DAY - 1, false),
            (silent, 0, 2 * DAY, 5 * DAY, true),
            (silent, 0, 0, 3 * DAY, true),
        ];
        for (rule, given_up, failing_since, now, off) in rows {
            let standing = Standing { given_up, well_at: 0, failing_since };
            assert_eq!(rule.verdict(&standing, now).is_some(), off, "{rule:?} {standing:?} at {now}");
        }
        let just_well = Standing { given_up: 30, well_at: 2 * DAY, failing_since: 2 * DAY };
        assert_eq!(
            silent.verdict(&just_well, 4 * DAY),
            None,
            "a success within the time counts more than all failures"
        );
    }
}
