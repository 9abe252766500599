//! Putting the parts of a text together.

use std::collections::{BTreeMap, HashMap};

use bytes::{Bytes, BytesMut};

use super::Arrived;
use crate::smpp::delivery::{Party, Place};

/// How long parts wait for the next one. Milliseconds; carriers wait for acknowledgements for ten seconds and more.
const NEXT_MS: i64 = 3_000;
/// How long the first part waits for the last.
const LAST_MS: i64 = 8_000;
/// Texts that are waited for at a time.
const MOST: usize = 64;

/// A text, or a part that stands alone after all.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) from: Party,
    pub(super) to: Party,
    pub(super) data_coding: u8,
    pub(super) octets: Bytes,
    /// Where it belongs; `number` is 0 for a text that was put together.
    pub(super) place: Option<Place>,
    pub(super) sequences: Vec<u32>,
}

/// Texts of which something is missing.
#[derive(Default)]
pub(super) struct Joining(HashMap<Key, Held>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    from: String,
    to: String,
    reference: u16,
    total: u8,
    data_coding: u8,
}

struct Held {
    from: Party,
    to: Party,
    parts: BTreeMap<u8, (Bytes, Vec<u32>)>,
    first_at: i64,
    last_at: i64,
}

impl Held {
    fn until(&self) -> i64 {
        (self.last_at + NEXT_MS).min(self.first_at + LAST_MS)
    }
}

impl Joining {
    /// When patience ends with the first of them.
    pub(super) fn until(&self) -> Option<i64> {
        self.0.values().map(Held::until).min()
    }

    /// Adds a delivery and yields what is whole now.
    pub(super) fn add(&mut self, arrived: Arrived, now: i64, yield_: &mut dyn FnMut(Whole)) {
        let Arrived { sequence, delivery } = arrived;
        let (place, octets) = delivery.part();
        let (from, to, data_coding) = (delivery.from, delivery.to, delivery.data_coding);
        let Some(place) = place else {
            return yield_(Whole { from, to, data_coding, octets, place: None, sequences: vec![sequence] });
        };
        let Place { reference, total, number } = place;
        let key = Key { from: from.address.clone(), to: to.address.clone(), reference, total, data_coding };
        if !self.0.contains_key(&key) && self.0.len() >= MOST {
            self.give_up_oldest(yield_);
        }
        let held = self.0.entry(key.clone()).or_insert_with(|| Held {
            from,
            to,
            parts: BTreeMap::new(),
            first_at: now,
            last_at: now,
        });
        held.last_at = now;
        held.parts.entry(number).or_insert_with(|| (octets, Vec::new())).1.push(sequence);
        if held.parts.len() == usize::from(total)
            && let Some(held) = self.0.remove(&key)
        {
            yield_(joined(&key, held));
        }
    }

    /// Yields the parts for which nobody waits any more.
    pub(super) fn expire(&mut self, now: i64, yield_: &mut dyn FnMut(Whole)) {
        let gone: Vec<(Key, Held)> = self.0.extract_if(|_, held| held.until() <= now).collect();
        for (key, held) in gone {
            alone(&key, held, yield_);
        }
    }

    fn give_up_oldest(&mut self, yield_: &mut dyn FnMut(Whole)) {
        let oldest = self.0.iter().min_by_key(|(_, held)| held.first_at).map(|(key, _)| key.clone());
        if let Some((key, held)) = oldest.and_then(|key| self.0.remove_entry(&key)) {
            alone(&key, held, yield_);
        }
    }
}

fn joined(key: &Key, held: Held) -> Whole {
    let (mut octets, mut sequences) = (BytesMut::new(), Vec::new());
    for (part, acknowledged) in held.parts.into_values() {
        octets.extend(part);
        sequences.extend(acknowledged);
    }
    let place = Place { reference: key.reference, total: key.total, number: 0 };
    let (from, to, data_coding) = (held.from, held.to, key.data_coding);
    Whole { from, to, data_coding, octets: octets.freeze(), place: Some(place), sequences }
}

fn alone(key: &Key, held: Held, yield_: &mut dyn FnMut(Whole)) {
    for (number, (octets, sequences)) in held.parts {
        let place = Some(Place { reference: key.reference, total: key.total, number });
        let (from, to, data_coding) = (held.from.clone(), held.to.clone(), key.data_coding);
        yield_(Whole { from, to, data_coding, octets, place, sequences });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smpp::delivery::tests::delivery;

    fn part(sequence: u32, reference: u8, total: u8, number: u8, text: &[u8]) -> Arrived {
        let text = [&[5, 0, 3, reference, total, number], text].concat();
        Arrived { sequence, delivery: delivery(0x40, 0, &text, &[]) }
    }

    fn add(joining: &mut Joining, arrived: Arrived, now: i64) -> Vec<(Vec<u8>, Vec<u32>)> {
        let mut found = Vec::new();
        joining.add(arrived, now, &mut |whole| found.push((whole.octets.to_vec(), whole.sequences)));
        found
    }

    fn expire(joining: &mut Joining, now: i64) -> Vec<(Vec<u8>, Vec<u32>)> {
        let mut found = Vec::new();
        joining.expire(now, &mut |whole| found.push((whole.octets.to_vec(), whole.sequences)));
        found
    }

    #[test]
    fn parts_meet_in_any_order_and_texts_do_not_mix() {
        let mut joining = Joining::default();
        assert_eq!(add(&mut joining, part(1, 7, 3, 3, b"c"), 0), []);
        assert_eq!(add(&mut joining, part(2, 8, 2, 1, b"x"), 0), []);
        assert_eq!(add(&mut joining, part(3, 7, 3, 1, b"a"), 0), []);
        // delivered twice: both are acknowledged, it counts once
        assert_eq!(add(&mut joining, part(4, 7, 3, 1, b"a"), 0), []);
        assert_eq!(add(&mut joining, part(5, 7, 3, 2, b"b"), 0), [(b"abc".to_vec(), vec![3, 4, 5, 1])]);
        assert_eq!(add(&mut joining, part(6, 8, 2, 2, b"y"), 0), [(b"xy".to_vec(), vec![2, 6])]);
        let plain = Arrived { sequence: 7, delivery: delivery(0x00, 0, b"hi", &[]) };
        assert_eq!(add(&mut joining, plain, 0), [(b"hi".to_vec(), vec![7])]);
        assert_eq!(joining.until(), None);
    }

    #[test]
    fn who_waits_in_vain_stands_alone() {
        let mut joining = Joining::default();
        add(&mut joining, part(1, 7, 3, 2, b"b"), 0);
        assert_eq!((joining.until(), expire(&mut joining, NEXT_MS - 1)), (Some(NEXT_MS), vec![]));
        add(&mut joining, part(2, 7, 3, 1, b"a"), NEXT_MS - 1);
        assert_eq!(joining.until(), Some(2 * NEXT_MS - 1));
        assert_eq!(expire(&mut joining, 2 * NEXT_MS - 1), [(b"a".to_vec(), vec![2]), (b"b".to_vec(), vec![1])]);
        assert_eq!(joining.until(), None);
        let mut given_up = Vec::new();
        for (sequence, reference) in (0..=u8::try_from(MOST).unwrap()).enumerate() {
            let arrived = part(u32::try_from(sequence).unwrap(), reference, 2, 1, b"a");
            given_up.extend(add(&mut joining, arrived, i64::from(reference)));
        }
        assert_eq!(given_up, [(b"a".to_vec(), vec![0])], "the oldest makes room");
    }
}
