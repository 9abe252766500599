use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use super::Connection;
use crate::Outcome;

/// When a drive ends.
#[derive(Clone, Copy)]
pub enum Until {
    /// No request is begun after this.
    Time(Duration),
    /// So many requests were made.
    Count(u64),
}

/// What came of a drive.
#[derive(Default)]
pub struct Tally {
    pub answers: BTreeMap<u16, u64>,
    pub seconds: f64,
    /// Microseconds of each call, sorted.
    pub latencies: Vec<u32>,
}

impl Tally {
    /// Good answers in a second. An answer that is not 2xx makes the whole drive worthless.
    pub fn rate(&self) -> Outcome<f64> {
        if let Some((status, count)) = self.answers.iter().find(|(status, _)| !(200..300).contains(*status)) {
            return Err(format!("{count} requests were answered {status}").into());
        }
        Ok(self.answers.values().sum::<u64>() as f64 / self.seconds)
    }

    /// Milliseconds within which `share` of all calls were answered.
    pub fn within(&self, share: f64) -> f64 {
        let place = (self.latencies.len() as f64 * share) as usize;
        self.latencies
            .get(place.min(self.latencies.len().saturating_sub(1)))
            .map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }
}

/// Calls on so many keep-alive connections, each as soon as its last call was answered. `write` writes the
/// request of a given number, whole.
pub async fn drive(
    address: SocketAddr,
    connections: usize,
    until: Until,
    write: impl Fn(u64, &mut Vec<u8>),
) -> Outcome<Tally> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let (next, tally, began) = (Cell::new(0), RefCell::new(Tally::default()), Instant::now());
    let take = || {
        let number = next.replace(next.get() + 1);
        match until {
            Until::Time(most) => (began.elapsed() < most).then_some(number),
            Until::Count(most) => (number < most).then_some(number),
        }
    };
    let calling = open.into_iter().map(async |mut connection| -> Outcome {
        let mut request = Vec::with_capacity(2048);
        while let Some(number) = take() {
            request.clear();
            write(number, &mut request);
            let asked = Instant::now();
            let (status, _) = connection.call(&request).await?;
            let mut tally = tally.borrow_mut();
            *tally.answers.entry(status).or_default() += 1;
            tally.latencies.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
        Ok(())
    });
    try_join_all(calling).await?;
    let mut tally = tally.into_inner();
    tally.seconds = began.elapsed().as_secs_f64();
    tally.latencies.sort_unstable();
    Ok(tally)
}
