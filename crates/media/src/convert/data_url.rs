//! `data:<mime>[;<parameter>…];base64,<data>`, as callers write media into their requests.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Error, Medium};

/// Bytes before the comma; more is not a type.
const MAX_HEAD: usize = 256;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A data URL, taken apart but not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataUrl<'a> {
    /// The type as the caller declared it, without parameters: a hint at most.
    pub mime: Option<&'a str>,
    /// The rest of the declaration (`codecs=opus`), empty if there is none.
    pub parameters: &'a str,
    payload: &'a str,
}

/// Whether a text means to be a data URL rather than a link.
pub fn is_data_url(text: &str) -> bool {
    text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// Takes a data URL apart; nothing is copied.
pub fn parse(text: &str) -> Result<DataUrl<'_>, Error> {
    if !is_data_url(text) {
        return Err(Error::DataUrl("it does not begin with data:"));
    }
    let window = text.as_bytes().iter().take(5 + MAX_HEAD);
    let comma =
        window.clone().position(|byte| *byte == b',').ok_or(Error::DataUrl("it has no comma after its type"))?;
    let head = text.get(5..comma).ok_or(Error::DataUrl("it has no comma after its type"))?;
    let (declared, marker) = head.rsplit_once(';').ok_or(Error::DataUrl("it is not base64"))?;
    if !marker.trim().eq_ignore_ascii_case("base64") {
        return Err(Error::DataUrl("it is not base64"));
    }
    let (mime, parameters) = declared.split_once(';').unwrap_or((declared, ""));
    let mime = Some(mime.trim()).filter(|mime| !mime.is_empty());
    if mime.is_some_and(|mime| !is_mime(mime)) {
        return Err(Error::DataUrl("its type is malformed"));
    }
    Ok(DataUrl { mime, parameters: parameters.trim(), payload: &text[comma + 1..] })
}

impl DataUrl<'_> {
    /// The bytes, of which there may be `max_bytes`; judged before anything is decoded. Line breaks are skipped.
    pub fn decode(&self, medium: Medium, max_bytes: u64) -> Result<Vec<u8>, Error> {
        let breaks = self.payload.bytes().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
        let digits = self.payload.len() - breaks - self.padding();
        if (digits as u64).saturating_mul(3) / 4 > max_bytes {
            return Err(Error::TooLarge { medium, limit: max_bytes });
        }
        let payload = match breaks {
            0 => Cow::Borrowed(self.payload),
            _ => Cow::Owned(self.payload.replace(['\r', '\n'], "")),
        };
        BASE64.decode(payload.as_ref()).map_err(|_| Error::DataUrl("its base64 is malformed"))
    }

    fn padding(&self) -> usize {
        self.payload
            .bytes()
            .rev()
            .take_while(|byte| matches!(byte, b'=' | b'\r' | b'\n'))
            .filter(|b| *b == b'=')
            .count()
    }
}

/// Whether a text is a type and a subtype of the characters that RFC 6838 allows.
pub(super) fn is_mime(text: &str) -> bool {
    let name = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.split_once('/').is_some_and(|(kind, subtype)| name(kind) && name(subtype))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const MAX: u64 = 64;

    #[rstest]
    #[case::plain("data:image/png;base64,aGk=", Some("image/png"), "")]
    #[case::parameter("data:audio/ogg; codecs=opus;base64,aGk=", Some("audio/ogg"), "codecs=opus")]
    #[case::upper_case("DATA:image/png;BASE64,aGk=", Some("image/png"), "")]
    #[case::no_padding("data:image/png;base64,aGk", Some("image/png"), "")]
    #[case::no_type("data:;base64,aGk=", None, "")]
    #[case::wrapped("data:image/png;base64,aG\r\nk=\n", Some("image/png"), "")]
    fn accepts(#[case] text: &str, #[case] mime: Option<&str>, #[case] parameters: &str) {
        let url = parse(text).unwrap();
        assert_eq!((url.mime, url.parameters), (mime, parameters));
        assert_eq!(url.decode(Medium::Image, 2).unwrap(), b"hi");
        assert!(matches!(url.decode(Medium::Image, 1), Err(Error::TooLarge { limit: 1, .. })));
    }

    #[rstest]
    #[case::link("https://example.org/a.png")]
    #[case::empty("")]
    #[case::bare_scheme("data:")]
    #[case::no_comma("data:image/png;base64")]
    #[case::not_base64("data:text/plain,hello")]
    #[case::percent_encoded("data:text/plain;charset=utf-8,hello")]
    #[case::no_subtype("data:image;base64,aGk=")]
    #[case::hostile_type("data:image/<b>;base64,aGk=")]
    #[case::wide_characters("data:ünï/cödé;base64,aGk=")]
    #[case::url_alphabet("data:image/png;base64,_-8=")]
    #[case::foreign("data:image/png;base64,aG k=")]
    #[case::broken_padding("data:image/png;base64,a=Gk")]
    #[case::one_digit("data:image/png;base64,a")]
    fn refuses(#[case] text: &str) {
        let outcome = parse(text).and_then(|url| url.decode(Medium::Image, MAX));
        assert!(matches!(outcome, Err(Error::DataUrl(_))), "{outcome:?}");
    }

    #[test]
    fn a_type_without_end_is_not_searched_for_its_comma() {
        let text = format!("data:image/{};base64,aGk=", "x".repeat(MAX_HEAD));
        assert!(matches!(parse(&text), Err(Error::DataUrl(_))));
    }

    proptest! {
        #[test]
        fn gives_back_what_was_encoded(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let text = format!("data:video/mp4;base64,{}", base64::engine::general_purpose::STANDARD.encode(&bytes));
            let url = parse(&text).unwrap();
            prop_assert_eq!(url.decode(Medium::Video, bytes.len() as u64).unwrap(), bytes.clone());
            if let Some(less) = bytes.len().checked_sub(1) {
                let refused = matches!(url.decode(Medium::Video, less as u64), Err(Error::TooLarge { .. }));
                prop_assert!(refused);
            }
        }

        #[test]
        fn survives_any_text_and_never_gives_more_than_allowed(text in "(data:)?\\PC{0,80}", rest in "[A-Za-z0-9+/=,;]{0,80}") {
            for text in [text.clone(), format!("{text};base64,{rest}"), format!("data:a/b;base64,{rest}")] {
                if let Ok(bytes) = parse(&text).and_then(|url| url.decode(Medium::Media, MAX)) {
                    prop_assert!(bytes.len() as u64 <= MAX);
                }
            }
        }
    }
}
