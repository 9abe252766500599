//! A `deliver_sm`: what the carrier brings us, a message or a receipt.

use bytes::{Buf, Bytes};

use super::wire::text;

/// Bits 2 to 5 of `esm_class`: what kind of message it is.
const KIND: u8 = 0x3C;
const RECEIPT: u8 = 0x04;
const INTERMEDIATE: u8 = 0x20;
/// The text begins with a header of its own.
const HEADED: u8 = 0x40;

pub(super) mod tag {
    pub(crate) const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
    pub(crate) const SAR_REFERENCE: u16 = 0x020C;
    pub(crate) const SAR_TOTAL: u16 = 0x020E;
    pub(crate) const SAR_NUMBER: u16 = 0x020F;
    pub(crate) const NETWORK_ERROR: u16 = 0x0423;
    pub(crate) const MESSAGE_PAYLOAD: u16 = 0x0424;
    pub(crate) const MESSAGE_STATE: u16 = 0x0427;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) from: Party,
    pub(super) to: Party,
    esm_class: u8,
    pub(super) data_coding: u8,
    /// With its header, if it has one.
    payload: Bytes,
    parameters: Vec<(u16, Bytes)>,
}

/// A sender or recipient as the carrier names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Party {
    pub(super) ton: u8,
    pub(super) address: String,
}

/// Where a part belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) reference: u16,
    pub(super) total: u8,
    /// From 1.
    pub(super) number: u8,
}

impl Delivery {
    /// `None` when the fixed part is too short to be one. Parameters that are cut off are left out.
    pub(super) fn read(mut body: Bytes) -> Option<Self> {
        text(&mut body);
        let (from, to) = (Party::read(&mut body)?, Party::read(&mut body)?);
        let esm_class = body.try_get_u8().ok()?;
        take(&mut body, 2)?;
        text(&mut body);
        text(&mut body);
        take(&mut body, 2)?;
        let data_coding = body.try_get_u8().ok()?;
        take(&mut body, 1)?;
        let length = usize::from(body.try_get_u8().ok()?);
        let payload = take(&mut body, length)?;
        let mut delivery = Self { from, to, esm_class, data_coding, payload, parameters: parameters(body) };
        if delivery.payload.is_empty()
            && let Some(payload) = delivery.parameter(tag::MESSAGE_PAYLOAD)
        {
            delivery.payload = payload.clone();
        }
        Some(delivery)
    }

    pub(super) fn parameter(&self, tag: u16) -> Option<&Bytes> {
        self.parameters.iter().find(|(found, _)| *found == tag).map(|(_, value)| value)
    }

    /// A number in a parameter of one or two octets.
    fn number(&self, tag: u16) -> Option<u16> {
        match *self.parameter(tag)?.as_ref() {
            [octet] => Some(octet.into()),
            [high, low] => Some(u16::from_be_bytes([high, low])),
            _ => None,
        }
    }

    /// The octet of a parameter.
    pub(super) fn octet(&self, tag: u16) -> Option<u8> {
        self.number(tag).and_then(|number| number.try_into().ok())
    }

    /// Some carriers forget to say so but name the message that it is about and what became of it.
    pub(super) fn is_receipt(&self) -> bool {
        let told = matches!(self.esm_class & KIND, RECEIPT | INTERMEDIATE);
        let named = self.parameter(tag::RECEIPTED_MESSAGE_ID).is_some();
        told || named && self.parameter(tag::MESSAGE_STATE).is_some()
    }

    /// All that the carrier sent as its text.
    pub(super) fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// Where it belongs, if it is a part, and its text without the header.
    pub(super) fn part(&self) -> (Option<Place>, Bytes) {
        if self.esm_class & HEADED == 0 {
            return (self.told_place(), self.payload.clone());
        }
        let Some((&length, rest)) = self.payload.split_first() else { return (None, Bytes::new()) };
        let Some(header) = rest.get(..usize::from(length)) else { return (None, self.payload.clone()) };
        let text = self.payload.slice(1 + header.len()..);
        (headed_place(header).or_else(|| self.told_place()), text)
    }

    fn told_place(&self) -> Option<Place> {
        let reference = self.number(tag::SAR_REFERENCE)?;
        Place::new(reference, self.octet(tag::SAR_TOTAL)?, self.octet(tag::SAR_NUMBER)?)
    }
}

impl Place {
    /// `None` when it stands alone or makes no sense.
    fn new(reference: u16, total: u8, number: u8) -> Option<Self> {
        (total > 1 && (1..=total).contains(&number)).then_some(Self { reference, total, number })
    }
}

impl Party {
    fn read(body: &mut Bytes) -> Option<Self> {
        let ton = take(body, 2)?.first().copied()?;
        Some(Self { ton, address: text(body) })
    }
}

/// The element of a header that says where the part belongs.
fn headed_place(mut header: &[u8]) -> Option<Place> {
    while let [id, length, rest @ ..] = header {
        let (value, others) = rest.split_at_checked(usize::from(*length))?;
        match (id, value) {
            (0x00, &[reference, total, number]) => return Place::new(reference.into(), total, number),
            (0x08, &[high, low, total, number]) => {
                return Place::new(u16::from_be_bytes([high, low]), total, number);
            }
            _ => header = others,
        }
    }
    None
}

fn take(body: &mut Bytes, count: usize) -> Option<Bytes> {
    (body.len() >= count).then(|| body.split_to(count))
}

fn parameters(mut body: Bytes) -> Vec<(u16, Bytes)> {
    let mut found = Vec::new();
    while let (Ok(tag), Ok(length)) = (body.try_get_u16(), body.try_get_u16()) {
        let Some(value) = take(&mut body, length.into()) else { break };
        found.push((tag, value));
    }
    found
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A body of a `deliver_sm` in which the carrier took some liberties.
    pub(crate) fn delivery(esm_class: u8, data_coding: u8, text: &[u8], parameters: &[(u16, &[u8])]) -> Delivery {
        let mut body = b"\0\x01\x0115550100009\0\x05\0HERMOD\0".to_vec();
        body.extend([esm_class, 0, 0]);
        body.extend(b"0\0\0\0\0");
        body.extend([data_coding, 0, u8::try_from(text.len()).unwrap()]);
        body.extend(text);
        for (tag, value) in parameters {
            body.extend(tag.to_be_bytes());
            body.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            body.extend(*value);
        }
        Delivery::read(body.into()).unwrap()
    }

    #[test]
    fn what_it_is_and_where_it_belongs() {
        let short = |reference, total, number| Some(Place { reference, total, number });
        let sar: &[(u16, &[u8])] = &[(tag::SAR_REFERENCE, &[1, 2]), (tag::SAR_TOTAL, &[3]), (tag::SAR_NUMBER, &[2])];
        type Case<'a> = (u8, &'a [u8], &'a [(u16, &'a [u8])], Option<Place>, &'a [u8]);
        let cases: &[Case<'_>] = &[
            (0x00, b"hi", &[], None, b"hi"),
            (0x40, b"\x05\x00\x03\x2A\x02\x01hi", &[], short(0x2A, 2, 1), b"hi"),
            (0x40, b"\x06\x08\x04\x01\x02\x02\x02hi", &[], short(0x0102, 2, 2), b"hi"),
            // another element first; a header that is none; a part number that is none
            (0x40, b"\x07\x24\x00\x00\x03\x2A\x02\x01hi", &[], short(0x2A, 2, 1), b"hi"),
            (0x40, b"\x0Ahi", &[], None, b"\x0Ahi"),
            (0x40, b"\x05\x00\x03\x2A\x02\x03hi", &[], None, b"hi"),
            (0x00, b"hi", sar, short(0x0102, 3, 2), b"hi"),
            (0x00, b"", &[(tag::MESSAGE_PAYLOAD, b"a long text")], None, b"a long text"),
        ];
        for (esm_class, payload, parameters, place, text) in cases {
            let delivery = delivery(*esm_class, 0, payload, parameters);
            assert_eq!(delivery.part(), (*place, Bytes::copy_from_slice(text)), "{payload:?}");
            assert!(!delivery.is_receipt());
            assert_eq!((delivery.from.ton, delivery.from.address.as_str()), (1, "15550100009"));
            assert_eq!((delivery.to.ton, delivery.to.address.as_str()), (5, "HERMOD"));
        }
        let named: &[(u16, &[u8])] = &[(tag::RECEIPTED_MESSAGE_ID, b"7F"), (tag::MESSAGE_STATE, &[2])];
        assert!(delivery(0x00, 0, b"", named).is_receipt());
        assert!(delivery(0x04, 0, b"id:7F", &[]).is_receipt() && delivery(0x20, 0, b"id:7F", &[]).is_receipt());
        assert!(!delivery(0x08, 0, b"hi", &[]).is_receipt());
    }
}
