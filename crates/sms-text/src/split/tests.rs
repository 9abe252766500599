use proptest::prelude::*;

use super::*;

/// Encoding, and units in each part.
fn shape(text: &str, reference: Reference) -> (Encoding, Vec<usize>) {
    let split = split_in(text, Alphabet::Gsm7, reference);
    (split.encoding, split.parts.iter().map(|part| part.units).collect())
}

#[test]
fn parts_are_as_full_as_they_can_be() {
    use Encoding::{Gsm7, Ucs2};
    let family = "👨\u{200D}👩\u{200D}👧\u{200D}👦";
    let cases: &[(String, Encoding, &[usize])] = &[
        (String::new(), Gsm7, &[0]),
        ("a".repeat(160), Gsm7, &[160]),
        ("a".repeat(161), Gsm7, &[153, 8]),
        ("a".repeat(307), Gsm7, &[153, 153, 1]),
        ("€".repeat(80), Gsm7, &[160]),
        // an escape and what it announces stay together
        ("€".repeat(81), Gsm7, &[152, 10]),
        ("a".repeat(152) + "€" + &"a".repeat(10), Gsm7, &[152, 12]),
        ("é".repeat(159) + "ç", Ucs2, &[67, 67, 26]),
        ("я".repeat(70), Ucs2, &[70]),
        ("я".repeat(71), Ucs2, &[67, 4]),
        // so do the halves of a surrogate pair, and what is read as one character
        ("я".repeat(66) + "😀😀😀", Ucs2, &[66, 6]),
        ("я".repeat(60) + family, Ucs2, &[60, 11]),
        ("я".repeat(66) + "e\u{301}" + "яяя", Ucs2, &[66, 5]),
        ("я".repeat(66) + "🇧🇷" + "я", Ucs2, &[66, 5]),
        ("я".repeat(66) + "\r\nяяя", Ucs2, &[67, 4]),
        // conjuncts need not
        ("я".repeat(65) + "क\u{94D}षяяя", Ucs2, &[67, 4]),
        // what is longer than a part is cut all the same
        ("e".to_owned() + &"\u{301}".repeat(100), Ucs2, &[67, 34]),
    ];
    for (text, encoding, units) in cases {
        assert_eq!(shape(text, Reference::Short), (*encoding, units.to_vec()), "{text:?}");
    }
    assert_eq!(shape(&"a".repeat(161), Reference::Long), (Gsm7, vec![152, 9]));
    assert_eq!(shape(&"я".repeat(71), Reference::Long), (Ucs2, vec![66, 5]));
}

#[test]
fn poorer_alphabets_turn_to_ucs2_earlier() {
    let encoding = |text, alphabet| split_in(text, alphabet, Reference::Short).encoding;
    for (text, gsm7, latin1, ascii) in [
        ("plain {text}", Encoding::Gsm7, Encoding::Gsm7, Encoding::Gsm7),
        ("für £5", Encoding::Gsm7, Encoding::Gsm7, Encoding::Ucs2),
        ("Δ €", Encoding::Gsm7, Encoding::Ucs2, Encoding::Ucs2),
        // on the air it would not be GSM-7, whatever the carrier reads
        ("á", Encoding::Ucs2, Encoding::Ucs2, Encoding::Ucs2),
    ] {
        let found = [Alphabet::Gsm7, Alphabet::Latin1, Alphabet::Ascii].map(|alphabet| encoding(text, alphabet));
        assert_eq!(found, [gsm7, latin1, ascii], "{text}");
    }
}

fn texts() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        "[a-zA-Z0-9 .,!?]{1,40}",
        "[€^{}~\\[\\]|\\\\\u{c}]{1,8}",
        "[àèßÇΔΞ@§]{1,10}",
        Just("😀".to_owned()),
        Just("👩🏽\u{200D}🚀".to_owned()),
        Just("e\u{301}".to_owned()),
        "[а-я]{1,30}",
        any::<String>(),
    ];
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_is_lost_and_no_part_is_too_long(text in texts(), long in any::<bool>()) {
        let reference = if long { Reference::Long } else { Reference::Short };
        let Split { encoding, parts } = split_in(&text, Alphabet::Gsm7, reference);
        let whole: String = parts.iter().map(|part| part.text).collect();
        prop_assert_eq!(&whole, &text);
        let room = if parts.len() == 1 { encoding.alone() } else { encoding.among_others(reference) };
        for part in &parts {
            let octets = part.octets(encoding);
            let (units, back) = match encoding {
                Encoding::Gsm7 => (octets.len(), gsm7::decode(&octets)),
                Encoding::Ucs2 => (octets.len() / 2, ucs2::decode(&octets)),
            };
            prop_assert_eq!(units, part.units);
            prop_assert!(units <= room);
            prop_assert_eq!(back, part.text);
        }
    }
}
