//! What a reader sees as one character.

use unicode_segmentation::UnicodeSegmentation;

const ZERO_WIDTH_JOINER: char = '\u{200D}';

/// The text's clusters, in order: extended grapheme clusters, except that a line end of two characters may be parted and
/// Indic conjuncts may too, since those who bill by parts count so.
pub(crate) fn clusters(text: &str) -> impl Iterator<Item = &str> {
    text.graphemes(true).flat_map(parted)
}

fn parted(cluster: &str) -> impl Iterator<Item = &str> {
    let mut rest = cluster;
    std::iter::from_fn(move || {
        let end = joint(rest)?;
        let (first, others) = rest.split_at(end);
        rest = others;
        Some(first)
    })
}

/// Where the first piece of what is left of a cluster ends; `None` when nothing is left.
fn joint(cluster: &str) -> Option<usize> {
    let mut letters = cluster.char_indices().peekable();
    let (_, mut before) = letters.next()?;
    for (at, c) in letters {
        let line_end = (before, c) == ('\r', '\n');
        if line_end || is_conjunct(before, c) {
            return Some(at);
        }
        before = c;
    }
    Some(cluster.len())
}

/// Two characters that hold together only because of what stands before them, and are letters: no emoji.
fn is_conjunct(before: char, c: char) -> bool {
    if before.is_ascii() || c.is_ascii() || !c.is_alphabetic() {
        return false;
    }
    let pair = String::from_iter([before, c]);
    before == ZERO_WIDTH_JOINER || pair.graphemes(true).count() == 2
}
