//! Time as an input: the real clock with an offset that the sandbox can move, or one that only tests move.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

#[derive(Clone)]
pub struct Clock(Arc<State>);

struct State {
    /// Added to the real time, or the time itself when `manual`.
    value: AtomicI64,
    manual: bool,
    moved: watch::Sender<()>,
}

impl Clock {
    #[must_use]
    pub fn system() -> Self {
        Self::with(0, false)
    }

    /// Stands still until it is moved.
    #[must_use]
    pub fn manual(now_ms: i64) -> Self {
        Self::with(now_ms, true)
    }

    fn with(value: i64, manual: bool) -> Self {
        Self(Arc::new(State { value: AtomicI64::new(value), manual, moved: watch::Sender::new(()) }))
    }

    /// Milliseconds since 1970, UTC.
    #[must_use]
    pub fn now(&self) -> i64 {
        let value = self.0.value.load(Ordering::Relaxed);
        if self.0.manual { value } else { system_millis() + value }
    }

    /// How far a system clock runs ahead of the real time.
    #[must_use]
    pub fn offset(&self) -> i64 {
        if self.0.manual { 0 } else { self.0.value.load(Ordering::Relaxed) }
    }

    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        self.0.value.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::Relaxed);
        self.0.moved.send_replace(());
    }

    /// Sets how far a system clock runs ahead; a manual one ignores it.
    pub fn set_offset(&self, offset_ms: i64) {
        if !self.0.manual {
            self.0.value.store(offset_ms, Ordering::Relaxed);
            self.0.moved.send_replace(());
        }
    }

    /// Waits until the time has come, also when it comes by being moved.
    #[expect(clippy::disallowed_methods, reason = "the one place where product code waits for time to pass")]
    pub async fn sleep_until(&self, at_ms: i64) {
        let mut moved = self.0.moved.subscribe();
        loop {
            let left = at_ms - self.now();
            if left <= 0 {
                return;
            }
            if self.0.manual {
                let _ = moved.changed().await;
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(left.unsigned_abs())) => {}
                _ = moved.changed() => {}
            }
        }
    }

    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now() + i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where product code asks the system for the time")]
fn system_millis() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// RFC 3339 with milliseconds, as all dialects print times.
#[must_use]
pub fn rfc3339(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis)
        .unwrap_or_default()
        .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
