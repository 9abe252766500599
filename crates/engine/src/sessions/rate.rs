//! How fast sessions are opened: faster while they come up quickly, slower when they do not.

/// Sessions a second at the beginning.
const FIRST: f64 = 20.0;
const LEAST: f64 = 1.0;
/// What a success adds, and what a failure leaves.
const STEP: f64 = 0.5;
const CUT: f64 = 0.7;
/// One outage shows as many failures: they count once in this time.
const CUT_EVERY_MS: i64 = 1000;

#[derive(Clone, Debug)]
pub(super) struct Rate {
    per_second: f64,
    most: f64,
    /// What may be opened now.
    credit: f64,
    counted_at: i64,
    cut_at: i64,
}

impl Rate {
    pub(super) fn new(most: u32, now: i64) -> Self {
        let most = f64::from(most.max(1));
        Self { per_second: FIRST.min(most), most, credit: 1.0, counted_at: now, cut_at: 0 }
    }

    /// How many may be opened now; what is unused of a second is lost.
    pub(super) fn allowed(&mut self, now: i64) -> i64 {
        let passed = (now - self.counted_at).max(0) as f64 / 1000.0;
        self.credit = (self.credit + passed * self.per_second).min(self.per_second.max(1.0));
        self.counted_at = now;
        self.credit as i64
    }

    pub(super) fn opened(&mut self, count: usize) {
        self.credit -= count as f64;
    }

    /// One came up quickly.
    pub(super) fn succeeded(&mut self) {
        self.per_second = (self.per_second + STEP).min(self.most);
    }

    /// One did not come up, or slowly.
    pub(super) fn failed(&mut self, now: i64) {
        if now - self.cut_at >= CUT_EVERY_MS {
            self.per_second = (self.per_second * CUT).max(LEAST);
            self.cut_at = now;
        }
    }

    /// Milliseconds until one more may be opened.
    pub(super) fn pause_ms(&self) -> i64 {
        let missing = (1.0 - self.credit).max(0.0);
        (missing / self.per_second * 1000.0).ceil() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_its_rate_and_never_more_than_a_second_at_once() {
        let mut rate = Rate::new(50, 0);
        assert_eq!(rate.allowed(0), 1);
        assert_eq!(rate.allowed(60_000), 20);
        rate.opened(20);
        assert_eq!((rate.allowed(60_000), rate.pause_ms()), (0, 50));
        assert_eq!(rate.allowed(60_050), 1);
        assert_eq!(Rate::new(5, 0).allowed(60_000), 5);
    }

    #[test]
    fn it_follows_how_sessions_come_up() {
        let mut rate = Rate::new(50, 0);
        (0..100).for_each(|_| rate.succeeded());
        assert_eq!(rate.allowed(10_000), 50);
        (0..100).for_each(|_| rate.failed(10_000));
        rate.opened(50);
        assert_eq!(rate.allowed(11_000), 35, "one outage is one failure");
        (1..60).for_each(|second| rate.failed(11_000 + second * 1000));
        rate.opened(35);
        assert_eq!(rate.allowed(80_000), 1);
    }
}
