//! Differences between dialects, as data.

use std::sync::Arc;
use std::time::Duration;

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
    /// A subscription is disabled after this many deliveries in a row were given up.
    pub disable_after: Option<i64>,
    /// When an address is left alone for a while.
    pub suspension: Option<Suspension>,
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
