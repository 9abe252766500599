//! Names for what people write to us: SMPP has none.
//!
//! A message that we acknowledged in vain, because the connection or the process died, is delivered again and must get the
//! same name, so that it is known. One that somebody really writes twice must get another. So the name is a digest of all that
//! is known of a message, with the time in steps of five minutes, and how many of its kind we acknowledged in that step. What
//! was acknowledged just before a connection broke does not count. A process that was killed has forgotten the number: the
//! second of two equal messages within one step is then taken for the first.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::joining::Whole;

const STEP_MS: i64 = 5 * 60 * 1000;
/// An acknowledgement this much older than the carrier's last sign of life has arrived.
const MARGIN_MS: i64 = 2_000;
/// Names are forgotten by age; more than this at a time are forgotten all at once.
const MOST: usize = 100_000;

/// What was taken from a carrier in the last minutes.
#[derive(Default)]
pub(crate) struct Seen(Mutex<HashMap<String, Vec<i64>>>);

impl Seen {
    /// The name of a message that is taken now.
    pub(super) fn name(&self, whole: &Whole, now: i64) -> String {
        let digest = digest(whole, now.div_euclid(STEP_MS));
        let mut seen = self.seen();
        if seen.len() >= MOST {
            seen.clear();
        }
        seen.retain(|_, times| times.last().is_some_and(|last| now - last < 2 * STEP_MS));
        let times = seen.entry(digest.clone()).or_default();
        times.push(now);
        format!("{digest}-{}", times.len())
    }

    /// It could not be stored.
    pub(super) fn forget(&self, name: &str) {
        let digest = name.split('-').next().unwrap_or(name);
        if let Some(times) = self.seen().get_mut(digest) {
            times.pop();
        }
    }

    /// The connection ended; the carrier was last heard at this time and may know nothing of what came after.
    pub(crate) fn doubt(&self, heard: i64) {
        for times in self.seen().values_mut() {
            times.retain(|at| *at < heard - MARGIN_MS);
        }
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<String, Vec<i64>>> {
        // Whoever panicked left whole lists.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(whole: &Whole, step: i64) -> String {
    let mut hash = Sha256::new();
    let place = whole.place.map_or([0; 4], |place| {
        let [high, low] = place.reference.to_be_bytes();
        [high, low, place.total, place.number]
    });
    for field in [whole.from.address.as_bytes(), whole.to.address.as_bytes(), &place, &whole.octets] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    hash.update(step.to_be_bytes());
    hex::encode(&hash.finalize()[..12])
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::smpp::delivery::Party;

    fn whole(text: &'static str) -> Whole {
        let party = |address: &str| Party { ton: 1, address: address.to_owned() };
        Whole {
            from: party("15550100009"),
            to: party("15550100001"),
            data_coding: 0,
            octets: Bytes::from_static(text.as_bytes()),
            place: None,
            sequences: vec![1],
        }
    }

    #[test]
    fn equal_messages_have_names_of_their_own_unless_one_is_the_other() {
        let seen = Seen::default();
        let names = [seen.name(&whole("yes"), 0), seen.name(&whole("yes"), 10), seen.name(&whole("no"), 10)];
        assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
        // not stored, and not heard: they will come again
        seen.forget(&names[1]);
        assert_eq!(seen.name(&whole("yes"), 20), names[1]);
        seen.doubt(MARGIN_MS + 20);
        assert_eq!(seen.name(&whole("yes"), 30), names[1]);
        assert_eq!(seen.name(&whole("no"), 30), Seen::default().name(&whole("no"), 30).replace("-1", "-2"));
        // another process after a crash, and another day
        assert_eq!(Seen::default().name(&whole("yes"), 40), names[0]);
        assert_ne!(Seen::default().name(&whole("yes"), STEP_MS), names[0]);
    }
}
