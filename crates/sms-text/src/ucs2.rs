//! UTF-16 in big-endian octets, which is what carriers mean by UCS-2.

/// Two octets for each UTF-16 unit.
#[must_use]
pub fn encode(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// Whatever is not UTF-16 reads as U+FFFD.
#[must_use]
pub fn decode(octets: &[u8]) -> String {
    let (units, rest) = octets.as_chunks::<2>();
    let units = units.iter().map(|pair| u16::from_be_bytes(*pair));
    let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    text.chain((!rest.is_empty()).then_some(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_written_high_octet_first_and_read_with_patience() {
        assert_eq!(encode("é😀"), [0x00, 0xE9, 0xD8, 0x3D, 0xDE, 0x00]);
        assert_eq!(decode(&encode("naïve 😀 ₹")), "naïve 😀 ₹");
        assert_eq!(decode(&[0xD8, 0x3D, 0x00, 0x41, 0x00]), "\u{FFFD}A\u{FFFD}");
    }
}
