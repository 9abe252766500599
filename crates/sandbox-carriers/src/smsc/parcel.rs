//! Deliveries as they go over the wire: receipts, and what phones write.

use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::MessageDeliveryRequestTlvValue as Parameter;
use rusmpp::types::OctetString;
use rusmpp::values::{DataCoding, EsmClass, MessageState, Npi, Ton};
use sms_text::{Encoding, split};

use super::Receipts;
use super::outbox::Parcel;

const PLAIN: u8 = 0x00;
const RECEIPT: u8 = 0x04;
const HEADED: u8 = 0x40;

/// What a receipt is about.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// As receipts call it.
    pub(super) id: String,
    /// Of the message: the receipt goes the other way.
    pub(super) from: String,
    pub(super) to: String,
    pub(super) state: String,
    /// Milliseconds.
    pub(super) submitted: i64,
    pub(super) done: i64,
    pub(super) text: String,
}

/// A receipt; `None` when a name does not fit.
pub(super) fn receipt(report: &Report, manner: Receipts) -> Option<DeliverSm> {
    let mut pdu = between(&report.to, &report.from)?;
    pdu.esm_class = EsmClass::from(RECEIPT);
    if manner != Receipts::Parameters {
        let octets = OctetString::from_vec(words(report).into_bytes()).ok()?;
        pdu.set_short_message(octets);
    }
    if manner != Receipts::Text {
        pdu.push_tlv(Parameter::ReceiptedMessageId(report.id.parse().ok()?));
        pdu.push_tlv(Parameter::MessageState(state(&report.state)));
    }
    Some(pdu)
}

/// What a phone writes, in as many parts as it takes; `None` when an address does not fit.
pub(super) fn texts(from: &str, to: &str, text: &str, id: u64) -> Option<Vec<Parcel>> {
    let split = split(text);
    let (total, reference) = (u8::try_from(split.parts.len()).ok()?, id.to_be_bytes()[7]);
    let mut parcels = Vec::new();
    for (number, part) in (1..=total).zip(&split.parts) {
        let mut pdu = between(from, to)?;
        let header = if total > 1 { vec![5, 0, 3, reference, total, number] } else { Vec::new() };
        pdu.esm_class = EsmClass::from(if total > 1 { HEADED } else { PLAIN });
        pdu.data_coding = match split.encoding {
            Encoding::Gsm7 => DataCoding::McSpecific,
            Encoding::Ucs2 => DataCoding::Ucs2,
        };
        pdu.set_short_message(OctetString::from_vec([header, part.octets(split.encoding)].concat()).ok()?);
        parcels.push(Parcel { pdu, taken: None });
    }
    Some(parcels)
}

fn between(from: &str, to: &str) -> Option<DeliverSm> {
    let ((from_ton, from_npi, from), (to_ton, to_npi, to)) = (named(from), named(to));
    let pdu = DeliverSm::builder()
        .source_addr_ton(Ton::from(from_ton))
        .source_addr_npi(Npi::from(from_npi))
        .source_addr(from.parse().ok()?)
        .dest_addr_ton(Ton::from(to_ton))
        .dest_addr_npi(Npi::from(to_npi))
        .destination_addr(to.parse().ok()?);
    Some(pdu.build())
}

/// Type of number, numbering plan and address.
fn named(address: &str) -> (u8, u8, &str) {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    match address.strip_prefix('+') {
        Some(number) => (1, 1, number),
        None if digits(address) && address.len() <= 8 => (3, 0, address),
        None if digits(address) => (1, 1, address),
        None => (5, 0, address),
    }
}

fn state(word: &str) -> MessageState {
    match word {
        "ENROUTE" => MessageState::Enroute,
        "DELIVRD" => MessageState::Delivered,
        "EXPIRED" => MessageState::Expired,
        "DELETED" => MessageState::Deleted,
        "UNDELIV" => MessageState::Undeliverable,
        "ACCEPTD" => MessageState::Accepted,
        "REJECTD" => MessageState::Rejected,
        _ => MessageState::Unknown,
    }
}

fn words(report: &Report) -> String {
    let delivered = report.state == "DELIVRD";
    let (count, error) = if delivered { ("001", "000") } else { ("000", "034") };
    let begin: String = report.text.chars().filter(char::is_ascii).take(20).collect();
    format!(
        "id:{} sub:001 dlvrd:{count} submit date:{} done date:{} stat:{} err:{error} text:{begin}",
        report.id,
        minute(report.submitted),
        minute(report.done),
        report.state,
    )
}

fn minute(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default().format("%y%m%d%H%M").to_string()
}
