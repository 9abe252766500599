//! Protobuf's wire form to and from our JSON of it (see [`crate::go`]), by the schema.
//!
//! The bytes come from strangers: depth and number of values are limited. Fields that the schema does not know
//! are passed over, since Meta adds some every week. An explicitly set zero stays, and so does an enum's value
//! that has no name.

mod read;
mod write;

pub use read::{Malformed, read};
pub use write::{Mismatch, write};

/// How deep messages may lie in each other. Each makes at most two levels of JSON, whose readers commonly
/// stop at 128.
const DEEPEST: usize = 40;
/// How many values one message may hold: what is a byte or two on the wire costs dozens as JSON.
const MOST_VALUES: usize = 2_000_000;

/// How a value is laid out, by the low three bits of its tag.
const VARINT: u8 = 0;
const EIGHT_BYTES: u8 = 1;
const COUNTED: u8 = 2;
const FOUR_BYTES: u8 = 5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::sample;

    #[test]
    fn reads_what_the_wire_carries() {
        // conversation = "hi", then field 999 (unknown), then protocolMessage {type = 77}
        let bytes = b"\x0a\x02hi\xba\x3e\x01x\x62\x02\x10\x4d";
        assert_eq!(read(bytes, "Message").unwrap(), json!({"conversation": "hi", "protocolMessage": {"type": 77}}));
        // A packed list and a list one by one are the same, and repeat into one.
        let packed = b"\x22\x02\x01\x02\x20\x03";
        assert_eq!(read(packed, "ADVKeyIndexList").unwrap_err(), Malformed::Unknown);
        let list = b"\x1a\x02\x01\x02\x18\x83\x01";
        let metadata = json!({"senderKeyIndexes": [1, 2, 131]});
        assert_eq!(read(list, "DeviceListMetadata").unwrap(), metadata);
        assert_eq!(read(&write(&metadata, "DeviceListMetadata").unwrap(), "DeviceListMetadata").unwrap(), metadata);
    }

    #[test]
    fn broken_bytes_are_refused() {
        for bytes in [
            &b"\x0a\x05hi"[..],                              // shorter than it says
            b"\x0a",                                         // nothing behind the tag
            b"\x0b\x0c",                                     // a group
            b"\x08\x01",                                     // a number where a text belongs
            b"\x00\x01",                                     // field 0
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",     // an endless number
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", // a length beyond memory
        ] {
            assert!(read(bytes, "Message").is_err(), "{bytes:x?}");
        }
    }

    /// An ephemeral message in an ephemeral message in …: what lies too deep is left out, the rest is kept.
    #[test]
    fn nesting_has_an_end() {
        let mut bytes = b"\x0a\x02hi".to_vec();
        for _ in 0..2_000 {
            bytes = [b"\x0a", varint(bytes.len() as u64).as_slice(), &bytes].concat();
            bytes = [b"\xc2\x02", varint(bytes.len() as u64).as_slice(), &bytes].concat();
        }
        let text = read(&bytes, "Message").unwrap().to_string();
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        assert_eq!(text.matches("ephemeralMessage").count(), DEEPEST / 2);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (value, field) in [
            (json!({"conversation": 1}), "conversation"),
            (json!({"imageMessage": {"height": -1}}), "height"),
            (json!({"imageMessage": {"fileSha256": "not base64"}}), "fileSha256"),
            (json!({"imageMessage": []}), "imageMessage"),
            (json!({"imageMessage": {"contextInfo": {"mentionedJid": "1@lid"}}}), "mentionedJid"),
            (json!({"imageMessage": {"viewOnce": "yes"}}), "viewOnce"),
            (json!([]), "Message"),
        ] {
            assert_eq!(write(&value, "Message").unwrap_err().field, field);
        }
        let lenient = json!({"imageMessage": {"fileLength": "12", "nonsense": {}}, "stickerMessage": null});
        assert_eq!(
            read(&write(&lenient, "Message").unwrap(), "Message").unwrap(),
            json!({"imageMessage": {"fileLength": 12}})
        );
    }

    fn varint(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value > 0x7f {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in sample::any_message()) {
            let (message, value) = value;
            prop_assert_eq!(read(&write(&value, message).unwrap(), message).unwrap(), value);
        }

        #[test]
        fn no_bytes_make_it_fall_over(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes, "Message");
        }
    }
}
