//! The two requests that carry the load: a send through Kirim, and a signed push as Meta posts it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::Outcome;
use crate::parts::Facts;

/// `http://127.0.0.1:8080` to where it listens.
pub fn address_of(url: &str) -> Outcome<SocketAddr> {
    let address = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
    address.parse().map_err(|_| format!("{url} is not an address on this machine").into())
}

/// Lower-case hex of an HMAC-SHA256.
pub fn hmac_hex(key: &[u8], body: &[u8]) -> String {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// The digits of a customer's number.
pub fn customer(number: u64) -> String {
    format!("1555{:07}", 2_000_000 + number)
}

/// Text messages through Kirim, each with an idempotency key of its own.
pub struct Sends {
    head: String,
    /// Told apart from other runs on the same database.
    run: u64,
    /// Over so many customers in turn.
    customers: u64,
    filling: String,
}

impl Sends {
    /// `length`: bytes of text besides the number in front.
    pub fn new(facts: &Facts, customers: u64, length: usize) -> Self {
        let head = format!(
            "POST /v1/{}/messages HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n",
            facts.number_id, facts.address, facts.api_key
        );
        Self { head, run: rand::random(), customers, filling: "lorem ipsum ".repeat(length / 12) }
    }

    pub fn write(&self, number: u64, out: &mut Vec<u8>) {
        self.write_to(number, &customer(number % self.customers), &format!("{number} {}", self.filling), out);
    }

    pub fn write_to(&self, number: u64, to: &str, text: &str, out: &mut Vec<u8>) {
        let body =
            format!(r#"{{"messaging_product":"whatsapp","to":"+{to}","type":"text","text":{{"body":"{text}"}}}}"#);
        let (head, run) = (&self.head, self.run);
        let _ = write!(out, "{head}Idempotency-Key: {run:x}-{number}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    }
}

/// Signed pushes with text messages from customers.
pub struct Pushes {
    head: String,
    waba: String,
    number_id: String,
    display: String,
    secret: String,
    run: u64,
    customers: u64,
    /// Messages in each push.
    pub size: u64,
}

impl Pushes {
    pub fn new(facts: &Facts, customers: u64, size: u64) -> Self {
        Self {
            head: format!(
                "POST /webhooks/meta HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n",
                facts.address
            ),
            waba: facts.waba_id.clone(),
            number_id: facts.number_id.clone(),
            display: facts.display.clone(),
            secret: facts.app_secret.clone(),
            run: rand::random(),
            customers,
            size,
        }
    }

    pub fn write(&self, number: u64, out: &mut Vec<u8>) {
        let texts: Vec<_> = (number * self.size..(number + 1) * self.size)
            .map(|n| (n, format!("message {n} from a customer")))
            .collect();
        self.write_texts(&texts, out);
    }

    /// One push with these messages, numbered so that none has the id of another.
    pub fn write_texts(&self, texts: &[(u64, String)], out: &mut Vec<u8>) {
        let mut body = format!(r#"{{"object":"whatsapp_business_account","entry":[{{"id":"{}","changes":["#, self.waba);
        for (position, (number, text)) in texts.iter().enumerate() {
            let comma = if position > 0 { "," } else { "" };
            let (from, run) = (customer(number % self.customers), self.run);
            let _ = write!(
                body,
                r#"{comma}{{"value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"{}","phone_number_id":"{}"}},"contacts":[{{"profile":{{"name":"Customer {from}"}},"wa_id":"{from}"}}],"messages":[{{"from":"{from}","id":"wamid.BENCH{run:016X}{number:016X}","timestamp":"{}","type":"text","text":{{"body":"{text}"}}}}]}},"field":"messages"}}"#,
                self.display,
                self.number_id,
                now_s(),
            );
        }
        body.push_str("]}]}");
        let signature = hmac_hex(self.secret.as_bytes(), body.as_bytes());
        let _ = write!(
            out,
            "{}X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\r\n{body}",
            self.head,
            body.len()
        );
    }
}

fn now_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
