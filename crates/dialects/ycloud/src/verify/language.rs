//! In which language a code is told.

use engine::contacts::{Address, PHONE};
use engine::regions;

/// All that can be asked for.
pub(super) const LANGUAGES: [&str; 13] =
    ["ar", "de", "en", "es", "fr", "id", "it", "pt_BR", "ru", "tr", "vi", "zh_CN", "zh_HK"];

/// Countries where most people read one of these languages, and not English.
const COUNTRIES: [(&str, &[&str]); 12] = [
    (
        "ar",
        &["AE", "BH", "DZ", "EG", "IQ", "JO", "KW", "LB", "LY", "MA", "OM", "PS", "QA", "SA", "SD", "SY", "TN", "YE"],
    ),
    ("de", &["AT", "DE", "LI"]),
    (
        "es",
        &[
            "AR", "BO", "CL", "CO", "CR", "CU", "DO", "EC", "ES", "GQ", "GT", "HN", "MX", "NI", "PA", "PE", "PY", "SV",
            "UY", "VE",
        ],
    ),
    ("fr", &["BF", "BJ", "CD", "CG", "CI", "FR", "GA", "GN", "MC", "ML", "NE", "SN", "TG"]),
    ("id", &["ID"]),
    ("it", &["IT", "SM", "VA"]),
    ("pt_BR", &["AO", "BR", "MZ", "PT"]),
    ("ru", &["BY", "RU"]),
    ("tr", &["TR"]),
    ("vi", &["VN"]),
    ("zh_CN", &["CN"]),
    ("zh_HK", &["HK", "MO", "TW"]),
];

/// That of the number's country, else English.
pub(super) fn of(to: &Address) -> &'static str {
    let region = if to.kind == PHONE { regions::of_number(&to.value) } else { None };
    let Some(region) = region else { return "en" };
    COUNTRIES.iter().find(|(_, countries)| countries.contains(&region.as_str())).map_or("en", |(language, _)| language)
}

/// As calls name it.
pub(super) fn spoken(language: &str) -> &str {
    language.split('_').next().unwrap_or(language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_speak_their_countrys_language() {
        let of = |kind: &str, value: &str| of(&Address { kind: kind.into(), value: value.into() });
        for (number, language) in [
            ("+6281234567890", "id"),
            ("+14155552671", "en"),
            ("+5511961234567", "pt_BR"),
            ("+8613812345678", "zh_CN"),
            ("+85251234567", "zh_HK"),
            ("+4915112345678", "de"),
            ("+1", "en"),
        ] {
            assert_eq!(of(PHONE, number), language, "{number}");
        }
        assert_eq!(of("email", "a@example.com"), "en");
        assert_eq!([spoken("pt_BR"), spoken("en")], ["pt", "en"]);
        assert!(COUNTRIES.iter().all(|(language, _)| LANGUAGES.contains(language)));
    }
}
