//! Looks whether everything promised came true: on the phones, through Kirim, at the receiver.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use super::Story;
use super::promises::{Book, Promises};
use super::traffic::CUSTOMERS;
use crate::Outcome;
use crate::load::customer;
use crate::parts::Api;

/// Work whose process died is taken up again when its claim runs out; the clock is moved over that.
const QUIET: Duration = Duration::from_secs(15);
const JUMP: &str = "130s";
const JUMPS: u32 = 8;

/// Waits until nothing is under way any more, on either side.
pub async fn settle(api: &Api) -> Outcome {
    for _ in 0..JUMPS {
        let began = Instant::now();
        while began.elapsed() < QUIET {
            if under_way(api).await?.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        api.advance(JUMP).await?;
    }
    Err(format!("work does not come to an end: {}", under_way(api).await?).into())
}

async fn under_way(api: &Api) -> Outcome<String> {
    let mut found = String::new();
    for queue in ["send", "events", "deliveries"] {
        let depth = api.depth(queue).await?;
        if depth > 0 {
            found.push_str(&format!("{depth} {queue} "));
        }
    }
    let owed = api.sandbox(Method::GET, "/stats", None).await?;
    match owed.pointer("/meta/owed").and_then(Value::as_u64) {
        Some(0) => Ok(found),
        owed => Ok(format!("{found}{} pushes", owed.unwrap_or_default())),
    }
}

/// How often each text is found somewhere.
type Found = HashMap<String, u64>;

/// What there is in the end.
#[derive(Default)]
struct Truth {
    phones: Found,
    sent: Found,
    received: Found,
    /// Sends that came to the sandbox more than once.
    repeated: u64,
}

/// Compares the promises with what is there.
pub async fn verify(api: &Api, promises: &Promises) -> Outcome<Story> {
    let stats = api.sandbox(Method::GET, "/stats", None).await?;
    let truth = Truth {
        phones: on_phones(api).await?,
        sent: through_kirim(api, "outbound").await?,
        received: through_kirim(api, "inbound").await?,
        repeated: stats.pointer("/meta/repeated_sends").and_then(Value::as_u64).ok_or("the sandbox does not count")?,
    };
    let book = promises.book();
    let told = vec![
        format!(
            "{} sends acknowledged of {}, {} messages written by customers",
            book.sends.values().filter(|acknowledged| **acknowledged).count(),
            book.sends.len(),
            book.writes.len()
        ),
        format!("answers by status (0: the connection broke): {:?}", book.answers),
    ];
    Ok(Story { told, broken: compare(&book, &truth) })
}

fn compare(book: &Book, truth: &Truth) -> Vec<String> {
    let mut broken = book.unclear.clone();
    for text in book.sends.keys().filter(|text| is_acknowledged(book, text)) {
        once(&mut broken, text, "on the phone", &truth.phones);
        once(&mut broken, text, "in Kirim's list", &truth.sent);
        told(&mut broken, text, book);
    }
    for text in &book.writes {
        once(&mut broken, text, "in Kirim's list", &truth.received);
        told(&mut broken, text, book);
    }
    let twice = truth.phones.iter().chain(&truth.sent).filter(|(_, count)| **count > 1);
    for (text, count) in twice.filter(|(text, _)| !is_acknowledged(book, text)) {
        broken.push(format!("{text}, never acknowledged, is there {count} times"));
    }
    if truth.repeated > 0 {
        broken.push(format!("{} sends came to the sandbox twice", truth.repeated));
    }
    broken
}

fn is_acknowledged(book: &Book, text: &str) -> bool {
    book.sends.get(text).copied().unwrap_or(false)
}

fn once(broken: &mut Vec<String>, text: &str, place: &str, found: &Found) {
    match found.get(text).copied().unwrap_or(0) {
        1 => {}
        0 => broken.push(format!("{text} is not {place}")),
        count => broken.push(format!("{text} is {count} times {place}")),
    }
}

fn told(broken: &mut Vec<String>, text: &str, book: &Book) {
    if !book.told.contains(text) {
        broken.push(format!("no webhook told of {text}"));
    }
}

async fn on_phones(api: &Api) -> Outcome<Found> {
    let mut found = Found::new();
    for number in 0..CUSTOMERS {
        let shown = api.sandbox(Method::GET, &format!("/phones/+{}/messages", customer(number)), None).await?;
        for message in shown["data"].as_array().into_iter().flatten().filter(|message| message["direction"] == "in") {
            count(&mut found, &message["text"]["body"]);
        }
    }
    Ok(found)
}

async fn through_kirim(api: &Api, direction: &str) -> Outcome<Found> {
    let (mut found, mut cursor) = (Found::new(), None::<String>);
    loop {
        let page = api.messages(direction, cursor.as_deref()).await?;
        page["data"].as_array().into_iter().flatten().for_each(|message| count(&mut found, &message["content"]));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(found),
        }
    }
}

fn count(found: &mut Found, text: &Value) {
    *found.entry(text.as_str().unwrap_or_default().to_owned()).or_default() += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(texts: &[(&str, u64)]) -> Found {
        texts.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect()
    }

    #[test]
    fn every_way_to_break_a_promise_is_seen() {
        let mut book = Book::default();
        book.sends.extend([("out-1".to_owned(), true), ("out-2".to_owned(), false)]);
        book.writes.insert("in-3".to_owned());
        book.told.extend(["out-1".to_owned(), "in-3".to_owned()]);
        let good = || Truth {
            phones: found(&[("out-1", 1), ("out-2", 1)]),
            sent: found(&[("out-1", 1)]),
            received: found(&[("in-3", 1)]),
            repeated: 0,
        };
        assert_eq!(compare(&book, &good()), Vec::<String>::new());
        let wrong: [fn(&mut Truth); 7] = [
            |truth| _ = truth.phones.remove("out-1"),
            |truth| _ = truth.phones.insert("out-1".into(), 2),
            |truth| _ = truth.phones.insert("out-2".into(), 2),
            |truth| _ = truth.sent.remove("out-1"),
            |truth| _ = truth.received.remove("in-3"),
            |truth| _ = truth.received.insert("in-3".into(), 2),
            |truth| truth.repeated = 1,
        ];
        for (number, spoil) in wrong.iter().enumerate() {
            let mut truth = good();
            spoil(&mut truth);
            assert_eq!(compare(&book, &truth).len(), 1, "case {number}");
        }
        book.told.clear();
        book.unclear.push("out-4 was answered 500".into());
        assert_eq!(compare(&book, &good()).len(), 3);
    }
}
