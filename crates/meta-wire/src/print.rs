//! JSON the way Meta prints it: everything outside ASCII as `\uXXXX`. Some clients escape before they hash, so a
//! stand-in for Meta must print the same.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

struct Ascii(CompactFormatter);

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut units = [0; 2];
        let mut plain_from = 0;
        for (at, letter) in fragment.char_indices().filter(|(_, c)| !c.is_ascii()) {
            writer.write_all(&fragment.as_bytes()[plain_from..at])?;
            for unit in letter.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain_from = at + letter.len_utf8();
        }
        self.0.write_string_fragment(writer, &fragment[plain_from..])
    }
}

/// Compact JSON in ASCII.
pub fn ascii<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, Ascii(CompactFormatter));
    value.serialize(&mut serializer)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_beyond_ascii_is_escaped() {
        let printed = ascii(&serde_json::json!({"é": "a\"\u{1F600}b\n", "n": [1, null]})).unwrap();
        let expected = r#"{"\u00e9":"a\"\ud83d\ude00b\n","n":[1,null]}"#;
        assert_eq!(String::from_utf8(printed).unwrap(), expected);
    }
}
