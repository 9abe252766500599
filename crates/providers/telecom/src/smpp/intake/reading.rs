//! What a person wrote, and who it was.

use engine::contacts::{Address, PHONE};
use engine::content::{Content, Native};
use serde_json::json;
use sms_text::{gsm7, ucs2};

use crate::smpp::account::DefaultAlphabet;
use crate::smpp::delivery::Party;

/// Types of number.
const INTERNATIONAL: u8 = 1;
const ALPHANUMERIC: u8 = 5;

/// What a `data_coding` says about the octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Default,
    Latin1,
    Ascii,
    Ucs2,
    Binary,
}

impl Coding {
    fn of(data_coding: u8) -> Self {
        match data_coding {
            0x01 => Self::Ascii,
            0x03 => Self::Latin1,
            0x02 | 0x04 => Self::Binary,
            0x08 => Self::Ucs2,
            // GSM's own general coding, with or without a message class
            0x10..=0x1F | 0x30..=0x3F => match data_coding & 0x0C {
                0x04 => Self::Binary,
                0x08 => Self::Ucs2,
                _ => Self::Default,
            },
            0xE0..=0xEF => Self::Ucs2,
            0xF0..=0xFF if data_coding & 0x04 != 0 => Self::Binary,
            _ => Self::Default,
        }
    }
}

/// A text, as well as it can be read; what is no text is kept as it came.
pub(super) fn content(octets: &[u8], data_coding: u8, default: DefaultAlphabet) -> Content {
    let body = match (Coding::of(data_coding), default) {
        (Coding::Ucs2, _) => ucs2::decode(octets),
        (Coding::Default, DefaultAlphabet::Gsm7) => gsm7::decode(octets),
        (Coding::Latin1, _) | (Coding::Default, DefaultAlphabet::Latin1) => latin1(octets),
        (Coding::Ascii, _) | (Coding::Default, DefaultAlphabet::Ia5) => latin1(octets),
        (Coding::Binary, _) => return binary(octets, data_coding),
    };
    Content::Text { body, preview: false }
}

fn latin1(octets: &[u8]) -> String {
    octets.iter().copied().map(char::from).collect()
}

fn binary(octets: &[u8], data_coding: u8) -> Content {
    Content::Native(Native {
        format: "smpp".to_owned(),
        name: "binary".to_owned(),
        json: json!({ "data_coding": data_coding, "octets": hex::encode(octets) }),
        text: None,
    })
}

/// E.164 with `+` where it can only be that, else as the carrier has it: a short code, a name, a national number.
pub(super) fn number(party: &Party) -> String {
    let address = party.address.trim();
    let digits = address.trim_start_matches('+');
    let plain = digits.bytes().all(|octet| octet.is_ascii_digit());
    let long = match party.ton {
        INTERNATIONAL => 7,
        _ => 9,
    };
    let international = plain && (long..=15).contains(&digits.len()) && !digits.starts_with('0');
    match international && party.ton != ALPHANUMERIC {
        true => format!("+{digits}"),
        false => address.to_owned(),
    }
}

pub(super) fn phone(party: &Party) -> Address {
    Address { kind: PHONE.to_owned(), value: number(party) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_read_as_their_coding_says() {
        use DefaultAlphabet::{Gsm7, Ia5, Latin1};
        let cases: &[(&[u8], u8, DefaultAlphabet, &str)] = &[
            (b"\x00\x1B\x65", 0x00, Gsm7, "@€"),
            (b"\xA3@", 0x00, Latin1, "£@"),
            (b"@", 0x00, Ia5, "@"),
            (b"\xA3", 0x03, Gsm7, "£"),
            (b"@", 0x01, Gsm7, "@"),
            (b"\x04\x1F", 0x08, Gsm7, "П"),
            (b"\x04\x1F", 0x18, Gsm7, "П"),
            (b"\x00", 0x11, Gsm7, "@"),
            (b"\x00", 0xF1, Gsm7, "@"),
        ];
        for (octets, coding, default, text) in cases {
            assert_eq!(content(octets, *coding, *default).text(), Some(*text), "{octets:?} {coding:#x}");
        }
        for coding in [0x02, 0x04, 0x14, 0xF5] {
            let content = content(&[0xAB, 0x01], coding, Gsm7);
            assert!(matches!(&content, Content::Native(native) if native.json["octets"] == "ab01"), "{coding:#x}");
        }
    }

    #[test]
    fn numbers_get_their_plus_where_they_can_only_be_international() {
        let number = |ton, address: &str| number(&Party { ton, address: address.to_owned() });
        assert_eq!(number(1, "15550100009"), "+15550100009");
        assert_eq!(number(1, "+15550100009"), "+15550100009");
        assert_eq!(number(0, "15550100009"), "+15550100009");
        for (ton, address) in [(0, "12345678"), (1, "12345"), (3, "12345"), (2, "015550100009"), (5, "HERMOD")] {
            assert_eq!(number(ton, address), address);
        }
        assert_eq!(number(5, "4915550100009"), "4915550100009", "a name of digits is a name");
    }
}
