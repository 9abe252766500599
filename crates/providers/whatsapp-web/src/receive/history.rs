//! What was said before the account was linked: told as it comes, decoded a few at a time in the whole process.

use std::sync::LazyLock;

use engine::chats::Names;
use engine::facts::Fact;
use serde_json::Value;
use tokio::sync::Semaphore;
use wacore::types::events::LazyHistorySync;
use web_wire::event::{Happening, HistorySync};

use super::owner;

/// A decoded history takes tens of megabytes.
static DECODING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));
/// What is told whole at most; larger ones are told without their conversations.
const LARGEST: usize = 32 << 20;

/// The event, and the names that came with it.
pub(super) async fn read(sender: &str, history: &LazyHistorySync) -> Option<(Happening, Vec<Fact>)> {
    let _turn = DECODING.acquire().await.ok()?;
    let (history, sender) = (history.clone(), sender.to_owned());
    tokio::task::spawn_blocking(move || decode(&sender, &history)).await.ok()?
}

fn decode(sender: &str, history: &LazyHistorySync) -> Option<(Happening, Vec<Fact>)> {
    let bytes = history.decompress().ok()?;
    let mut data = match web_wire::proto::read(&bytes, "HistorySync") {
        Ok(data) => data,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a history could not be read");
            return None;
        }
    };
    let facts = names(sender, &data);
    if bytes.len() > LARGEST
        && let Some(members) = data.as_object_mut()
    {
        members.remove("conversations");
    }
    let data = web_wire::go::respell(&data, "HistorySync");
    Some((HistorySync { data, notification: None }.into(), facts))
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
