//! API keys and webhook secrets as this dialect spells them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const LIVE: &str = "kdv_live_";
const TEST: &str = "kdv_test_";

/// A key of 144 random bits. `live`: not for the sandbox.
#[must_use]
pub fn new_key(random: [u8; 18], live: bool) -> String {
    format!("{}{}", if live { LIVE } else { TEST }, URL_SAFE_NO_PAD.encode(random))
}

/// A sandbox's key, the same whenever it is derived from the same secret.
#[must_use]
pub fn derive_key(secret: [u8; 32]) -> String {
    let mut random = [0; 18];
    random.copy_from_slice(&secret[..18]);
    new_key(random, false)
}

/// Whether a token could be a key at all.
pub(crate) fn is_spelt_like_one(token: &str) -> bool {
    let rest = token.strip_prefix(LIVE).or_else(|| token.strip_prefix(TEST));
    rest.is_some_and(|rest| {
        rest.len() == 24 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

/// A secret that signs webhooks; all of its characters are the key, the prefix included.
pub(crate) fn new_secret(random: [u8; 32]) -> String {
    format!("whsec_{}", URL_SAFE_NO_PAD.encode(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_look_as_published() {
        let live = new_key([0xff; 18], true);
        assert_eq!(live, "kdv_live_________________________");
        assert_eq!(live.len(), 33);
        assert!(is_spelt_like_one(&live) && is_spelt_like_one(&derive_key([7; 32])));
        assert_eq!(derive_key([7; 32]), derive_key([7; 32]));
        assert_ne!(derive_key([7; 32]), derive_key([8; 32]));
        for wrong in [
            "",
            "kdv_live_",
            "kdv_prod_AAAAAAAAAAAAAAAAAAAAAAAA",
            &live[..32],
            &format!("{live}A"),
            "kdv_live_AAAAAAAAAAAAAAAAAAAAAAA+",
        ] {
            assert!(!is_spelt_like_one(wrong), "{wrong}");
        }
        assert_eq!(new_secret([0; 32]).len(), 6 + 43);
    }
}
