//! Where a text is cut.

use crate::clusters::clusters;
use crate::{gsm7, ucs2};

/// What a text travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Counted in septets.
    Gsm7,
    /// Counted in UTF-16 units.
    Ucs2,
}

/// How a part says where it belongs, and so how much room is left in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reference {
    /// Of 8 bits: 153 septets or 67 units.
    #[default]
    Short,
    /// Of 16 bits: 152 septets or 66 units.
    Long,
}

/// Which characters a carrier takes in its default alphabet; what has others goes as UCS-2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Alphabet {
    #[default]
    Gsm7,
    /// Those of GSM-7 that Latin-1 has too.
    Latin1,
    /// Those of GSM-7 that ASCII has too.
    Ascii,
}

/// A text and its parts, of which there is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split<'a> {
    pub encoding: Encoding,
    pub parts: Vec<Part<'a>>,
}

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    pub text: &'a str,
    /// Septets or UTF-16 units, without the header.
    pub units: usize,
}

impl Encoding {
    /// Units in an SMS that stands alone.
    #[must_use]
    pub fn alone(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units in one of several.
    #[must_use]
    pub fn among_others(self, reference: Reference) -> usize {
        match (self, reference) {
            (Self::Gsm7, Reference::Short) => 153,
            (Self::Gsm7, Reference::Long) => 152,
            (Self::Ucs2, Reference::Short) => 67,
            (Self::Ucs2, Reference::Long) => 66,
        }
    }

    /// `gsm7` or `ucs2`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm7",
            Self::Ucs2 => "ucs2",
        }
    }

    fn units(self, text: &str) -> usize {
        match self {
            Self::Gsm7 => text.chars().map(|c| gsm7::septets(c).unwrap_or(2)).sum(),
            Self::Ucs2 => text.chars().map(char::len_utf16).sum(),
        }
    }
}

impl Alphabet {
    fn has(self, c: char) -> bool {
        let known = gsm7::septets(c).is_some();
        match self {
            Self::Gsm7 => known,
            Self::Latin1 => known && u32::from(c) < 0x100,
            Self::Ascii => known && c.is_ascii(),
        }
    }
}

/// Cuts a text as most carriers count it: GSM-7 where it can be, references of 8 bits.
#[must_use]
pub fn split(text: &str) -> Split<'_> {
    split_in(text, Alphabet::Gsm7, Reference::Short)
}

/// Cuts a text into as few parts as it takes, each as full as can be without cutting through what a reader sees as one
/// character. Only where that alone is too long for a part is it cut between code points.
#[must_use]
pub fn split_in(text: &str, alphabet: Alphabet, reference: Reference) -> Split<'_> {
    let encoding = if text.chars().all(|c| alphabet.has(c)) { Encoding::Gsm7 } else { Encoding::Ucs2 };
    let units = encoding.units(text);
    if units <= encoding.alone() {
        return Split { encoding, parts: vec![Part { text, units }] };
    }
    Split { encoding, parts: cut(text, encoding, encoding.among_others(reference)) }
}

fn cut(text: &str, encoding: Encoding, room: usize) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut start, mut end, mut used) = (0, 0, 0);
    for piece in pieces(text, encoding, room) {
        let units = encoding.units(piece);
        if used + units > room {
            parts.push(Part { text: &text[start..end], units: used });
            (start, used) = (end, 0);
        }
        (end, used) = (end + piece.len(), used + units);
    }
    parts.push(Part { text: &text[start..], units: used });
    parts
}

/// What must stay together. In GSM-7 no two characters belong together; whole clusters that fill more than a part are
/// taken apart.
fn pieces(text: &str, encoding: Encoding, room: usize) -> Box<dyn Iterator<Item = &str> + '_> {
    match encoding {
        Encoding::Gsm7 => Box::new(characters(text)),
        Encoding::Ucs2 => Box::new(clusters(text).flat_map(move |cluster| -> Box<dyn Iterator<Item = &str>> {
            match encoding.units(cluster) > room {
                true => Box::new(characters(cluster)),
                false => Box::new(std::iter::once(cluster)),
            }
        })),
    }
}

fn characters(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()])
}

impl Part<'_> {
    /// Its octets: one for each septet, two for each UTF-16 unit.
    #[must_use]
    pub fn octets(&self, encoding: Encoding) -> Vec<u8> {
        let septets = (encoding == Encoding::Gsm7).then(|| gsm7::encode(self.text)).flatten();
        septets.unwrap_or_else(|| ucs2::encode(self.text))
    }
}

#[cfg(test)]
mod tests;
