//! AUTH: the two ways to log in with a name and a password.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What the server asks for next, in base64 as it is said.
pub(super) const NAME_PLEASE: &str = "334 VXNlcm5hbWU6";
pub(super) const PASSWORD_PLEASE: &str = "334 UGFzc3dvcmQ6";
pub(super) const GO_ON: &str = "334 ";

/// Name and password of a PLAIN answer: whom to act as (ignored), name, password, with NUL between them.
pub(super) fn plain(answer: &str) -> Option<(String, String)> {
    let text = word(answer)?;
    let mut parts = text.split('\0');
    let (_, name, password) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then(|| (name.to_owned(), password.to_owned()))
}

/// One answer of LOGIN.
pub(super) fn word(answer: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(answer.trim()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        assert_eq!(plain("AHVzZXIAcDRzcw=="), Some(("user".to_owned(), "p4ss".to_owned())));
        for wrong in ["", "*", "dXNlcg==", "AHVzZXI=", "AHUAcAA=", "/w=="] {
            assert_eq!(plain(wrong), None, "{wrong}");
        }
        assert_eq!(word("dXNlcg==").as_deref(), Some("user"));
        assert_eq!(word(NAME_PLEASE.trim_start_matches("334 ")).as_deref(), Some("Username:"));
        assert_eq!(word(PASSWORD_PLEASE.trim_start_matches("334 ")).as_deref(), Some("Password:"));
    }
}
