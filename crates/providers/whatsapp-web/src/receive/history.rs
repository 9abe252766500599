//! What was said before the account was linked: told as it comes, decoded a few at a time in the whole process.
//!
//! A history as JSON takes many times its size on the wire, so one that is too large is told without its conversations,
//! which are not even unpacked together ([`skim`]).

use std::sync::LazyLock;

use engine::chats::Names;
use engine::facts::Fact;
use serde_json::Value;
use tokio::sync::Semaphore;
use wacore::types::events::LazyHistorySync;
use web_wire::event::{Happening, HistorySync};

use super::owner;
use super::skim::skim;

/// Decoded at the same time.
static DECODING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));
/// Bytes of a history, unpacked, that is told whole.
const LARGEST: usize = 8 << 20;

/// The event, and the names that came with it.
pub(super) async fn read(sender: &str, history: &LazyHistorySync) -> Option<(Happening, Vec<Fact>)> {
    let _turn = DECODING.acquire().await.ok()?;
    let (history, sender) = (history.clone(), sender.to_owned());
    tokio::task::spawn_blocking(move || decode(&sender, &history)).await.ok()?
}

fn decode(sender: &str, history: &LazyHistorySync) -> Option<(Happening, Vec<Fact>)> {
    let data = whole(history).or_else(|| without_conversations(history))?;
    let facts = names(sender, &data);
    let data = web_wire::go::respell(&data, "HistorySync");
    Some((HistorySync { data, notification: None }.into(), facts))
}

fn whole(history: &LazyHistorySync) -> Option<Value> {
    if history.decompressed_size() > LARGEST {
        return None;
    }
    let bytes = history.decompress().ok()?;
    web_wire::proto::read(&bytes, "HistorySync").ok()
}

fn without_conversations(history: &LazyHistorySync) -> Option<Value> {
    let skimmed = skim(history.compressed_bytes(), history.decompressed_size() as u64);
    let read = skimmed.map_err(anyhow::Error::from).and_then(|bytes| Ok(web_wire::proto::read(&bytes, "HistorySync")?));
    read.inspect_err(|error| tracing::warn!(%error, "a history could not be read")).ok()
}

fn names(sender: &str, data: &Value) -> Vec<Fact> {
    let people = data["pushnames"].as_array().into_iter().flatten();
    let named = people.filter_map(|person| {
        let jid: wacore_binary::Jid = person["id"].as_str()?.parse().ok()?;
        let push_name = person["pushname"].as_str()?.to_owned();
        Some(owner::person(sender, &jid, Names { push_name: Some(push_name), ..Names::default() }))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use sandbox_web::phone::Message;
    use sandbox_web::phone::peer::{self, Chat, History, Kind, Past};

    use super::*;

    /// A piece of history with so many chats of a megabyte each, packed.
    fn packed(chats: usize) -> Bytes {
        let said = Message { conversation: Some("long ago ".repeat((1 << 20) / 9)), ..Message::default() };
        let past = Past {
            id: "3A01".into(),
            from_me: false,
            participant: None,
            push_name: None,
            timestamp: 1_700_000_000,
            message: said,
        };
        let chat = |n: usize| Chat { jid: format!("{n}@lid"), messages: vec![past.clone()], ..Chat::default() };
        let history = History {
            chats: (0..chats).map(chat).collect(),
            push_names: vec![("7@lid".into(), "Ben".into())],
            progress: 80,
            ..History::default()
        };
        let message = peer::history(Kind::Recent, &history, None);
        let payload = &message.protocol_message.history_sync_notification.initial_hist_bootstrap_inline_payload;
        Bytes::from(payload.clone().unwrap())
    }

    fn told(payload: &Bytes, size: usize) -> (Value, usize) {
        let history = LazyHistorySync::new(payload.clone(), size, 3, None, None);
        let (happening, facts) = decode("ana", &history).unwrap();
        (happening.event["Data"].clone(), facts.len())
    }

    /// Bytes of memory in use at most since the last call, beyond what was in use then.
    #[cfg(target_os = "linux")]
    fn most_memory(of: impl FnOnce()) -> usize {
        let status = |name: &str| {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
        };
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = status("VmRSS:");
        of();
        status("VmHWM:") - before
    }

    #[test]
    fn small_histories_are_told_whole_and_large_ones_without_conversations() {
        let small = packed(2);
        let (data, names) = told(&small, 3 << 20);
        assert_eq!((data["conversations"].as_array().unwrap().len(), names, &data["progress"]), (2, 1, &80.into()));
        let (data, names) = told(&small, LARGEST + 1);
        assert_eq!((&data["conversations"], names, &data["progress"]), (&Value::Null, 1, &80.into()));
        assert_eq!(data["pushnames"][0]["pushname"], "Ben");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_large_history_takes_no_more_memory_than_a_small_one() {
        let large = packed(60);
        let most = most_memory(|| assert_eq!(told(&large, 64 << 20).1, 1));
        assert!(most < 16 << 20, "{most} bytes");
    }

    #[test]
    fn what_is_cut_off_or_no_history_is_left_out() {
        let payload = packed(1);
        let read = |bytes: Bytes, size| decode("ana", &LazyHistorySync::new(bytes, size, 3, None, None)).is_some();
        assert!(!read(payload.slice(..payload.len() / 2), 64 << 20));
        assert!(!read(Bytes::from_static(b"no zlib"), 64 << 20));
        assert!(!read(payload, 1 << 10), "more than it said");
    }
}
