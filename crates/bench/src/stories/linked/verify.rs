//! Looks whether everything promised for linked accounts came true.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use reqwest::Method;

use super::{CUSTOMERS, Cast};
use crate::Outcome;
use crate::load::customer;
use crate::parts::Linked;
use crate::stories::Story;
use crate::stories::promises::Book;

/// What a dead process had begun is taken up by another when its claim is over, in a minute and a half.
const PATIENCE: Duration = Duration::from_secs(180);
/// Anything that comes twice has come by then.
const QUIET: Duration = Duration::from_secs(3);

/// Waits until nothing is under way any more.
pub async fn deliver(linked: &Linked) -> Outcome {
    for queue in ["send", "events", "deliveries"] {
        linked.api.wait_depth(queue, false, 0, PATIENCE).await?;
    }
    Ok(())
}

/// What there is in the end.
#[derive(Default)]
struct Truth {
    /// How often a text is on phones.
    phones: HashMap<String, u64>,
    /// The events that told of a text.
    told: HashMap<String, HashSet<String>>,
    /// Webhooks about links since all were linked.
    links: usize,
    /// Accounts that are connected.
    up: u64,
}

/// Compares the promises with what is there, when all has come to rest or nothing more is to be hoped for.
pub async fn verify(linked: &Linked, cast: &Cast) -> Outcome<Story> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let truth = truth(linked, cast).await?;
        if missing(&cast.promises.book(), &truth).is_empty() {
            break;
        }
        tokio::time::sleep(QUIET).await;
    }
    deliver(linked).await?;
    tokio::time::sleep(QUIET).await;
    let (truth, book) = (truth(linked, cast).await?, cast.promises.book());
    let mut broken = missing(&book, &truth);
    broken.extend(wrong(&book, &truth));
    if truth.up < cast.users.len() as u64 {
        broken.push(format!("only {} of {} accounts are connected", truth.up, cast.users.len()));
    }
    Ok(Story { told: tell(&book, &truth), broken })
}

fn tell(book: &Book, truth: &Truth) -> Vec<String> {
    let acknowledged = book.sends.values().filter(|acknowledged| **acknowledged).count();
    let doubtful = book.sends.keys().filter(|text| !book.sends[*text] && !book.refused.contains(*text));
    let (mut doubt, mut there) = (0, 0);
    for text in doubtful {
        (doubt, there) = (doubt + 1, there + usize::from(truth.phones.contains_key(text)));
    }
    vec![
        format!(
            "{acknowledged} sends acknowledged of {}, {} refused, {doubt} in doubt ({there} of them on phones); \
             {} messages written by customers",
            book.sends.len(),
            book.refused.len(),
            book.writes.len()
        ),
        format!("answers by status (0: the connection broke): {:?}", book.answers),
    ]
}

async fn truth(linked: &Linked, cast: &Cast) -> Outcome<Truth> {
    let mut phones = HashMap::new();
    for number in 0..CUSTOMERS {
        let path = format!("/phones/+{}/messages", customer(number));
        let shown = linked.api.sandbox(Method::GET, &path, None).await?;
        for message in shown["data"].as_array().into_iter().flatten().filter(|message| message["direction"] == "in") {
            *phones.entry(message["text"]["body"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    let up = linked.up().await?;
    let told = cast.inbox.told();
    Ok(Truth { phones, told: told.texts.clone(), links: told.links.len() - cast.links, up })
}

fn missing(book: &Book, truth: &Truth) -> Vec<String> {
    let acknowledged = book.sends.iter().filter(|(_, acknowledged)| **acknowledged).map(|(text, _)| text);
    let lost = acknowledged.filter(|text| !truth.phones.contains_key(*text));
    let untold = book.writes.iter().filter(|text| !truth.told.contains_key(*text));
    lost.map(|text| format!("{text} is not on the phone"))
        .chain(untold.map(|text| format!("no webhook told of {text}")))
        .collect()
}

fn wrong(book: &Book, truth: &Truth) -> Vec<String> {
    let mut broken = book.unclear.clone();
    if !book.sends.values().any(|acknowledged| *acknowledged) || book.writes.is_empty() {
        broken.push("nothing was sent, so nothing was shown".to_owned());
    }
    for (text, count) in truth.phones.iter().filter(|(_, count)| **count > 1) {
        broken.push(format!("{text} is {count} times on the phone"));
    }
    for text in book.refused.iter().filter(|text| truth.phones.contains_key(*text)) {
        broken.push(format!("{text} was refused, and is on the phone"));
    }
    for (text, events) in truth.told.iter().filter(|(_, events)| events.len() > 1) {
        broken.push(format!("{text} was told as {} messages", events.len()));
    }
    if truth.links > 0 {
        broken.push(format!("{} webhooks ask for accounts to be linked again", truth.links));
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(ids: &[&str]) -> HashSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn every_way_to_break_a_promise_is_seen() {
        let mut book = Book::default();
        book.sends.extend([("out-1".to_owned(), true), ("out-2".to_owned(), false), ("out-3".to_owned(), false)]);
        book.refused.insert("out-3".to_owned());
        book.writes.insert("in-4".to_owned());
        let good = || Truth {
            phones: HashMap::from([("out-1".to_owned(), 1), ("out-2".to_owned(), 1)]),
            told: HashMap::from([("in-4".to_owned(), events(&["a"]))]),
            ..Truth::default()
        };
        let all = |book: &Book, truth: &Truth| [missing(book, truth), wrong(book, truth)].concat();
        assert_eq!(all(&book, &good()), Vec::<String>::new());
        let spoilt: [fn(&mut Truth); 7] = [
            |truth| _ = truth.phones.remove("out-1"),
            |truth| _ = truth.phones.insert("out-1".into(), 2),
            |truth| _ = truth.phones.insert("out-2".into(), 2),
            |truth| _ = truth.phones.insert("out-3".into(), 1),
            |truth| _ = truth.told.remove("in-4"),
            |truth| _ = truth.told.insert("in-4".into(), events(&["a", "b"])),
            |truth| truth.links = 1,
        ];
        for (number, spoil) in spoilt.iter().enumerate() {
            let mut truth = good();
            spoil(&mut truth);
            assert_eq!(all(&book, &truth).len(), 1, "case {number}");
        }
        assert_eq!(all(&Book::default(), &Truth::default()).len(), 1, "a story without messages shows nothing");
    }
}
