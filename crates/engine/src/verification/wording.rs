//! What a text or a mail with a code says.

use crate::settings::Verify;

/// The language that is spoken where no other is known.
const ENGLISH: &str = "en";

/// In a language, or in English where there are no words in it.
#[must_use]
pub fn text(settings: &Verify, language: &str, code: &str) -> String {
    let known = settings.texts.get(&language.to_lowercase()).or_else(|| settings.texts.get(ENGLISH));
    let known = known.map_or("{code}", String::as_str);
    let minutes = settings.expiry.as_secs().div_ceil(60);
    // The code comes last: nothing in it is a place to be filled.
    let text = known.replace("{minutes}", &minutes.to_string()).replace("{code}", code);
    match settings.brand.as_str() {
        "" => text,
        brand => format!("[{brand}] {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_and_filled() {
        let mut settings = Verify::default();
        settings.texts.insert("pt_br".into(), "{code} vale {minutes} minutos".into());
        assert_eq!(text(&settings, "pt_BR", "1234"), "1234 vale 10 minutos");
        settings.brand = "Shop".into();
        assert_eq!(text(&settings, "xx", "1234"), "[Shop] Your verification code is 1234. It is valid for 10 minutes.");
        settings.texts.clear();
        assert_eq!(text(&settings, "de", "1234"), "[Shop] 1234");
    }
}
