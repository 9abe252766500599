//! Sends through YCloud: to WhatsApp, and by SMS. It has no idempotency keys.

use std::fmt::Write as _;
use std::io::Write as _;

use super::request::customer;
use crate::parts::Facts;

pub struct ThroughYcloud {
    host: String,
    api_key: String,
    number: String,
    sms_from: String,
    /// Over so many customers in turn.
    customers: u64,
    filling: String,
}

impl ThroughYcloud {
    /// `length`: bytes of text besides the number in front.
    pub fn new(facts: &Facts, customers: u64, length: usize) -> Self {
        Self {
            host: facts.address.to_string(),
            api_key: facts.ycloud.api_key.clone(),
            number: facts.ycloud.number.clone(),
            sms_from: facts.ycloud.sms_from.clone(),
            customers,
            filling: "lorem ipsum ".repeat(length / 12),
        }
    }

    /// A message to somebody on WhatsApp, to be sent when its turn comes.
    pub fn enqueue(&self, number: u64, out: &mut Vec<u8>) {
        let (from, to) = (&self.number, customer(number % self.customers));
        let text = format!("{number} {}", self.filling);
        let body = format!(r#"{{"from":"{from}","to":"+{to}","type":"text","text":{{"body":"{text}"}}}}"#);
        self.post("/v2/whatsapp/messages", &body, out);
    }

    /// An SMS that has its number in its text, as `sms-17`.
    pub fn text(&self, number: u64, out: &mut Vec<u8>) {
        let (from, to) = (&self.sms_from, number % self.customers);
        let mut body = String::with_capacity(160);
        // Numbers that can exist: carriers are asked for no others.
        let _ = write!(body, r#"{{"senderId":"{from}","to":"+1202456{to:04}","text":"sms-{number}"}}"#);
        self.post("/v2/sms", &body, out);
    }

    fn post(&self, path: &str, body: &str, out: &mut Vec<u8>) {
        let (host, key, length) = (&self.host, &self.api_key, body.len());
        let _ = write!(
            out,
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}",
        );
    }
}
