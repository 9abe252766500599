use std::fmt;

/// A gap in a template's text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Variable {
    /// `{{1}}`, counted from one.
    Position(u32),
    /// `{{first_name}}`.
    Name(String),
}

impl Variable {
    fn read(inside: &str) -> Option<Self> {
        let word = inside.trim();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if word.is_empty() || !word.chars().all(fits) {
            return None;
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return word.parse().ok().map(Self::Position);
        }
        Some(Self::Name(word.to_owned()))
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(position) => position.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

enum Piece<'a> {
    Plain(&'a str),
    Gap(&'a str, Variable),
}

/// The next piece of `text` and the rest. Braces that hold no variable are plain text.
fn next(text: &str) -> Option<(Piece<'_>, &str)> {
    let first = text.chars().next()?;
    let Some(after) = text.strip_prefix("{{") else {
        let end = text[first.len_utf8()..].find("{{").map_or(text.len(), |at| at + first.len_utf8());
        return Some((Piece::Plain(&text[..end]), &text[end..]));
    };
    // Only up to the next brace, so that a text of many braces is read once.
    let end = after.find(['{', '}']).unwrap_or(after.len());
    let gap = after[end..].starts_with("}}").then(|| Variable::read(&after[..end])).flatten();
    Some(match gap {
        Some(variable) => {
            let (whole, rest) = text.split_at(end + 4);
            (Piece::Gap(whole, variable), rest)
        }
        None => (Piece::Plain(&text[..1]), &text[1..]),
    })
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = next(rest)?;
        rest = after;
        Some(piece)
    })
}

/// The variables of a text, each once, in order of first appearance.
pub fn variables(text: &str) -> Vec<Variable> {
    let mut found = Vec::new();
    for piece in pieces(text) {
        if let Piece::Gap(_, variable) = piece
            && !found.contains(&variable)
        {
            found.push(variable);
        }
    }
    found
}

/// The text with its gaps filled; a gap without a value stays as it is.
pub fn fill<'a>(text: &'a str, value: impl Fn(&Variable) -> Option<&'a str>) -> String {
    pieces(text)
        .map(|piece| match piece {
            Piece::Plain(plain) => plain,
            Piece::Gap(whole, variable) => value(&variable).unwrap_or(whole),
        })
        .fold(String::with_capacity(text.len()), |out, piece| out + piece)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn variables_are_found_in_order() {
        let spell = |text: &str| variables(text).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(spell("{{2}} and {{ 1 }}, {{2}}"), ["2", "1"]);
        assert_eq!(spell("Hi {{first_name}}{{order_2}}!"), ["first_name", "order_2"]);
        for text in ["", "{{}}", "{{A}}", "{1}", "{{1}", "{{1 2}}", "{{é}}", "{{99999999999}}", "}}{{"] {
            assert!(variables(text).is_empty(), "{text}");
        }
        assert_eq!(spell("{{{1}}}"), ["1"]);
        assert_eq!(spell("{{ {{3}}"), ["3"]);
    }

    #[test]
    fn filled_text_is_not_filled_again() {
        let value = |variable: &Variable| match variable {
            Variable::Position(1) => Some("{{2}}"),
            Variable::Name(_) => Some("é"),
            _ => None,
        };
        assert_eq!(fill("{{1}} {{2}} {{who}} {{?}}", value), "{{2}} {{2}} é {{?}}");
    }

    proptest! {
        #[test]
        fn filling_nothing_changes_nothing(text in "[{}a1 é]{0,40}") {
            prop_assert_eq!(fill(&text, |_| None), text);
        }
    }
}
