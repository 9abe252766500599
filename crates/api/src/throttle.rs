//! How often callers may ask: a token bucket for each of them, on the engine's clock.
//!
//! A bucket is one number, the moment at which it will be full again; a full one needs no memory. The
//! `governor` crate keeps the same number to itself and tells only whole tokens, from which the moment of
//! being full cannot be told to callers as exactly as they are promised. Buckets live in this process:
//! several processes behind one address allow as many times more.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use foldhash::fast::RandomState;

const NANOS: i64 = 1_000_000;
/// Full buckets are swept out when there are this many.
const MANY: usize = 10_000;

/// So many requests a minute, all of them at once if need be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub per_minute: u32,
}

/// So many requests in a stretch of time, all of them at once if need be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub limit: u32,
    pub seconds: u32,
}

impl From<Limit> for Window {
    fn from(limit: Limit) -> Self {
        Self { limit: limit.per_minute, seconds: 60 }
    }
}

/// How a caller stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub limit: u32,
    /// The stretch of time that it is for, in seconds.
    pub window: u32,
    /// Whole tokens left.
    pub remaining: u32,
    /// When the bucket will be full, in seconds since 1970, rounded up.
    pub reset: i64,
    /// The request must not be served; whole seconds until one may, at least 1.
    pub retry_after: Option<i64>,
}

impl Standing {
    /// In the headers that most APIs have; `x-ratelimit-reset` is a moment, in seconds since 1970.
    pub fn show(self, headers: &mut HeaderMap) {
        let mut put =
            |name: &'static str, value: i64| headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        put("x-ratelimit-limit", i64::from(self.limit));
        put("x-ratelimit-remaining", i64::from(self.remaining));
        put("x-ratelimit-reset", self.reset);
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
}

/// All callers' buckets.
pub struct Throttle<K>(Mutex<HashMap<K, i64, RandomState>>);

impl<K> Default for Throttle<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Throttle<K> {
    /// Takes one token, if there is one.
    pub fn take(&self, key: K, limit: impl Into<Window>, now_ms: i64) -> Standing {
        let (window, now) = (limit.into(), now_ms * NANOS);
        let whole = window.nanos();
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MANY {
            buckets.retain(|_, full_at| *full_at > now);
        }
        let full_at = buckets.entry(key).or_insert(now);
        // A clock that was set back must not lock anybody out for longer than the window.
        *full_at = (*full_at).clamp(now, now + whole);
        let cost = window.cost();
        let taken = *full_at + cost <= now + whole;
        if taken {
            *full_at += cost;
        }
        let wait = (*full_at + cost - now - whole).max(0);
        let retry_after = (!taken).then(|| ceil(wait, 1000 * NANOS).max(1));
        Standing { retry_after, ..window.standing(*full_at, now) }
    }
}

impl Limit {
    /// How a caller stands who has asked for nothing.
    #[must_use]
    pub fn full(self, now_ms: i64) -> Standing {
        Window::from(self).full(now_ms)
    }
}

impl Window {
    /// How a caller stands who has asked for nothing.
    #[must_use]
    pub fn full(self, now_ms: i64) -> Standing {
        self.standing(now_ms * NANOS, now_ms * NANOS)
    }

    fn nanos(self) -> i64 {
        i64::from(self.seconds.max(1)) * 1000 * NANOS
    }

    /// How much time a token is worth.
    fn cost(self) -> i64 {
        self.nanos() / i64::from(self.limit.max(1))
    }

    fn standing(self, full_at: i64, now: i64) -> Standing {
        let left = (self.nanos() - (full_at - now)) / self.cost();
        Standing {
            limit: self.limit,
            window: self.seconds,
            remaining: u32::try_from(left).unwrap_or(0).min(self.limit),
            reset: ceil(full_at, 1000 * NANOS),
            retry_after: None,
        }
    }
}

fn ceil(value: i64, unit: i64) -> i64 {
    value.div_euclid(unit) + i64::from(value.rem_euclid(unit) != 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let (throttle, limit) = (Throttle::default(), Limit { per_minute: 60 });
        let first = throttle.take("a", limit, NOW);
        assert_eq!(first, Standing { limit: 60, window: 60, remaining: 59, reset: NOW / 1000 + 1, retry_after: None });
        for _ in 0..59 {
            assert_eq!(throttle.take("a", limit, NOW).retry_after, None);
        }
        let refused = throttle.take("a", limit, NOW);
        assert_eq!(
            refused,
            Standing { limit: 60, window: 60, remaining: 0, reset: NOW / 1000 + 60, retry_after: Some(1) }
        );
        assert_eq!(throttle.take("b", limit, NOW).remaining, 59, "another caller's bucket is another");
        assert_eq!(throttle.take("a", limit, NOW + 999).retry_after, Some(1), "refused requests cost nothing");
        assert_eq!(throttle.take("a", limit, NOW + 1000).retry_after, None);
        assert_eq!(throttle.take("a", limit, NOW + 1000).retry_after, Some(1));
        assert_eq!(throttle.take("a", limit, NOW + 120_000).remaining, 59, "and not more than full");
    }

    #[test]
    fn slow_limits_tell_how_long_to_wait() {
        let (throttle, limit) = (Throttle::default(), Limit { per_minute: 2 });
        assert_eq!((throttle.take((), limit, NOW).remaining, throttle.take((), limit, NOW).remaining), (1, 0));
        assert_eq!(throttle.take((), limit, NOW).retry_after, Some(30));
        assert_eq!(throttle.take((), limit, NOW + 10_500).retry_after, Some(20));
        assert_eq!(
            limit.full(NOW),
            Standing { limit: 2, window: 60, remaining: 2, reset: NOW / 1000, retry_after: None }
        );
    }

    #[test]
    fn a_window_may_be_an_hour() {
        let (throttle, hour) = (Throttle::default(), Window { limit: 2, seconds: 3600 });
        assert_eq!((throttle.take((), hour, NOW).remaining, throttle.take((), hour, NOW).remaining), (1, 0));
        assert_eq!(throttle.take((), hour, NOW).retry_after, Some(1800));
        assert_eq!(throttle.take((), hour, NOW + 1_800_000).retry_after, None);
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let (throttle, limit) = (Throttle::default(), Limit { per_minute: 1 });
        throttle.take((), limit, NOW);
        assert_eq!(throttle.take((), limit, NOW - 3_600_000).retry_after, Some(60));
    }

    #[test]
    fn memory_is_bounded_by_those_who_ask_now() {
        let (throttle, limit) = (Throttle::default(), Limit { per_minute: 60 });
        for caller in 0..MANY {
            throttle.take(caller, limit, NOW);
        }
        throttle.take(MANY, limit, NOW + 1000);
        assert_eq!(throttle.0.lock().unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn no_minute_sees_more_than_twice_the_limit(per_minute in 1_u32..500, steps in prop::collection::vec(0_i64..3000, 1..400)) {
            let (throttle, limit, mut now, mut allowed) = (Throttle::default(), Limit { per_minute }, NOW, 0_u32);
            for step in steps {
                now += step;
                let standing = throttle.take((), limit, now);
                prop_assert!(standing.remaining < per_minute && standing.reset >= now / 1000);
                allowed += u32::from(standing.retry_after.is_none());
            }
            let earned = f64::from(per_minute) * (1.0 + (now - NOW) as f64 / 60_000.0);
            prop_assert!(f64::from(allowed) <= earned + 1.0);
        }
    }
}
