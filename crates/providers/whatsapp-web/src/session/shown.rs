//! What the owner can link the account with now.

use serde_json::{Value, json};

/// A text, and until when it is good, in milliseconds.
type Good = (String, i64);

/// The newest picture's text and the newest code to type; one does not end the other.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    qr: Option<Good>,
    code: Option<Good>,
}

impl Shown {
    pub(super) fn qr(&mut self, text: &str, until: i64) {
        self.qr = Some((text.to_owned(), until));
    }

    pub(super) fn code(&mut self, text: &str, until: i64) {
        self.code = Some((text.to_owned(), until));
    }

    /// Takes the code to type away; `false` if there was none.
    pub(super) fn drop_code(&mut self) -> bool {
        self.code.take().is_some()
    }

    /// Until when the code to type is good, in milliseconds.
    pub(super) fn code_ends(&self) -> Option<i64> {
        self.code.as_ref().map(|(_, until)| *until)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// As it is offered; `expires_at` is about the picture where there is one.
    pub(super) fn offer(&self, now: i64) -> Value {
        let good = |one: &Option<Good>| one.clone().filter(|(_, until)| *until > now);
        let (qr, code) = (good(&self.qr), good(&self.code));
        let until = qr.as_ref().or(code.as_ref()).map(|(_, until)| *until);
        let mut offer = json!({ "expires_at": until });
        for (name, one) in [("qr", qr), ("code", code)] {
            if let Some((text, _)) = one {
                offer[name] = text.into();
            }
        }
        offer
    }

    /// Whether there is anything to link with.
    pub(super) fn is_over(&self, now: i64) -> bool {
        [&self.qr, &self.code].into_iter().flatten().all(|(_, until)| *until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stands_beside_the_pictures_until_it_is_over() {
        let mut shown = Shown::default();
        shown.qr("one", 20);
        shown.code("ABCD-EFGH", 180);
        shown.qr("two", 40);
        assert_eq!(shown.offer(10), json!({ "qr": "two", "code": "ABCD-EFGH", "expires_at": 40 }));
        assert_eq!(shown.offer(40), json!({ "code": "ABCD-EFGH", "expires_at": 180 }));
        assert_eq!((shown.is_over(179), shown.is_over(180), shown.code_ends()), (false, true, Some(180)));
        assert_eq!((shown.drop_code(), shown.drop_code(), shown.is_over(39)), (true, false, false));
        shown.clear();
        assert_eq!((shown.offer(10), shown.is_over(10)), (json!({ "expires_at": null }), true));
    }
}
