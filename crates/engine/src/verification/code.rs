//! Codes, and what stands for them where they must not.

use secrecy::SecretString;
use serde_json::Value;
use store::{Id, Result, SecretKey};

use crate::content::Content;

/// So many digits, each as likely as any other.
#[must_use]
pub fn generate(length: usize, random: &dyn Fn(&mut [u8])) -> SecretString {
    let digit = || {
        // Of so many values the ten digits differ by nothing that could be noticed.
        let mut bytes = [0; 8];
        random(&mut bytes);
        char::from_digit((u64::from_le_bytes(bytes) % 10) as u32, 10).unwrap_or('0')
    };
    (0..length).map(|_| digit()).collect::<String>().into()
}

/// What stands in a message for a code of this length: texts keep their size, and their alphabet.
#[must_use]
pub fn mask(length: usize) -> String {
    "*".repeat(length)
}

/// One character after the other, to be spoken.
#[must_use]
pub fn spelled(code: &str) -> String {
    code.chars().map(String::from).collect::<Vec<_>>().join(", ")
}

/// Puts a code where its mask stands.
pub(super) fn fill(content: Content, code: &str) -> Result<Content> {
    let mask = mask(code.chars().count());
    let places = match &content {
        Content::Speech { .. } => [spelled(&mask), spelled(code)],
        _ => [mask, code.to_owned()],
    };
    let unreadable = |error: serde_json::Error| store::Error::Corrupt(format!("a message's content: {error}"));
    let mut value = serde_json::to_value(content).map_err(unreadable)?;
    put(&mut value, &places);
    serde_json::from_value(value).map_err(unreadable)
}

fn put(value: &mut Value, [mask, code]: &[String; 2]) {
    match value {
        Value::String(text) if text.contains(mask.as_str()) => *text = text.replace(mask.as_str(), code),
        Value::Array(items) => items.iter_mut().for_each(|item| put(item, &[mask.clone(), code.clone()])),
        Value::Object(members) => members.values_mut().for_each(|member| put(member, &[mask.clone(), code.clone()])),
        _ => {}
    }
}

/// What an answer is compared with. Codes are short: without the installation's key nobody can try them all.
pub(super) fn hash(key: &SecretKey, id: &Id, code: &str) -> [u8; 32] {
    key.hash("verification codes", &format!("{}/{code}", id.hex24()))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use secrecy::ExposeSecret;

    use super::*;
    use crate::content::Native;

    #[test]
    fn codes_are_digits_and_use_all_of_them() {
        let seed = Cell::new(1_u64);
        let random = |bytes: &mut [u8]| {
            seed.set(seed.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
            bytes.copy_from_slice(&(seed.get() >> 11).to_le_bytes()[..bytes.len()]);
        };
        let mut seen = std::collections::BTreeSet::new();
        for length in 4..=8 {
            for _ in 0..100 {
                let code = generate(length, &random);
                assert_eq!(code.expose_secret().len(), length);
                seen.extend(code.expose_secret().chars());
            }
        }
        assert_eq!(seen.into_iter().collect::<String>(), "0123456789");
    }

    #[test]
    fn a_code_is_put_wherever_its_mask_stands() {
        let json = serde_json::json!([{ "parameters": [{ "text": mask(6) }] }, { "text": "****" }]);
        let native = |json| Native { format: "f".into(), name: "components".into(), json, text: None };
        let template = |json| {
            let components = Some(native(json));
            Content::Template(crate::content::Template { name: "n".into(), language: "en".into(), components })
        };
        let wanted = serde_json::json!([{ "parameters": [{ "text": "A1b2C3" }] }, { "text": "****" }]);
        assert_eq!(fill(template(json), "A1b2C3").unwrap(), template(wanted));
        let said = |text: &str| Content::Speech { text: text.into(), language: "en".into() };
        assert_eq!(fill(said(&format!("It is {}.", spelled(&mask(4)))), "0042").unwrap(), said("It is 0, 0, 4, 2."));
        let text = |body: &str| Content::Text { body: body.into(), preview: false };
        assert_eq!(fill(text("**** is it"), "0042").unwrap(), text("0042 is it"));
    }

    #[test]
    fn a_hash_is_its_verifications_own() {
        let (key, one, two) = (SecretKey::new([1; 32]), Id::floor(1), Id::floor(2));
        assert_eq!(hash(&key, &one, "0042"), hash(&key, &one, "0042"));
        for other in [hash(&key, &two, "0042"), hash(&key, &one, "0043"), hash(&SecretKey::new([2; 32]), &one, "0042")]
        {
            assert_ne!(hash(&key, &one, "0042"), other);
        }
    }
}
