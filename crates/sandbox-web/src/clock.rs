//! Time and waiting, both given from outside.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells the time; cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// A clock that shows what `now` says, in milliseconds since 1970.
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn ms(&self) -> i64 {
        (self.0)()
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.ms() / 1000
    }
}

impl Default for Clock {
    /// The system's clock.
    #[expect(clippy::disallowed_methods, reason = "a server that stands by itself has no other time")]
    fn default() -> Self {
        Self::new(|| {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
        })
    }
}

/// Waits in real time, as a slow network would.
#[expect(clippy::disallowed_methods, reason = "this is where this crate's waiting comes from")]
pub(crate) async fn pause(length: Duration) {
    if !length.is_zero() {
        tokio::time::sleep(length).await;
    }
}
