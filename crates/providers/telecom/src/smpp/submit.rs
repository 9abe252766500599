//! A message as the carrier gets it: one `submit_sm` for each part.

use engine::Id;
use engine::failure::{Code, SendError};
use rusmpp::pdus::SubmitSm;
use rusmpp::tlvs::MessageSubmissionRequestTlvValue as Parameter;
use rusmpp::types::{COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, Npi, RegisteredDelivery, Ton};
use sms_text::{Encoding, Split, split_in};

use super::account::{Concatenation, Config, DefaultAlphabet};

/// Plain store and forward, nothing special.
const PLAIN: u8 = 0x00;
/// The text begins with a header.
const HEADED: u8 = 0x40;
/// A receipt for the final outcome, whatever it is.
const RECEIPT: u8 = 0x01;
/// The longest text that goes out: as much as 255 parts can hold is a mistake or an attack.
const MOST_PARTS: usize = 30;

/// An address with its type of number and numbering plan.
#[derive(Debug, PartialEq, Eq)]
struct Named<'a> {
    ton: u8,
    npi: u8,
    address: &'a str,
}

/// The parts of a text, in order.
pub(super) fn parts(config: &Config, id: &Id, from: &str, to: &str, text: &str) -> Result<Vec<SubmitSm>, SendError> {
    let split = split_in(text, config.default_alphabet.alphabet(), config.concatenation.reference());
    if split.parts.len() > MOST_PARTS {
        return Err(rejected("The text is longer than 30 SMS."));
    }
    let blank = blank(config, from, to)?;
    let place = Placing { way: config.concatenation, reference: reference(id), total: split.parts.len() };
    (0..split.parts.len()).map(|index| part(blank.clone(), config, &split, &place, index)).collect()
}

/// How parts find each other.
struct Placing {
    way: Concatenation,
    reference: u16,
    total: usize,
}

/// The same for every attempt at a message: a phone that got some of its parts before takes them for what they are.
fn reference(id: &Id) -> u16 {
    match id.as_bytes() {
        [.., high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    }
}

/// What all parts share.
fn blank(config: &Config, from: &str, to: &str) -> Result<SubmitSm, SendError> {
    let (mut source, destination) = (named(from), named(to));
    if let Some(own) = config.source {
        (source.ton, source.npi) = (own.ton, own.npi);
    }
    if destination.ton != 1 {
        return Err(rejected("Only phone numbers can be written to."));
    }
    Ok(SubmitSm::builder()
        .source_addr_ton(Ton::from(source.ton))
        .source_addr_npi(Npi::from(source.npi))
        .source_addr(address(source.address, "The sender's address does not fit into an SMS.")?)
        .dest_addr_ton(Ton::from(destination.ton))
        .dest_addr_npi(Npi::from(destination.npi))
        .destination_addr(address(destination.address, "The number does not fit into an SMS.")?)
        .registered_delivery(RegisteredDelivery::from(RECEIPT))
        .validity_period(validity(config.validity_s)?)
        .build())
}

fn part(
    mut pdu: SubmitSm,
    config: &Config,
    split: &Split<'_>,
    place: &Placing,
    index: usize,
) -> Result<SubmitSm, SendError> {
    let part = split.parts.get(index).ok_or_else(|| rejected("The text has no such part."))?;
    let (coding, text) = match (split.encoding, config.default_alphabet) {
        (Encoding::Gsm7, DefaultAlphabet::Gsm7) | (Encoding::Ucs2, _) => {
            (coding(split.encoding), part.octets(split.encoding))
        }
        // Both are Latin-1 as far as the split lets them be.
        (Encoding::Gsm7, _) => (coding(split.encoding), part.text.chars().map(|c| c as u8).collect()),
    };
    let header = if place.total > 1 { header(place, index) } else { Vec::new() };
    pdu.esm_class = EsmClass::from(if header.is_empty() { PLAIN } else { HEADED });
    pdu.data_coding = coding;
    let octets = OctetString::from_vec([header, text].concat());
    pdu.set_short_message(octets.map_err(|_| rejected("A part does not fit into an SMS."))?);
    if place.total > 1 && place.way == Concatenation::Sar {
        pdu.push_tlv(Parameter::SarMsgRefNum(place.reference));
        pdu.push_tlv(Parameter::SarTotalSegments(octet(place.total)));
        pdu.push_tlv(Parameter::SarSegmentSeqnum(octet(index + 1)));
    }
    Ok(pdu)
}

fn coding(encoding: Encoding) -> DataCoding {
    match encoding {
        Encoding::Gsm7 => DataCoding::McSpecific,
        Encoding::Ucs2 => DataCoding::Ucs2,
    }
}

fn header(place: &Placing, index: usize) -> Vec<u8> {
    let [high, low] = place.reference.to_be_bytes();
    let (total, number) = (octet(place.total), octet(index + 1));
    match place.way {
        Concatenation::Udh8 => vec![0x05, 0x00, 0x03, low, total, number],
        Concatenation::Udh16 => vec![0x06, 0x08, 0x04, high, low, total, number],
        Concatenation::Sar => Vec::new(),
    }
}

/// Parts are few.
fn octet(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// What an address is, by its looks: a number in E.164, a short code, or a name.
fn named(address: &str) -> Named<'_> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    match address.strip_prefix('+') {
        Some(number) if digits(number) => Named { ton: 1, npi: 1, address: number },
        _ if digits(address) && address.len() <= 8 => Named { ton: 3, npi: 0, address },
        _ if digits(address) => Named { ton: 1, npi: 1, address },
        _ => Named { ton: 5, npi: 0, address },
    }
}

fn address(text: &str, refusal: &str) -> Result<COctetString<1, 21>, SendError> {
    let fits = !text.is_empty() && (text.len() <= 11 || text.bytes().all(|octet| octet.is_ascii_digit()));
    fits.then(|| text.parse().ok()).flatten().ok_or_else(|| rejected(refusal))
}

/// Relative: years, months, days, hours, minutes, seconds and no tenths.
fn validity(seconds: Option<u32>) -> Result<EmptyOrFullCOctetString<17>, SendError> {
    let Some(seconds) = seconds else { return Ok(EmptyOrFullCOctetString::empty()) };
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    // Months have no fixed length: two of them are as far as the days can be told.
    let (months, days) = (hours / 24 / 30, hours / 24 % 30);
    let text = format!("00{months:02}{days:02}{:02}{:02}{:02}000R", hours % 24, minutes % 60, seconds % 60);
    text.parse().map_err(|_| rejected("The validity cannot be told to the carrier."))
}

fn rejected(message: &str) -> SendError {
    SendError::refused(Code::Rejected, message)
}

#[cfg(test)]
mod tests;
