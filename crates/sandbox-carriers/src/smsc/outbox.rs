//! What waits to be brought to a platform.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusmpp::pdus::DeliverSm;
use tokio::sync::{Notify, oneshot};

/// More than this is not kept; the oldest go.
const MOST: usize = 200_000;

/// One delivery.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) pdu: DeliverSm,
    /// Told when it was acknowledged.
    pub(super) taken: Option<oneshot::Sender<()>>,
}

/// Of one system.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<VecDeque<Parcel>>,
    news: Notify,
    takers: AtomicUsize,
}

/// A connection that takes deliveries, as long as this lives.
pub(super) struct Taker<'a>(&'a Outbox);

impl Outbox {
    pub(super) fn put(&self, parcel: Parcel) {
        let mut waiting = self.waiting();
        if waiting.len() == MOST {
            waiting.pop_front();
        }
        waiting.push_back(parcel);
        self.news.notify_one();
    }

    /// It was not acknowledged: it is the next to go.
    pub(super) fn put_back(&self, parcel: Parcel) {
        self.waiting().push_front(parcel);
        self.news.notify_one();
    }

    pub(super) async fn take(&self) -> Parcel {
        loop {
            let news = self.news.notified();
            if let Some(parcel) = self.take_now() {
                return parcel;
            }
            news.await;
        }
    }

    fn take_now(&self) -> Option<Parcel> {
        let mut waiting = self.waiting();
        let parcel = waiting.pop_front();
        if !waiting.is_empty() {
            self.news.notify_one();
        }
        parcel
    }

    pub(super) fn takers(&self) -> usize {
        self.takers.load(Ordering::Relaxed)
    }

    pub(super) fn taker(&self) -> Taker<'_> {
        self.takers.fetch_add(1, Ordering::Relaxed);
        Taker(self)
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Parcel>> {
        // Whoever panicked left a whole queue.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taker<'_> {
    fn drop(&mut self) {
        self.0.takers.fetch_sub(1, Ordering::Relaxed);
    }
}
