//! Words for an ear: codes digit by digit, and languages as voices are called.

/// How often a text is said, for whoever was looking for a pen.
pub(super) const TIMES: u32 = 3;

/// Runs of so many digits are a code, not a number.
const CODE: usize = 4;

/// A code in one piece would be read as hundreds of thousands.
pub(super) fn spelled(text: &str) -> String {
    let mut spoken = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let length = from.bytes().take_while(u8::is_ascii_digit).count();
        let (run, after) = from.split_at(length);
        spoken.push_str(before);
        if length < CODE {
            spoken.push_str(run);
        } else {
            for (place, digit) in run.chars().enumerate() {
                if place > 0 {
                    spoken.push_str(", ");
                }
                spoken.push(digit);
            }
        }
        rest = after;
    }
    spoken.push_str(rest);
    spoken
}

/// BCP 47 with a country, as voices are listed; a language without one gets the commonest. Empty: English.
pub(super) fn voice(language: &str) -> String {
    let language = language.trim().replace('_', "-");
    if language.contains('-') {
        return language;
    }
    let (_, full) = VOICES.iter().find(|(short, _)| language.eq_ignore_ascii_case(short)).unwrap_or(&("", ""));
    if full.is_empty() { language } else { (*full).to_owned() }
}

const VOICES: &[(&str, &str)] = &[
    ("", "en-US"),
    ("ar", "arb"),
    ("cs", "cs-CZ"),
    ("da", "da-DK"),
    ("de", "de-DE"),
    ("el", "el-GR"),
    ("en", "en-US"),
    ("es", "es-ES"),
    ("fi", "fi-FI"),
    ("fr", "fr-FR"),
    ("he", "he-IL"),
    ("hi", "hi-IN"),
    ("hu", "hu-HU"),
    ("id", "id-ID"),
    ("it", "it-IT"),
    ("ja", "ja-JP"),
    ("ko", "ko-KR"),
    ("nb", "nb-NO"),
    ("nl", "nl-NL"),
    ("no", "nb-NO"),
    ("pl", "pl-PL"),
    ("pt", "pt-BR"),
    ("ro", "ro-RO"),
    ("ru", "ru-RU"),
    ("sk", "sk-SK"),
    ("sv", "sv-SE"),
    ("th", "th-TH"),
    ("tr", "tr-TR"),
    ("uk", "uk-UA"),
    ("vi", "vi-VN"),
    ("zh", "cmn-CN"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_spelled_and_numbers_are_not() {
        for (text, heard) in [
            ("Your code is 123456.", "Your code is 1, 2, 3, 4, 5, 6."),
            ("Call 911 in 10 min", "Call 911 in 10 min"),
            ("1234", "1, 2, 3, 4"),
            ("1 2 3 4, 5", "1 2 3 4, 5"),
            ("٤ é 0000é", "٤ é 0, 0, 0, 0é"),
            ("", ""),
        ] {
            assert_eq!(spelled(text), heard);
        }
        assert_eq!(spelled(&spelled("123456")), spelled("123456"));
    }

    #[test]
    fn languages_have_a_country() {
        for (asked, spoken) in [("", "en-US"), ("de", "de-DE"), ("pt_BR", "pt-BR"), ("en-GB", "en-GB"), ("xx", "xx")] {
            assert_eq!(voice(asked), spoken);
        }
    }
}
