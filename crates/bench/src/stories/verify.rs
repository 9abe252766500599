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

/// Compares the promises with what is there.
pub async fn verify(api: &Api, promises: &Promises) -> Outcome<Story> {
    let (phones, sent, received) =
        (on_phones(api).await?, through_kirim(api, "outbound").await?, through_kirim(api, "inbound").await?);
    let stats = api.sandbox(Method::GET, "/stats", None).await?;
    let book = promises.book();
    let mut broken = book.unclear.clone();
    let acknowledged = book.sends.iter().filter(|(_, acknowledged)| **acknowledged).map(|(text, _)| text);
    for text in acknowledged.clone() {
        once(&mut broken, text, "on the phone", &phones);
        once(&mut broken, text, "in Kirim's list", &sent);
        told(&mut broken, text, &book);
    }
    for text in &book.writes {
        once(&mut broken, text, "in Kirim's list", &received);
        told(&mut broken, text, &book);
    }
    for (text, count) in phones.iter().chain(&sent).filter(|(text, count)| **count > 1 && !is_acknowledged(&book, text))
    {
        broken.push(format!("{text}, never acknowledged, is there {count} times"));
    }
    let repeated = stats.pointer("/meta/repeated_sends").and_then(Value::as_u64).unwrap_or(u64::MAX);
    if repeated > 0 {
        broken.push(format!("{repeated} sends came to the sandbox twice"));
    }
    let told = vec![
        format!(
            "{} sends acknowledged of {}, {} messages written by customers",
            acknowledged.count(),
            book.sends.len(),
            book.writes.len()
        ),
        format!("answers by status (0: the connection broke): {:?}", book.answers),
    ];
    Ok(Story { told, broken })
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
