//! What is submitted: checked, read, and put together as a phone would.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use rusmpp::pdus::SubmitSm;
use rusmpp::tlvs::TlvValue;
use serde_json::{Map, json};
use sms_text::{gsm7, ucs2};

use super::Centre;
use super::outbox::Outbox;
use crate::ledger::Sms;

const INVALID_LENGTH: u32 = 0x01;
const INVALID_SOURCE: u32 = 0x0A;
const INVALID_DESTINATION: u32 = 0x0B;
const INVALID_CLASS: u32 = 0x43;

/// Texts of which parts are missing; the phone forgets them when there are too many.
const MOST: usize = 10_000;

/// A part that was taken.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) id: u64,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) text: String,
    pub(super) at: i64,
    pub(super) wants_receipt: bool,
    /// Whoever is told what becomes of it.
    pub(super) owner: Arc<Outbox>,
    /// Under which id the whole text stands in the ledger: that of its first part.
    pub(super) entry: Option<String>,
}

/// Parts that wait for others.
#[derive(Default)]
pub(super) struct Joining(Mutex<HashMap<Key, Parts>>);

/// Ids and octets, by the part's number.
type Parts = BTreeMap<u8, (u64, Vec<u8>)>;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    from: String,
    to: String,
    reference: u16,
    total: u8,
}

struct Place {
    reference: u16,
    total: u8,
    number: u8,
}

/// A text as it came.
struct Text<'a> {
    octets: &'a [u8],
    place: Option<Place>,
}

impl Centre {
    /// Takes a message of the owner of an outbox; the error is a `command_status`.
    pub(super) fn take(&self, pdu: &SubmitSm, owner: &Arc<Outbox>) -> Result<Taken, u32> {
        let from = address(pdu.source_addr_ton.into(), pdu.source_addr.as_str());
        let to = address(pdu.dest_addr_ton.into(), pdu.destination_addr.as_str());
        let phone = to.strip_prefix('+').is_some_and(|digits| digits.bytes().all(|octet| octet.is_ascii_digit()));
        if from.is_empty() {
            return Err(INVALID_SOURCE);
        }
        if !phone || !(8..=16).contains(&to.len()) {
            return Err(INVALID_DESTINATION);
        }
        let text = text(pdu)?;
        let coding = pdu.data_coding.into();
        check_length(&text, coding)?;
        let (id, at) = (self.next_id(), self.world.now());
        let words = read(text.octets, coding);
        let key =
            |place: &Place| Key { from: from.clone(), to: to.clone(), reference: place.reference, total: place.total };
        let whole = match &text.place {
            None => Some((vec![id], text.octets.to_vec(), None)),
            Some(place) => self.joining.add(key(place), place.number, id, text.octets),
        };
        let entry =
            whole.map(|(ids, octets, reference)| self.write(&from, &to, &ids, (&octets, coding), reference, at));
        let wants_receipt = u8::from(pdu.registered_delivery) & 0x03 != 0;
        Ok(Taken { id, from, to, text: words, at, wants_receipt, owner: Arc::clone(owner), entry })
    }

    /// Writes a whole text down; returns the name under which it stands.
    fn write(
        &self,
        from: &str,
        to: &str,
        ids: &[u64],
        (octets, coding): (&[u8], u8),
        reference: Option<u16>,
        at: i64,
    ) -> String {
        let (id, text) = (ids[0].to_string(), read(octets, coding));
        let mut more = Map::new();
        more.insert("part_ids".to_owned(), json!(ids.iter().map(u64::to_string).collect::<Vec<_>>()));
        let sameness = (from.to_owned(), to.to_owned(), text.clone(), reference);
        let sms = Sms {
            id: id.clone(),
            carrier: "smpp",
            from: from.to_owned(),
            to: to.to_owned(),
            text,
            parts: u32::try_from(ids.len()).unwrap_or(u32::MAX),
            encoding: encoding(coding).to_owned(),
            status: "ENROUTE".to_owned(),
            at,
            more,
        };
        self.world.sms.take(sms, sameness);
        id
    }
}

/// The parts' ids, all octets and the reference.
type Whole = (Vec<u64>, Vec<u8>, Option<u16>);

impl Joining {
    fn add(&self, key: Key, number: u8, id: u64, octets: &[u8]) -> Option<Whole> {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if texts.len() >= MOST && !texts.contains_key(&key) {
            texts.clear();
        }
        let parts = texts.entry(key.clone()).or_default();
        parts.insert(number, (id, octets.to_vec()));
        if parts.len() < usize::from(key.total) {
            return None;
        }
        let parts = texts.remove(&key)?;
        let (ids, octets): (Vec<u64>, Vec<Vec<u8>>) = parts.into_values().unzip();
        Some((ids, octets.concat(), Some(key.reference)))
    }
}

fn address(ton: u8, address: &str) -> String {
    match ton {
        1 => format!("+{address}"),
        _ => address.to_owned(),
    }
}

fn text(pdu: &SubmitSm) -> Result<Text<'_>, u32> {
    let octets: &[u8] = pdu.short_message().as_ref();
    let headed = u8::from(pdu.esm_class) & 0x40 != 0;
    let told = told(pdu);
    match (headed, told) {
        // both ways at once is a mistake
        (true, Some(_)) => Err(INVALID_CLASS),
        (false, place) => Ok(Text { octets, place }),
        (true, None) => match octets {
            [5, 0, 3, reference, total, number, rest @ ..] => {
                let place = Place { reference: u16::from(*reference), total: *total, number: *number };
                Ok(Text { octets: rest, place: Some(place) })
            }
            [6, 8, 4, high, low, total, number, rest @ ..] => {
                let reference = u16::from_be_bytes([*high, *low]);
                Ok(Text { octets: rest, place: Some(Place { reference, total: *total, number: *number }) })
            }
            _ => Err(INVALID_CLASS),
        },
    }
}

fn told(pdu: &SubmitSm) -> Option<Place> {
    let (mut reference, mut total, mut number) = (None, None, None);
    for value in pdu.tlvs().iter().filter_map(|tlv| tlv.value()) {
        match value {
            TlvValue::SarMsgRefNum(found) => reference = Some(*found),
            TlvValue::SarTotalSegments(found) => total = Some(*found),
            TlvValue::SarSegmentSeqnum(found) => number = Some(*found),
            _ => {}
        }
    }
    Some(Place { reference: reference?, total: total?, number: number? })
}

/// On the air a part has 140 octets with its header.
fn check_length(text: &Text<'_>, coding: u8) -> Result<(), u32> {
    let header_bits = if text.place.is_some() { 48 } else { 0 };
    let bits = match coding {
        0 | 1 => text.octets.len() * 7,
        _ => text.octets.len() * 8,
    };
    if bits + header_bits <= 1120 { Ok(()) } else { Err(INVALID_LENGTH) }
}

fn read(octets: &[u8], coding: u8) -> String {
    match coding {
        0 => gsm7::decode(octets),
        8 => ucs2::decode(octets),
        _ => octets.iter().copied().map(char::from).collect(),
    }
}

fn encoding(coding: u8) -> &'static str {
    match coding {
        0 => "gsm7",
        1 => "ia5",
        3 => "latin1",
        8 => "ucs2",
        _ => "binary",
    }
}
