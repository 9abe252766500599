//! GSM 03.38's default alphabet and its extension, one septet in each octet, as SMPP carries it.

/// Announces a character of the extension.
pub const ESCAPE: u8 = 0x1B;

/// The default alphabet by septet. The escape itself stands for no character; a stray one reads as a space.
const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', ' ', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à', //
];

/// What follows an escape.
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\x0C'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// How many septets a character takes: one, two, or `None` when it has no place in GSM-7.
#[must_use]
pub fn septets(c: char) -> Option<usize> {
    if basic(c).is_some() {
        return Some(1);
    }
    extended(c).map(|_| 2)
}

/// One septet in each octet; `None` when a character has no place in GSM-7.
#[must_use]
pub fn encode(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    for c in text.chars() {
        match (basic(c), extended(c)) {
            (Some(septet), _) => octets.push(septet),
            (None, Some(septet)) => octets.extend([ESCAPE, septet]),
            (None, None) => return None,
        }
    }
    Some(octets)
}

/// Reads one septet from each octet. As the standard has it, an escape before something unknown is a space, and whatever
/// is no septet reads as U+FFFD.
#[must_use]
pub fn decode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    let mut left = octets.iter().copied();
    while let Some(octet) = left.next() {
        if octet != ESCAPE {
            text.push(character(octet));
            continue;
        }
        let Some(next) = left.next() else { break };
        match EXTENSION.iter().find(|(septet, _)| *septet == next) {
            Some((_, c)) => text.push(*c),
            None => text.extend([' ', character(next)]),
        }
    }
    text
}

fn character(octet: u8) -> char {
    BASIC.get(usize::from(octet)).copied().unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn basic(c: char) -> Option<u8> {
    match c {
        // Most of the alphabet stands where ASCII has it.
        ' '..='#' | '%'..='?' | 'A'..='Z' | 'a'..='z' => u8::try_from(u32::from(c)).ok(),
        _ => BASIC.iter().position(|known| *known == c).and_then(|place| u8::try_from(place).ok()),
    }
}

fn extended(c: char) -> Option<u8> {
    EXTENSION.iter().find(|(_, known)| *known == c).map(|(septet, _)| *septet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_has_one_spelling_and_comes_back() {
        let known: Vec<char> = (0..=0x10FFFF).filter_map(char::from_u32).filter(|c| septets(*c).is_some()).collect();
        // 128 places without the escape, and ten more behind it
        assert_eq!(known.len(), 137);
        for c in known {
            let octets = encode(&c.to_string()).unwrap();
            assert_eq!(octets.len(), septets(c).unwrap(), "{c:?}");
            assert_eq!(decode(&octets), c.to_string());
        }
    }

    #[test]
    fn the_characters_that_people_get_wrong() {
        for c in "`çáíóúêã“”–—\t".chars() {
            assert_eq!(septets(c), None, "{c:?}");
        }
        for c in "^{}[]~€\\|\u{c}".chars() {
            assert_eq!(septets(c), Some(2), "{c:?}");
        }
        assert_eq!(encode("@Ç§€ΔΞ").unwrap(), [0x00, 0x09, 0x5F, 0x1B, 0x65, 0x10, 0x1A]);
    }

    #[test]
    fn what_is_not_gsm7_is_read_as_well_as_it_can_be() {
        assert_eq!(decode(&[0x41, 0x1B]), "A");
        assert_eq!(decode(&[0x1B, 0x41, 0x1B, 0x1B, 0x42]), " A  B");
        assert_eq!(decode(&[0x80, 0xFF]), "\u{FFFD}\u{FFFD}");
    }
}
