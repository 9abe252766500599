//! How many requests may be on their way to a carrier, and how fast they go.
//!
//! The contract's window is the most. A carrier that says that it is too much gets half as many at a time; each full round of
//! good answers adds one again, up to the window. All of it is in memory: after a crash the carrier tells us anew.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::Clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(super) struct Room {
    slots: Arc<Semaphore>,
    most: usize,
    /// Between two requests.
    interval_us: i64,
    state: Mutex<State>,
}

struct State {
    /// Requests at a time, for now.
    limit: usize,
    /// Slots to be taken away as they become free.
    owed: usize,
    /// Good answers since the limit changed.
    good: usize,
    /// When the next request may go.
    next_us: i64,
}

/// The right to have one request on its way.
pub(super) struct Slot<'a> {
    room: &'a Room,
    permit: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// `per_second` 0: no limit but the window.
    pub(super) fn new(window: u16, per_second: u32) -> Self {
        let most = usize::from(window.max(1));
        let interval_us = if per_second == 0 { 0 } else { 1_000_000 / i64::from(per_second) };
        let state = State { limit: most, owed: 0, good: 0, next_us: 0 };
        Self { slots: Arc::new(Semaphore::new(most)), most, interval_us, state: Mutex::new(state) }
    }

    /// Waits for a slot, first come, first served, and for its time.
    pub(super) async fn enter(&self, clock: &Clock) -> Slot<'_> {
        let permit = Arc::clone(&self.slots).acquire_owned().await.ok();
        let slot = Slot { room: self, permit };
        if self.interval_us > 0 {
            let at_us = self.turn(clock.now() * 1000);
            clock.sleep_until(at_us.div_euclid(1000)).await;
        }
        slot
    }

    /// Takes the next free time.
    fn turn(&self, now_us: i64) -> i64 {
        let mut state = self.state();
        let at = state.next_us.max(now_us);
        state.next_us = at + self.interval_us;
        at
    }

    /// The carrier took a request.
    pub(super) fn good(&self) {
        let mut state = self.state();
        if state.limit == self.most {
            return;
        }
        state.good += 1;
        if state.good < state.limit {
            return;
        }
        (state.limit, state.good) = (state.limit + 1, 0);
        match state.owed {
            0 => self.slots.add_permits(1),
            _ => state.owed -= 1,
        }
    }

    /// The carrier said that it is too much.
    pub(super) fn too_much(&self) {
        let mut state = self.state();
        let less = state.limit - (state.limit / 2).max(1);
        (state.limit, state.good) = (state.limit - less, 0);
        state.owed += less - self.slots.forget_permits(less);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked left whole numbers.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.room.state();
        if let Some(permit) = self.permit.take()
            && state.owed > 0
        {
            state.owed -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;

    fn enter<'a>(room: &'a Room, clock: &Clock) -> Option<Slot<'a>> {
        room.enter(clock).now_or_never()
    }

    fn fill<'a>(room: &'a Room, clock: &Clock) -> Vec<Slot<'a>> {
        std::iter::from_fn(|| enter(room, clock)).take(100).collect()
    }

    #[test]
    fn the_window_shrinks_with_complaints_and_grows_with_good_answers() {
        let (clock, room) = (Clock::manual(0), Room::new(10, 0));
        let slots = fill(&room, &clock);
        assert_eq!(slots.len(), 10);
        room.too_much();
        drop(slots);
        assert_eq!(fill(&room, &clock).len(), 5);
        (0..5).for_each(|_| room.good());
        assert_eq!(fill(&room, &clock).len(), 6);
        (0..10).for_each(|_| room.too_much());
        assert_eq!(fill(&room, &clock).len(), 1, "one always goes");
        (0..1000).for_each(|_| room.good());
        assert_eq!(fill(&room, &clock).len(), 10);
    }

    #[test]
    fn requests_keep_their_distance() {
        let (clock, room) = (Clock::manual(5), Room::new(10, 4));
        assert!(enter(&room, &clock).is_some());
        let mut second = Box::pin(room.enter(&clock));
        assert!(second.as_mut().now_or_never().is_none());
        clock.advance(Duration::from_millis(249));
        assert!(second.as_mut().now_or_never().is_none());
        clock.advance(Duration::from_millis(1));
        assert!(second.as_mut().now_or_never().is_some());
    }
}
