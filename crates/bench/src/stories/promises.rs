//! What was promised to callers, to customers and to receivers, written down as it was promised.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::load::Post;

/// Texts tell messages apart: `out-17` was sent by us, `in-17` by a customer.
#[derive(Default)]
pub struct Promises(Mutex<Book>);

#[derive(Default)]
pub struct Book {
    /// Sends that were begun, and whether they were acknowledged.
    pub sends: HashMap<String, bool>,
    /// Sends that were refused for good.
    pub refused: HashSet<String>,
    /// Messages that a customer's phone has sent off.
    pub writes: HashSet<String>,
    /// What webhooks told of: messages received, and messages sent.
    pub told: HashSet<String>,
    /// Answers by status; 0 for a connection that broke.
    pub answers: BTreeMap<u16, u64>,
    /// Answers that leave a caller in doubt about what to do.
    pub unclear: Vec<String>,
    next: u64,
}

impl Promises {
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that nobody else gets.
    pub fn next(&self) -> u64 {
        let mut book = self.book();
        book.next += 1;
        book.next
    }

    /// A webhook arrived.
    pub fn hear(&self, post: &Post<'_>) {
        let text = std::str::from_utf8(post.body).unwrap_or_default();
        let kind = match post.header("x-kirim-event") {
            Some("message.received") => "in-",
            Some("message.sent") => "out-",
            _ => return,
        };
        if let Some(text) = quoted(text, kind) {
            self.book().told.insert(text.to_owned());
        }
    }
}

/// The JSON string that begins so.
fn quoted<'a>(json: &'a str, beginning: &str) -> Option<&'a str> {
    let begin = json.find(&format!("\"{beginning}"))? + 1;
    json[begin..].split('"').next()
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_text_is_found_in_a_body() {
        assert_eq!(quoted(r#"{"text":{"body":"in-17"},"x":"in-18"}"#, "in-"), Some("in-17"));
        assert_eq!(quoted(r#"{"text":{"body":"within-17"}}"#, "in-"), None);
    }
}
