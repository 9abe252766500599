//! The sandbox's time: a source of real milliseconds plus an offset that only grows.
//!
//! Whoever waits, waits on this clock, so a jump of the offset makes everything that became due wake at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// Where real time comes from: the system, or a hand that a test moves.
#[derive(Clone, Default)]
pub enum Source {
    #[default]
    System,
    /// Milliseconds since 1970; stands still until it is moved through the control API's offset.
    Fixed(Arc<AtomicI64>),
}

impl Source {
    #[expect(clippy::disallowed_methods, reason = "this is where the sandbox's time comes from")]
    fn now_ms(&self) -> i64 {
        match self {
            Source::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)),
            Source::Fixed(at) => at.load(Ordering::Relaxed),
        }
    }
}

/// Cheap to clone; all clones share the offset.
#[derive(Clone)]
pub(crate) struct Clock {
    source: Source,
    offset: Arc<watch::Sender<i64>>,
}

impl Clock {
    pub(crate) fn new(source: Source, offset_ms: i64) -> Self {
        Self { source, offset: Arc::new(watch::Sender::new(offset_ms)) }
    }

    /// Milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.source.now_ms().saturating_add(self.offset_ms())
    }

    pub(crate) fn offset_ms(&self) -> i64 {
        *self.offset.borrow()
    }

    /// Sets the offset if that is a move forward; tells whether it was.
    pub(crate) fn move_to(&self, offset_ms: i64) -> bool {
        self.offset.send_if_modified(|now| {
            let forward = offset_ms > *now;
            if forward {
                *now = offset_ms;
            }
            forward
        })
    }

    /// Waits until the clock shows `at` (milliseconds).
    pub(crate) async fn reach(&self, at: i64) {
        let mut moved = self.offset.subscribe();
        loop {
            moved.mark_unchanged();
            let left = at.saturating_sub(self.now());
            if left <= 0 {
                return;
            }
            let nap = Duration::from_millis(u64::try_from(left).unwrap_or(0).min(60_000));
            tokio::select! {
                () = pause(nap) => {}
                _ = moved.changed() => {}
            }
        }
    }
}

/// Waits in real time, whatever the clock shows; for what has nothing to do with the story told.
#[expect(clippy::disallowed_methods, reason = "this is where the sandbox's waiting comes from")]
pub(crate) async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}

/// `"25h"` → milliseconds. Whole numbers of s, m, h, d.
pub(crate) fn parse_advance(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok().filter(|n| *n >= 0)?;
    let factor = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return None,
    };
    count.checked_mul(factor).filter(|ms| *ms <= 20 * 365 * 86_400_000)
}

/// RFC 3339 with milliseconds, UTC.
pub(crate) fn rfc3339(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// Graph's own spelling of a time: `2026-11-21T09:44:02+0000`.
pub(crate) fn graph_time(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advances_are_whole_numbers_of_known_units() {
        for (text, ms) in [("30s", 30_000), ("5m", 300_000), ("25h", 90_000_000), ("31d", 2_678_400_000)] {
            assert_eq!(parse_advance(text), Some(ms), "{text}");
        }
        for text in ["", "h", "1.5h", "-1h", "1w", "1 h", "99999999999999999999d", "9999999999d", "5µ"] {
            assert_eq!(parse_advance(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn a_jump_wakes_who_waits_and_time_never_goes_back() {
        let clock = Clock::new(Source::Fixed(Arc::new(AtomicI64::new(1_000))), 0);
        let waiter = tokio::spawn({
            let clock = clock.clone();
            async move { clock.reach(5_000).await }
        });
        assert!(clock.move_to(4_000));
        assert!(!clock.move_to(3_000), "only forward");
        waiter.await.unwrap();
        assert_eq!(clock.now(), 5_000);
    }
}
