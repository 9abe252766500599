//! The arithmetic of pacing: a leaky bucket kept as one number, the moment at which it would be full again.

/// A rate and what may go at once after a pause. Times are microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub interval_us: i64,
    pub burst: i64,
}

impl Bucket {
    pub(crate) fn per_second(rate: u32, burst: u32) -> Self {
        Self { interval_us: (1_000_000 / i64::from(rate.max(1))).max(1), burst: i64::from(burst.max(1)) }
    }

    /// How many may go now.
    pub(crate) fn free(self, full_at_us: i64, now_us: i64) -> i64 {
        let room = self.interval_us * self.burst - (full_at_us - now_us).max(0);
        (room / self.interval_us.max(1)).clamp(0, self.burst)
    }

    /// The bucket's number after some went.
    pub(crate) fn take(self, full_at_us: i64, now_us: i64, count: i64) -> i64 {
        full_at_us.max(now_us) + self.interval_us * count
    }

    /// When the next one may go.
    pub(crate) fn next_at(self, full_at_us: i64, now_us: i64) -> i64 {
        now_us.max(full_at_us - self.interval_us * (self.burst - 1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_full_bucket_gives_its_burst_and_then_the_rate() {
        let bucket = Bucket::per_second(80, 80);
        let mut full_at = 0;
        assert_eq!(bucket.free(full_at, 10_000_000), 80);
        full_at = bucket.take(full_at, 10_000_000, 80);
        assert_eq!(bucket.free(full_at, 10_000_000), 0);
        assert_eq!(bucket.next_at(full_at, 10_000_000), 10_012_500);
        assert_eq!(bucket.free(full_at, 10_012_500), 1);
        assert_eq!(bucket.free(full_at, 10_500_000), 40);
    }

    proptest! {
        #[test]
        fn no_minute_sees_more_than_rate_and_burst(rate in 1_u32..2000, burst in 1_u32..500, steps in proptest::collection::vec(1_i64..50_000, 1..400)) {
            let bucket = Bucket::per_second(rate, burst);
            let (mut now, mut full_at, mut sent) = (0, 0, 0);
            for step in steps {
                now += step;
                let count = bucket.free(full_at, now);
                full_at = bucket.take(full_at, now, count);
                sent += count;
                prop_assert!(sent <= now / bucket.interval_us + i64::from(burst) + 1);
            }
        }

        #[test]
        fn when_none_is_free_one_is_at_the_time_named(rate in 1_u32..2000, burst in 1_u32..500, ahead in 0_i64..10_000_000) {
            let (bucket, now) = (Bucket::per_second(rate, burst), 1_000_000_000);
            let next = bucket.next_at(now + ahead, now);
            prop_assert!(bucket.free(now + ahead, next) >= 1);
            prop_assert!(next == now || bucket.free(now + ahead, next - 1) == 0);
        }
    }
}
